"""Processes that resume one run at the same moment: a short form of the proof."""

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
from benchmarks.races import many

for race in many(Path(sys.argv[1]), int(sys.argv[2])):
    print(json.dumps([race.racers, len(race.refused), race.faults]))
"""


@pytest.mark.timeout(300)
def test_of_processes_that_resume_a_run_at_once_one_goes_on_and_repeats_no_effect(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), "3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)

    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [faults for _, _, faults in rows] == [[], [], []]
    assert all(refused == racers - 1 for racers, refused, _ in rows)
