"""Steps that programs do, killed at random moments and resumed to the end: a short form of the proof."""

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
from benchmarks.program_kills import many
print(json.dumps([[one.moment is not None, one.faults] for one in many(Path(sys.argv[1]), 5, seed=11)]))
"""


@pytest.mark.timeout(600)
def test_a_kill_of_programs_or_their_commit_costs_nothing_and_leaves_nothing_half_done(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLS, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=590,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-2_000:]
    found = json.loads(done.stdout)
    assert [one for one in found if one[1]] == []
    assert sum(is_killed for is_killed, _ in found) == 5
