"""Numbers in texts: a number is read as it is meant, or not at all."""

from __future__ import annotations

import pytest

from swarm.formed.quantity import first_number

NUMBERS: dict[str, int | float] = {
    "5": 5,
    "-5 °C": -5,
    "\u22125 °C": -5,
    "\u20135 °C": -5,
    "pages 3\u20135": 3,
    "12.5 kg": 12.5,
    "12,50 EUR": 12.5,
    "0,125": 0.125,
    "0.125": 0.125,
    "1,234": 1234,
    "1.234": 1.234,
    "1,234.50": 1234.5,
    "1.234,50": 1234.5,
    "1.234.567": 1234567,
    "1,234,567": 1234567,
    "1234,567": 1234.567,
    "1 234,567": 1234.567,
    "1'234.50": 1234.5,
    "12\u00a0345": 12345,
    "costs $1,234.5.": 1234.5,
    "50%": 50,
    "(7)": 7,
    "5,- EUR": 5,
    "at 10:30": 10,
}
NONE = [
    "",
    "no",
    "9.9.2026",
    "192.168.1.1",
    "v1.2",
    "12.5kg",
    "1.5e3",
    "M19912",
    "3rd",
    "1,2,3",
    "12,34,567",
    "1" * 5_000,
]


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_is_read_as_it_is_meant(text: str) -> None:
    assert first_number(text) == NUMBERS[text]


@pytest.mark.parametrize("text", NONE)
def test_a_part_of_a_date_a_code_or_an_address_is_no_number(text: str) -> None:
    assert first_number(text) is None
