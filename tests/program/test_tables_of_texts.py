"""Tables made of texts, as programs in their own processes ask them."""

from __future__ import annotations

from pathlib import Path

import pytest

from swarm.program.program_wire import Formed, TableFiles
from tests.program.conftest import Ran

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

NOTES = Formed(name="notes", form="labels", patterns=["notes/*.txt"])


@pytest.fixture(autouse=True)
def notes(workspace: Path) -> None:
    for name, nights in {"ann": 2, "bob": 5}.items():
        text = f"Guest: {name.title()}\nNights: {nights}\n"
        (workspace / "notes" / f"{name}.txt").write_text(text, encoding="utf-8")


async def test_sql_and_table_give_the_rows_of_texts(ran: Ran) -> None:
    outcome = await ran(
        "rows = sql('SELECT guest FROM notes WHERE nights > 2')\nanswer([rows, table('notes')[0]])",
        formed=[NOTES],
    )

    assert outcome.error == ""
    assert outcome.answer == [
        [{"guest": "Bob"}],
        {"file": "notes/ann.txt", "guest": "Ann", "nights": 2, "text": None},
    ]
    assert sorted(outcome.read) == ["notes/ann.txt", "notes/bob.txt"]


async def test_comments_are_asked_by_their_marks_where_there_are_any_and_where_there_are_none(
    ran: Ran, workspace: Path
) -> None:
    comments = Formed(name="comments", form="comments", patterns=["a.py"])
    program = """
query = "SELECT owner, COUNT(*) AS n FROM comments WHERE mark = 'TODO' GROUP BY owner ORDER BY owner"
before = sql(query)
save("a.py", "# Done.\\n")
answer([before, sql(query)])
"""
    (workspace / "a.py").write_text("# TODO(ann): x\n# TODO(bob): y\n# TODO(ann): z\n# a\n", encoding="utf-8")

    outcome = await ran(program, formed=[comments])

    assert (outcome.error, outcome.answer) == ("", [[{"owner": "ann", "n": 2}, {"owner": "bob", "n": 1}], []])


async def test_a_table_holds_what_the_program_itself_has_changed(ran: Ran) -> None:
    program = """
before = sql("SELECT SUM(nights) AS n FROM notes")[0]["n"]
save("notes/cid.txt", "Guest: Cid\\nNights: 10\\n")
remove("notes/ann.txt")
answer([before, sql("SELECT SUM(nights) AS n FROM notes")[0]["n"], [row["guest"] for row in table("notes")]])
"""
    outcome = await ran(program, formed=[NOTES])

    assert (outcome.error, outcome.answer) == ("", [7, 15, ["Bob", "Cid"]])


async def test_of_a_pattern_all_of_whose_files_the_program_removed_there_are_none(
    ran: Ran, workspace: Path
) -> None:
    (workspace / "a.ini").write_text("a = 1\n", encoding="utf-8")
    (workspace / "b.ini").write_text("b = 2\n", encoding="utf-8")
    settings = Formed(name="settings", form="settings", patterns=["a.ini", "b.ini"])

    outcome = await ran("remove('a.ini')\nanswer(sql('SELECT name FROM settings'))", formed=[settings])

    assert (outcome.error, outcome.answer) == ("", [{"name": "b"}])


async def test_a_table_file_of_the_same_name_comes_first(ran: Ran) -> None:
    texts = Formed(name="prices", form="lines", patterns=["notes/*.txt"])
    other = Formed(name="prices_lines", form="lines", patterns=["notes/*.txt"])

    outcome = await ran(
        "answer([len(sql('SELECT price FROM prices')), len(sql('SELECT line FROM prices_lines'))])",
        tables=[TableFiles(name="prices", pattern="prices.csv")],
        formed=[texts, other],
    )

    assert (outcome.error, outcome.answer) == ("", [2, 4])


async def test_a_file_of_another_encoding_is_read_as_its_letters_show(ran: Ran, workspace: Path) -> None:
    (workspace / "notes" / "bob.txt").write_bytes("Guest: Jörg Müller\nNights: 5\n".encode("cp1252"))

    outcome = await ran("answer([row['guest'] for row in table('notes')])", formed=[NOTES])

    assert (outcome.error, outcome.answer) == ("", ["Ann", "Jörg Müller"])


async def test_a_file_that_is_no_text_is_an_error_that_names_it_and_was_not_read(
    ran: Ran, workspace: Path
) -> None:
    (workspace / "notes" / "bob.txt").write_bytes(bytes(range(256)) * 4)

    outcome = await ran("answer(len(table('notes')))", formed=[NOTES])

    assert "notes/bob.txt" in outcome.error


async def test_a_file_that_is_gone_meanwhile_is_an_error_and_no_empty_table(
    ran: Ran, workspace: Path
) -> None:
    gone = Formed(name="gone", form="entries", patterns=["app.log"])

    outcome = await ran("answer(sql('SELECT COUNT(*) AS n FROM gone'))", formed=[gone])

    assert "app.log" in outcome.error


async def test_a_file_whose_form_cannot_be_told_is_an_error_that_names_it(ran: Ran, workspace: Path) -> None:
    (workspace / "a.yaml").write_text("a: [1\n", encoding="utf-8")
    settings = Formed(name="settings", form="settings", patterns=["a.yaml"])

    outcome = await ran("answer(sql('SELECT * FROM settings'))", formed=[settings])

    assert "a.yaml: its settings can't be told" in outcome.error


async def test_the_table_of_all_files_has_their_sizes_and_digests(ran: Ran) -> None:
    files = Formed(name="all_files", form="files", patterns=["**/*"])

    outcome = await ran(
        "answer(sql('SELECT file, bytes, length(sha256) AS n FROM all_files ORDER BY file'))", formed=[files]
    )

    assert outcome.error == ""
    assert outcome.answer == [
        {"file": "notes/ann.txt", "bytes": 21, "n": 64},
        {"file": "notes/bob.txt", "bytes": 21, "n": 64},
        {"file": "prices.csv", "bytes": 27, "n": 64},
    ]
