"""Proves that every fault of a model server ends a call in time, within its requests, and costs no sibling."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.proof import Figure, Findings, Proof, prove
from benchmarks.runs import workers_project, workplace
from benchmarks.turns import call_turn, result_turn
from swarm import Plan, Run, Step, Swarm
from swarm.errors import ModelError
from swarm.models.client.litellm import LitellmModel, load_client
from swarm.models.model import Endpoint
from swarm.nouns.events import AgentEnded
from swarm.nouns.limits import Limits
from swarm.nouns.messages import Message, Request
from swarm.testing import Fault, ScriptedModel, serving
from swarm.testing.double.faults import DOOR_FAULTS, WIRE_FAULTS, WORD_FAULTS, FaultKind
from swarm.testing.double.script import Answer
from swarm.testing.wire import FaceKind

REQUESTS = 3
TOTAL, FIRST, BETWEEN = 3.0, 1.0, 0.5
"""Deadlines of a call in seconds: of its reply, its first token, its next token."""
GRACE = 0.5
FIRST_PAUSE = 0.05
AGENTS = 6
FAULTY = 3
"""The agent whose requests meet the fault."""
DOWN_SECONDS = 30.0

KINDS: tuple[FaceKind, ...] = ("llamacpp", "vllm", "lmstudio", "ollama")
FAULTS: tuple[FaultKind, ...] = (*WIRE_FAULTS, *WORD_FAULTS)

PROOF = Proof(
    name="faults",
    claim="Whatever a model server does wrong, a call ends in time and within its requests, no empty reply is accepted, and no sibling loses work.",
    bar=f"{len(FAULTS)} faults in {len(KINDS)} protocols, streamed and not, for ever and once: all calls end within their deadline + {GRACE} s and {REQUESTS} requests, 0 empty replies; with each fault in one of {AGENTS} concurrent sub-agents the others' work is done and asked for once; a restart of {DOWN_SECONDS:.0f} s fails no step",
)

SAID = call_turn("files.read", path="notes/a.md")


@dataclass(frozen=True)
class Case:
    """One call against one fault."""

    fault: FaultKind
    server: FaceKind
    is_streamed: bool
    is_once: bool

    @property
    def deadline(self) -> float:
        """Seconds after which the call must have ended."""
        if self.is_streamed and self.fault == "hang":
            return FIRST
        return FIRST + BETWEEN if self.is_streamed and self.fault == "stall" else TOTAL


@dataclass(frozen=True)
class Met:
    """How a call ended."""

    case: Case
    seconds: float
    requests: int
    end: str
    """``reply``, ``empty reply`` or the kind of error."""


def cases() -> list[Case]:
    """All of them. Nothing restarts for ever; a call that hangs once hangs for ever."""
    return [
        Case(fault, server, is_streamed, is_once)
        for fault in FAULTS
        for server in KINDS
        for is_streamed in (True, False)
        for is_once in (True, False)
        if not (fault == "restart" and not is_once) and not (fault in ("hang", "stall", "drip") and is_once)
    ]


def measure() -> Findings:
    """Makes every call, then runs every fault among sub-agents, then the long restart."""
    met = asyncio.run(_call_all())
    runs = asyncio.run(_run_all())
    late = [one for one in met if one.seconds > one.case.deadline + GRACE]
    many = [one for one in met if one.requests > REQUESTS]
    empty = [one for one in met if one.end == "empty reply"]
    lost = [one for one in runs if one.lost or one.asked_again]
    figures: dict[str, Figure] = {
        "calls": len(met),
        "of them answered": sum(one.end == "reply" for one in met),
        f"ended within their deadline + {GRACE} s": len(met) - len(late),
        "longest over its deadline (s)": round(max(one.seconds - one.case.deadline for one in met), 2),
        f"most requests of a call (allowed: {REQUESTS})": max(one.requests for one in met),
        "empty replies accepted": len(empty),
        f"runs of {AGENTS} sub-agents with a fault": len(runs),
        "sub-agents that should be done": sum(one.expected for one in runs),
        "of them done": sum(one.expected - one.lost for one in runs),
        "replies of siblings asked for again": sum(one.asked_again for one in runs),
        f"seconds of the run over a restart of {DOWN_SECONDS:.0f} s": round(runs[-1].seconds, 1),
    }
    faults = [
        f"{one.case}: {one.seconds:.2f} s, {one.requests} requests, {one.end}" for one in late + many + empty
    ]
    return Findings(figures, faults + [f"{one}" for one in lost], [_row(fault, met) for fault in FAULTS])


def _row(fault: FaultKind, met: Sequence[Met]) -> dict[str, Figure]:
    its = [one for one in met if one.case.fault == fault]
    return {
        "fault": fault,
        "calls": len(its),
        "longest (s)": round(max(one.seconds for one in its), 2),
        "most requests": max(one.requests for one in its),
        "for ever": ", ".join(sorted({one.end for one in its if not one.case.is_once})),
        "once": ", ".join(sorted({one.end for one in its if one.case.is_once})),
    }


async def _call_all() -> list[Met]:
    await load_client()
    return [await call(case) for case in cases()]


async def call(case: Case) -> Met:
    """One call against a server with the fault."""
    fault = Fault(case.fault, times=1 if case.is_once else None, seconds=0.1)
    server = ScriptedModel(lambda _: SAID, faults=[fault])
    question = Request(
        messages=(Message(role="user", content="Read the note."),),
        deadline_seconds=TOTAL,
        first_token_seconds=FIRST,
        between_tokens_seconds=BETWEEN,
        requests=REQUESTS,
    )
    async with serving(server, case.server) as url:
        endpoint = Endpoint(kind=case.server, model="scripted", url=url, streams=case.is_streamed)
        async with LitellmModel(endpoint, first_pause_seconds=FIRST_PAUSE) as model:
            began = time.monotonic()
            try:
                end = "reply" if (await model.reply(question)).text.strip() else "empty reply"
            except ModelError as error:
                end = type(error).__name__
            seconds = time.monotonic() - began
    return Met(case, seconds, len(server.log), end)


PLAN = Plan(
    steps=tuple(
        Step(id=f"s{number}", agent="worker", brief=f"Do piece s{number}.") for number in range(AGENTS)
    )
)
_PIECE = re.compile(r"piece s(\d+)\b")


@dataclass(frozen=True)
class Ran:
    """A run of sub-agents of which one, or some once, meet a fault."""

    fault: FaultKind
    is_streamed: bool
    seconds: float
    expected: int
    """Sub-agents that must be done."""
    lost: int
    """Those of them that are not."""
    asked_again: int
    """Requests of siblings beyond the first of each."""


async def _run_all() -> list[Ran]:
    project = workers_project(workplace(PROOF.name) / "project")
    runs = [
        await run(project, Fault(fault, seconds=0.1), is_streamed=is_streamed)
        for fault in WIRE_FAULTS
        for is_streamed in (True, False)
    ]
    restart = Fault("restart", seconds=DOWN_SECONDS)
    return [*runs, await run(project, restart, is_streamed=True, seconds=120.0, pause=0.5)]


async def run(
    project: Path, fault: Fault, *, is_streamed: bool, seconds: float = TOTAL, pause: float = FIRST_PAUSE
) -> Ran:
    """A run on a server with the fault.

    A fault at the door can't choose whom it meets: it comes once, and then all must be done.
    """
    is_at_door = fault.kind in DOOR_FAULTS
    asked: Counter[int] = Counter()

    def reply(request: Request) -> Answer:
        if len(request.messages) == 1:
            return result_turn("All is done.")
        number = _number(request)
        asked[number] += 1
        text = result_turn(f"Piece {number} is done.")
        is_met = number == FAULTY and not is_at_door
        return Fault(fault.kind, seconds=fault.seconds, text=text) if is_met else text

    at_door = [Fault(fault.kind, times=1, after=2, seconds=fault.seconds)] if is_at_door else []
    server = ScriptedModel(reply, slots=AGENTS, latency_seconds=0.05, faults=at_door)
    began = time.monotonic()
    async with serving(server) as url:
        endpoint = Endpoint(kind="llamacpp", model="scripted", url=url, slots=AGENTS, streams=is_streamed)
        async with LitellmModel(endpoint, first_pause_seconds=pause) as model:
            done = await _done(project, model, seconds)
    expected = {f"s{number}" for number in range(AGENTS) if is_at_door or number != FAULTY}
    # A restart drops the requests that the server works on; they must be made again.
    again = 0 if fault.kind == "restart" else sum(asked[n] - 1 for n in range(AGENTS) if f"s{n}" in expected)
    return Ran(fault.kind, is_streamed, time.monotonic() - began, len(expected), len(expected - done), again)


async def _done(project: Path, model: LitellmModel, seconds: float) -> set[str]:
    """The steps of a run that are done."""
    limits = Limits(
        attempts=1,
        replans=0,
        reply_seconds=seconds,
        first_token_seconds=seconds / 3,
        between_tokens_seconds=seconds / 6,
        requests=REQUESTS,
    )
    async with Swarm.open(project, model=model, limits=limits) as swarm:
        running: Run[str] = await swarm.start("Do every piece of work.", plan=PLAN)
        events = [event async for event in running.events()]
    return {event.step for event in events if isinstance(event, AgentEnded) and event.status == "done"}


def _number(request: Request) -> int:
    found = _PIECE.search(request.messages[-1].content)
    assert found, request.messages[-1].content
    return int(found[1])


if __name__ == "__main__":
    prove(PROOF, measure)
