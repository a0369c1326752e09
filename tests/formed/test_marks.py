"""Marks of comments, as they are written in sources of several languages."""

from __future__ import annotations

import pytest

from swarm.formed.marks import MARKS, marked
from swarm.formed.row import Cell
from swarm.formed.source_code import comments

Said = tuple[int, str | None, str | None, str]

SOURCES: dict[str, tuple[str, list[Said]]] = {
    "a.py": (
        "# TODO(lena): read the header\n"
        "x = 1  # FIXME[#12] overflows\n"
        "# XXX - why is this so?\n"
        "# and goes on here\n"
        "s = '# TODO: no comment'\n"
        "# todo: in small letters\n"
        "# Note that this is prose\n",
        [
            (1, "TODO", "lena", "read the header"),
            (2, "FIXME", None, "[#12] overflows"),
            (3, "XXX", None, "why is this so?"),
            (4, None, None, "and goes on here"),
            (6, "TODO", None, "in small letters"),
            (7, None, None, "Note that this is prose"),
        ],
    ),
    "a.js": (
        "//TODO @lena: cache\n/**\n * Adds.\n * @todo round it\n * HACK(bob, 2026-09-01): for old browsers\n */\n",
        [
            (1, "TODO", "lena", "cache"),
            (3, None, None, "Adds."),
            (4, "TODO", None, "round it"),
            (5, "HACK", "bob", "(2026-09-01) for old browsers"),
        ],
    ),
    "a.sh": (
        "#!/bin/sh\n#FIXME quote it\n# TODO_LIST is read below\n#   OPTIMIZE: one pass\n",
        [
            (2, "FIXME", None, "quote it"),
            (3, None, None, "TODO_LIST is read below"),
            (4, "OPTIMIZE", None, "one pass"),
        ],
    ),
    "a.c": (
        "/* BUG: leaks\n * NOTE (Ann Lee): see below\n * the TODO: in the middle\n */\nint x; // TODO\n/// \\bug off by one\n",
        [
            (1, "BUG", None, "leaks"),
            (2, "NOTE", "Ann Lee", "see below"),
            (3, None, None, "the TODO: in the middle"),
            (5, "TODO", None, ""),
            (6, "BUG", None, "off by one"),
        ],
    ),
    "a.sql": (
        "--TODO: add an index\nselect '-- TODO no'; -- REVIEW(@bob) is it used?\n/* WARNING -- locks the table */\n",
        [
            (1, "TODO", None, "add an index"),
            (2, "REVIEW", "bob", "is it used?"),
            (3, "WARNING", None, "locks the table"),
        ],
    ),
    "a.html": (
        "<!-- TODO: alt text -->\n<p>TODO: no comment</p>\n<!--\n  FIXME(lena): contrast\n-->\n"
        "<script>// XXX: inline\n</script>\n",
        [
            (1, "TODO", None, "alt text"),
            (4, "FIXME", "lena", "contrast"),
            (6, "XXX", None, "inline"),
        ],
    ),
}


@pytest.mark.parametrize("path", SOURCES)
def test_a_comment_has_its_mark_and_whose_it_is_in_each_language(path: str) -> None:
    text, wanted = SOURCES[path]

    rows = comments([(path, text)])

    assert [(row["line"], row["mark"], row["owner"], row["text"]) for row in rows] == wanted


def test_a_row_of_a_comment_has_its_columns_in_their_order() -> None:
    wanted: list[tuple[str, Cell]] = [
        ("file", "a.py"),
        ("line", 1),
        ("mark", "TODO"),
        ("owner", "lena"),
        ("text", "x"),
    ]

    assert [[*row.items()] for row in comments([("a.py", "# TODO(lena): x\n")])] == [wanted]


@pytest.mark.parametrize("mark", MARKS)
def test_each_mark_counts_in_capitals_alone_and_in_any_case_before_a_colon(mark: str) -> None:
    word = mark.capitalize()

    assert marked(f"{mark} x") == (mark, None, "x")
    assert marked(f"{word}: x") == (mark, None, "x")
    assert marked(f"{word} x") == (None, None, f"{word} x")
    assert marked(f"@{mark.lower()} x") == (mark, None, "x")


@pytest.mark.parametrize(
    "said",
    [
        "TODOS: x",
        "TODO-list of x",
        "TODO.md holds x",
        "TODO, FIXME and others",
        "BUG-12 is fixed",
        "XXX.c is old",
        "NOTE::text is shown",
        "note://x",
        "todo(lena) x",
        "a TODO: x",
        "notes: x",
    ],
)
def test_other_words_and_places_are_no_marks(said: str) -> None:
    assert marked(said) == (None, None, said)


OWNERS = {
    "TODO (lena): x": ("lena", "x"),
    "TODO[lena] x": ("lena", "x"),
    "TODO@lena: x": ("lena", "x"),
    "TODO @acme/backend x": ("acme/backend", "x"),
    "TODO(lena, bob): x": ("lena, bob", "x"),
    "TODO(lena #12): x": ("lena", "(#12) x"),
    "TODO(kim@example.com): x": ("kim@example.com", "x"),
    "TODO(Anna van Dam) — x": ("Anna van Dam", "x"),
    "Todo(lena): x": ("lena", "x"),
    "TODO?: x": (None, "x"),
    "TODO(): x": (None, "x"),
    "TODO(lena": (None, "(lena"),
    "TODO(CORE-12): x": (None, "(CORE-12) x"),
    "TODO(L53): x": (None, "(L53) x"),
    "TODO(py313): x": (None, "(py313) x"),
    "TODO(lena2): x": ("lena2", "x"),
    "TODO(2026-09-01): x": (None, "(2026-09-01) x"),
    "TODO(v2.1): x": (None, "(v2.1) x"),
    "TODO(see below): x": (None, "(see below) x"),
    "TODO (maybe) x": (None, "(maybe) x"),
    "TODO: ask @lena": (None, "ask @lena"),
    "TODO: -1 is wrong": (None, "-1 is wrong"),
}


@pytest.mark.parametrize("said", OWNERS)
def test_an_owner_is_a_name_and_what_is_none_stays_in_the_text(said: str) -> None:
    assert marked(said) == ("TODO", *OWNERS[said])
