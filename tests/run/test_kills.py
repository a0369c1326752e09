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


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("trials", "kills"), [(6, 1), (2, 3)])
def test_a_killed_run_goes_on_where_it_was_and_repeats_no_effect(
    tmp_path: Path, trials: int, kills: int
) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), str(trials), str(kills)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)

    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row for row in rows if row[1] or row[2]] == []
    assert sum(row[0] == kills for row in rows) >= trials
