"""The native tool ``dates``: reckoning with dates as people write them."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from swarm import ToolError
from tools.dates import dates


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-12",
        "2026/3/12",
        "12 March 2026",
        "12th of march 2026",
        "March 12, 2026",
        "Mar. 12th 2026",
        "12-Mar-2026",
        "12.03.2026",
        "Thursday, 12 March 2026",
        "Thu 2026-03-12",
    ],
)
def test_a_date_is_read_as_people_write_it(written: str) -> None:
    result = dates(written)

    assert (result.text, result.data) == ("2026-03-12 (Thursday)", "2026-03-12")


@pytest.mark.parametrize(
    ("expression", "data"),
    [
        ("2026-03-01 + 45 days", "2026-04-15"),
        ("2026-03-01 - 1 week", "2026-02-22"),
        ("45 days after 2026-03-01", "2026-04-15"),
        ("2 weeks before 1 March 2026", "2026-02-15"),
        ("2026-03-01 + 1 month - 2 days", "2026-03-30"),
        ("31 January 2026 + 1 month", "2026-02-28"),
        ("29 Feb 2024 + 1 year", "2025-02-28"),
        ("Fri 2026-03-13 + 3 workdays", "2026-03-18"),
        ("2026-03-16 - 1 working day", "2026-03-13"),
        ("25/03/2026", "2026-03-25"),
        ("03/25/2026", "2026-03-25"),
        ("04/04/2026", "2026-04-04"),
        ("2026-05-01 - 2026-03-12", 50),
        ("2026-03-12 - 2026-05-01", -50),
        ("2026-05-01 - 2026-04-03 in weeks", 4),
        ("days between 2026-03-01 and 2026-03-12", 11),
        ("from 1 March 2026 to 12 March 2026", 11),
        ("weekday 2026-03-02", "Monday"),
        ("what day is 2026-03-02?", "Monday"),
        ("2026-03-01 < 2026-03-12", True),
        ("2026-03-01 >= 2026-03-12", False),
        ("is 2026-03-01 after 2026-03-12?", False),
        ("2026-03-12 = 12 March 2026", True),
    ],
)
def test_dates_are_reckoned_with(expression: str, data: JsonValue) -> None:
    assert dates(expression).data == data


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("12/03/2026", "'12/03/2026' can be two days; write 2026-03-12 or 2026-12-03"),
        ("12 March + 3 days", "has no year; write it with one, like '12 March 2026'"),
        ("Monday 12 March 2026", "does not agree: 2026-03-12 is a Thursday"),
        ("2026-02-31", "'2026-02-31' is no date"),
        ("12 March 20261", "has no year"),
        ("today + 3 days", "today is not known here"),
        ("9999-12-31 + 1 day", "leads out of the years 1 to 9999"),
        ("2026-01-01 + 99999 years", "leads out of the years 1 to 9999"),
        ("2026-01-01 + 999999999 workdays", "at most 100000"),
        ("@ + 3 days", "cannot read '@ + 3 days'"),
        ("2026-03-01 45 days", "cannot read"),
        ("", "write e.g. '2026-03-01 + 45 days'"),
        ("1" * 400, "cannot read"),
    ],
)
def test_what_is_unclear_is_answered_with_the_reason(expression: str, reason: str) -> None:
    with pytest.raises(ToolError) as error:
        dates(expression)

    assert reason in str(error.value)
