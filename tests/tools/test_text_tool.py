"""The native tools ``text``: counting, extracting and replacing by a pattern."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import JsonValue

from mcp_servers.files_parts import patterns
from swarm import ToolError
from tools import text

NOTES = "Ana: report by 2026-03-12\nBen: call by 2026-04-01\nana: rest\n"


@dataclass
class Context:
    """What a run would give: the texts it keeps under handles."""

    workspace: Path = field(default_factory=Path)
    kept: Mapping[str, str] = field(default_factory=dict[str, str])

    def tables(self) -> Mapping[str, list[dict[str, JsonValue]]]:
        return {}

    def text_of(self, handle: str) -> str:
        if handle not in self.kept:
            raise ToolError(f"no text has the handle {handle!r}")
        return self.kept[handle]


def test_matches_are_counted_line_by_line() -> None:
    assert text.count(r"^\w+:", NOTES, Context()).data == 3
    assert text.count(r"^Ana:", NOTES, Context()).text == "1 match"
    assert text.count(r"(?i)^ana:", NOTES, Context()).text == "2 matches"


def test_a_handle_stands_for_its_text() -> None:
    context = Context(kept={"t-3f9a1c2b": NOTES})

    assert text.count("by", " t-3f9a1c2b ", context).data == 2
    assert text.count("t", "t-shirt", context).data == 2
    with pytest.raises(ToolError, match="no text has the handle 't-00000000'"):
        text.count("by", "t-00000000", context)


def test_named_groups_give_the_rows_of_a_table() -> None:
    result = text.extract(r"^(?P<owner>\w+): .* by (?P<due>[\d-]+)$", NOTES, Context())

    assert result.data == [{"owner": "Ana", "due": "2026-03-12"}, {"owner": "Ben", "due": "2026-04-01"}]
    assert result.text == "owner | due\nAna | 2026-03-12\nBen | 2026-04-01\n(2 matches)"


@pytest.mark.parametrize(
    ("pattern", "data"),
    [
        (r"\d{4}-\d\d", ["2026-03", "2026-04"]),
        (r"by (\d{4})", ["2026", "2026"]),
        (r"^(\w+): (\w+) by", [{"group1": "Ana", "group2": "report"}, {"group1": "Ben", "group2": "call"}]),
        (r"^B(x)?en", [None]),
        ("nothing", []),
    ],
)
def test_a_match_gives_what_its_groups_say(pattern: str, data: JsonValue) -> None:
    assert text.extract(pattern, NOTES, Context()).data == data


def test_many_matches_are_printed_in_part_and_given_whole() -> None:
    result = text.extract(r"x+", ("x" * 99 + " ") * 500, Context())

    assert len(result.text) < 6_200
    assert result.text.endswith("(first 60 of 500 matches)")
    assert isinstance(result.data, list)
    assert len(result.data) == 500


def test_too_many_matches_are_refused() -> None:
    with pytest.raises(ToolError, match="over 1000 matches"):
        text.extract("x", "x" * 1_001, Context())


def test_matches_are_replaced_and_groups_put_in() -> None:
    result = text.replace(r"(\d{4})-(\d\d)-(\d\d)", r"\3.\2.\1", NOTES, Context())

    assert result.text == "Ana: report by 12.03.2026\nBen: call by 01.04.2026\nana: rest\n"
    assert result.data == {"replaced": 2}


def test_a_text_without_a_match_stays_as_it_is() -> None:
    result = text.replace("zzz", "y", NOTES, Context())

    assert result.text == NOTES
    assert result.data == {"replaced": 0}


@pytest.mark.parametrize("pattern", ["(", "[a", "*", r"\g<x>", "(?P<a>x)(?P=b)", "", "x" * 1_001])
def test_a_wrong_pattern_is_answered_with_the_reason(pattern: str) -> None:
    with pytest.raises(ToolError):
        text.count(pattern, NOTES, Context())


@pytest.mark.parametrize("by", [r"\9", r"\g<owner>", "\\"])
def test_a_wrong_replacement_is_answered_with_the_reason(by: str) -> None:
    with pytest.raises(ToolError, match="is no replacement"):
        text.replace("Ana", by, NOTES, Context())


def test_a_pattern_that_backtracks_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is shortened, so that the suite need not wait for it."""
    monkeypatch.setattr(text, "SECONDS", 0.2)
    endless = r"^(a|aa|a+)+\d\1$"

    for call in (text.count, text.extract):
        with pytest.raises(ToolError, match="takes too long"):
            call(endless, "a" * 5_000 + "!", Context())
    with pytest.raises(ToolError, match="takes too long"):
        text.replace(endless, "", "a" * 5_000 + "!", Context())


def test_a_replacement_cannot_fill_the_memory() -> None:
    with pytest.raises(ToolError, match="over 2000000 characters"):
        text.replace("x", "y" * 10_000, "x" * 100_000, Context())


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(ToolError, match="take it in parts"):
        text.count("x", "x" * 2_000_001, Context())


COUNTED = [
    (r"\d{4}-\d\d-\d\d", 10),
    ("(?:a{10}b){10}", 130),
    ("((a{2}){3}){4}", 24),
    ("[{3}]{2}", 2),
    (r"\(a{3}\)", 5),
    ("(a{2})(?#, twice){2}", 4),
    ("a{,5}", 5),
    ("a{3,}", 3),
    ("a{2", 3),
    ("a)b", 3),
]


@pytest.mark.parametrize(("pattern", "steps"), COUNTED)
def test_the_size_of_a_pattern_is_foretold(pattern: str, steps: int) -> None:
    assert text.steps_of(pattern) == steps == patterns.steps_of(pattern)


@pytest.mark.parametrize(
    "pattern", ["a{20001}", "(?:ab{150}c){150}", "(a{,200}){,200}", "((x{30}){30}){30}", "a{30000}"]
)
def test_a_pattern_that_would_fill_the_memory_is_refused_before_it_is_compiled(pattern: str) -> None:
    with pytest.raises(ToolError, match="use smaller counts"):
        text.count(pattern, NOTES, Context())
    with pytest.raises(ValueError, match="use smaller counts"):
        patterns.check(pattern)


@pytest.mark.parametrize("pattern", ["(?x) a b", "(?iV1)a", "(?sx:a)"])
def test_flags_that_change_how_a_pattern_is_read_are_refused(pattern: str) -> None:
    with pytest.raises(ToolError, match="flag x or V1"):
        text.count(pattern, NOTES, Context())
    with pytest.raises(ValueError, match="flags x and V1"):
        patterns.check(pattern)


@pytest.mark.parametrize(
    "pattern", [r".{0,200}report.{0,200}", r"(?:\w{1,60}\s){1,30}", r"\(?x\)?", r"(?P<x>a)"]
)
def test_a_pattern_of_usual_size_is_used(pattern: str) -> None:
    text.count(pattern, NOTES, Context())
    patterns.check(pattern)
