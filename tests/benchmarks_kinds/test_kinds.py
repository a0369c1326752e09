"""Every kind of task can be solved from its folder alone, and its checker knows right from nearly right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.kinds.check import faults
from benchmarks.kinds.folder import snapshot, write_files
from benchmarks.kinds.kind import Commission, Kind, Page, Sheet, kinds_of
from benchmarks.kinds.render import mutants, write_aim

SEEDS = (1, 2, 3)
CASES = [
    pytest.param(kind, seed, id=f"{kind.half} {index + 1}, seed {seed}")
    for half in ("open", "closed")
    for index, kind in enumerate(kinds_of(half))
    for seed in SEEDS
]
FIRST_CASES = CASES[:: len(SEEDS)]


def sheets_of(commission: Commission) -> list[Sheet]:
    contents = commission.aim.files.values()
    pages = [sheet for page in contents if isinstance(page, Page) for sheet in page.sheets.values()]
    return pages + [sheet for sheet in contents if isinstance(sheet, Sheet)]


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


@pytest.mark.parametrize(("kind", "seed"), FIRST_CASES)
def test_a_changed_file_of_the_folder_is_a_fault(kind: Kind, seed: int, tmp_path: Path) -> None:
    commission = kind.commission(seed)
    write_files(commission.files, tmp_path)
    before = snapshot(tmp_path)
    answer = write_aim(commission.aim, tmp_path)
    changed = next(iter(commission.files))
    (tmp_path / changed).write_bytes(b"changed")

    assert faults(commission.aim, before, tmp_path, answer) == [f"{changed} was changed"]


def test_every_wording_names_the_files_and_what_stands_in_them() -> None:
    for kind in [*kinds_of("open"), *kinds_of("closed")]:
        for commission in map(kind.commission, range(1, 13)):
            names = [
                *commission.aim.files,
                *(column for sheet in sheets_of(commission) for column in sheet.columns),
            ]

            assert [name for name in names if name not in commission.task] == []
            assert [name for name in commission.aim.files if name in commission.files] == []
            assert not re.search(r"\{(?!\")", commission.task)


def test_there_are_twelve_kinds_in_each_half_and_a_seed_makes_the_same_task_again() -> None:
    assert (len(kinds_of("open")), len(kinds_of("closed"))) == (12, 12)
    for kind in [*kinds_of("open"), *kinds_of("closed")]:
        assert kind.commission(5) == kind.commission(5)
        assert kind.commission(5) != kind.commission(6)
