"""Graphs that are killed at random moments and resumed to the end: a short form of the proof."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.proof import ROOT

KILLS = """
import json, sys
from pathlib import Path
from benchmarks.graph_kills import many
print(json.dumps([[one.moment is not None, one.faults] for one in many(Path(sys.argv[1]), 5, seed=7)]))
"""


@pytest.mark.timeout(300)
def test_a_kill_of_graphs_costs_no_recorded_reply_and_repeats_no_effect(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLS, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=290, check=False)

    assert done.returncode == 0, done.stderr[-2_000:]
    found = json.loads(done.stdout)
    assert [one for one in found if one[1]] == []
    assert sum(is_killed for is_killed, _ in found) == 5
