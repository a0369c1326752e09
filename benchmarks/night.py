"""Proves that a long run on a real model survives: an hour of work on the embedded model, killed twice.

The notes of many meetings become one task; the plan is given, because planning is not the point.
``SWARM_MODELS`` names the folder that holds the model's file.
"""

from __future__ import annotations

import argparse
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from shutil import copy, rmtree

from pydantic import BaseModel

from benchmarks.proof import ROOT, Figure, Findings, Proof, prove
from benchmarks.runs import is_alive, outcome_of, run_files, swarm, workplace
from examples.example import Score, Truth, check_table, load, task_of, truth_of
from swarm import Plan, Step
from swarm.nouns.events import ModelAsked, RunEnded, RunStarted
from swarm.planner.draft import table_schema
from swarm.store.shelf.reader import read_events, read_run

EXAMPLE = "meeting-actions"
MODEL = "qwen2.5-coder-1.5b-instruct"
NOTES = 180
NOTES_OF_A_SEED = 6
MINUTES = 60
SHARES = (1 / 3, 2 / 3)
"""Of the notes that have been read when the run is killed."""
MOST_SITTINGS = 8
"""More than its kills make: a run whose model server dies is paused, and resumed by whoever sees it."""
SITTING_SECONDS = 24 * 3_600.0
POLL_SECONDS = 2.0
LEFT_SECONDS = 30.0
"""A server of models has ended by then after the process that started it was killed."""

PROOF = Proof(
    name="night",
    claim="A long run on a small real model ends right although it is killed twice.",
    bar=f"one run of at least {MINUTES} minutes on the embedded model, SIGKILL after a third and two thirds of its work: 0 recorded replies asked for again, no process left behind, entirely right",
)
PLAN = Plan(
    steps=(
        Step(
            id="actions",
            agent="researcher",
            each="notes/*.md",
            brief="Read {item} and give every open action with its owner, the action and its due date.",
            expects=table_schema(["owner:text", "action:text", "due_date:date"]),
            writes="actions.csv",
        ),
        Step(
            id="most",
            agent="analyst",
            needs=("actions",),
            brief="Count the actions of each owner and give the one owner with the most.",
            expects=table_schema(["owner:text", "actions:number"]),
        ),
    )
)


class Stop(BaseModel):
    """One kill: how much was recorded, and which processes outlived it."""

    results: int
    turns: frozenset[str]
    """Those whose replies were recorded, as ``step/item/attempt/turn``."""
    left: int


class Past(BaseModel):
    """What is behind the run so far; it is kept as a file, so that this proof can be killed too."""

    began: float
    """Seconds since 1970."""
    sittings: int = 0
    stops: list[Stop] = []


def measure(notes: int, *, goes_on: bool = False) -> Findings:
    """One run with two kills, from its plan to the check of its table and its answer.

    With ``goes_on`` it is the run of an earlier call that was cut off.
    """
    project = workplace(PROOF.name) / "project" if goes_on else _project(notes)
    past = _sat(project, notes)
    stops, seconds = past.stops, time.time() - past.began
    score = _check(project, notes)
    outcome = outcome_of(project, (project / "answer.txt").read_text(encoding="utf-8"), seconds)
    (project / "score.txt").write_text(f"{outcome.answer}\n{outcome.problem}\n{score}\n", encoding="utf-8")
    again = _asked_again(project, stops)
    left = sum(stop.left for stop in stops)
    figures: dict[str, Figure] = {
        "notes": notes,
        "minutes": round(seconds / 60, 1),
        "SIGKILLs": len(stops),
        "sittings": past.sittings,
        "notes read at the kills": ", ".join(str(stop.results) for stop in stops),
        "replies recorded at the kills": ", ".join(str(len(stop.turns)) for stop in stops),
        "model calls": outcome.usage.model_calls,
        "recorded replies asked for again": again,
        "tokens prefilled": outcome.usage.prefilled_tokens,
        "tokens written": outcome.usage.written_tokens,
        "processes left behind": left,
        "status": outcome.status,
        "rows and answers right": len(score.right),
        "missing": len(score.missing),
        "wrong": len(score.wrong),
    }
    faults = [] if score.is_right else [*score.missing, *score.wrong][:10]
    faults += [f"the run took {seconds / 60:.0f} minutes"] if seconds < MINUTES * 60 else []
    faults += [f"{again} recorded replies were asked for again"] if again else []
    faults += [f"{left} processes were left behind"] if left else []
    faults += [f"it was killed {len(stops)} times"] if len(stops) < len(SHARES) else []
    return Findings(figures, faults)


