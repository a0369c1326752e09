"""The process from which the short forms of the proofs are forked: it has one thread and has imported all.

A line of its input is a JSON list, the name of a short form and its arguments; a line of its output
is what came of it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

from benchmarks.crash_points import outcomes
from benchmarks.ground import Ground, ground
from benchmarks.killing import Moment
from benchmarks.races import many as many_races
from benchmarks.trials import many as many_trials


def first_commits(at: Ground, commits: int) -> list[object]:
    """Whether a run was killed after each of its first commits, and how it ended when it was resumed."""
    world = at.world("first_commits")
    found: list[object] = []
    for number in range(1, commits + 1):
        killed = world.make().sit(Moment("commit", number, "after"))
        found.append((killed.is_killed, world.sit().status))
    return found


def kills(at: Ground, trials: int, kills: int) -> list[object]:
    """How often each run was killed, what it left behind, and what was wrong with it."""
    return [(len(trial.moments), trial.left, trial.faults) for trial in many_trials(at, trials, kills=kills)]


def races(at: Ground, races: int) -> list[object]:
    """How many processes raced for each run, how many were refused, and what was wrong."""
    return [(race.racers, len(race.refused), race.faults) for race in many_races(at, races)]


def crash_points(at: Ground, *points: str) -> dict[str, dict[str, str]]:
    """What became of the call at each of these points, for each effect class."""
    return outcomes(at.place / "crash_points", points)


FORMS = {
    form.__name__: cast("Callable[..., object]", form) for form in (first_commits, kills, races, crash_points)
}

if __name__ == "__main__":
    with ground(Path(sys.argv[1]), whole_runs=1) as at:
        for line in sys.stdin:
            name, *arguments = cast("list[str]", json.loads(line))
            sys.stdout.write(json.dumps(FORMS[name](at, *arguments)) + "\n")
            sys.stdout.flush()
