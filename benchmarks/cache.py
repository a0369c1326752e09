"""Proves that a server's prompt cache stays hot: what is prefilled against what must be.

On a slow machine it takes more than an hour: what was measured is kept, and ``--go-on`` measures the rest.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import JsonValue, TypeAdapter

from benchmarks.proof import Figure, Findings, Proof, prove
from benchmarks.runs import NO_SERVERS, workplace
from benchmarks.scripts import readers
from swarm import Plan, Run, Step, Swarm
from swarm.models.client.litellm import LitellmModel
from swarm.models.embedded.catalog import entry
from swarm.models.embedded.download import pull
from swarm.models.embedded.server_process import open_embedded
from swarm.models.model import Endpoint, Model
from swarm.nouns.events import AgentStarted
from swarm.nouns.limits import Usage
from swarm.nouns.messages import Reply, Request
from swarm.testing import ScriptedModel, serving
from swarm.testing.double.prefix import common_prefix
from swarm.testing.double.scripted import rendered

AGENTS, SLOTS = 16, (1, 2, 4)
SERVERS = ("scripted", "llama.cpp")
WAYS = ("kept slots", "in turns", "LangGraph")
RATIO, OVERTAKEN, FASTER = 1.1, 2, 1.8
REAL = "smollm2-135m-instruct"
REAL_READER = readers.Reader(written_chars=125, added_chars=1_030)
"""60 tokens as SmolLM2 writes them, which takes more than it reads them in, and 200 as it reads them."""
WINDOW = 4_096
PATIENCE_SECONDS = 7_200
"""Whoever asks in turns waits for all others, and a slow machine should not have it given up."""
PATIENCE = f"[limits]\nreply_seconds = {PATIENCE_SECONDS}\nstall_seconds = {PATIENCE_SECONDS}\n"
PROOF = Proof(
    name="cache",
    claim=f"A server's prompt cache stays hot: {AGENTS} agents of {readers.PARTS + 1} turns have little more computed than what they say.",
    bar=f"on 1, 2 and 4 slots of llama.cpp and of the scripted server: prefilled tokens ≤ {RATIO} times the least (each agent's last context; the shared beginning once a slot); agents start in order, none overtaken more than {OVERTAKEN} times; on llama.cpp with 1 slot ≥ {FASTER} times faster than in turns",
)

CARD = f"""---
description: Reads a note part by part.
---
{readers.words("instructions", 900)}
"""
NOTES = tuple(f"n{number:02}" for number in range(1, AGENTS + 1))


@dataclass
class Cast:
    """A model that is made to say what the script says, but for its reasons, and what it was asked."""

    model: Model
    reader: readers.Reader
    seats: int
    """Agents that the scheduler lets in at once."""
    is_pinned: bool = True
    asked: list[tuple[Request, Usage]] = field(default_factory=list[tuple[Request, Usage]])

    @property
    def endpoint(self) -> Endpoint:
        return self.model.endpoint.model_copy(update={"slots": self.seats})

    async def reply(self, request: Request) -> Reply:
        text = self.reader.reply(request)
        slot = request.slot if self.is_pinned else None
        forced = replace(
            request,
            output_schema=held(json.loads(text)),
            max_tokens=256,
            slot=slot,
            deadline_seconds=PATIENCE_SECONDS,
            first_token_seconds=PATIENCE_SECONDS,
        )
        reply = await self.model.reply(forced)
        if readers.reader_of(request):
            self.asked.append((request, reply.usage))
        return reply


def held(turn: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """A schema that holds a model to a turn, but for the words of its ``why``, of which only the number is held.

    What a model is forced to say it writes in smaller tokens than it reads them in.
    """
    properties: dict[str, JsonValue] = {}
    for name, value in turn.items():
        if name == "why" and isinstance(value, str):
            properties[name] = {"type": "string", "minLength": len(value), "maxLength": len(value)}
        else:
            properties[name] = held(value) if name == "args" and isinstance(value, dict) else {"const": value}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


@dataclass(frozen=True)
class Spent:
    """What one way of working cost."""

    way: str
    prefilled: int
    least: int
    """Each agent's last context, the shared beginning once a slot."""
    written: int
    """What agents wrote: the server need not compute it where it comes back in the tokens in which it was
    written."""
    seconds: float
    overtaken: int
    """The most others that came later and started before one agent."""

    @property
    def ratio(self) -> float:
        return self.prefilled / self.least

    @property
    def strict_ratio(self) -> float:
        """Against what is left of the least where nothing that was written need be computed again."""
        return self.prefilled / (self.least - self.written)


