"""The forms that tables are made of."""

from __future__ import annotations

import pytest

from swarm.formed import table


@pytest.mark.parametrize(
    ("form", "path", "text", "column"),
    [
        (table.LINES, "a.txt", "x", "text"),
        (table.ENTRIES, "a.log", "2026-09-09 05:00:05 x", "time"),
        (table.LABELS, "a.txt", "Fee: 5\nName: x", "fee"),
        (table.SETTINGS, "a.ini", "a=1", "value"),
        (table.MAILS, "a.eml", "From: a\n\nx", "sender"),
        (table.COMMENTS, "a.py", "# x", "text"),
        (table.FUNCTIONS, "a.py", "def f(): pass", "docstring"),
    ],
)
def test_each_form_gives_rows_that_name_their_file(form: str, path: str, text: str, column: str) -> None:
    (row,) = table.rows_of(form, [(path, text)])

    assert row["file"] == path
    assert column in row
    assert table.rows_of(form, []) == []
