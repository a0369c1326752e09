"""Proves that a run's file stays small and quick: its size, its commits and its resume after many turns."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
import sys
import time
import zlib
from collections.abc import Callable
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import Checkpoint, empty_checkpoint

from benchmarks.proof import Figure, Findings, Proof, prove
from benchmarks.runs import NO_SERVERS, run_files, workplace
from benchmarks.turns import call_turn, result_turn, turn_number
from swarm import Limits, Plan, Run, Step, Swarm
from swarm.nouns.messages import Request
from swarm.nouns.plan import Thread
from swarm.nouns.tool import ToolCall, ToolResult, tool
from swarm.store.rows.journal import Journal
from swarm.store.rows.records import LedgerEntry
from swarm.testing import ScriptedModel

TURNS, EARLY = 10_000, 100
TURNS_EACH, SLOTS = 40, 8
REPLY_CHARS, RESULT_CHARS = 200, 1_500
OVER_BYTES, SLOWER, RESUME_SECONDS, P50_MS, P99_MS = 1_500, 1.5, 2.0, 10.0, 30.0
CALLS = 400
"""Tool calls timed at each length; those at both take turns, so that both meet the same noise."""

PROOF = Proof(
    name="growth",
    claim=f"A run's file grows with what was said, and stays quick: {TURNS:,} turns with a tool call each, replies of {REPLY_CHARS} and tool results of {RESULT_CHARS:,} characters.",
    bar=f"file ≤ the separately compressed payloads + {OVER_BYTES:,} bytes a turn; commit p99 at turn {TURNS:,} ≤ {SLOWER} x that at turn {EARLY}; resume to the first new turn ≤ {RESUME_SECONDS:g} s; intent, result and checkpoint of a tool call, each waited for, p50 ≤ {P50_MS:g} ms and p99 ≤ {P99_MS:g} ms at synchronous=FULL",
)

CARD = """---
description: Reads pages.
tools: [python]
limits:
  turns: 1000
---
Read the pages one after the other, and say in the end what you found.
"""

_chance = random.Random(7)
WORDS = ["".join(_chance.choices("aeioubcdfghlmnprst", k=_chance.randint(2, 9))) for _ in range(2_000)]
"""A vocabulary; words of rank n are drawn 1/n as often, as in any language (Zipf)."""
WEIGHTS = [1.0 / rank for rank in range(1, len(WORDS) + 1)]


def prose(seed: str, chars: int) -> str:
    """A text that compresses as prose does."""
    words = random.Random(seed).choices(WORDS, WEIGHTS, k=chars // 2)
    return " ".join(words)[:chars]


@tool(effect="irreversible")
def read_page(name: str) -> str:
    """The text of a page."""
    return prose(name, RESULT_CHARS)


@dataclass
class Reading:
    """What the agents say, until there were that many turns."""

    turns: int
    payloads: dict[str, int] = field(default_factory=dict[str, int])
    """Each distinct text that was said, and its size compressed by itself."""
    count: int = 0
    is_over: asyncio.Event = field(default_factory=asyncio.Event)
    first: float = 0.0
    """When the first turn was asked for."""

    async def __call__(self, request: Request) -> str:
        self.first = self.first or time.perf_counter()
        self.count += 1
        if self.count > self.turns:
            self.is_over.set()
            await asyncio.Event().wait()
        for message in request.messages[:2] if len(request.messages) == 2 else request.messages[-1:]:
            self._count(message.content)
        turn = turn_number(request)
        if NAMES.brief in request.messages[1].content:
            text = result_turn([f"book {number}" for number in range(-(-TURNS // TURNS_EACH) + SLOTS)])
        elif turn >= TURNS_EACH:
            text = result_turn(prose(f"end {self.count}", REPLY_CHARS))
        else:
            text = call_turn("python.read_page", name=prose(f"page {self.count}", REPLY_CHARS))
        self._count(text)
        return text

    def _count(self, text: str) -> None:
        if text not in self.payloads:
            self.payloads[text] = len(zlib.compress(text.encode()))


def project(folder: Path) -> Path:
    """A new project with the role."""
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("agents", "data"):
        (folder / part).mkdir(parents=True)
    (folder / "agents" / "reader.md").write_text(CARD, encoding="utf-8")
    (folder / "swarm.toml").write_text(NO_SERVERS + '[workspace]\npath = "data"\n', encoding="utf-8")
    return folder


NAMES = Step(
    id="names",
    agent="reader",
    brief="List the books.",
    expects={"type": "array", "items": {"type": "string"}},
)
PAGES = Step(id="pages", agent="reader", each="names", brief="Read the pages of {item}.")
PLAN = Plan(steps=(NAMES, PAGES))
LIMITS = Limits(tokens=10**12)


async def grow(folder: Path, turns: int) -> tuple[Path, Reading]:
    """The file of a run that was stopped after so many turns, and what was said in it."""
    reading = Reading(turns)
    model = ScriptedModel(reading, slots=SLOTS, window=1_000_000)
    async with Swarm.open(project(folder), model=model, tools=[read_page], limits=LIMITS) as swarm:
        run: Run[str] = await swarm.start("Read all pages.", plan=PLAN)
        ended = asyncio.create_task(run.answer())
        over = asyncio.create_task(reading.is_over.wait())
        await asyncio.wait((over, ended), return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            raise SystemExit(f"the run ended too soon: {ended.result()}")
        await run.stop()
    [path] = run_files(folder)
    return path, reading


async def resume_seconds(folder: Path) -> float:
    """From the opening of the run's file to its first new question."""
    reading = Reading(0)
    model = ScriptedModel(reading, slots=SLOTS, window=1_000_000)
    async with Swarm.open(folder, model=model, tools=[read_page], limits=LIMITS) as swarm:
        began = time.perf_counter()
        run: Run[str] = await swarm.resume()
        async with asyncio.timeout(120):
            await reading.is_over.wait()
        await run.stop()
    return reading.first - began