Measured = tuple[str, int, Spent]
"""With the server and its slots."""
_MEASURED = TypeAdapter(list[Measured])


def measure(only: str | None, *, goes_on: bool = False) -> Findings:
    """All ways of working on all servers, one after the other; with ``goes_on`` but those that an earlier
    call measured."""
    file = workplace(PROOF.name) / "spent.json"
    known = _MEASURED.validate_json(file.read_bytes()) if goes_on and file.is_file() else []
    for server in (only,) if only else SERVERS:
        for slots in SLOTS:
            for way in WAYS if server == "scripted" or slots == 1 else WAYS[:1]:
                if not any((*place, one.way) == (server, slots, way) for *place, one in known):
                    known.append((server, slots, asyncio.run(spend(server, slots, way))))
                    file.write_bytes(_MEASURED.dump_json(known))
    return found(known, [f"only {only} was measured"] if only else [])


def found(known: list[Measured], unmeasured: list[str]) -> Findings:
    """What the ways of working show."""
    spent: dict[tuple[str, int], list[Spent]] = {}
    for server, slots, one in known:
        spent.setdefault((server, slots), []).append(one)
    details: list[dict[str, Figure]] = [
        {
            "server": server,
            "slots": slots,
            "way": one.way,
            "prefilled": one.prefilled,
            "least": one.least,
            "prefilled ÷ least": round(one.ratio, 2),
            "prefilled ÷ least without what was written": round(one.strict_ratio, 2),
            "seconds": round(one.seconds, 1),
            "overtaken": one.overtaken,
        }
        for (server, slots), ways in spent.items()
        for one in ways
    ]
    ours = {place: ways[0] for place, ways in spent.items()}
    figures: dict[str, Figure] = {
        f"prefilled ÷ least, {server}, {slots} slots": (
            f"{one.ratio:.3f} ({one.strict_ratio:.3f} without what was written)"
        )
        for (server, slots), one in ours.items()
    }
    real = spent.get(("llama.cpp", 1))
    faster = real[1].seconds / real[0].seconds if real else None
    if faster:
        figures["times faster than in turns, llama.cpp, 1 slot"] = round(faster, 2)
    return Findings(figures, unmeasured + _faults(ours, faster), details)


def _faults(ours: dict[tuple[str, int], Spent], faster: float | None) -> list[str]:
    faults: list[str] = []
    for (server, slots), one in ours.items():
        ratio = one.strict_ratio if server == "scripted" else one.ratio
        if ratio > RATIO:
            faults.append(f"{server}, {slots} slots: {ratio:.3f} times the least was prefilled")
        if one.overtaken > OVERTAKEN:
            faults.append(f"{server}, {slots} slots: one agent was overtaken {one.overtaken} times")
    if faster is not None and faster < FASTER:
        faults.append(f"only {faster:.2f} times faster than in turns")
    return faults


async def spend(server: str, slots: int, way: str) -> Spent:
    """One way of working on a fresh server; the others than ours on one slot where it is slow."""
    async with opened(server, slots) as model:
        reader = readers.USUAL if server == "scripted" else REAL_READER
        cast = Cast(model, reader, slots if way == "kept slots" else AGENTS, is_pinned=way == "kept slots")
        began = time.monotonic()
        started = await (_langgraph(cast) if way == "LangGraph" else run_readers(cast))
        seconds = time.monotonic() - began
    spent = spent_on(way, cast, slots, seconds, started)
    print(f"  {server}, {slots} slots, {way}: {spent.ratio:.2f} in {seconds:.0f} s", flush=True)
    return spent


