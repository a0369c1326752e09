"""Trying a model: what it does when it is asked, and how fast, within a deadline."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

import httpx
import jsonschema
from pydantic import JsonValue

from swarm.errors import ContextOverflow, ModelError
from swarm.models.grammars.schemas import Schema, closed
from swarm.models.model import Endpoint, Model
from swarm.models.servers.counting import Counted
from swarm.models.servers.profile import Profile
from swarm.nouns.limits import Usage
from swarm.nouns.messages import Message, Reply, Request

SECONDS = 120.0
"""Deadline of all trials together where nothing else is said."""

MOST_AT_ONCE = 32
"""No more requests than these are sent at once, however many slots a server claims."""

_WRITTEN_TOKENS = 48
"""Long enough to tell a speed; 5 s on two cores."""

_PREFILL_CHARS = 2_000
"""About 500 tokens: several batches, and 15 s on two cores."""

_PARTS = (1, 2, 4, 8)
"""The whole window is tried, or a half of it …: the largest part for which there is time."""

_CERTAIN = 0.9
"""Part of the window that a text is cut to, because its tokens are only reckoned."""

_SAME_ROUND = 1.5
"""A reply that took this many times as long as the first one waited for it: it would have taken twice."""

_WORTH = 1.5
"""Where nothing tells the slots, twice as many are tried as long as they write so many times as fast."""

_JITTER_SECONDS = 0.05
"""By so much replies may differ for reasons of this machine."""

_PASSWORD = "MANGO"

_BOX = closed({"colour": {"enum": ["red", "green", "blue"]}, "balls": {"type": "integer", "minimum": 0}})
_CITY = closed({"city": {"type": "string"}})
_TURN: Schema = {
    "anyOf": [
        closed({"tool": {"const": "weather.today"}, "args": _CITY}),
        closed({"cannot": {"type": "string", "maxLength": 80}}),
    ]
}
"""A turn as agents give it."""


@dataclass(frozen=True)
class Trial:
    """One thing that was tried."""

    what: str
    words: str
    profile: Profile
    """All that is known by now."""
    is_gap: bool = False


@dataclass(frozen=True)
class _Seen:
    words: str
    fields: Mapping[str, object] = field(default_factory=dict[str, object])
    """What it adds to the profile."""
    is_gap: bool = False


_Way = Callable[[], Awaitable[_Seen]]


async def tried(
    model: Model, *, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic
) -> AsyncGenerator[Trial]:
    """Each trial when it has ended; after ``seconds`` none begins or goes on.

    Raises:
        ModelError: the model answers nothing at all.
    """
    bench = _Bench(model, clock, clock() + seconds)
    yield bench.known("answer", await bench.answer())
    while bench.ways:
        what, way = bench.ways.pop(0)
        # Only the last may use all the time, so that each of them is tried.
        bench.left = (bench.ends_at - clock()) / (2 if bench.ways else 1)
        yield bench.known(what, await _within(bench.left, way))


async def _within(seconds: float, way: _Way) -> _Seen:
    if seconds <= 0:
        return _Seen("not tried: the time was over", is_gap=True)
    try:
        async with asyncio.timeout(seconds):
            return await way()
    except TimeoutError:
        return _Seen(f"no end within {seconds:.0f} s", is_gap=True)
    except (ModelError, httpx.HTTPError) as error:
        return _Seen(f"failed: {error}", is_gap=True)


class _Bench:
    """One model at its trials."""

    def __init__(self, model: Model, clock: Callable[[], float], ends_at: float) -> None:
        self.ends_at = ends_at
        self.left = ends_at - clock()
        """Seconds for the trial that is under way."""
        self._model = model
        self._endpoint = model.endpoint
        self._clock = clock
        self._chars_per_token = 4.0
        # What a model thinks before it answers is written too.
        self._thinking_tokens = 1_024 if "thinking" in self._endpoint.capabilities else 0
        now = time.time()
        self._nonce = f"{now:.3f}"
        """Begins prompts that must not come from a cache."""
        self._profile = Profile(
            model=self._endpoint.model, url=self._endpoint.url, digest=self._endpoint.digest, measured_at=now
        )
        levels: list[tuple[str, _Way]] = [
            (f"{number} at once", self._at_once(number)) for number in _levels(self._endpoint.slots)
        ]
        self.ways: list[tuple[str, _Way]] = [
            ("schema", self._schema),
            ("tool", self._tool),
            ("own tools", self._own_tools),
            ("prefill", self._prefill),
            *levels,
            ("window", self._window),
        ]
        """What is still to be tried; what may take longest comes last."""

    def known(self, what: str, seen: _Seen) -> Trial:
        """What was seen, added to what is known."""
        self._profile = self._profile.model_copy(update=seen.fields)
        return Trial(what, seen.words, self._profile, seen.is_gap)

    async def answer(self) -> _Seen:
        """Whether anything comes; a model that is not in memory is loaded for it."""
        usage = (await self._ask("Say hello.", 8)).usage
        words = f"after {usage.model_seconds:.1f} s"
        return _Seen(words, {"load_seconds": usage.load_seconds or usage.model_seconds})

    async def _schema(self) -> _Seen:
        reply = await self._ask("The box is green and holds seven balls. Describe it.", 40, _BOX)
        if (box := _under(_BOX, reply.text)) is None:
            return _Seen(f"not followed: {reply.text[:60]!r}", {"follows_schema": False}, is_gap=True)
        is_right = box == {"colour": "green", "balls": 7}
        rest = "" if is_right else f", with wrong values: {reply.text[:60]}"
        return _Seen(f"followed{rest}", {"follows_schema": True})

    async def _tool(self) -> _Seen:
        asked = (
            "How is the weather in Oslo today? You have one tool, weather.today, with the argument city. "
            'Answer {"tool": "weather.today", "args": {"city": …}} or {"cannot": reason}.'
        )
        reply = await self._ask(asked, 60, _TURN)
        is_right = "oslo" in str((_under(_TURN, reply.text) or {}).get("args")).lower()
        words = "called in a turn of ours" if is_right else f"not called right: {reply.text[:60]!r}"
        return _Seen(words, {"calls_tools": is_right}, is_gap=not is_right)

    async def _own_tools(self) -> _Seen:
        """Whether a tool in the request's own field becomes a call. No gap: agents do not need it."""
        if not self._endpoint.url:
            return _Seen("not tried: the model is a script")
        path, body = _with_tool(self._endpoint, 60 + self._thinking_tokens)
        url = self._endpoint.url
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=self.left) as client:
            response = await client.post(path, json=body)
        is_there = response.is_success and '"tool_calls":[{' in "".join(response.text.split())
        words = "called through the server's own field" if is_there else "no call, and agents need none"
        return _Seen(words, {"calls_own_tools": is_there})

    async def _prefill(self) -> _Seen:
        text = f"{self._nonce}\n{_notes(_PREFILL_CHARS)}\nSay hello."
        usage = (await self._ask(text, 2)).usage
        if self._is_guessing or not usage.prefilled_tokens:
            return _Seen("not measured: the server counts no tokens", is_gap=True)
        self._chars_per_token = len(text) / usage.prompt_tokens
        seconds = usage.prefill_seconds or usage.model_seconds - usage.load_seconds - usage.queued_seconds
        speed = usage.prefilled_tokens / max(seconds, 1e-3)
        return _Seen(f"{speed:,.0f} tokens/s", {"prefill_tokens_per_second": speed})

    def _at_once(self, number: int) -> _Way:
        async def at_once() -> _Seen:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._counted(place)) for place in range(number)]
            ended = [task.result() for task in tasks]
            failed = [reply for reply, _ in ended if isinstance(reply, ModelError)]
            if failed:
                return _Seen(
                    f"{len(failed)} of {number} failed: {failed[0]}", is_gap=number <= self._endpoint.slots
                )
            return self._speed([(reply.usage, took) for reply, took in ended if isinstance(reply, Reply)])

        return at_once

    def _speed(self, ended: list[tuple[Usage, float]]) -> _Seen:
        """How fast replies that were asked for together came, and how many of them beside each other."""
        number = len(ended)
        pace = min(took / max(1, usage.written_tokens) for usage, took in ended)
        rounds = [_SAME_ROUND * pace * usage.written_tokens + _JITTER_SECONDS for usage, _ in ended]
        beside = sum(took < round for (_, took), round in zip(ended, rounds, strict=True))
        if beside < number:
            # More at once would only wait in the server; what is left is the window.
            self.ways = self.ways[-1:]
        writing = max(took for _, took in ended) - max(usage.prefill_seconds for usage, _ in ended)
        speed = sum(usage.written_tokens for usage, _ in ended) / max(writing, 1e-3)
        words = f"{speed:,.1f} tokens/s written"
        if number > 1:
            words += ", beside each other" if beside == number else f", only {beside} at a time"
        before = self._profile.decode_tokens_per_second
        is_worth = beside == number and speed >= _WORTH * max(before.values(), default=0.0)
        more = 2 * number
        if self._endpoint.slots_guessed and is_worth and len(self.ways) == 1 and more <= MOST_AT_ONCE:
            self.ways.insert(0, (f"{more} at once", self._at_once(more)))
        seen = {"decode_tokens_per_second": before | {number: speed}}
        slots = max(self._profile.slots or 0, beside)
        is_gap = beside < min(number, self._endpoint.slots)
        return _Seen(words, seen | {"slots": slots}, is_gap)

    async def _window(self) -> _Seen:
        """Whether a prompt as long as the window is answered from its beginning."""
        whole = self._endpoint.window
        speed = self._profile.prefill_tokens_per_second or 0.0
        # Reading slows down as a prompt grows, so not all of the time is counted on.
        fitting = (part for part in _PARTS if whole / part < 0.6 * self.left * speed)
        part = next(fitting, _PARTS[-1])
        sent = int((whole / part - self._thinking_tokens - 64) * _CERTAIN)
        notes = _notes(int(sent * self._chars_per_token))
        text = f"The password is {_PASSWORD}.\n{notes}\nWhat is the password? Answer with that one word."
        try:
            reply = await self._ask(text, 16)
        except ContextOverflow as error:
            return _Seen(f"{sent:,} of {whole:,} tokens do not fit: {error}", {"recalls": False}, is_gap=True)
        held = reply.usage.prompt_tokens
        recalls = _PASSWORD in reply.text.upper()
        words = f"{held:,} of {whole:,} tokens, and their beginning was {'' if recalls else 'not '}known"
        rest = f"; there was time for 1/{part} of it only" if part > 1 else ""
        is_cut = held < _CERTAIN * sent
        rest += f"; {sent:,} were sent, so the server cuts in silence" if is_cut else ""
        found = {"recalls": recalls} | ({} if self._is_guessing else {"window": held})
        return _Seen(words + rest, found, is_gap=is_cut or not recalls)

    @property
    def _is_guessing(self) -> bool:
        return isinstance(self._model, Counted) and self._model.counter.is_guessing

    async def _counted(self, place: int) -> tuple[Reply | ModelError, float]:
        started = self._clock()
        asked = f"({place}) Count from 1 to 100, with commas between, and write nothing else."
        try:
            # One request each: what is refused is seen, and not asked again until it fits.
            return await self._ask(asked, _WRITTEN_TOKENS, requests=1), self._clock() - started
        except ModelError as error:
            return error, 0.0

    async def _ask(self, text: str, tokens: int, schema: Schema | None = None, *, requests: int = 3) -> Reply:
        return await self._model.reply(
            Request(
                messages=(Message(role="user", content=text),),
                output_schema=schema,
                max_tokens=tokens + self._thinking_tokens,
                # The trial's own deadline comes first.
                deadline_seconds=self.left + 5,
                requests=requests,
            )
        )