def _seeds(notes: int) -> range:
    return range(1, 1 + notes // NOTES_OF_A_SEED)


def _project(notes: int) -> Path:
    """A new project with the notes of so many meetings."""
    project = workplace(PROOF.name) / "project"
    rmtree(project, ignore_errors=True)
    (project / "data" / "notes").mkdir(parents=True)
    copy(ROOT / "examples" / EXAMPLE / "swarm.toml", project)
    for seed in _seeds(notes):
        folder = project / "seeds" / str(seed)
        load(EXAMPLE).write(folder, seed)
        for note in sorted((folder / "notes").glob("*.md")):
            note.rename(project / "data" / "notes" / f"{seed:02}-{note.name}")
    rmtree(project / "seeds")
    (project / "plan.json").write_text(PLAN.model_dump_json(), encoding="utf-8")
    return project


def _sat(project: Path, notes: int) -> Past:
    """Sits until the run is done, with a kill at each share; a sitting that ends before is gone on from."""
    file = project / "past.json"
    if not file.is_file():
        file.write_text(Past(began=time.time()).model_dump_json(), encoding="utf-8")
    past = Past.model_validate_json(file.read_text(encoding="utf-8"))
    while past.sittings < MOST_SITTINGS:
        most = round(SHARES[len(past.stops)] * notes) if len(past.stops) < len(SHARES) else None
        before = _count(project)
        plan = ("plan", "run", str(project / "plan.json"), task_of(EXAMPLE), "--yes")
        stop = _sit(project, plan if not run_files(project) else ("resume",), most)
        past = past.model_copy(
            update={"sittings": past.sittings + 1, "stops": [*past.stops, stop] if stop else past.stops}
        )
        file.write_text(past.model_dump_json(), encoding="utf-8")
        if stop is not None:
            print(f"  killed after {stop.results} of {notes} notes", flush=True)
        elif read_run(run_files(project)[-1]).status == "done" or _count(project) == before:
            break
    return past


def _sit(project: Path, command: tuple[str, ...], most: int | None) -> Stop | None:
    """Runs a command to its end, or kills it when so many results are recorded."""
    arguments = swarm(*command, "--project", str(project), "--model", MODEL)
    ends = time.monotonic() + SITTING_SECONDS
    with (project / "answer.txt").open("w") as answer, (project / "said.txt").open("a") as said:
        process = subprocess.Popen(arguments, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=answer, stderr=said)
        while process.poll() is None:
            if time.monotonic() > ends:
                process.kill()
            if most is not None and _count(project) >= most:
                break
            time.sleep(POLL_SECONDS)
        else:
            return None
        below = _descendants(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
    turns = _column(project, "SELECT thread || '/' || turn FROM replies")
    places = frozenset(turn.split("/", 1)[1] for turn in turns)
    return Stop(results=_count(project), turns=places, left=_still_there(below))


def _asked_again(project: Path, stops: list[Stop]) -> int:
    """How many replies that were recorded at a kill were asked for after it."""
    again = 0
    killed = iter(stops)
    recorded: frozenset[str] = frozenset()
    was_ended = True
    for event in read_events(run_files(project)[-1]):
        if isinstance(event, RunStarted):
            # A sitting that ended by itself has said so; one without an end was killed.
            recorded = recorded if was_ended else next(killed).turns
            was_ended = False
        elif isinstance(event, RunEnded):
            was_ended = True
        elif isinstance(event, ModelAsked):
            item = "-" if event.item is None else event.item
            again += f"{event.step}/{item}/{event.attempt}/{event.turn}" in recorded
    return again


def _count(project: Path) -> int:
    return len(_column(project, "SELECT thread FROM results WHERE thread LIKE '%/actions/%'"))


def _column(project: Path, query: str) -> list[str]:
    files = run_files(project)
    if not files:
        return []
    address = f"{files[-1].as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=30.0)) as connection:
        try:
            return [value for (value,) in connection.execute(query)]
        except sqlite3.OperationalError:
            return []  # it is just being made


def _descendants(pid: int) -> list[int]:
    try:
        text = " ".join(
            path.read_text(encoding="ascii") for path in Path(f"/proc/{pid}/task").glob("*/children")
        )
    except OSError:
        return []
    children = [int(child) for child in text.split()]
    return children + [below for child in children for below in _descendants(child)]


def _still_there(pids: list[int]) -> int:
    ends = time.monotonic() + LEFT_SECONDS
    while time.monotonic() < ends and any(map(is_alive, pids)):
        time.sleep(0.1)
    return sum(map(is_alive, pids))


def truth(notes: int) -> Truth:
    """The rows of all seeds together, and who owes most."""
    parts = [truth_of(EXAMPLE, seed) for seed in _seeds(notes)]
    rows = tuple(row for part in parts for row in part.rows)
    return replace(
        parts[0],
        rows=rows,
        decoys={name: why for part in parts for name, why in part.decoys.items()},
        answer=(Counter(row["owner"] for row in rows).most_common(1)[0][0],),
    )


def _check(project: Path, notes: int) -> Score:
    right = truth(notes)
    answer = (project / "answer.txt").read_text(encoding="utf-8")
    owner = right.answer[0]
    named = {row["owner"] for row in right.rows if row["owner"] in answer.partition("\n\n")[0]}
    said = (
        Score(right=(f"the answer says that {owner} owes most",))
        if named == {owner}
        else Score(wrong=(f"{owner} owes most, and the answer names {', '.join(sorted(named)) or 'nobody'}",))
    )
    return check_table(project / "data", right) + said


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="benchmarks.night", description=__doc__)
    parser.add_argument("--notes", type=int, default=NOTES, help="a multiple of six; ten take some minutes")
    parser.add_argument(
        "--go-on", action="store_true", help="with the run of an earlier call that was cut off"
    )
    options = parser.parse_args()
    prove(PROOF, lambda: measure(options.notes, goes_on=options.go_on))
