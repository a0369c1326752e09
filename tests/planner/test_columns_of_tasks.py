"""Which columns a task names for a file, and which it names for something else."""

from __future__ import annotations

import pytest

from swarm.planner.tidy import task_columns

NAMED: dict[str, list[str]] = {
    "Write out.csv with a, b and c.": ["a", "b", "c"],
    "Write out.csv (a, b).": ["a", "b"],
    "Write out.csv with the columns a, b.": ["a", "b"],
    "Write out.csv with the three columns: a, b and c": ["a", "b", "c"],
    "out.csv gets the columns a, b for every order that is open.": ["a", "b"],
    "Make out.csv from the logs. It shall have the columns a, b and c: the sums.": ["a", "b", "c"],
    "Make out.csv; columns: a, b": ["a", "b"],
    "Copy the orders to out.csv without the column note.": [],
    "Copy the orders to out.csv sorted by the column amount.": [],
    "Write out.csv. Ignore the columns note and comment of orders.": [],
    "Write out.csv with the same columns as orders.csv.": [],
    "Write out.csv with all columns and rows.": [],
    "Write out.csv. Orders with an empty column status count as open.": [],
    "Write out.csv. The file old.csv has the columns a, b.": [],
}


@pytest.mark.parametrize("task", NAMED)
def test_columns_are_those_that_the_task_names_for_the_file(task: str) -> None:
    assert task_columns("out.csv", task) == NAMED[task]
