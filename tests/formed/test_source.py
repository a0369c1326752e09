"""Comments and functions of sources."""

from __future__ import annotations

import pytest

from swarm.formed.source_code import MOST_CHARACTERS, comments, functions, is_known

COMMENTS = {
    "a.py": ('#!/usr/bin/python\n# one\nx = \'# no\'  # two\n"""# no"""\n', [(2, "one"), (3, "two")]),
    "a.c": (
        "/* one\n * two\n% three\n */ int x; // four\n#define X\n",
        [(1, "one"), (2, "two"), (3, "% three"), (4, "four")],
    ),
    "a.js": (
        "const u = 'http://x'; // one\n/** two\n * @three */\n",
        [(1, "one"), (2, "two"), (3, "@three")],
    ),
    "a.sql": ("-- one\nselect '--no' /* two */;\n", [(1, "one"), (2, "two")]),
    "a.sh": ("#!/bin/sh\n# one\necho '#no' ${x#y}\n", [(2, "one")]),
    "a.lua": ("--[[ one\ntwo ]]\n-- three\n", [(1, "one"), (2, "two"), (3, "three")]),
    "a.hs": ("{- one\ntwo -}\n-- three\n", [(1, "one"), (2, "two"), (3, "three")]),
    "a.ml": ("(* one *)\nlet x = 1\n", [(1, "one")]),
    "a.rb": ("# one\n# two\nx = '#no'\n", [(1, "one"), (2, "two")]),
    "a.go": ('// one\nvar x = "// no"\n', [(1, "one")]),
}


@pytest.mark.parametrize("path", COMMENTS)
def test_a_comment_is_what_the_language_says_is_one(path: str) -> None:
    text, wanted = COMMENTS[path]

    assert [(row["line"], row["text"]) for row in comments([(path, text)])] == wanted


def test_comments_that_cannot_be_told_are_an_error_and_not_none() -> None:
    assert not is_known("a.unheard")
    with pytest.raises(ValueError, match=r"a\.unheard: its comments can't be told"):
        comments([("a.unheard", "# x")])
    with pytest.raises(ValueError, match=r"a\.py: its comments can't be told"):
        comments([("a.py", "#" * (MOST_CHARACTERS + 1))])


def test_functions_are_found_wherever_they_are_defined() -> None:
    text = (
        "try:\n  import x\nexcept ImportError:\n  def f(): 'says'\nclass A:\n  class B:\n    async def g(self):\n"
        "      def h(): pass\nmatch 1:\n  case 1:\n    def m(): pass\nx = '\\d'\nasync def k():\n  async with x:\n"
        "    def n(): return lambda: 0\n"
    )

    found = [
        (row["line"], row["name"], row["class"], row["docstring"]) for row in functions([("a.py", text)])
    ]

    assert found == [
        (4, "f", None, "says"),
        (7, "g", "B", None),
        (8, "h", "B", None),
        (11, "m", None, None),
        (13, "k", None, None),
        (15, "n", None, None),
    ]


def test_a_source_of_another_python_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match=r"old\.py can't be parsed as Python"):
        functions([("a.py", "def f(): pass"), ("old.py", "print 'x'")])


PUBLIC = """
def shown(): pass
def _own(): pass
async def fetched(): pass
class Room:
    def open(self):
        def helper(): pass
    def _lock(self): pass
    def __init__(self): pass
class _Hidden:
    def open_too(self): pass
if True:
    def beside(): pass
"""


def test_public_is_what_others_may_call() -> None:
    found = {row["name"]: row["public"] for row in functions([("a.py", PUBLIC)])}

    assert [name for name, public in found.items() if public == "yes"] == [
        "shown",
        "fetched",
        "open",
        "beside",
    ]
    assert {found[name] for name in ("_own", "helper", "_lock", "__init__", "open_too")} == {"no"}
