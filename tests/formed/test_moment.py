"""Dates in texts: each form is read in one way, and what may be read in two is none."""

from __future__ import annotations

import pytest

from swarm.formed.moment import date_in, first_date

DATES = {
    "2026-09-03": "2026-09-03",
    "2026/9/3": "2026-09-03",
    "3.9.2026": "2026-09-03",
    "03. 09. 2026": "2026-09-03",
    "3-Sep-2026": "2026-09-03",
    "Wed, 3 Sep 2026": "2026-09-03",
    "Thursday, September 3rd, 2026": "2026-09-03",
    "3rd of September 2026": "2026-09-03",
    "Sept. 3, 2026": "2026-09-03",
    "3. März 2026": "2026-03-03",
    "14 juillet 2026": "2026-07-14",
    "3 de mayo de 2026": "2026-05-03",
}
NONE = [
    "03/04/2026",
    "13.13.2026",
    "2026-02-30",
    "3.4.26",
    "1.2.3.2026",
    "Market 5, 2026",
    "2026-09",
    "",
    "10:30",
]


@pytest.mark.parametrize("text", DATES)
def test_a_date_is_read_alone_and_in_a_sentence(text: str) -> None:
    assert (date_in(text), first_date(f"It was {text}, I think.")) == (DATES[text], DATES[text])


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_date_or_may_be_two_is_none(text: str) -> None:
    assert (date_in(text), first_date(text)) == ("", "")


def test_the_first_date_of_a_text_is_found_before_a_time_and_before_others() -> None:
    assert first_date("from 2026-09-03T05:00:05Z to 1.2.2027") == "2026-09-03"


def test_a_long_text_of_blanks_and_numbers_is_looked_through_quickly() -> None:
    assert first_date("9 " + " " * 20_000 + "9 Sep " * 2_000) == ""