async def call_seconds(paths: list[Path]) -> list[list[float]]:
    """How long each tool call's intent, result and checkpoint take in each file; all take turns."""
    taken: list[list[float]] = [[] for _ in paths]
    async with AsyncExitStack() as stack:
        journals = [await stack.enter_async_context(Journal.open(path)) for path in paths]
        for number in range(CALLS):
            for journal, times in zip(journals, taken, strict=True):
                began = time.perf_counter()
                await _call(journal, number)
                times.append(time.perf_counter() - began)
    return taken


async def _call(journal: Journal, turn: int) -> None:
    thread = Thread(run=journal.run.id, step="timed")
    call = ToolCall(tool="python.read_page", args={"name": prose(f"{turn}", REPLY_CHARS)})
    config: RunnableConfig = {"configurable": {"thread_id": str(thread), "checkpoint_ns": ""}}
    checkpoint: Checkpoint = {
        **empty_checkpoint(),
        "channel_values": {"turn": turn, "status": "acting"},
        "channel_versions": {"turn": turn + 1, "status": turn + 1},
    }
    key = (str(thread), turn, 0)
    entry = LedgerEntry(call=call, effect="irreversible", pin="post 1.0 0f4d5a3e")
    journal.ledger.intend(key, entry)
    await journal.ledger.leave(key, entry)
    await journal.saver.aput(config, checkpoint, {"source": "loop", "step": turn, "parents": {}}, {})
    await journal.ledger.settle(key, ToolResult(text=prose(f"r{turn}", RESULT_CHARS)))


def table_bytes(path: Path) -> dict[str, int]:
    """Bytes of each table and index, where this SQLite tells."""
    with closing(sqlite3.connect(path)) as connection:
        try:
            return dict(
                connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC")
            )
        except sqlite3.OperationalError:
            return {}


def measure(turns: int = TURNS) -> Findings:
    """A run of a few turns and one of many; their sizes, a resume, and the times of calls in both."""
    place = workplace(PROOF.name)
    early, _ = asyncio.run(grow(place / "early", EARLY))
    late, reading = asyncio.run(grow(place / "late", turns))
    size, payloads = late.stat().st_size, sum(reading.payloads.values())
    over = (size - payloads) / turns
    figures: dict[str, Figure] = {
        "turns": turns,
        "file (MB)": round(size / 1e6, 2),
        "payloads, each compressed by itself (MB)": round(payloads / 1e6, 2),
        "bytes a turn": round(size / turns),
        "bytes a turn over the payloads": round(over),
    }
    for name, amount in table_bytes(late).items():
        if amount / turns > 10:
            figures[f"of them in {name}"] = round(amount / turns)
    faults: list[str] = []
    judge = _judge(figures, faults)
    judge("bytes a turn over the payloads", over, OVER_BYTES)
    judge("resume to the first new turn (s)", asyncio.run(resume_seconds(place / "late")), RESUME_SECONDS)
    first, last = asyncio.run(call_seconds([early, late]))
    judge(f"tool call p50 at turn {turns} (ms)", 1_000 * _at(last, 0.5), P50_MS)
    judge(f"tool call p99 at turn {turns} (ms)", 1_000 * _at(last, 0.99), P99_MS)
    judge(f"commit p99 at turn {turns} ÷ that at {EARLY}", _at(last, 0.99) / _at(first, 0.99), SLOWER)
    return Findings(figures, faults)


def _at(times: list[float], part: float) -> float:
    return sorted(times)[int(part * len(times))]


def _judge(figures: dict[str, Figure], faults: list[str]) -> Callable[[str, float, float], None]:
    def judge(name: str, value: float, most: float) -> None:
        figures[name] = round(value, 2)
        if value > most:
            faults.append(f"{name} is {value:.2f}, over {most:g}")

    return judge


if __name__ == "__main__":
    small = int(sys.argv[1]) if len(sys.argv) > 1 else TURNS
    prove(PROOF, lambda: measure(small))
