"""Proves that a prompt which a server cut in silence is noticed in that call, and no other is suspected.

Every conversation is had with a new client, to which the server is unknown. Of each call the scripted
server's log says whether it was cut; the real llama.cpp never cuts.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import JsonValue

from benchmarks.proof import Figure, Findings, Proof, prove
from benchmarks.texts import TEXTS
from swarm.errors import ContextOverflow, ContextTruncated
from swarm.models.client.litellm import LitellmModel
from swarm.models.embedded.catalog import entry
from swarm.models.embedded.download import pull
from swarm.models.embedded.server_process import open_embedded
from swarm.models.model import Endpoint, ServerKind
from swarm.nouns.messages import Message, Request, Role
from swarm.testing.asgi import ScriptedApp
from swarm.testing.double.prefix import tokens_of
from swarm.testing.double.scripted import ScriptedModel, rendered
from swarm.testing.http_server import Act, HttpRequest, HttpResponse, serve
from swarm.testing.wire import FaceKind

WINDOW = 4_096
REAL_WINDOW = 2_048
REPLY = 256
HONEST = 1_000
NAME = "smollm2-135m-instruct"

PROOF = Proof(
    name="truncation",
    claim="A prompt that a server cuts in silence is an error in that very call, also in the first one.",
    bar=f"100 % of the cut prompts raised in their call; no false alarm in {HONEST:,} honest calls, of which some go to a real llama.cpp with and without its tokenizer",
)


@dataclass(frozen=True)
class Case:
    """A server, and what a client takes it for."""

    name: str
    face: FaceKind
    kind: ServerKind
    window: int = WINDOW
    """What the client believes; the server's is ``WINDOW``."""
    is_old: bool = False
    """Whether it is an Ollama that knows nothing of ``truncate`` and ``shift``."""


CUTTING = (
    Case("Ollama, before it could be told not to cut", "ollama", "ollama", is_old=True),
    Case("Ollama's OpenAI route, its window known", "ollama", "openai"),
    Case("Ollama's OpenAI route, believed to have 32k", "ollama", "openai", window=32_768),
    Case("Ollama, which refuses when told to", "ollama", "ollama"),
)
HONEST_CASES = (*CUTTING[:3], Case("LM Studio", "lmstudio", "lmstudio"), Case("vLLM", "vllm", "vllm"))


@dataclass
class Tally:
    """What came of the calls of one case."""

    name: str
    cut: int = 0
    raised: int = 0
    """Of those that were cut, or refused because they would have been."""
    honest: int = 0
    false: int = 0
    requests: int = 0
    """What the server got, with those that settled a doubt."""
    missed: list[str] = field(default_factory=list[str])

    def row(self) -> dict[str, Figure]:
        """The case as a line of a table."""
        return {
            "server": self.name,
            "cut": self.cut,
            "raised": self.raised,
            "honest": self.honest,
            "false alarms": self.false,
            "requests for each call": round(self.requests / max(1, self.cut + self.honest), 2),
        }


class Talk:
    """A conversation of one kind of text, which grows as an agent's does."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self.kind = list(TEXTS)[seed % len(TEXTS)]
        self._messages = [
            self._message("system", 900),
            self._message("user", self._chance.randint(100, 3_000)),
        ]

    def request(self) -> Request:
        """The prompt as it is now."""
        return Request(messages=tuple(self._messages), max_tokens=REPLY)

    def grow(self) -> None:
        """A call, and what it gave."""
        self._messages += [
            self._message("assistant", self._chance.randint(20, 200)),
            self._message("user", self._chance.choice([60, 500, 2_000, 4_000])),
        ]

    @property
    def tokens(self) -> int:
        """As the scripted server counts."""
        return tokens_of(rendered(self._messages))

    def _message(self, role: Role, length: int) -> Message:
        text = f"{self._chance.random()} {TEXTS[self.kind](self._chance, length)}"
        return Message(role, text)


@asynccontextmanager
async def server_of(case: Case) -> AsyncGenerator[tuple[str, ScriptedModel]]:
    """The address of the case's server, and the model that keeps its log."""
    model = ScriptedModel(lambda _: "It is so.", window=WINDOW)
    app = ScriptedApp(model, case.face)

    async def handle(request: HttpRequest) -> HttpResponse | Act:
        if case.is_old and request.path == "/api/chat":
            body: dict[str, JsonValue] = json.loads(request.body)
            known = {key: value for key, value in body.items() if key not in ("truncate", "shift")}
            request = replace(request, body=json.dumps(known).encode())
        return await app.handle(request)

    async with serve(handle) as url:
        yield url, model


