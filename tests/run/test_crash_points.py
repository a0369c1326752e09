"""Crash points of ARCHITECTURE.md: a short form of their proof, and the page held against its points."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.crash_points import PAGE, documented
from benchmarks.crashes import POINTS
from benchmarks.proof import ROOT
from benchmarks.scripts.crash_server import CLASSES

CHOSEN = (
    "the call is about to leave, its record not durable",
    "the server has it and acts after the run died",
    "the server alone dies before it acts",
)

# Forking needs a process with one thread, which that of the tests need not be.
SCRIPT = """
import json, sys
from pathlib import Path
from benchmarks.crash_points import outcomes

print(json.dumps(outcomes(Path(sys.argv[1]), tuple(sys.argv[2:]))))
"""


def test_every_crash_point_has_an_outcome_for_every_effect_class_in_the_page() -> None:
    page = documented(PAGE.read_text(encoding="utf-8"))

    assert list(page) == [point.name for point in POINTS]
    assert {tuple(words) for words in page.values()} == {CLASSES}


@pytest.mark.timeout(300)
def test_what_becomes_of_a_call_is_what_the_page_says(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), *CHOSEN]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)

    assert done.returncode == 0, done.stderr
    page = documented(PAGE.read_text(encoding="utf-8"))
    assert json.loads(done.stdout) == {point: page[point] for point in CHOSEN}
