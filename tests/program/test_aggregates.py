"""Aggregates that the words of a task ask for, and the grammar that SELECTs are held to."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from swarm.program.aggregates import aggregates_for
from swarm.program.select_grammar import select_grammar
from swarm.program.table_schema import Declared
from swarm.tabular.query_engine import selected

ROWS: dict[str, list[dict[str, JsonValue]]] = {
    "t": [{"a": a, "b": b} for a, b in ((1.0, 2.0), (2.0, 4.0), (3.0, 5.0), (4.0, 9.0), (4.0, 7.0))]
}
"""Figures of five rows; the truth beside them is worked out by hand."""


@pytest.mark.parametrize(
    ("task", "told", "sql", "truth"),
    [
        ("the correlation of a and b", "CORR(a, b)", "CORR(a, b)", 0.951),
        ("the standard deviation of a", "STDDEV(a)", "STDDEV(a)", 1.304),
        ("the variance of a", "VAR_POP(a)", "VAR_POP(a)", 1.36),
        ("Is the median over 2?", "MEDIAN(a)", "MEDIAN(a)", 3),
        ("the first quartile and the IQR", "QUANTILE_CONT(a, 0.25)", "QUANTILE_CONT(a, 0.25)", 2),
        ("How skewed is it?", "SKEWNESS(a)", "SKEWNESS(a)", -0.541),
        ("the most frequent value", "MODE(a)", "MODE(a)", 4),
        ("the slope of b over a", "REGR_SLOPE(y, x)", "REGR_SLOPE(b, a)", 1.971),
    ],
)
def test_what_is_told_is_what_the_engine_has(task: str, told: str, sql: str, truth: float) -> None:
    (line,) = aggregates_for(task)
    (row,) = selected(f"SELECT {sql} AS value FROM t", ROWS)[1]

    assert told in line
    assert row["value"] == pytest.approx(truth, abs=0.001)
    assert sql.partition("(")[0] in select_grammar([Declared("t", ("a", "b"), ())], ["value"])


@pytest.mark.parametrize(
    "task", ["How many rows have a over 2?", "Use the modern list.", "Is any of them equal?"]
)
def test_nothing_is_told_where_nothing_is_asked_for(task: str) -> None:
    assert aggregates_for(task) == []
