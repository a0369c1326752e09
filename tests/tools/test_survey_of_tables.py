"""What the planner is told of tables: all columns, names as SQL needs them, and what could not be read."""

from __future__ import annotations

from pathlib import Path

from swarm.survey import MOST_COLUMNS, MOST_GROUPS, Survey, TableGroup, describe, signature
from swarm.tabular.files import loaded


def test_names_are_written_as_sql_needs_them() -> None:
    assert signature("order details", ["order", "unit price", "total", "a-b"]) == (
        '"order details"("order", "unit price", total, "a-b")'
    )
    assert describe("trips", [{"order": 1, "from": "Ulm"}]).startswith(
        'trips("order" NUMBER, "from" TEXT) -- 1 row;'
    )


def test_columns_that_are_not_shown_are_counted() -> None:
    names = [f"c{number}" for number in range(MOST_COLUMNS + 7)]

    assert signature("t", names).endswith(f"c{MOST_COLUMNS - 1}, and 7 more columns)")


def test_tables_that_are_not_shown_are_named() -> None:
    groups = tuple(
        TableGroup(name=f"t{n}", pattern=f"t{n}.csv", columns=("a",)) for n in range(MOST_GROUPS + 2)
    )

    assert (
        f"and 2 more table files (t{MOST_GROUPS}.csv, t{MOST_GROUPS + 1}.csv)"
        in Survey(tables=groups).lines()
    )


def test_what_was_not_read_is_told() -> None:
    assert Survey(unread=("prices.csv: it is empty",)).lines().endswith("\nNot read: prices.csv: it is empty")


def test_a_large_table_is_described_by_its_first_rows(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("Order,price\n" + "a,5\n" * 300_000, encoding="utf-8")

    line = describe("x", loaded(tmp_path, "x.csv"))

    assert line.startswith('x("order" TEXT, price NUMBER) -- about ')
    assert line.endswith(" rows; first: a, 5; a, 5")
