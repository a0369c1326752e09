"""Which tables the texts of a workspace make, and what is shown of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from swarm.formed.table import ENTRIES, FUNCTIONS, LABELS, LINES, SETTINGS, FormedTable
from swarm.survey import forming
from swarm.survey.forming import LONGEST_LINE, MOST_OF_FILE, formed
from swarm.survey.gathering import _formed  # pyright: ignore[reportPrivateUsage]  # names are given there
from swarm.survey.groups import Look, look_at
from swarm.survey.overview import Survey, TableGroup
from swarm.tabular.categories import MOST_ROWS


def put(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def tables(folder: Path) -> dict[str, FormedTable]:
    return {table.name: table for table in formed(folder, look_at(folder).groups)}


def test_each_form_gets_a_table_by_its_folder_its_file_or_its_form(tmp_path: Path) -> None:
    put(
        tmp_path,
        logs__a_dot_log="2026-09-09 05:00:05 INFO x\n",
        logs__b_dot_log="2026-09-09 05:00:06 ERROR y\n",
        orders__1_dot_txt="Fee: 5 EUR\nName: A\n",
        orders__2_dot_txt="Fee: 7 EUR\nName: B\n",
        app_dot_ini="[db]\nport = 1\n",
        main_dot_py="# c\ndef f(): pass\n",
    )

    found = tables(tmp_path)

    assert {name: (table.form, table.rows) for name, table in found.items()} == {
        "logs": (ENTRIES, 2),
        "orders": (LABELS, 2),
        "settings": (SETTINGS, 1),
        "functions": (FUNCTIONS, 1),
        "comments": ("comments", 1),
        "all_lines": (LINES, 10),
    }
    assert found["orders"].columns == ("file", "fee_eur", "name", "text")
    assert found["orders"].kinds == ("TEXT", "NUMBER", "TEXT", "TEXT")
    assert found["orders"].first[0] == ("orders/1.txt", 5, "A", None)


SECRETS = {
    "app.ini": "[db]\npassword = hunter22x\n",
    "app.toml": "token = 'hunter22x'\n",
    "one.json": '{"api": {"secrets": ["hunter22x"]}}',
    "two.yaml": "auth:\n  key: hunter22x\n",
    "url.properties": "db.url = postgresql://ann:hunter22x@host/db\n",
    "a.log": "2026-09-09 05:00:05 login password=hunter22x\n2026-09-09 05:00:06 Bearer hunter22xhunter22x1\n",
    "web.log": '1.2.3.4 - - [09/Sep/2026:05:00:05 +0200] "GET /in?token=hunter22x HTTP/1.1" 200 12\n' * 2,
    "users.txt": "Name: A\nPassword: hunter22x\n\nName: B\nPassword: hunter22x\n",
    "mail.eml": "From: a\nSubject: x\n\npassword: hunter22x\n",
    "main.py": "# token = 'hunter22x'\ndef f():\n    'password: hunter22x'\n",
}


@pytest.mark.parametrize("name", SECRETS)
def test_values_that_look_like_credentials_are_never_shown(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(SECRETS[name], encoding="utf-8")

    found = formed(tmp_path, look_at(tmp_path).groups)

    assert len(found) > 1
    assert "***" in found[0].model_dump_json() + found[1].model_dump_json()
    assert [table.name for table in found if "hunter22x" in table.model_dump_json()] == []
    assert "hunter22x" not in Survey(formed=found).samples()


def test_lists_of_credentials_make_no_table(tmp_path: Path) -> None:
    put(
        tmp_path,
        _dot_env="A=1\n",
        prod_dot_env="A=1\n",
        secrets_dot_yaml="a: 1\n",
        b__credentials_dot_ini="a=1\n",
    )

    assert tables(tmp_path) == {}


def test_settings_whose_form_cannot_be_told_are_left_out_and_not_guessed(tmp_path: Path) -> None:
    put(
        tmp_path,
        good_dot_ini="a = 1\n",
        nginx_dot_conf="server {\n  listen 80;\n}\n",
        broken_dot_yaml="a: [1\nb: 2\n",
    )

    table = tables(tmp_path)["settings"]

    assert table.patterns == ("good.ini",)
    assert table.rows == 1


def test_rows_of_a_cut_file_are_not_counted(tmp_path: Path) -> None:
    line = "2026-09-09 05:00:05 INFO " + "x" * 1_000 + "\n"
    put(tmp_path, a_dot_log=line * (MOST_OF_FILE // len(line) + 5))

    table = tables(tmp_path)["a"]

    assert table.rows is None
    assert all(len(str(cell)) <= 200 for row in table.first for cell in row)


def test_rows_are_not_counted_where_a_file_is_of_another_encoding(tmp_path: Path) -> None:
    put(
        tmp_path,
        logs__a_dot_log="2026-09-09 05:00:05 x\n2026-09-09 05:00:06 x\n",
        logs__c_dot_log="2026-09-09 05:00:05 x\n",
    )
    (tmp_path / "logs" / "b.log").write_bytes("2026-09-09 05:00:05 Grüße\n".encode("cp1252"))

    assert tables(tmp_path)["logs"].rows is None


def test_one_source_of_another_python_makes_no_table_of_functions(tmp_path: Path) -> None:
    put(tmp_path, a_dot_py="def f(): pass\n", b_dot_py="print 'x'\n")

    assert FUNCTIONS not in tables(tmp_path)


def test_names_with_signs_of_patterns_are_escaped(tmp_path: Path) -> None:
    (tmp_path / "a[1].ini").write_text("a = 1\n", encoding="utf-8")

    assert tables(tmp_path)["settings"].patterns == ("a[[]1].ini",)


def test_no_table_is_made_when_the_time_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is taken away, as no small workspace uses it up."""
    put(tmp_path, a_dot_ini="a = 1\n")
    monkeypatch.setattr(forming, "SECONDS", -1.0)

    assert tables(tmp_path) == {}


