"""Proves the table of crash points in ARCHITECTURE.md: each outcome by really dying there, and resuming.

Traps are set from outside in a forked process, and in a real MCP server over stdio; every death is a
SIGKILL. The server's own files tell how often it acted, the run's file what its ledger says.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from pathlib import Path

from benchmarks.crashes import POINTS, Trial
from benchmarks.proof import ROOT, Figure, Findings, Proof, prove
from benchmarks.runs import workplace
from benchmarks.scripts.crash_server import CLASSES

PAGE = ROOT / "ARCHITECTURE.md"

PROOF = Proof(
    name="crash_points",
    claim="Wherever a run or a server dies, what becomes of a tool call is what its effect class says.",
    bar=f"{len(POINTS)} crash points for {len(CLASSES)} effect classes: every outcome as ARCHITECTURE.md has it",
)


def documented(page: str) -> dict[str, dict[str, str]]:
    """The table of crash points in a page: the outcome by point and effect class."""
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    head = next(row for row in rows if row[0] == "the run dies when …")
    names = {point.name for point in POINTS}
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows if row[0] in names}


def outcomes(place: Path, points: tuple[str, ...] = ()) -> dict[str, dict[str, str]]:
    """What became of the call at each point, or at those named, for each effect class."""
    Trial(place / "whole", POINTS[0], "pure").warm_up()
    assert threading.active_count() == 1, "a process that forks has one thread"
    return {
        point.name: {
            effect: Trial(place / f"{number:02}-{effect}", point, effect).outcome() for effect in CLASSES
        }
        for number, point in enumerate(POINTS, 1)
        if not points or point.name in points
    }


def measure() -> Findings:
    """Every point for every class."""
    wanted, found = documented(PAGE.read_text(encoding="utf-8")), outcomes(workplace(PROOF.name))
    pairs = [
        (point, effect, word, wanted.get(point, {}).get(effect, "nothing"))
        for point, words in found.items()
        for effect, word in words.items()
    ]
    figures: dict[str, Figure] = {
        "outcomes": len(pairs),
        "as documented": sum(word == expected for _, _, word, expected in pairs),
        **dict(sorted(Counter(word for _, _, word, _ in pairs).items())),
    }
    faults = [
        f"{point}, {effect}: {word}; documented is {expected}"
        for point, effect, word, expected in pairs
        if word != expected
    ]
    return Findings(figures, faults, [{"point": point, **words} for point, words in found.items()])


if __name__ == "__main__":
    if sys.argv[1:] == ["--table"]:
        for point, words in outcomes(workplace(PROOF.name)).items():
            print(f"| {point} | {' | '.join(words.values())} |")
    else:
        prove(PROOF, measure)