async def cut_in(case: Case, talks: Sequence[Talk]) -> Tally:
    """Conversations that outgrow the window: every other one is new to the client when it does."""
    tally = Tally(case.name)
    async with server_of(case) as (url, model):
        for number, talk in enumerate(talks):
            async with _client(case, url) as client:
                while talk.tokens < WINDOW:
                    if number % 2 and talk.tokens + REPLY <= WINDOW:
                        await _call(tally, client, model, talk)
                    talk.grow()
                await _call(tally, client, model, talk)
        tally.requests = len(model.log)
    return tally


async def honest_in(case: Case, talks: Sequence[Talk], calls: int) -> Tally:
    """Conversations that end before the window does."""
    tally = Tally(case.name)
    async with server_of(case) as (url, model):
        for talk in talks:
            async with _client(case, url) as client:
                while tally.honest + tally.cut < calls and talk.tokens + REPLY <= WINDOW:
                    await _call(tally, client, model, talk)
                    talk.grow()
        tally.requests = len(model.log)
    return tally


async def _call(tally: Tally, client: LitellmModel, model: ScriptedModel, talk: Talk) -> None:
    number = len(model.log)
    try:
        await client.reply(talk.request())
        raised = ""
    except ContextOverflow as error:
        raised = str(error)
    served = model.log[number]
    is_cut = served.is_truncated or served.error == "PromptTooLong"
    tally.cut += is_cut
    tally.honest += not is_cut
    tally.raised += bool(is_cut and raised)
    tally.false += bool(raised and not is_cut)
    if is_cut != bool(raised):
        tally.missed.append(
            f"{tally.name}, {talk.kind}, {talk.tokens} tokens: {raised or 'nothing was raised'}"
        )


def _client(case: Case, url: str) -> LitellmModel:
    return LitellmModel(Endpoint(kind=case.kind, model="scripted", url=url, window=case.window))


async def honest_on_llamacpp(path: Path, calls: int) -> list[Tally]:
    """Conversations with a real llama.cpp, first with its tokenizer and then as any other server."""
    tallies = [
        Tally("llama.cpp, SmolLM2, with its tokenizer"),
        Tally("llama.cpp, SmolLM2, its tokenizer hidden"),
    ]
    async with open_embedded(path, NAME, slots=1, window=REAL_WINDOW) as endpoint:
        for tally, kind in zip(tallies, ("llamacpp", "openai"), strict=True):
            taken_for = endpoint.model_copy(update={"kind": kind})
            await _talk_to(tally, taken_for, calls)
    return tallies


async def _talk_to(tally: Tally, endpoint: Endpoint, calls: int) -> None:
    seed = 0
    while tally.honest < calls:
        talk, seed = Talk(seed), seed + 1
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(LitellmModel(endpoint))
            try:
                while tally.honest < calls:
                    reply = await client.reply(replace(talk.request(), max_tokens=4))
                    tally.honest += 1
                    tally.requests += 1
                    if reply.usage.tokens > 0.7 * REAL_WINDOW:
                        break
                    talk.grow()
            except ContextTruncated as error:
                tally.false += 1
                tally.missed.append(f"{tally.name}, {talk.kind}: {error}")
            except ContextOverflow:
                continue  # Refused aloud: it did not fit.


async def scripted(talks: int, honest: int) -> list[Tally]:
    """The cases of the scripted server."""
    tallies = [await cut_in(case, [Talk(seed) for seed in range(talks)]) for case in CUTTING]
    each = -(-honest // len(HONEST_CASES))
    return tallies + [
        await honest_in(case, [Talk(seed) for seed in range(1_000, 1_000 + each)], each)
        for case in HONEST_CASES
    ]


def faults(tallies: Sequence[Tally]) -> list[str]:
    """Where the bar is missed."""
    return [missed for tally in tallies for missed in tally.missed]


def measure() -> Findings:
    """Talks to the scripted servers, then to the real one."""
    tallies = asyncio.run(scripted(talks=32, honest=HONEST - 250))
    tallies += asyncio.run(honest_on_llamacpp(pull(entry(NAME)), calls=30))
    total = Counter[str]()
    for tally in tallies:
        total.update(cut=tally.cut, raised=tally.raised, honest=tally.honest, false=tally.false)
    figures: dict[str, Figure] = {
        "prompts that were cut": total["cut"],
        "of them raised in that call": total["raised"],
        "honest calls": total["honest"],
        "false alarms": total["false"],
    }
    lacking = [] if total["honest"] >= HONEST else [f"only {total['honest']} honest calls were made"]
    return Findings(figures, faults(tallies) + lacking, [tally.row() for tally in tallies])


if __name__ == "__main__":
    prove(PROOF, measure)