def test_very_long_lines_and_a_page_of_one_line_are_surveyed(tmp_path: Path) -> None:
    put(
        tmp_path,
        a_dot_log="2026-09-09 05:00:05 " + "a - " * 100_000,
        b_dot_txt="a: " * 200_000,
        c_dot_js="var a=1;" * 50_000,
        d_dot_md="# " * 200_000,
    )

    assert "all_lines" in tables(tmp_path)


def test_marks_of_comments_are_told_with_all_their_values_and_shown_in_a_row(tmp_path: Path) -> None:
    plain = "# plain\n" * MOST_ROWS
    put(tmp_path, a_dot_py=f"{plain}# TODO: x\n# FIXME(lena): y\n# TODO: z\n")

    table = tables(tmp_path)["comments"]

    assert table.columns == ("file", "line", "mark", "owner", "text")
    assert table.categories == {"mark": ("TODO", "FIXME")}
    assert table.first == (
        ("a.py", MOST_ROWS + 2, "FIXME", "lena", "y"),
        ("a.py", 1, None, None, "plain"),
    )


def test_the_one_mark_of_a_few_comments_is_told(tmp_path: Path) -> None:
    put(tmp_path, a_dot_py="# plain\n# TODO: x\n")

    found = formed(tmp_path, look_at(tmp_path).groups)

    assert "-- mark is one of: TODO" in Survey(formed=found).declared().splitlines()


def test_comments_without_marks_and_owners_have_no_columns_of_them(tmp_path: Path) -> None:
    put(tmp_path, a_dot_py="# plain\n")
    assert tables(tmp_path)["comments"].columns == ("file", "line", "text")

    put(tmp_path, a_dot_py="# TODO: x\n")
    assert tables(tmp_path)["comments"].columns == ("file", "line", "mark", "text")


def test_marks_are_told_of_where_not_all_comments_were_read(tmp_path: Path) -> None:
    put(tmp_path, a_dot_py="# plain\n", b_dot_js="// plain\n" + "x" * (LONGEST_LINE + 1))

    table = tables(tmp_path)["comments"]

    assert table.rows is None
    assert table.columns == ("file", "line", "mark", "owner", "text")


def test_a_table_never_gets_the_name_of_another() -> None:
    one = FormedTable(name="logs", form=ENTRIES, patterns=("*.log",), columns=("file",))
    look = Look(formed=(one, one, one.model_copy(update={"name": "fees"})))

    named = _formed(look, ["a.log"], {"logs", "logs_entries", "all_files"})

    assert [table.name for table in named] == ["logs_entries_2", "logs_entries_3", "fees", "all_files_files"]


def test_values_of_a_table_that_was_not_seen_as_a_whole_are_examples() -> None:
    told: dict[str, tuple[str, ...]] = {"state": ("open", "paid")}
    seen = TableGroup(name="a", pattern="a.csv", columns=("state",), rows=30, categories=told)
    cut = TableGroup(name="b", pattern="b.csv", columns=("state",), categories=told)
    long = TableGroup(name="c", pattern="c.csv", columns=("state",), rows=MOST_ROWS + 1, categories=told)

    lines = Survey(tables=(seen, cut, long)).declared().splitlines()

    assert [line for line in lines if "state is" in line] == [
        "-- state is one of: open, paid",
        "-- state is for example: open, paid",
        "-- state is for example: open, paid",
    ]


def test_a_table_that_the_task_does_not_name_is_told_of_all_the_same() -> None:
    tables = tuple(
        TableGroup(name=name, pattern=f"{name}.csv", columns=("place", "n")) for name in ("visits", "pl_24")
    )

    told = Survey(tables=tables).declared(task="Sum the visits by the price list.")

    assert told.splitlines()[0].startswith("CREATE TABLE visits")
    assert told.splitlines()[-1] == "-- also there: pl_24(place, n)"
