"""The functions of programs: right use, and what is said to each kind of wrong use."""

from __future__ import annotations

import datetime
import decimal
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from swarm.program.functions import Functions
from swarm.program.program_wire import TableFiles
from tests.program.conftest import Here


def test_files_are_found_by_pattern_folder_and_bare_name(here: Here) -> None:
    functions = here()

    assert functions.files("notes/*.txt") == ["notes/ann.txt", "notes/bob.txt"]
    assert functions.files("notes") == functions.files("**/*.txt") == functions.files("*.txt")
    assert functions.files("prices.*") == ["prices.csv"]
    assert functions.files("notes/[ab]*.txt") == ["notes/ann.txt", "notes/bob.txt"]
    assert functions.files("notes/?nn.txt") == ["notes/ann.txt"]
    assert functions.files() == ["notes/ann.txt", "notes/bob.txt", "prices.csv"]


def test_a_pattern_that_names_nothing_is_an_error_that_names_what_is_there(here: Here) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"^no file matches '\*\.md'; there are: prices\.csv, notes/ann\.txt"
    ):
        here().files("*.md")


@pytest.mark.parametrize("name", ["notes/an.txt", "ann.txt", "notes/Ann.TXT", "Notes/ann.txt"])
def test_a_wrong_name_is_an_error_that_names_the_right_one(name: str, here: Here) -> None:
    with pytest.raises(FileNotFoundError, match=r"^no file is called .*; there are: .*notes/ann\.txt"):
        here().read(name)


def test_texts_come_without_marks_and_with_one_kind_of_line_end(here: Here, workspace: Path) -> None:
    (workspace / "a.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo\r\n")
    (workspace / "b.txt").write_bytes("größer".encode("latin-1") * 40)
    (workspace / "c.txt").write_bytes("zwei\n".encode("utf-16"))
    functions = here()

    assert functions.read("a.txt") == "one\ntwo\n"
    assert functions.lines("./a.txt") == ["one", "two"]
    assert functions.read("b.txt") == "größer" * 40
    assert functions.lines("c.txt") == ["zwei"]
    assert functions.lines(str(workspace / "a.txt")) == ["one", "two"]


@pytest.mark.parametrize("function", ["read", "table", "lines"])
def test_a_list_of_names_where_one_is_wanted_is_an_error(function: str, here: Here) -> None:
    with pytest.raises(ValueError, match=r"takes the name of one file; write a loop: for name in files"):
        getattr(here(), function)(["a.txt"])


def test_open_works_over_what_was_written(here: Here) -> None:
    functions = here()
    with functions.open("notes/log.txt", "w") as file:
        file.write("one\n")
    with functions.open("notes/log.txt", "a", encoding="utf-8") as file:
        file.write("two\n")
    with functions.open("prices.csv", "a") as file:
        file.write("spa,9\n")

    assert functions.open("notes/log.txt").read() == "one\ntwo\n"
    with functions.open("prices.csv", "rb") as file:
        assert file.read().endswith(b"gym,7\nspa,9\n")
    assert [row["place"] for row in functions.table("prices.csv")] == ["pool", "gym", "spa"]
    with pytest.raises(FileExistsError, match=r"prices\.csv is there already"):
        functions.open("prices.csv", "x")
    with pytest.raises(ValueError, match="wants the name of a file"):
        functions.open(3)


def test_tables_are_read_with_typed_cells(here: Here, workspace: Path) -> None:
    (workspace / "rows.jsonl").write_text('{"a": 1}\n{"a": 2}\n', encoding="utf-8")
    functions = here()

    assert functions.table("prices.csv") == [
        {"place": "pool", "price": 4.5},
        {"place": "gym", "price": 7},
    ]
    assert functions.table("prices") == functions.table("prices.csv")
    assert functions.table("rows.jsonl") == [{"a": 1}, {"a": 2}]
    with pytest.raises(ValueError, match="no table"):
        functions.table("notes/ann.txt")


