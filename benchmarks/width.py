"""Proves that 300 sub-agents run at once: 13 turns each, real tool calls, journal and checkpoints on."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.proof import ROOT, Figure, Findings, Proof, prove
from benchmarks.runs import run_files, swarm, workplace
from benchmarks.scripts.width import AGENTS, LINES, name_of
from swarm import Plan, Step
from swarm.nouns.events import AgentEnded, ModelAsked, ModelReplied, StepEnded, ToolReturned
from swarm.store.shelf.reader import read_events
from swarm.testing import scripted_server

TURNS = LINES + 1
LATENCY_SECONDS = 5.0
IDEAL_SECONDS = TURNS * LATENCY_SECONDS
RATIO, MEMORY_MB = 1.4, 450

PROOF = Proof(
    name="width",
    claim=f"{AGENTS} sub-agents of one `each` work at once, {TURNS} turns each, with real stdio tool calls, journal and checkpoints on.",
    bar=f"wall ÷ ideal ({TURNS} turns of {LATENCY_SECONDS:g} s, from the first dispatch) ≤ {RATIO}, peak memory of the orchestrator ≤ {MEMORY_MB} MB, every step accounted for",
)

CARD = """---
description: Reads a file line by line.
tools: [files.read]
---
Read the file you are given, one line a turn, then give one sentence as the result.
"""

WIDE = "read"
PLAN = Plan(
    steps=(
        Step(
            id="names",
            agent="liner",
            brief="Give the names of the items.",
            expects={"type": "array", "items": {"type": "string"}},
        ),
        # Not a pattern of files: the file of an item would lie open before the agent's first turn.
        Step(id=WIDE, agent="liner", brief="Read {item} line by line.", each="names"),
    )
)


@dataclass(frozen=True)
class Spent:
    """What the orchestrator's process cost."""

    status: int
    seconds: float
    cpu_seconds: float
    peak_mb: float


def measure() -> Findings:
    """Starts the server and the orchestrator, each a process of its own, and reads the record."""
    project = new_project(workplace(PROOF.name) / "project")
    spent, peak = asyncio.run(_serve_and_run(project))
    events = read_events(run_files(project)[0])
    asked = [event.at for event in events if isinstance(event, ModelAsked) and event.step == WIDE]
    ended = [event for event in events if isinstance(event, AgentEnded) and event.step == WIDE]
    wall = max(event.at for event in events if isinstance(event, StepEnded)) - min(asked)
    figures: dict[str, Figure] = {
        "sub-agents ended": len(ended),
        "of them done": sum(event.status == "done" for event in ended),
        "model replies": sum(isinstance(event, ModelReplied) and event.step == WIDE for event in events),
        "tool calls": sum(
            isinstance(event, ToolReturned) and not event.is_error and event.step == WIDE for event in events
        ),
        "most requests at the server at once": peak,
        "wall from the first dispatch (s)": round(wall, 1),
        "ideal (s)": IDEAL_SECONDS,
        "wall ÷ ideal": round(wall / IDEAL_SECONDS, 3),
        "peak memory of the orchestrator (MB)": round(spent.peak_mb),
        "CPU of the orchestrator (s)": round(spent.cpu_seconds, 1),
        "whole command (s)": round(spent.seconds, 1),
    }
    return Findings(figures, _faults(figures, spent))


def _faults(figures: dict[str, Figure], spent: Spent) -> list[str]:
    wanted: dict[str, int] = {
        "sub-agents ended": AGENTS,
        "of them done": AGENTS,
        "model replies": AGENTS * TURNS,
        "tool calls": AGENTS * LINES,
    }
    faults = [
        f"{name}: {figures[name]} instead of {number}"
        for name, number in wanted.items()
        if figures[name] != number
    ]
    if float(figures["wall ÷ ideal"]) > RATIO:
        faults.append(f"it took {figures['wall ÷ ideal']} times the ideal")
    if spent.peak_mb > MEMORY_MB:
        faults.append(f"the orchestrator used {spent.peak_mb:.0f} MB")
    return faults + ([f"the run ended with {spent.status}"] if spent.status else [])


def new_project(folder: Path) -> Path:
    """A project with a file for each sub-agent and a plan of one step."""
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("agents", "data/items"):
        (folder / part).mkdir(parents=True)
    (folder / "agents" / "liner.md").write_text(CARD, encoding="utf-8")
    for number in range(1, AGENTS + 1):
        lines = [f"line {line} of item {number}" for line in range(1, LINES + 1)]
        (folder / "data" / "items" / f"{name_of(number)}.txt").write_text(
            "\n".join(lines) + "\n", encoding="utf-8"
        )
    (folder / "plan.json").write_text(PLAN.model_dump_json(), encoding="utf-8")
    return folder


async def _serve_and_run(project: Path) -> tuple[Spent, int]:
    script = ROOT / "benchmarks" / "scripts" / "width.py"
    async with scripted_server(script, slots=AGENTS, latency_seconds=LATENCY_SECONDS) as server:
        settings = f'[model]\nname = "scripted"\nurl = "{server.url}"\nslots = {AGENTS}\n[workspace]\npath = "data"\n'
        (project / "swarm.toml").write_text(settings, encoding="utf-8")
        spent = await asyncio.to_thread(orchestrate, project)
        log = await server.log()
    return spent, log.peak


def orchestrate(project: Path) -> Spent:
    """Runs the plan by the command line and waits for its process, to learn what that one cost."""
    began = time.monotonic()
    command = swarm(
        "plan", "run", str(project / "plan.json"), "Read all.", "--project", str(project), "--yes"
    )
    with (project / "output.txt").open("w", encoding="utf-8") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    # Linux counts ru_maxrss in KiB.
    return Spent(
        process.returncode,
        time.monotonic() - began,
        used.ru_utime + used.ru_stime,
        used.ru_maxrss * 1024 / 1e6,
    )


if __name__ == "__main__":
    prove(PROOF, measure)
