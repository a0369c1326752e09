"""Types of columns: a whole column is one of numbers or dates, or all of it stays the texts it is."""

from __future__ import annotations

import pytest

from swarm.formed.row import Cell, Row, lines_of, typed

COLUMNS: dict[tuple[str, ...], tuple[str, list[Cell]]] = {
    ("12,50 EUR", "3,00 EUR"): ("it_eur", [12.5, 3.0]),
    ("$ 5", "$7"): ("it_usd", [5, 7]),
    ("50%", "7 %"): ("it_percent", [50, 7]),
    ("5 m", "7 M"): ("it", ["5 m", "7 M"]),
    ("5 EUR", "7 USD"): ("it", ["5 EUR", "7 USD"]),
    ("5", "n/a"): ("it", ["5", "n/a"]),
    ("1,234", "2,345"): ("it", ["1,234", "2,345"]),
    ("007", "8"): ("it", ["007", "8"]),
    ("192.168.100.200", "192.168.100.201"): ("it", ["192.168.100.200", "192.168.100.201"]),
    ("1st", "1st"): ("it", ["1st", "1st"]),
    ("5 pm", "6 pm"): ("it", ["5 pm", "6 pm"]),
    ("M19912", "M19913"): ("it", ["M19912", "M19913"]),
    ("3.9.2026", "2026-09-04"): ("it", ["2026-09-03", "2026-09-04"]),
    ("3.9.2026", "soon"): ("it", ["3.9.2026", "soon"]),
    ("03/04/2026", "04/04/2026"): ("it", ["03/04/2026", "04/04/2026"]),
    ("9" * 100_000, "1"): ("it", ["9" * 100_000, "1"]),
}


@pytest.mark.parametrize("cells", COLUMNS, ids=lambda cells: cells[0][:20])
def test_a_column_has_one_type_or_stays_as_it_is(cells: tuple[str, ...]) -> None:
    rows = typed([{"it": cell} for cell in (*cells, None)], but=set())

    name, values = COLUMNS[cells]
    assert rows == [{name: value} for value in (*values, None)]


def test_numbers_of_a_phone_count_nothing() -> None:
    rows: list[Row] = [{"phone": "170 123 456"}, {"phone": "170 123 457"}]

    assert typed(rows, but=set()) == rows


def test_one_column_with_decimal_commas_tells_how_another_parts_thousands() -> None:
    rows: list[Row] = [{"fee": "12,50", "people": "1.234"}, {"fee": "3,75", "people": "2.000"}]

    assert typed(rows, but=set()) == [{"fee": 12.5, "people": 1234}, {"fee": 3.75, "people": 2000}]


def test_a_unit_never_gives_a_column_the_name_of_another() -> None:
    rows: list[Row] = [{"fee": "5 EUR", "fee_eur": "7"}, {"fee": "6 EUR", "fee_eur": "8"}]

    assert typed(rows, but=set()) == [{"fee": 5, "fee_eur": 7}, {"fee": 6, "fee_eur": 8}]


def test_lines_are_those_of_an_editor() -> None:
    assert lines_of("a\r\nb\u2028c\x0cd\rlast\n") == ["a", "b\u2028c\x0cd", "last"]
