"""Proves that a server which tells nothing is neither overrun nor left idle."""

from __future__ import annotations

import asyncio
import shutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path

from benchmarks.proof import ROOT, Figure, Findings, Proof, prove
from benchmarks.runs import workplace
from benchmarks.scripts import readers
from swarm import Plan, Run, Step, Swarm
from swarm.models.client.litellm import load_client
from swarm.nouns.events import AgentEnded, Event, ModelReplied, Notice
from swarm.testing import scripted_server

AGENTS, PARTS = 32, 15
SLOTS = (1, 2, 4, 8)
TURN_SECONDS = 0.12
"""Of one turn, for each slot of the server: the more slots, the slower each, so that our own work is small beside."""
SHARE = 0.95
READY_SECONDS = 300.0
"""Until all have loaded their libraries; on a slow machine that takes one of them."""
MOST = 0.9
"""Of all that is written: until so much is, there is work for every slot."""
PROOF = Proof(
    name="overrun",
    claim="A server that tells nothing is neither overrun nor left idle: the agents it can work on at once are found by trying.",
    bar=f"{AGENTS} agents on servers of 1, 2, 4 and 8 slots without configuration: 0 time-outs, 0 errors, throughput ≥ {SHARE:.0%} of the best fixed number of agents at once",
)
CARD = "---\ndescription: Reads a note.\n---\nRead the note part by part.\n"


@dataclass(frozen=True)
class Outcome:
    """How one run went."""

    tokens_per_second: float
    errors: int
    """Agents that failed, and calls that had to be made again."""


def measure() -> Findings:
    """Every server without configuration, and with fixed numbers around its slots."""
    figures: dict[str, Figure] = {}
    faults: list[str] = []
    for slots in SLOTS:
        free, fixed = side_by_side(slots)
        best = max(fixed, key=lambda number: fixed[number].tokens_per_second)
        share = free.tokens_per_second / fixed[best].tokens_per_second
        figures[f"{slots} slots: throughput, share of the best"] = round(share, 3)
        figures[f"{slots} slots: best fixed number"] = best
        figures[f"{slots} slots: errors"] = free.errors
        if share < SHARE:
            faults.append(f"{slots} slots: {share:.1%} of the throughput with {best} at once")
        if free.errors:
            faults.append(f"{slots} slots: {free.errors} errors")
    return Findings(figures, faults)


def side_by_side(slots: int) -> tuple[Outcome, dict[int, Outcome]]:
    """What was found by trying, and what each fixed number brought.

    All run at the same time, each in a process and on a server of its own: a machine that is slower at
    one time than at another is so for all of them. Together they leave half of two cores idle.
    """
    numbers = sorted({max(1, slots // 2), slots, 2 * slots, AGENTS})
    context, parties = get_context("spawn"), 1 + len(numbers)
    start = context.Barrier(parties)
    with ProcessPoolExecutor(parties, context, initializer=get_ready, initargs=(start,)) as processes:
        free = processes.submit(work_alone, slots, None)
        fixed = [processes.submit(work_alone, slots, number) for number in numbers]
        return free.result(), dict(zip(numbers, [one.result() for one in fixed], strict=True))


def get_ready(start: Barrier) -> None:
    """Loads what takes seconds, and waits until the others have."""
    asyncio.run(load_client())
    start.wait(READY_SECONDS)


def work_alone(slots: int, fixed: int | None) -> Outcome:
    """Runs all agents on a fresh server, in a process that does nothing else."""
    return asyncio.run(work(slots, fixed))


async def work(slots: int, fixed: int | None) -> Outcome:
    """Runs all agents on a fresh server."""
    speed = 60 / (TURN_SECONDS * slots)
    options = ("--decode", f"{speed:.0f}", "--prefill", f"{20 * speed:.0f}", "--queue", str(AGENTS))
    script = ROOT / "benchmarks" / "scripts" / "readers.py"
    async with scripted_server(script, kind="ollama", slots=slots, options=options) as server:
        project = new_project(workplace(PROOF.name) / f"{slots}-{fixed}", server.url, fixed)
        events = await run_plan(project)
    outcome = Outcome(throughput(events), errors_in(events))
    print(f"  {slots} slots, {fixed or 'found'}: {outcome.tokens_per_second:.0f} tokens/s", flush=True)
    return outcome


def new_project(folder: Path, url: str, fixed: int | None) -> Path:
    """A project that names a server and nothing more, or a fixed number of slots."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "agents").mkdir(parents=True)
    (folder / "agents" / "reader.md").write_text(CARD, encoding="utf-8")
    told = f"slots = {fixed}\n" if fixed else ""
    servers = "[servers.files]\nenabled = false\n\n[servers.database]\nenabled = false\n"
    settings = f'{servers}\n[model]\nname = "scripted"\nurl = "{url}"\n{told}'
    (folder / "swarm.toml").write_text(settings, encoding="utf-8")
    return folder


async def run_plan(project: Path) -> list[Event]:
    """The events of a run of all readers."""
    notes = [f"n{number:02}" for number in range(AGENTS)]
    steps = tuple(Step(id=note, agent="reader", brief=readers.brief_of(note, PARTS)) for note in notes)
    async with Swarm.open(project, tools=[readers.USUAL.read_part]) as swarm:
        run: Run[str] = await swarm.start("Read all notes.", plan=Plan(steps=steps))
        events = [event async for event in run.events()]
        await run.answer()
    return events


def throughput(events: list[Event]) -> float:
    """Tokens written a second, from the first reply, which waits for libraries, until ``MOST`` of them were."""
    replies = [event for event in events if isinstance(event, ModelReplied)]
    began = replies[0].at
    wanted = MOST * sum(reply.usage.written_tokens for reply in replies)
    written = 0
    for reply in replies:
        written += reply.usage.written_tokens
        if written >= wanted:
            return written / (reply.at - began)
    return 0.0


def errors_in(events: list[Event]) -> int:
    """Agents that failed, and setbacks of calls."""
    failed = sum(isinstance(event, AgentEnded) and event.status != "done" for event in events)
    return failed + sum(isinstance(event, Notice) for event in events)


if __name__ == "__main__":
    prove(PROOF, measure)
