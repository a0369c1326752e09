"""What counts as read, and what as invented."""

from __future__ import annotations

import pytest

from swarm.agent.grounding import ReadTexts

PAGE = (
    "Sales came to 13 924.25 EUR, or 1.234,50 net. Anna will book the hall by 12 March 2026; 7 % were late."
)


@pytest.mark.parametrize(
    "value",
    [13924.25, 1234.5, 7, "Anna", "book the hall", "booking the hall", "2026-03-12", None, True, "12 March"],
)
def test_what_stands_on_the_page_is_found_however_it_is_written(value: str | float | None) -> None:
    assert ReadTexts([PAGE]).missing([{"value": value}]) == []


@pytest.mark.parametrize("value", [13924.52, 99, "Bernhard", "sell the old van", "2026-03-13"])
def test_what_does_not_stand_there_is_named(value: str | float) -> None:
    assert ReadTexts([PAGE]).missing([{"value": value}]) == [str(value)]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("2019-03-12", "It is due on 12 March 2026."),
        (-300, "There are 300.00 euros in credit."),
        (1250, "It costs 12.50."),
        (15, "It costs 1.5."),
        (123_456, "It costs 1,234.56."),
    ],
)
def test_a_year_a_sign_and_a_size_are_held_to_the_page(value: str | float, told: str) -> None:
    assert ReadTexts([told]).missing(value) == [str(value)]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("2026-03-12", "It is due on 12 March."),
        (-300, "The balance is -300.00 euros."),
        (-300, "The balance is \u2212$300."),
        (-12.5, "Net (12.50) after tax."),
        (-5, "It is minus five, or 5 below zero."),
        (1234, "There are 1.234 boats."),
        (1.234, "There are 1.234 boats."),
        (1_234_567, "There are 1.234.567 boats."),
        (1250, "It costs 1 250."),
    ],
)
def test_what_a_page_may_mean_is_found(value: str | float, told: str) -> None:
    assert ReadTexts([told]).missing(value) == []


def test_a_date_can_not_be_checked_against_a_page_without_dates() -> None:
    assert ReadTexts(["Anna will do it next week."]).missing("2026-03-12") == []
