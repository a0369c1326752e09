"""The examples' data, truth and checks: whole, the same for a seed, and not to be fooled."""

from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from examples.cells import Kind, is_same
from examples.example import FOLDER, Truth, check_table, load, names, task_of, truth_of

EXAMPLES = ("meeting-actions", "sales-audit", "scripted-workflow", "stock-take")


def contents(folder: Path) -> dict[str, object]:
    """Each file by its path: text as it is, a database by its tables' rows."""
    return {
        path.relative_to(folder).as_posix(): _rows(path) if path.suffix == ".db" else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".swarm" not in path.parts
    }


def _rows(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def write_truth(folder: Path, truth: Truth) -> str:
    """Writes a right outcome and gives a right answer."""
    path = folder / truth.file
    if path.suffix == ".json":
        path.write_text(json.dumps(truth.rows), encoding="utf-8")
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [column.name for column in truth.columns])
            writer.writeheader()
            writer.writerows(truth.rows)
    return "\n".join(truth.answer)


def test_each_example_with_a_task_is_known() -> None:
    assert names() == list(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_committed_data_is_what_seed_1_generates(name: str, tmp_path: Path) -> None:
    load(name).write(tmp_path, 1)

    committed = contents(FOLDER / name / "data")

    assert {path: committed.get(path) for path in contents(tmp_path)} == contents(tmp_path)


@pytest.mark.parametrize("name", EXAMPLES)
def test_another_seed_gives_other_data_of_the_same_size(name: str, tmp_path: Path) -> None:
    example = load(name)
    example.write(tmp_path / "a", 1)
    example.write(tmp_path / "b", 2)

    one, other = contents(tmp_path / "a"), contents(tmp_path / "b")

    assert len(one) == len(other) >= 6
    assert one != other


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("seed", range(1, 30))
def test_each_seed_has_two_faults_and_a_decoy_and_one_answer(name: str, seed: int) -> None:
    truth = truth_of(name, seed)
    keys = [tuple(row[column.name] for column in truth.columns if column.is_key) for row in truth.rows]

    gap = {"meeting-actions": "due", "scripted-workflow": "order"}.get(name)
    faults = [row for row in truth.rows if gap is None or row[gap] == ""]

    assert len(faults) >= 2
    assert truth.decoys
    assert truth.answer
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("seed", range(1, 30))
def test_one_person_owes_more_than_any_other(seed: int) -> None:
    truth = truth_of("meeting-actions", seed)
    owners = [row["owner"] for row in truth.rows]
    counts = sorted((owners.count(owner) for owner in set(owners)), reverse=True)

    assert owners.count(truth.answer[0]) == counts[0] > counts[1]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_truth_is_nowhere_in_the_workspace(name: str, tmp_path: Path) -> None:
    load(name).write(tmp_path, 3)

    assert not (tmp_path / truth_of(name, 3).file).exists()
    assert all(
        path.suffix in {".md", ".txt", ".csv", ".db"} for path in tmp_path.rglob("*") if path.is_file()
    )


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_right_outcome_is_entirely_right(name: str, tmp_path: Path) -> None:
    truth = truth_of(name, 2)

    score = load(name).check(tmp_path, write_truth(tmp_path, truth), 2)

    assert score.is_right, str(score)
    assert len(score.right) == len(truth.rows) + len(truth.answer)


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_done_is_missing_and_not_wrong(name: str, tmp_path: Path) -> None:
    score = load(name).check(tmp_path, "", 1)

    assert not score.is_right
    assert score.missing
    assert not score.wrong


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_lost_row_a_wrong_cell_and_a_row_too_many_are_each_told(name: str, tmp_path: Path) -> None:
    truth = truth_of(name, 1)
    last = truth.columns[-1].name
    rows = (*truth.rows[1:-1], {**truth.rows[-1], last: "999"}, {**truth.rows[-1], last: "998"})
    write_truth(tmp_path, replace(truth, rows=rows))

    score = check_table(tmp_path, truth)

    assert len(score.right) == len(truth.rows) - 2
    assert len(score.missing) == 1
    assert len(score.wrong) == 2
    assert "998" in score.wrong[1]
    assert "does not belong there" in score.wrong[1]


def test_headers_may_be_worded_otherwise_and_stand_in_any_order(tmp_path: Path) -> None:
    truth = truth_of("sales-audit", 1)
    lines = [f"{row['actual']},{row['reported']},{row['month']},{row['region']}" for row in truth.rows]
    table = "\n".join(["Actual total,Reported Total,Month,Region", *lines])
    (tmp_path / "findings.csv").write_text(table, encoding="utf-8")

    assert check_table(tmp_path, truth).is_right


def test_reported_and_actual_may_not_be_swapped(tmp_path: Path) -> None:
    truth = truth_of("sales-audit", 1)
    rows = tuple({**row, "reported": row["actual"], "actual": row["reported"]} for row in truth.rows)
    write_truth(tmp_path, replace(truth, rows=rows))

    assert len(check_table(tmp_path, truth).wrong) == 2 * len(rows)


def test_a_missing_column_and_a_broken_file_are_told(tmp_path: Path) -> None:
    truth = truth_of("stock-take", 1)
    (tmp_path / "differences.json").write_text('[{"sku": "A1", "counted": 3}]', encoding="utf-8")
    lacking = check_table(tmp_path, truth)
    (tmp_path / "differences.json").write_text('{"sku": "A1"}', encoding="utf-8")
    broken = check_table(tmp_path, truth)

    assert lacking.wrong == ("differences.json has no column for expected: it has ['sku', 'counted']",)
    assert broken.wrong == (
        "differences.json can't be read as a table: it holds a dict and not a list of objects",
    )


def test_an_answer_that_blames_a_right_report_is_wrong(tmp_path: Path) -> None:
    truth = truth_of("sales-audit", 1)
    answer = write_truth(tmp_path, truth)
    decoy = next(iter(truth.decoys))

    blamed = load("sales-audit").check(tmp_path, f"{answer}\nThe total of {decoy} is wrong.", 1)
    cleared = load("sales-audit").check(tmp_path, f"{answer}\nThe total of {decoy} is correct.", 1)

    assert blamed.wrong == (f"the answer names {decoy}, which is right",)
    assert cleared.is_right


def test_an_answer_may_list_everybody_when_it_says_who_owes_most(tmp_path: Path) -> None:
    truth = truth_of("meeting-actions", 1)
    write_truth(tmp_path, truth)
    listed = "Anna: 3\nBen: 1\nClara: 4\nDavid: 2\nEmma: 2\n"

    said = load("meeting-actions").check(tmp_path, f"{listed}{truth.answer[0]} owes the most actions.", 1)
    tabled = load("meeting-actions").check(
        tmp_path, f"{truth.answer[0]}.\n\nmost:\n| Anna | 3 |\n| Ben | 1 |", 1
    )
    wrong = load("meeting-actions").check(tmp_path, f"{listed}Ben owes the most actions.", 1)

    assert said.is_right, str(said)
    assert tabled.is_right, str(tabled)
    assert wrong.wrong == (f"{truth.answer[0]} owes most, and the answer names Ben",)


@pytest.mark.parametrize(
    ("kind", "cell", "expected", "same"),
    [
        ("number", "12 480.5", "12480.50", True),
        ("number", "12,480.50", "12480.50", True),
        ("number", "about 5", "5", False),
        ("date", "12 March 2026", "2026-03-12", True),
        ("date", "", "", True),
        ("date", "none", "", False),
        ("month", "January 2026", "2026-01", True),
        ("phrase", "Order replacement chairs", "chairs", True),
        ("text", "Anna", "Ben", False),
    ],
)
def test_cells_are_compared_by_what_they_mean(kind: Kind, cell: str, expected: str, *, same: bool) -> None:
    assert is_same(kind, cell, expected) is same


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_task_is_a_few_plain_sentences(name: str) -> None:
    task = task_of(name)

    assert 1 <= task.count(". ") + task.count("? ") + 1 <= 4
    assert not {"agent", "step", "plan", "researcher", "analyst"} & set(task.casefold().split())
