"""What counts as read, and what as invented."""

from __future__ import annotations

import pytest

from swarm.agent.grounding import Source

PAGE = (
    "Sales came to 13 924.25 EUR, or 1.234,50 net. Anna will book the hall by 12 March 2026; 7 % were late."
)


@pytest.mark.parametrize(
    "value",
    [13924.25, 1234.5, 7, "Anna", "book the hall", "booking the hall", "2026-03-12", None, True, "12 March"],
)
def test_what_stands_on_the_page_is_found_however_it_is_written(value: str | float | None) -> None:
    assert Source([PAGE]).missing([{"value": value}]) == []


@pytest.mark.parametrize("value", [13924.52, 99, "Bernhard", "sell the old van", "2026-03-13"])
def test_what_does_not_stand_there_is_named(value: str | float) -> None:
    assert Source([PAGE]).missing([{"value": value}]) == [str(value)]


def test_a_date_can_not_be_checked_against_a_page_without_dates() -> None:
    assert Source(["Anna will do it next week."]).missing("2026-03-12") == []
