"""Crash points of ARCHITECTURE.md: a short form of their proof, and the page held against its points."""

from __future__ import annotations

import pytest

from benchmarks.crash_points import PAGE, documented
from benchmarks.crashes import POINTS
from benchmarks.scripts.crash_server import CLASSES
from tests.run.conftest import Forked

CHOSEN = (
    "the call is about to leave, its record not durable",
    "the server has it and acts after the run died",
    "the server alone dies before it acts",
)


def test_every_crash_point_has_an_outcome_for_every_effect_class_in_the_page() -> None:
    page = documented(PAGE.read_text(encoding="utf-8"))

    assert list(page) == [point.name for point in POINTS]
    assert {tuple(words) for words in page.values()} == {CLASSES}


@pytest.mark.timeout(300)
def test_what_becomes_of_a_call_is_what_the_page_says(forked: Forked) -> None:
    page = documented(PAGE.read_text(encoding="utf-8"))

    assert forked("crash_points", *CHOSEN) == {point: page[point] for point in CHOSEN}
