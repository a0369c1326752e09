"""Runs killed by SIGKILL at random moments and resumed to the end: a short form of the proofs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.proof import ROOT

# Forking needs a process with one thread, which that of the tests need not be.
SCRIPT = """
import json, sys
from pathlib import Path
from benchmarks.trials import many

place, trials, kills = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
for trial in many(place, trials, kills=kills):
    print(json.dumps([len(trial.moments), trial.left, trial.faults]))
"""


FIRST_COMMITS = """
import asyncio, json, sys
from pathlib import Path
from benchmarks.killing import Moment, World
from benchmarks.nursery import nursery

with nursery() as socket:
    world = World(Path(sys.argv[1]) / "world", socket).make()
    asyncio.run(world.run(lambda: 0))
    for number in range(1, 5):
        killed = world.make().sit(Moment("commit", number, "after"))
        print(json.dumps([killed.is_killed, world.sit().status]))
"""


def lines_of(script: str, *arguments: object) -> list[list[object]]:
    """What a script in a process of its own prints, line by line."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.timeout(300)
def test_a_run_that_is_killed_while_it_comes_into_being_keeps_its_given_plan(tmp_path: Path) -> None:
    assert lines_of(FIRST_COMMITS, tmp_path) == [[True, "done"]] * 4


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("trials", "kills"), [(6, 1), (1, 3)])
def test_a_killed_run_goes_on_where_it_was_and_repeats_no_effect(
    tmp_path: Path, trials: int, kills: int
) -> None:
    rows = lines_of(SCRIPT, tmp_path, trials, kills)

    assert [row for row in rows if row[1] or row[2]] == []
    assert [row[0] for row in rows].count(kills) >= trials
