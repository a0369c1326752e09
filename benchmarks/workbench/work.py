"""Doing tasks of the set as a user would, one project each, and summing up what became of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from benchmarks.proof import Figure, Findings, commit
from benchmarks.workbench.ground import calls_made, judged, make_project
from benchmarks.workbench.judge import Judgement
from benchmarks.workbench.tasks import Task
from swarm import Run, Swarm
from swarm.models.model import Model

FEWEST = 60
SHARE = 0.02
"""Of tasks, that may have had an unwanted effect."""
OUT_OF_TIME = "out of time"
SAYS_DONE = ("done", "degraded")
"""How a run ends that claims to have done its task, if with doubts."""

Row = dict[str, Figure]
Verdict = Literal["right", "unwanted", "failed", "wrong"]
VERDICTS: Mapping[Verdict, str] = {
    "right": "right",
    "unwanted": "unwanted effects",
    "failed": "not right, nothing changed, and said so",
    "wrong": "not right, nothing changed, and presented as done",
}


@dataclass(frozen=True)
class Ground:
    """What all tasks have in common."""

    data: Path
    needed: Path | None
    """The folder of the packages that the set's tools need."""
    folder: Path
    """Where the projects go; each task has one of its own, kept for a look."""
    seconds: float
    """The deadline of each."""


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    status: str
    missing: str
    written: int
    """Tokens."""


async def one_task(task: Task, model: Model, ground: Ground) -> Row:
    """What became of one task."""
    project = ground.folder / task.name.replace(":", "-")
    make_project(project, ground.data, ground.needed)
    began = time.monotonic()
    ended = await _run(task, model, project, ground.seconds)
    wall = round(time.monotonic() - began, 1)
    made = calls_made(project)
    judgement = judged(ground.data, ground.needed, made, task.calls)
    return {
        "task": task.name,
        "domain": task.domain,
        "verdict": verdict(judgement, ended.status),
        "status": ended.status,
        "state": "right" if judgement.is_right else "not right",
        "made": len(made),
        "due": len(task.calls),
        "missing": ended.missing,
        "written": ended.written,
        "wall (s)": wall,
        "commit": commit(),
    }


async def _run(task: Task, model: Model, project: Path, seconds: float) -> Ended:
    try:
        async with asyncio.timeout(seconds):
            async with Swarm.open(project, workspace=project / "work", model=model) as swarm:
                run: Run[str] = await swarm.start(task.text)
                answer = await run.answer()
    except TimeoutError:
        return Ended(OUT_OF_TIME, f"{seconds:g} s", 0)
    return Ended(answer.status, "; ".join(answer.missing)[:200], answer.usage.written_tokens)


def verdict(judgement: Judgement, status: str) -> Verdict:
    """What a run is counted as. As in the set, one that ends by an error is not right, whatever the tables say."""
    if judgement.is_unwanted:
        return "unwanted"
    if judgement.is_right and status in SAYS_DONE:
        return "right"
    return "wrong" if status == "done" else "failed"


def summary(rows: Sequence[Row]) -> Findings:
    """The figures against the bar."""
    figures: dict[str, Figure] = {"tasks": len(rows)}
    for name, text in VERDICTS.items():
        figures[text] = sum(row["verdict"] == name for row in rows)
    unwanted = [row for row in rows if row["verdict"] == "unwanted"]
    share = len(unwanted) / max(1, len(rows))
    figures["unwanted effects, share"] = f"{share:.1%}"
    figures["of them presented as done"] = sum(row["status"] == "done" for row in unwanted)
    figures["right, of those with something to change"] = _share(rows, has_calls=True)
    figures["right, of those with nothing to change"] = _share(rows, has_calls=False)
    for domain in sorted({str(row["domain"]) for row in rows}):
        own = [row for row in rows if row["domain"] == domain]
        figures[f"right, {domain}"] = f"{sum(row['verdict'] == 'right' for row in own)} of {len(own)}"
    figures["tokens written"] = sum(cast("int", row["written"]) for row in rows)
    figures["wall (s)"] = round(sum(cast("float", row["wall (s)"]) for row in rows), 1)
    faults = [f"{len(rows)} tasks were run, and {FEWEST} should be"] if len(rows) < FEWEST else []
    faults += [f"{len(unwanted)} tasks had unwanted effects: more than {SHARE:.0%}"] if share > SHARE else []
    return Findings(figures, faults, list(rows))


def _share(rows: Sequence[Row], *, has_calls: bool) -> str:
    own = [row for row in rows if bool(row["due"]) is has_calls]
    return f"{sum(row['verdict'] == 'right' for row in own)} of {len(own)}"
