"""Every kind of task can be solved from its folder alone, and its checker knows right from nearly right."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.kinds.check import faults
from benchmarks.kinds.folder import snapshot, write_files
from benchmarks.kinds.kind import Kind, kinds_of
from benchmarks.kinds.render import mutants, write_aim

SEEDS = (1, 2, 3)
CASES = [
    pytest.param(kind, seed, id=f"{kind.half} {index + 1}, seed {seed}")
    for half in ("open", "closed")
    for index, kind in enumerate(kinds_of(half))
    for seed in SEEDS
]


@pytest.mark.parametrize(("kind", "seed"), CASES)
def test_a_solution_from_the_files_is_the_truth_of_the_generator(
    kind: Kind, seed: int, tmp_path: Path
) -> None:
    commission = kind.commission(seed)
    write_files(commission.files, tmp_path)
    before = snapshot(tmp_path)

    solved = kind.solve(tmp_path, commission.terms)
    answer = write_aim(solved, tmp_path)
    assert faults(commission.aim, before, tmp_path, answer) == []

    answer = write_aim(commission.aim, tmp_path)
    assert faults(solved, before, tmp_path, answer) == []


@pytest.mark.parametrize(("kind", "seed"), CASES)
def test_no_result_with_a_mistake_is_right(kind: Kind, seed: int, tmp_path: Path) -> None:
    commission = kind.commission(seed)
    write_files(commission.files, tmp_path)
    before = snapshot(tmp_path)
    taken: list[str] = []
    tried = 0
    for what, mutant in mutants(commission.aim):
        for name in commission.aim.files:
            (tmp_path / name).unlink(missing_ok=True)
        answer = write_aim(mutant, tmp_path)
        tried += 1
        if not faults(commission.aim, before, tmp_path, answer):
            taken.append(what)

    assert taken == []
    assert tried >= 3


@pytest.mark.parametrize(("kind", "seed"), CASES)
def test_a_changed_file_of_the_folder_is_a_fault(kind: Kind, seed: int, tmp_path: Path) -> None:
    commission = kind.commission(seed)
    write_files(commission.files, tmp_path)
    before = snapshot(tmp_path)
    answer = write_aim(commission.aim, tmp_path)
    changed = next(iter(commission.files))
    (tmp_path / changed).write_bytes(b"changed")

    assert faults(commission.aim, before, tmp_path, answer) == [f"{changed} was changed"]


@pytest.mark.parametrize(("kind", "seed"), CASES)
def test_the_wording_names_the_files_and_their_columns(kind: Kind, seed: int) -> None:
    commission = kind.commission(seed)

    assert kind.commission(seed) == commission
    assert commission.files
    assert [name for name in commission.aim.files if name not in commission.task] == []
    assert "{" not in commission.task.replace('{"', "")
