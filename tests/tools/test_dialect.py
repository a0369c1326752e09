"""What statements written for SQLite mean: the same figures come out, or what to write is told."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from swarm.errors import ToolError
from swarm.nouns.tool import Row
from swarm.tabular.query_engine import selected

TABLES: dict[str, list[Row]] = {
    "prices": [
        {"item": "A", "price": 123_456_789},
        {"item": "B", "price": 1},
        {"item": "C", "price": 16_777_217},
    ],
    "marks": [{"one": 3, "two": 9, "part": "0.00012"}, {"one": 8, "two": 2, "part": "1.5"}],
    "spelled": [{"Price": 9, "price": None}, {"Price": None, "price": 10}, {"PRICE": 5}],
    "gaps": [{"price": "5"}, {"price": ""}, {"price": "7"}],
}


@pytest.mark.parametrize(
    ("expression", "table", "value"),
    [
        ("CAST(SUM(price) AS REAL)", "prices", 140_234_007.0),
        ("SUM(CAST(price AS float))", "prices", 140_234_007.0),
        ("SUM(price::REAL)", "prices", 140_234_007.0),
        ("ROUND(CAST(3 AS REAL) / 7 * 100, 2)", "prices", 42.86),
        ("SUM(CAST(part AS NUMERIC))", "marks", 1.50012),
        ("CAST(1.239 AS DECIMAL(10, 2))", "marks", 1.24),
        ("MAX(CAST(80.9 / 100 AS INTEGER))", "marks", 0),
        ("CAST((1 + 2) * 2.9 AS INT)", "marks", 8),
        ("CAST(CAST(2.7 AS REAL) AS INTEGER)", "marks", 2),
        ("CAST('100.7' AS INTEGER)", "marks", 100),
        ("CAST(-1.9 AS BIGINT)", "marks", -1),
        ("SUM(CAST(one AS INTEGER))", "marks", 11),
        ("'(x AS INTEGER)'", "marks", "(x AS INTEGER)"),
        ("SUM(GREATEST(one, two))", "marks", 17),
        ("SUM(price)", "spelled", 24),
        ("SUM(price)", "gaps", 12),
        ("COUNT(price)", "gaps", 2),
        ("SUM(price LIKE '1%')", "prices", 3),
        ("SUM(price NOT LIKE '1234%')", "prices", 2),
        ("(SELECT one FROM marks ORDER BY one LIMIT 1, 2)", "marks", 8),
        ("printf('%.2f', MAX(one))", "marks", "8.00"),
        ("printf('%d of %s', 2, 'a')", "marks", "2 of a"),
        ("printf('%05d', 42)", "marks", "00042"),
        ("'LIMIT 1, 2'", "marks", "LIMIT 1, 2"),
        ("date('now') >= '2024-01-01'", "marks", True),
        ("strftime('%Y', 'now') >= '2024'", "marks", True),
        ("date('2024-01-31', '+1 day')", "marks", "2024-02-01"),
    ],
)
def test_an_expression_gives_what_sqlite_gives(expression: str, table: str, value: JsonValue) -> None:
    _, rows = selected(f"SELECT {expression} AS found FROM {table} LIMIT 1", TABLES)

    assert rows == [{"found": value}]


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("MAX(one, two)", r"the larger of several values is GREATEST\(one, other\)"),
        ("min(one, 5)", r"the smaller of several values is LEAST\(one, other\)"),
        ("format('%.2f', one)", "write printf"),
    ],
)
def test_a_function_that_means_something_else_is_refused_with_what_to_write(
    expression: str, told: str
) -> None:
    with pytest.raises(ToolError, match=told):
        selected(f"SELECT {expression} FROM marks", TABLES)


def test_a_row_with_two_values_for_one_name_is_refused() -> None:
    with pytest.raises(ToolError, match="two columns called 'price' but for letter case"):
        selected("SELECT SUM(price) FROM t", {"t": [{"Price": 9, "price": 1}]})


@pytest.mark.parametrize(
    "rest",
    [
        "MAX(REPLACE(price, ' EUR', '')) AS m FROM prices",
        "town FROM prices ORDER BY REPLACE(price, ' EUR', '') DESC LIMIT 1",
        "town FROM prices WHERE REPLACE(price, ' EUR', '') > '900'",
        "town FROM prices ORDER BY price || '' DESC",
        "MAX(substr(price, 1, 4)) AS m FROM prices",
        "MAX(p) AS m FROM (SELECT REPLACE(price, ' EUR', '') p FROM prices)",
    ],
)
def test_a_text_that_is_made_of_texts_with_numbers_is_not_put_in_the_order_of_letters(rest: str) -> None:
    prices: list[Row] = [
        {"town": town, "price": f"{price} EUR"} for town, price in (("A", 950), ("B", 1200), ("C", 80))
    ]
    with pytest.raises(ToolError, match="can't be ordered or compared as numbers"):
        selected(f"SELECT {rest}", {"prices": prices})
    _, rows = selected(
        "SELECT MAX(CAST(REPLACE(price, ' EUR', '') AS INTEGER)) AS m FROM prices", {"prices": prices}
    )
    assert rows == [{"m": 1200}]


DAYS: dict[str, list[Row]] = {
    "t": [{"d": "2026-01-05", "seen": "2026-01-05 08:30:00"}, {"d": "2026-02-10", "seen": None}]
}


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("d > date('2026-01-10')", 1),
        ("date(d) >= '2026-01-05'", 2),
        ("d BETWEEN date('2026-01-01') AND date('2026-01-31')", 1),
        ("date(d, '+7 days') = '2026-01-12'", 1),
        ("seen >= datetime('2026-01-05 08:00:00')", 1),
        ("julianday(d) - julianday('2026-01-01') = 4", 1),
        ("strftime('%Y-%m', date(d)) = '2026-02'", 1),
        ("'date(x)' = 'date(x)'", 2),
    ],
)
def test_days_are_compared_with_days(condition: str, count: int) -> None:
    _, rows = selected(f"SELECT COUNT(*) AS n FROM t WHERE {condition}", DAYS)
    assert rows == [{"n": count}]


def test_a_column_without_a_name_is_called_as_the_statement_has_it() -> None:
    names, _ = selected("SELECT date(d), CAST(1.5 AS INTEGER) FROM t", DAYS)
    assert names == ["date(d)", "whole(1.5)"]