def test_sql_joins_files_databases_results_and_own_rows(here: Here, workspace: Path) -> None:
    with closing(sqlite3.connect(workspace / "shop.db")) as base, base:
        base.execute("CREATE TABLE visits (guest TEXT, place TEXT)")
        base.executemany(
            "INSERT INTO visits VALUES (?, ?)", [("Ann", "pool"), ("Bob", "gym"), ("Bob", "pool")]
        )
    functions = here(databases=["shop.db"], results={"guests": [{"guest": "Ann"}, {"guest": "Bob"}]})

    rows = functions.sql(
        """SELECT g.guest, SUM(p.price * f.factor) AS due FROM guests g JOIN visits v ON v.guest = g.guest
           JOIN prices p ON p.place = v.place JOIN factors f ON f.place = v.place
           GROUP BY g.guest ORDER BY g.guest""",
        factors=[{"place": "pool", "factor": 2}, {"place": "gym", "factor": 10}],
    )

    assert rows == [{"guest": "Ann", "due": 9}, {"guest": "Bob", "due": 79}]
    assert functions.tables() == {
        "visits": "shop.db",
        "prices": "prices.csv",
        "guests": "an earlier step",
    }


def test_sql_sees_what_the_program_wrote_and_removed(here: Here, workspace: Path) -> None:
    (workspace / "days").mkdir()
    for day in ("mon", "tue"):
        (workspace / "days" / f"{day}.csv").write_text("sold\n1\n", encoding="utf-8")
    functions = here([TableFiles(name="days", pattern="days/*.csv")])
    functions.save("days/wed.csv", [{"sold": 5}])
    functions.remove("days/mon.csv")
    functions.save("extra.csv", [{"x": 3}])

    assert functions.sql("SELECT SUM(sold) AS sold FROM days") == [{"sold": 6}]
    assert functions.sql("SELECT x FROM extra") == [{"x": 3}]


def test_of_two_databases_each_table_has_a_name_of_its_own(here: Here, workspace: Path) -> None:
    for place in ("a.db", "b.db", "old/b.db"):
        (workspace / place).parent.mkdir(exist_ok=True)
        with closing(sqlite3.connect(workspace / place)) as base, base:
            base.execute("CREATE TABLE sales (place TEXT)")
            base.execute("INSERT INTO sales VALUES (?)", (place,))
    functions = here(databases=["a.db", "b.db", "old/b.db"])

    assert functions.tables() == {
        "sales": "a.db",
        "b_sales": "b.db",
        "old_b_sales": "old/b.db",
        "prices": "prices.csv",
    }
    found = functions.tables()
    assert isinstance(found, dict)
    for name, place in found.items():
        if name != "prices":
            assert functions.sql(f"SELECT place FROM {name}") == [{"place": place}]


def test_a_database_that_cannot_be_read_hinders_nothing_else_and_is_named(
    here: Here, workspace: Path
) -> None:
    (workspace / "bad.db").write_bytes(b"no database" * 100)
    functions = here(databases=["bad.db"])

    assert functions.sql("SELECT COUNT(*) AS n FROM prices") == [{"n": 2}]
    with pytest.raises(ValueError, match=r"Not read: bad\.db can't be read"):
        functions.sql("SELECT * FROM sales")


def test_a_database_that_is_being_written_is_read_as_it_stands(here: Here, workspace: Path) -> None:
    with closing(sqlite3.connect(workspace / "wal.db")) as base:
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("CREATE TABLE t (x INT)")
        base.execute("INSERT INTO t VALUES (7)")
        base.commit()

        assert here(databases=["wal.db"]).sql("SELECT x FROM t") == [{"x": 7}]


@pytest.mark.parametrize(
    ("query", "rows", "said"),
    [
        ("SELECT * FROM nothing", {}, "prices"),
        ("SELECT wrong FROM prices", {}, "place"),
        ("DELETE FROM prices", {}, "only reading is possible"),
        ("SELECT * FROM t", {"t": "text"}, r"sql\(…, t=…\) wants a list of dicts"),
        ("SELECT * FROM t", {"t": [1, 2]}, r"sql\(…, t=…\) wants a list of dicts"),
    ],
)
def test_a_wrong_query_is_an_error_that_says_what_there_is(
    query: str, rows: dict[str, object], said: str, here: Here
) -> None:
    with pytest.raises(ValueError, match=said):
        here().sql(query, **rows)


def test_rows_for_a_query_have_a_name(here: Here) -> None:
    with pytest.raises(ValueError, match="give rows by the name that the query has for them"):
        here().sql("SELECT * FROM t", [{"a": 1}])