@asynccontextmanager
async def opened(server: str, slots: int) -> AsyncGenerator[Model]:
    """The model on a fresh server."""
    if server == "scripted":
        double = ScriptedModel(readers.reply, slots=slots)
        async with serving(double) as url:
            endpoint = Endpoint(kind="llamacpp", model="scripted", url=url, slots=slots, window=32_768)
            async with LitellmModel(endpoint) as model:
                yield model
        return
    path = await asyncio.to_thread(pull, entry(REAL))
    async with (
        open_embedded(path, REAL, slots=slots, window=WINDOW, cache_mib=0) as endpoint,
        LitellmModel(endpoint) as model,
    ):
        yield model


async def run_readers(model: Cast, notes: tuple[str, ...] = NOTES) -> list[str]:
    """Runs a plan of one reader for each note; the steps in the order in which they started."""
    folder = workplace(PROOF.name) / "project"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "agents").mkdir(parents=True)
    (folder / "agents" / "reader.md").write_text(CARD, encoding="utf-8")
    (folder / "swarm.toml").write_text(NO_SERVERS + PATIENCE, encoding="utf-8")
    return await run_plan(folder, model, notes)


async def run_plan(folder: Path, model: Cast, notes: tuple[str, ...]) -> list[str]:
    """The same in a project that is there."""
    steps = tuple(Step(id=note, agent="reader", brief=readers.brief_of(note)) for note in notes)
    async with Swarm.open(folder, model=model, tools=[model.reader.read_part]) as swarm:
        run: Run[str] = await swarm.start("Read all notes.", plan=Plan(steps=steps))
        events = [event async for event in run.events()]
        answer = await run.answer()
    if answer.status != "done":
        raise SystemExit(f"the run is {answer.status}: {answer.missing}")
    return [event.step for event in events if isinstance(event, AgentStarted) and event.step in notes]


async def _langgraph(model: Cast) -> list[str]:
    from benchmarks.parties.chat import work

    await work(model, model.reader, CARD.partition("---\n")[2].partition("---\n")[2], NOTES)
    return list(NOTES)


def spent_on(way: str, cast: Cast, slots: int, seconds: float, started: list[str]) -> Spent:
    """Adds up what was asked."""
    last: dict[str | None, int] = {}
    first: dict[str | None, tuple[Request, Usage]] = {}
    for request, usage in cast.asked:
        note = readers.reader_of(request)
        last[note] = max(last.get(note, 0), usage.prompt_tokens + usage.written_tokens)
        first.setdefault(note, (request, usage))
    one, other = (rendered(request.messages) for request, _ in list(first.values())[:2])
    tokens = next(iter(first.values()))[1].prompt_tokens
    shared = tokens * common_prefix(one, other) // len(one)
    return Spent(
        way,
        prefilled=sum(usage.prefilled_tokens for _, usage in cast.asked),
        least=sum(last.values()) - (len(last) - slots) * shared,
        written=sum(usage.written_tokens for _, usage in cast.asked),
        seconds=seconds,
        overtaken=most_overtaken(started),
    )


def most_overtaken(started: list[str]) -> int:
    """The most agents that came after one and started before it."""
    return max(sum(name > one for name in started[: started.index(one)]) for one in started)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="benchmarks.cache", description=__doc__)
    parser.add_argument("--only", choices=SERVERS, help="one of the servers")
    parser.add_argument("--go-on", action="store_true", help="with what an earlier call did not measure")
    options = parser.parse_args()
    prove(PROOF, lambda: measure(options.only, goes_on=options.go_on))
