"""Proves that a task far longer than the model's window ends right: 60 turns in 4k, 8k and 32k tokens.

Each file of a chain names the next one and holds a number; the task is their sum. The scripted model
knows nothing but its prompt: what it neither sees there nor has noted is lost to it.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from benchmarks.proof import Figure, Findings, Proof, prove
from benchmarks.runs import workplace
from benchmarks.turns import call_turn, result_turn
from swarm import Limits, Plan, Run, Step, Swarm
from swarm.models.client.litellm import LitellmModel
from swarm.models.model import Endpoint, Model
from swarm.nouns.messages import Message, Request
from swarm.testing import ScriptedModel, serving
from swarm.testing.double.prefix import tokens_of
from swarm.testing.double.scripted import rendered
from swarm.testing.wire import FaceKind

TURNS = 60
FILES = TURNS - 1
WINDOW = 8_192
FIRST_INSTRUCTION = "Follow the chain to its end and never guess a number."

PROOF = Proof(
    name="context",
    claim=f"A task of {TURNS} turns that reads several times what the window holds ends with the right answer.",
    bar=f"in {WINDOW} tokens: the right sum, no call over the window, instruction, task and step in every prompt",
)

CARD = f"""---
description: Follows a chain of files.
tools: [files.read]
limits:
  turns: {TURNS + 4}
---
{FIRST_INSTRUCTION}
"""
TASK = "Add the numbers of the chain."
STEP = Step(id="sum", agent="follower", brief="Add the numbers of the chain of files from the file alpha on.")

WORDS = ("model", "server", "slots,", "prompt", "cache", "window;", "hours", "something", "dies", "2026", "7")

_GOT = re.compile(r"^number: (\d+)\nnext: (\w+)$", re.MULTILINE)
_NOTED = re.compile(r"sum (\d+) up to the file before (\w+)")


@dataclass
class Follower:
    """The scripted model's part: it goes on from what its prompt says, and keeps every prompt."""

    asked: list[Request] = field(default_factory=list[Request])

    def reply(self, request: Request) -> str:
        """The next call, the sum at the end of the chain, or notes where they are asked for."""
        self.asked.append(request)
        if len(request.messages) == 1:
            return result_turn("It is done.")
        total, following = reckoned(request.messages)
        if request.messages[-1].content.endswith('{"notes": "..."}'):
            return json.dumps({
                "notes": f"The numbers read have the sum {total} up to the file before {following}."
            })
        if following == "end":
            return result_turn(f"The sum is {total}.")
        return call_turn("files.read", path=f"chain/{following}.txt")


def reckoned(messages: Sequence[Message]) -> tuple[int, str]:
    """The sum so far and the file to read next, from what stands in a prompt."""
    total, following = 0, "alpha"
    if noted := _NOTED.search(messages[1].content):
        total, following = int(noted[1]), noted[2]
    got = [found for message in messages[2:] if (found := _GOT.search(message.content))]
    names = [found[2] for found in got]
    # What was read up to the notes is counted in them, also where it can still be seen.
    for found in got[names.index(following) + 1 :] if following in names else got:
        total, following = total + int(found[1]), found[2]
    return total, following