SAVED: dict[str, tuple[str, object, str]] = {
    "dicts": ("a.csv", [{"a": 1, "b": None}, {"a": 2.0, "c": "x,y"}], 'a,b,c\n1,,\n2,,"x,y"\n'),
    "a generator": ("a.csv", ({"a": n} for n in range(2)), "a\n0\n1\n"),
    "lists with a head": ("a.tsv", [["a", "b"], [1, 2]], "a\tb\n1\t2\n"),
    "a text with commas": ("a.csv", "a,b\n1,2", "a,b\n1,2\n"),
    "dates and decimals": (
        "a.csv",
        [{"day": datetime.date(2024, 2, 1), "sum": decimal.Decimal("2.50"), "is": True, "of": [1]}],
        "day,sum,is,of\n2024-02-01,2.5,true,[1]\n",
    ),
    "sums of floats": ("a.csv", [{"x": 0.1 + 0.2}, {"x": 1234567890123.45}, {"x": 12345678901234.0}], "x\n0.3\n1234567890123.45\n12345678901234\n"),
    "what is no number": ("a.csv", [{"x": float("nan")}], 'x\n""\n'),
    "json": ("a.json", {"a": {3, 1}, 2: datetime.timedelta(minutes=1)}, '{\n  "a": [\n    1,\n    3\n  ],\n  "2": 60.0\n}\n'),
    "a text that is json": ("a.json", '{"a": 1}', '{"a": 1}'),
    "a text that is none": ("a.json", "hello", '"hello"\n'),
    "lines": ("a.jsonl", [{"a": 1}, {"a": 2}], '{"a": 1}\n{"a": 2}\n'),
    "lines that are json": ("a.jsonl", '{"a": 1}\n{"a": 2}', '{"a": 1}\n{"a": 2}\n'),
    "markdown": ("a.md", [{"a": "x|y", "b": 1.5}], "| a | b |\n| --- | --- |\n| x\\|y | 1.5 |\n"),
    "a text": ("a.txt", "hello", "hello\n"),
    "texts": ("a.txt", ["one", "two\n"], "one\ntwo\n"),
    "nothing": ("a.txt", "", ""),
}  # fmt: skip


@pytest.mark.parametrize("form", SAVED)
def test_data_is_saved_in_the_form_of_its_ending(form: str, here: Here) -> None:
    name, data, text = SAVED[form]
    functions = here()

    functions.save(name, data)

    assert functions.read(name) == text


def test_columns_are_those_that_are_named_in_their_order(here: Here) -> None:
    functions = here()

    functions.save("a.csv", [{"a": 1, "b": 2, "c": 3}], columns=["c", "a"])
    functions.save("b.csv", [{"a": 1, "b": 2}], columns="b, a")

    assert functions.read("a.csv") == "c,a\n3,1\n"
    assert functions.read("b.csv") == "b,a\n2,1\n"


