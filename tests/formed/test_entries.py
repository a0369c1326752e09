"""Logs as rows: no entry is lost, and none is put to another."""

from __future__ import annotations

import pytest

from swarm.formed.entries import is_log, rows
from swarm.formed.row import Cell

TRACE = (
    "2026-09-09 05:00:05,123 INFO  [main] com.x.Y - up\n"
    "2026-09-09 05:00:05,124 ERROR [main] com.x.Y - died\n"
    "java.lang.X: boo\n\tat a.b(C.java:1)\n\tat a.c(C.java:2)\n\tat a.d(C.java:2)\n\t... 3 more\n"
)


def cells(text: str, *names: str) -> list[tuple[Cell, ...]]:
    return [tuple(row.get(name) for name in names) for row in rows([("a.log", text)])]


def test_a_stack_trace_goes_on_with_its_entry() -> None:
    assert is_log([("a.log", TRACE)])
    assert cells(TRACE, "line", "text") == [
        (1, "up"),
        (2, "died\njava.lang.X: boo\nat a.b(C.java:1)\nat a.c(C.java:2)\nat a.d(C.java:2)\n... 3 more"),
    ]


def test_an_entry_with_a_level_or_a_broken_time_is_one_of_its_own() -> None:
    text = (
        "2026-09-09 05:00:05 INFO x\nERROR: own\n  more\n2026-09-09 25:00:00 y\n2026-09-09 05:00:06 INFO z\n"
    )

    assert cells(text, "line", "time", "level", "text") == [
        (1, "05:00:05", "INFO", "x"),
        (2, None, "ERROR", "own\nmore"),
        (4, None, None, "2026-09-09 25:00:00 y"),
        (5, "05:00:06", "INFO", "z"),
    ]


def test_what_stands_before_the_first_entry_is_kept_and_of_no_other_file() -> None:
    texts = [
        ("a.log", "2026-09-09 05:00:05 x\n"),
        ("b.log", "tail of a trace\nmore\n2026-09-09 05:00:06 y\n"),
    ]

    found = [(row["file"], row["line"], row["time"], row["text"]) for row in rows(texts)]

    assert found == [
        ("a.log", 1, "05:00:05", "x"),
        ("b.log", 1, None, "tail of a trace\nmore"),
        ("b.log", 3, "05:00:06", "y"),
    ]


def test_java_util_logging_has_its_level_in_the_second_line() -> None:
    text = "Sep 09, 2026 5:00:05 PM com.x.Y run\nINFO: hi\nSep 09, 2026 5:00:06 PM com.x.Y run\nSEVERE: no\n"

    assert cells(text, "hour", "level", "text") == [
        (17, "INFO", "com.x.Y run\nhi"),
        (17, "SEVERE", "com.x.Y run\nno"),
    ]


def test_zones_are_told_where_they_differ() -> None:
    one, other = "2026-09-09T05:00:05+02:00 x\n", "2026-09-09T05:00:05Z x\n"

    assert cells(one + other, "zone") == [("+02:00",), ("Z",)]
    assert "zone" not in rows([("a.log", one + one)])[0]


def test_all_rows_have_the_same_columns() -> None:
    web = '1.2.3.4 - - [09/Sep/2026:05:00:05 +0200] "GET / HTTP/1.1" 200 1\n'
    found = rows([("a.log", web + "2026-09-09 05:00:06 INFO x\n")])

    assert {tuple(row) for row in found} == {
        (
            "file",
            "line",
            "date",
            "time",
            "hour",
            "zone",
            "host",
            "method",
            "path",
            "status",
            "bytes",
            "level",
            "text",
        )
    }


def test_colours_and_directives_are_no_part_of_an_entry() -> None:
    text = "#Fields: date time\n2026-09-09 05:00:05 \x1b[32mINFO\x1b[0m x\n2026-09-09 05:00:06 \x1b[31mERROR\x1b[0m y\n"

    assert cells(text, "line", "level", "text") == [(2, "INFO", "x"), (3, "ERROR", "y")]


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [""],
        ["one line\nanother\n"],
        ["2026-09-09 05:00:05 the only one\n"],
        ["1789000000.123 INFO x\n1789000001.123 INFO y\n"],
        ["2026-09-09 05:00:05 x\n2026-09-09 05:00:06 y\n" * 9, "a note\nof words\n", "another\nnote\n"],
        ["WARNING:root:x\nERROR:root:y\n"],
    ],
)
def test_texts_of_another_form_are_no_log(texts: list[str]) -> None:
    assert not is_log([(f"{number}.txt", text) for number, text in enumerate(texts)])


def test_an_entry_of_very_many_lines_is_put_together_quickly() -> None:
    text = "2026-09-09 05:00:05 x\n" + "  more\n" * 50_000

    (row,) = rows([("a.log", text)])

    assert len(str(row["text"])) == 1 + 5 * 50_000