def _levels(slots: int) -> list[int]:
    """Numbers of requests at once: doubled up to the slots; two also where one slot is claimed."""
    most = min(max(2, slots), MOST_AT_ONCE)
    return sorted({*(2**power for power in range(6) if 2**power < most), most})


def _notes(chars: int) -> str:
    """Text without meaning of about that length."""
    line = "Note {0}: the lamp in room {0} is off.\n"
    return "".join(line.format(number) for number in range(max(1, chars // len(line))))


def _under(schema: Schema, text: str) -> Schema | None:
    """The object in a reply, where it satisfies the schema."""
    try:
        said = cast("Schema", json.loads(text))
        jsonschema.validate(said, schema, cls=jsonschema.Draft202012Validator)
    except (ValueError, jsonschema.ValidationError):
        return None
    return said


def _with_tool(endpoint: Endpoint, tokens: int) -> tuple[str, JsonValue]:
    """Where to ask, and what, for a call of a tool that is given in the protocol's own field."""
    function: JsonValue = {"name": "weather", "description": "The weather of today.", "parameters": _CITY}
    body: dict[str, JsonValue] = {
        "model": endpoint.model,
        "messages": [{"role": "user", "content": "How is the weather in Oslo today?"}],
        "tools": [{"type": "function", "function": function}],
        "stream": False,
    }
    if endpoint.kind == "ollama":
        # Its OpenAI-compatible route would load the model anew, with another window.
        options: JsonValue = {"num_ctx": endpoint.window, "num_predict": tokens, "temperature": 0}
        return "/api/chat", body | {"options": options}
    return "/v1/chat/completions", body | {"max_tokens": tokens, "temperature": 0}