REFUSED: dict[str, tuple[str, object, str]] = {
    "a dict": ("a.csv", {"a": 1}, "wants a list of dicts, one for each row, not a dict"),
    "numbers": ("a.csv", [1, 2], "wants a list of dicts, one for each row, not a list"),
    "lists of two lengths": ("a.csv", [["a", "b"], [1]], "row 1 for 'a.csv' has 1 cells, and there are 2 names"),
    "a table as a text file": ("a.txt", [{"a": 1}], "wants a text, not a list; make one of it first"),
    "tuple keys": ("a.json", {("x", 1): 2}, r"the key \('x', 1\) is a tuple; make a list of dicts"),
    "keys that fall together": ("a.json", {1: "a", "1": "b"}, "two keys of a dict are '1' once they are texts"),
    "infinity": ("a.json", [float("inf")], "an infinite number can't be saved"),
    "an object": ("a.json", [object()], "an object can't be saved or answered; give texts, numbers, lists and dicts"),
    "a function": ("a.csv", [{"a": len}], "can't be saved or answered"),
    "a book": ("a.xlsx", [{"a": 1}], r"can't write \.xlsx; save a table as \.csv"),
    "a database": ("shop.db", "text", r"can't write \.db"),
    "a hidden file": (".env", "x", "'.env' is hidden; hidden files are not written"),
    "a hidden folder": (".git/hooks/x", "x", "is hidden"),
    "a folder": ("notes", "x", "'notes' is a folder; name a file in it"),
    "below a file": ("prices.csv/x.txt", "x", "'prices.csv' is a file, so nothing can be written below it"),
    "outside": ("../x.txt", "x", "'../x.txt' is no file of this folder; name one as files\\(\\) gives it"),
    "a path of the machine": ("/etc/passwd", "x", "'/etc/passwd' is no file of this folder"),
    "half a character": ("a\udc80.txt", "x", "is no valid text; give the file another name"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_saved_is_an_error_that_says_what_can(kind: str, here: Here) -> None:
    name, data, said = REFUSED[kind]

    with pytest.raises(ValueError, match=said):
        here().save(name, data)


def test_save_takes_the_name_first(here: Here) -> None:
    with pytest.raises(ValueError, match=r"save\(name, data\): the name of the file comes first"):
        here().save([{"a": 1}], "a.csv")


def test_a_column_that_no_row_has_is_an_error(here: Here) -> None:
    with pytest.raises(ValueError, match="no row has price; the rows have prize"):
        here().save("a.csv", [{"prize": 1}], columns=["price"])


def test_links_are_neither_written_nor_followed_out_of_the_workspace(
    here: Here, workspace: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (workspace / "away").symlink_to(tmp_path / "outside")
    (workspace / "alias.csv").symlink_to("prices.csv")
    functions = here()

    with pytest.raises(ValueError, match=r"'alias\.csv' is a link; name the file that it leads to"):
        functions.save("alias.csv", [{"a": 1}])
    with pytest.raises(ValueError, match="leads out of this folder by a link"):
        functions.save("away/x.txt", "x")
    with pytest.raises(ValueError, match="is a link"):
        functions.remove("away")
    with pytest.raises(ValueError, match="is a folder"):
        functions.remove("notes")


def test_a_removed_file_is_gone_until_it_is_written_again(here: Here) -> None:
    functions = here()

    functions.remove("notes/ann.txt")

    assert functions.files("notes/*") == ["notes/bob.txt"]
    with pytest.raises(FileNotFoundError, match=r"no file is called 'notes/ann\.txt'"):
        functions.read("notes/ann.txt")
    with pytest.raises(FileNotFoundError, match="no file is called"):
        functions.remove("notes/ann.txt")
    functions.save("notes/ann.txt", "again")
    assert functions.files("notes/*") == ["notes/ann.txt", "notes/bob.txt"]


def test_a_hundred_thousand_files_are_listed_and_a_wrong_name_among_them_found(
    here: Here, workspace: Path
) -> None:
    for folder in range(100):
        (workspace / f"f{folder}").mkdir()
        for number in range(1_000):
            (workspace / f"f{folder}" / f"{number}.txt").touch()
    functions = here()

    assert len(functions.files("f7/*.txt")) == 1_000
    assert len(functions.files("f*/*.txt")) == 100_000
    with pytest.raises(FileNotFoundError, match=r"there are: f3/12\.txt"):
        functions.read("f3/12.TXT")


def test_an_answer_is_what_json_can_hold_and_the_last_one_counts(here: Here) -> None:
    functions = here()

    functions.answer({"a": (1, 2)})
    functions.answer("Ann", 3)

    assert functions.last_answer == ["Ann", 3]
    assert json.dumps(functions.last_answer)


@pytest.mark.parametrize("columns", ["name, amount:number", ["name", "amount:number"], {"name": "text"}])
def test_extract_takes_columns_in_any_form(columns: object, here: Here) -> None:
    with pytest.raises(AssertionError, match="'columns': \\['name"):
        here().extract("x", columns)


WRONG_CALLS: dict[str, tuple[Callable[[Functions], object], str]] = {
    "columns that are a number": (lambda it: it.extract("x", 3), r'wants the columns as "name, amount:number, due:date"'),
    "no columns": (lambda it: it.extract("x", " , "), "at least one column"),
    "a dict for a text": (lambda it: it.extract({"a": "x"}, "a"), r"give a text, as read\(name\), or a list of texts"),
    "a number for a text": (lambda it: it.ask("what?", 3), "give a text"),  # type: ignore[arg-type]  # a mistake
    "an unnamed argument": (lambda it: it.tool("mail.send", "Ann"), "give each argument by its name"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG_CALLS)
def test_a_call_of_another_form_is_an_error(kind: str, here: Here) -> None:
    call, said = WRONG_CALLS[kind]

    with pytest.raises(ValueError, match=said):
        call(here())
