"""Proves that work is batched by model where a server holds fewer models than it serves."""

from __future__ import annotations

import asyncio
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

from benchmarks.proof import ROOT, Figure, Findings, Proof, prove
from benchmarks.runs import workplace
from benchmarks.scripts import readers
from swarm import Plan, Run, Step, Swarm
from swarm.nouns.events import AgentStarted, StepEnded
from swarm.testing import scripted_server

MODELS = ("planks", "stones", "bricks")
STEPS, LEVELS, PARTS = 60, 4, 2
LOAD_SECONDS, LATENCY_SECONDS, SLOTS = 0.4, 0.05, 2
SWAPS = 12
PROOF = Proof(
    name="residency",
    claim="Where a server holds one model at a time, work is batched by model.",
    bar=f"{len(MODELS)} models, {STEPS} steps in {LEVELS} levels, a server that holds one: swaps ≤ {SWAPS}, makespan no worse than in order of arrival",
)


@dataclass(frozen=True)
class Outcome:
    """What one way of working took."""

    swaps: int
    seconds: float


def measure() -> Findings:
    """The same plan batched by model, and in order of arrival."""
    batched, arrival = (asyncio.run(work(is_told=is_told)) for is_told in (True, False))
    figures: dict[str, Figure] = {
        "swaps": batched.swaps,
        "makespan (s)": round(batched.seconds, 1),
        "swaps in order of arrival": arrival.swaps,
        "makespan in order of arrival (s)": round(arrival.seconds, 1),
    }
    faults = [f"{batched.swaps} swaps"] if batched.swaps > SWAPS else []
    if batched.seconds > arrival.seconds:
        faults.append("it took longer than in order of arrival")
    return Findings(figures, faults)


async def work(*, is_told: bool) -> Outcome:
    """Runs the plan on a fresh server; ``is_told``: whether we know that it holds one model."""
    options = ("--models", ",".join(MODELS), "--resident", "1", "--load-seconds", str(LOAD_SECONDS))
    script = ROOT / "benchmarks" / "scripts" / "readers.py"
    async with scripted_server(
        script, kind="ollama", slots=SLOTS, latency_seconds=LATENCY_SECONDS, options=options
    ) as server:
        project = new_project(workplace(PROOF.name) / "project", server.url, is_told=is_told)
        seconds = await run_plan(project, plan())
        log = await server.log()
    return Outcome(log.swaps, seconds)


def new_project(folder: Path, url: str, *, is_told: bool) -> Path:
    """A project with a role for each model of the server."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "agents").mkdir(parents=True)
    settings = ["[servers.files]\nenabled = false\n\n[servers.database]\nenabled = false\n"]
    for model in MODELS:
        card = f"---\ndescription: Reads a note.\nmodel: {model}\n---\nRead the note.\n"
        (folder / "agents" / f"{model}.md").write_text(card, encoding="utf-8")
        told = "resident = 1\n" if is_told else ""
        settings.append(f'[models.{model}]\nname = "{model}"\nurl = "{url}"\nslots = {SLOTS}\n{told}')
    (folder / "swarm.toml").write_text("\n".join(settings), encoding="utf-8")
    return folder


def plan(steps: int = STEPS, levels: int = LEVELS) -> Plan:
    """Levels of as many steps; each step needs two of the level before, and the models take turns."""
    rng = random.Random(1)
    width = steps // levels
    return Plan(
        steps=tuple(
            Step(
                id=f"n{number}",
                agent=MODELS[number % len(MODELS)],
                brief=readers.brief_of(f"n{number}", PARTS),
                needs=tuple(
                    f"n{need}"
                    for need in rng.sample(range(number - number % width - width, number - number % width), 2)
                )
                if number >= width
                else (),
            )
            for number in range(steps)
        )
    )


async def run_plan(project: Path, plan: Plan) -> float:
    """Seconds from the first start of a step to the last end."""
    async with Swarm.open(project, tools=[readers.USUAL.read_part]) as swarm:
        run: Run[str] = await swarm.start("Read all notes.", plan=plan)
        events = [event async for event in run.events()]
        answer = await run.answer()
    if answer.status != "done":
        raise SystemExit(f"the run is {answer.status}: {answer.missing}")
    begins = [event.at for event in events if isinstance(event, AgentStarted)]
    return max(event.at for event in events if isinstance(event, StepEnded)) - min(begins)


if __name__ == "__main__":
    prove(PROOF, measure)
