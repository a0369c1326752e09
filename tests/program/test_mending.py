"""What code mends in queries and tables, and what it leaves."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from swarm.program.query_mending import as_asked, literal_underscore, with_names, with_one_value
from tests.program.conftest import Here

BARE = 'column "{}" must appear in the GROUP BY clause or must be part of an aggregate function.'


@pytest.mark.parametrize(
    ("query", "mended"),
    [
        ("SELECT a FROM t WHERE a NOT LIKE '_%'", "SELECT a FROM t WHERE a NOT LIKE '\\_%' ESCAPE '\\'"),
        ("SELECT a FROM t WHERE a like  '_%' OR b", "SELECT a FROM t WHERE a LIKE '\\_%' ESCAPE '\\' OR b"),
        ("SELECT a FROM t WHERE a LIKE '_a%'", "SELECT a FROM t WHERE a LIKE '_a%'"),
        ("SELECT a FROM t WHERE a LIKE '%_%'", "SELECT a FROM t WHERE a LIKE '%_%'"),
        ("SELECT a FROM t WHERE a LIKE '_%' ESCAPE '!'", "SELECT a FROM t WHERE a LIKE '_%' ESCAPE '!'"),
    ],
)
def test_an_underscore_before_any_text_is_one(query: str, mended: str) -> None:
    assert literal_underscore(query) == mended


@pytest.mark.parametrize(
    ("query", "column"),
    [
        ("SELECT 'a', SUM(a) FROM t GROUP BY k", "a"),
        ("SELECT k, SUM(b - a) FROM t GROUP BY k", "a"),
        ("SELECT k AS a FROM t GROUP BY b", "a"),
        ("SELECT k FROM t GROUP BY b HAVING a > 1", "a"),
        ("WITH s AS (SELECT k, a, COUNT(*) AS n FROM t GROUP BY k) SELECT a, n FROM s", "a"),
        ("SELECT a FROM t GROUP BY k UNION SELECT a FROM t", "a"),
    ],
)
def test_a_column_that_is_not_plainly_selected_is_left(query: str, column: str) -> None:
    assert with_one_value(query, BARE.format(column)) == ""


def test_another_error_is_left() -> None:
    assert with_one_value("SELECT a FROM t", "no such table: t") == ""


def test_a_column_with_one_value_in_each_group_need_not_be_grouped_by(here: Here) -> None:
    sql = here(is_lenient=True).sql
    rows = [
        {"invoice": "A", "amount": 10, "paid": 4},
        {"invoice": "A", "amount": 10, "paid": 5},
        {"invoice": "B", "amount": 7, "paid": None},
    ]
    query = "SELECT i.invoice, i.amount - COALESCE(SUM(i.paid), 0) AS open, i.amount FROM t i GROUP BY i.invoice ORDER BY 1"

    assert sql(query, t=rows) == [
        {"invoice": "A", "open": 1, "amount": 10},
        {"invoice": "B", "open": 7, "amount": 7},
    ]


@pytest.mark.parametrize("is_other", [True, False])
def test_a_column_with_several_values_in_a_group_is_no_value_of_it(here: Here, is_other: bool) -> None:
    rows = [{"k": 1, "a": 2}, {"k": 1, "a": 3}] if is_other else [{"k": 1, "a": 2}, {"k": 1, "a": None}]

    with pytest.raises(ValueError, match="a has several values in a group; group by it"):
        here(is_lenient=True).sql("SELECT k, a, COUNT(*) AS n FROM t GROUP BY k", t=rows)


@pytest.mark.parametrize(
    ("row", "wanted", "mended"),
    [
        (
            {"file": 1, "line": 2, "name": 3},
            ["file", "line", "function"],
            {"file": 1, "line": 2, "function": 3},
        ),
        (
            {"branch": 1, "revenue": 2, "revenue_2": 3},
            ["branch", "said", "found"],
            {"branch": 1, "said": 2, "found": 3},
        ),
        ({"b": 1, "A": 2, "c": 3}, ["a", "b"], {"a": 2, "b": 1}),
        ({"last_name": 1}, ["Last name"], {"Last name": 1}),
    ],
)
def test_columns_that_are_plainly_meant_are_called_as_asked(
    row: dict[str, int], wanted: list[str], mended: dict[str, int]
) -> None:
    found = as_asked([row], wanted)

    assert found == [mended]
    assert found is not None
    assert list(found[0]) == wanted


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ({"a": 1, "b": 2}, ["a", "b"]),
        ({"a": 1, "b": 2}, ["c", "d"]),  # Nothing tells which is which.
        ({"a": 1, "b": 2}, ["b", "c"]),  # What has a name stands at another place.
        ({"a": 1, "b": 2, "c": 3}, ["a", "d"]),
        ({"n": 1, "max_price": 9, "min_price": 1}, ["n", "lowest", "highest"]),
        ({"a": 1, "A_": 2}, ["a", "b"]),
    ],
)
def test_columns_that_may_be_meant_otherwise_are_left(row: dict[str, int], wanted: list[str]) -> None:
    assert as_asked([row], wanted) is None


@pytest.mark.parametrize(
    ("query", "mended"),
    [
        ("SELECT * FROM logs/*.log WHERE a", 'SELECT * FROM "logs" WHERE a'),
        (
            "SELECT * FROM 'logs/*.log' l JOIN prices.csv p ON 1",
            'SELECT * FROM "logs" l JOIN "prices" p ON 1',
        ),
        (
            "SELECT 'prices.csv' FROM t WHERE f = 'logs/*.log'",
            "SELECT 'prices.csv' FROM t WHERE f = 'logs/*.log'",
        ),
        ("SELECT * FROM prices.csv.old", "SELECT * FROM prices.csv.old"),
        (
            "SELECT n FROM t WHERE n = 'taken from prices.csv today'",
            "SELECT n FROM t WHERE n = 'taken from prices.csv today'",
        ),
    ],
)
def test_files_that_make_a_table_stand_for_it_where_a_table_is_named(query: str, mended: str) -> None:
    assert with_names(query, {"logs/*.log": "logs", "prices.csv": "prices"}) == mended


def test_a_database_of_one_table_is_called_as_that(here: Here, workspace: Path) -> None:
    with closing(sqlite3.connect(workspace / "shop.db")) as base, base:
        base.execute("CREATE TABLE sales AS SELECT 1 AS n UNION SELECT 2")
    sql = here(databases=["shop.db"]).sql

    assert sql("SELECT COUNT(*) AS n FROM shop") == sql("SELECT COUNT(*) AS n FROM sales")


def test_a_query_that_a_person_wrote_is_taken_as_it_is(here: Here) -> None:
    sql = here().sql

    with pytest.raises(ValueError, match="must appear in the GROUP BY"):
        sql("SELECT k, a, COUNT(*) AS n FROM t GROUP BY k", t=[{"k": 1, "a": 2}])
    assert sql("SELECT a FROM t WHERE a LIKE '_%'", t=[{"a": "x"}]) == [{"a": "x"}]