def new_project(folder: Path, window: int, files: int = FILES) -> int:
    """A project with a chain of files that fill the window several times; gives the sum of its numbers."""
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("agents", "data/chain"):
        (folder / part).mkdir(parents=True)
    (folder / "agents" / "follower.md").write_text(CARD, encoding="utf-8")
    (folder / "swarm.toml").write_text(
        '[servers.database]\nenabled = false\n\n[workspace]\npath = "data"\n', encoding="utf-8"
    )
    chance = random.Random(window)
    names = ["alpha", *(f"{chance.getrandbits(32):08x}" for _ in range(files - 1)), "end"]
    numbers = [chance.randint(10, 999) for _ in range(files)]
    for name, following, number in zip(names, names[1:], numbers, strict=False):
        filler = " ".join(chance.choices(WORDS, k=window // 20))
        text = f"number: {number}\nnext: {following}\n{filler}\n"
        (folder / "data" / "chain" / f"{name}.txt").write_text(text, encoding="utf-8")
    return sum(numbers)


@dataclass(frozen=True)
class Followed:
    """How one run through the chain went."""

    answer: str
    asked: list[Request]
    right: str
    window: int

    @property
    def turns(self) -> list[Request]:
        """The prompts of the agent, without those for notes and the answer of the run."""
        return [one for one in self.asked if len(one.messages) > 1 and not _asks_for_notes(one)]

    @property
    def notes(self) -> int:
        """Times the model was asked for notes."""
        return sum(map(_asks_for_notes, self.asked))

    @property
    def breaks(self) -> int:
        """Prompts that do not begin with the whole prompt before them."""
        pairs = pairwise(self.turns)
        return sum(after.messages[: len(before.messages)] != before.messages for before, after in pairs)

    @property
    def largest(self) -> int:
        """The most tokens that a prompt and its reply could have had together."""
        return max(tokens_of(rendered(one.messages)) + one.max_tokens for one in self.asked)

    def faults(self) -> list[str]:
        """Where the bar is missed."""
        lacking = sum(not _is_whole(one) for one in self.turns)
        found = (
            [f"the answer is {self.answer!r} and not {self.right!r}"] if self.right not in self.answer else []
        )
        found += (
            [f"a call could take {self.largest} tokens of {self.window}"]
            if self.largest > self.window
            else []
        )
        found += [f"{lacking} prompts lack the instruction, the task or the step"] if lacking else []
        return found + ([f"{len(self.turns)} turns instead of {TURNS}"] if len(self.turns) != TURNS else [])

    def row(self, case: str) -> dict[str, Figure]:
        """The run as a line of a table."""
        return {
            "case": case,
            "window": self.window,
            "right": str(self.right in self.answer),
            "turns": len(self.turns),
            "tokens read": sum(tokens_of(one.messages[-1].content) for one in self.turns),
            "largest call": self.largest,
            "prompts not append-only": self.breaks,
            "notes": self.notes,
        }


def _asks_for_notes(request: Request) -> bool:
    return request.messages[-1].content.endswith('{"notes": "..."}')


def _is_whole(request: Request) -> bool:
    system, opening = request.messages[0].content, request.messages[1].content
    return FIRST_INSTRUCTION in system and TASK in system and STEP.brief in opening


async def follow(folder: Path, window: int, kind: FaceKind | None = None) -> Followed:
    """One run through the chain: the model in this process, or behind a server's protocol."""
    total = new_project(folder, window)
    follower = Follower()
    scripted = ScriptedModel(follower.reply, window=window)
    if kind is None:
        return Followed(await _answer(folder, scripted), follower.asked, f"The sum is {total}.", window)
    async with serving(scripted, kind) as url:
        endpoint = Endpoint(kind=kind, model="scripted", url=url, slots=1, window=window)
        async with LitellmModel(endpoint) as model:
            answer = await _answer(folder, model)
    return Followed(answer, follower.asked, f"The sum is {total}.", window)


async def _answer(folder: Path, model: Model) -> str:
    async with Swarm.open(folder, model=model, limits=Limits(turns=TURNS + 4)) as swarm:
        run: Run[str] = await swarm.start(TASK, plan=Plan(steps=(STEP,)))
        answer = await run.answer()
        return f"{answer.text} {' '.join(answer.missing)}"


def measure() -> Findings:
    """Follows the chain in each window, and in 8k over the protocols of two servers."""
    folder = workplace(PROOF.name) / "project"
    cases: list[tuple[str, int, FaceKind | None]] = [
        ("in this process", 4_096, None),
        ("in this process", WINDOW, None),
        ("in this process", 32_768, None),
        ("llama.cpp, with its tokenizer", WINDOW, "llamacpp"),
        ("Ollama, without one", WINDOW, "ollama"),
    ]
    runs = [(case, asyncio.run(follow(folder, window, kind))) for case, window, kind in cases]
    main = runs[1][1]
    figures: dict[str, Figure] = {
        "turns": len(main.turns),
        "right answer": str(main.right in main.answer),
        "largest call (tokens)": main.largest,
        "window (tokens)": main.window,
        "tokens that tools gave": sum(tokens_of(one.messages[-1].content) for one in main.turns),
        "prompts that are not the one before and more": main.breaks,
        "notes asked for": main.notes,
    }
    faults = [f"{case}, {run.window}: {fault}" for case, run in runs for fault in run.faults()]
    return Findings(figures, faults, [run.row(case) for case, run in runs])


if __name__ == "__main__":
    prove(PROOF, measure)
