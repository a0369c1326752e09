"""A model that answers from a script: the double that tests, examples and benchmarks run on."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from swarm.errors import ContextOverflow, ModelError, ModelUnavailable, ProjectError
from swarm.limits import Usage
from swarm.messages import Message, Reply, Request
from swarm.models.model import Endpoint
from swarm.models.prefix import CHARS_PER_TOKEN, Slot, Slots, common_prefix, tokens_of

Answer = str | Reply
ReplyFunction = Callable[[Request], Answer | Awaitable[Answer]]
LatencyFunction = Callable[[Request], float]


@dataclass(frozen=True)
class Script:
    """What a scripted model says, and how long it takes to say it."""

    reply: ReplyFunction
    """Gives the answer to a request; may be a coroutine function. What it raises, the model raises."""
    latency: LatencyFunction | None = None
    """Gives the seconds a reply takes; None leaves it to the model's ``latency_seconds``."""


@dataclass
class Served:
    """One request a scripted model got, in order of arrival; filled in as it is served."""

    number: int
    """From 1."""
    digest: str
    """``Request.digest()``: the same question asked again has the same digest."""
    arrived: float
    """Seconds on the clock ``time.monotonic``, as the next two."""
    started: float | None = None
    """When it got a slot."""
    finished: float | None = None
    slot: int | None = None
    usage: Usage = field(default_factory=Usage)
    error: str = ""
    """Why it ended without a reply."""


class ScriptedModel:
    """A ``Model`` that answers from a script.

    It has slots that queue when they are full, a prompt cache in each, a window and a latency, so
    what a caller measures on it behaves as on a local server; tokens are counted as four
    characters each.
    """

    def __init__(
        self,
        script: Script | ReplyFunction | Sequence[Answer] | Path,
        *,
        slots: int = 8,
        latency_seconds: float = 0.0,
        window: int = 32_768,
        name: str = "scripted",
    ) -> None:
        self._script = script_of(script)
        self._latency_seconds = latency_seconds
        self._endpoint = Endpoint(kind="scripted", model=name, slots=slots, window=window)
        self._slots = Slots(slots)
        self._working = 0
        self.log: list[Served] = []
        """Every request so far."""
        self.peak = 0
        """The most requests that were worked on at once."""

    @property
    def endpoint(self) -> Endpoint:
        """What a caller may know of it; of kind ``scripted``."""
        return self._endpoint

    @property
    def busy_slots(self) -> frozenset[int]:
        """Ids of the slots that work on a request now."""
        return self._slots.busy

    async def reply(self, request: Request) -> Reply:
        """The script's answer, cut at ``request.max_tokens``.

        Raises:
            ModelUnavailable: the deadline passed.
            ContextOverflow: the prompt does not fit the window.
        """
        served = Served(number=len(self.log) + 1, digest=request.digest(), arrived=time.monotonic())
        self.log.append(served)
        try:
            async with asyncio.timeout(request.deadline_seconds):
                return await self._serve(request, served)
        except TimeoutError as error:
            served.error = "deadline"
            raise ModelUnavailable(
                f"the scripted model gave no reply within {request.deadline_seconds:g} s; "
                "raise limits.reply_seconds or lower the script's latency"
            ) from error
        except BaseException as error:
            served.error = type(error).__name__
            raise
        finally:
            served.finished = time.monotonic()

    async def _serve(self, request: Request, served: Served) -> Reply:
        prompt = rendered(request.messages)
        self._check_window(prompt)
        async with self._slots.lease(prompt, request.slot) as slot:
            served.slot, served.started = slot.id, time.monotonic()
            self._working += 1
            self.peak = max(self.peak, self._working)
            try:
                await self._take_time(request)
                reply = await self._answer(request)
            finally:
                self._working -= 1
            served.usage = self._count(slot, prompt, reply.text, time.monotonic() - served.started)
        return reply.model_copy(update={"model": self._endpoint.model, "usage": served.usage})

    def _check_window(self, prompt: str) -> None:
        if (size := tokens_of(prompt)) > self._endpoint.window:
            raise ContextOverflow(
                f"the prompt has {size} tokens and the window of {self._endpoint.model!r} is "
                f"{self._endpoint.window}; shorten the prompt or give the model a larger window"
            )

    async def _take_time(self, request: Request) -> None:
        latency = self._script.latency
        seconds = latency(request) if latency else self._latency_seconds
        if seconds > 0:
            await asyncio.sleep(seconds)

    async def _answer(self, request: Request) -> Reply:
        answer = self._script.reply(request)
        if inspect.isawaitable(answer):
            answer = await answer
        reply = answer if isinstance(answer, Reply) else Reply(text=answer)
        limit = request.max_tokens * CHARS_PER_TOKEN
        if len(reply.text) > limit:
            return reply.model_copy(update={"text": reply.text[:limit], "finish": "length"})
        return reply

    def _count(self, slot: Slot, prompt: str, text: str, seconds: float) -> Usage:
        cached = common_prefix(slot.kept, prompt) // CHARS_PER_TOKEN
        slot.kept = prompt + rendered((Message(role="assistant", content=text),))
        return Usage(
            prefilled_tokens=tokens_of(prompt) - cached,
            cached_tokens=cached,
            written_tokens=tokens_of(text),
            model_calls=1,
            model_seconds=seconds,
        )


def rendered(messages: Sequence[Message]) -> str:
    """The messages as one prompt, the way a chat template lays them out."""
    return "".join(f"<|{message.role}|>\n{message.content}\n" for message in messages)


def script_of(source: Script | ReplyFunction | Sequence[Answer] | Path) -> Script:
    """The script that a function, a list of replies in order, or a Python file gives.

    A file defines ``reply(request)`` and may define ``latency(request)`` in seconds.

    Raises:
        ProjectError: the file is missing, does not run, or defines no ``reply``.
    """
    if isinstance(source, Script):
        return source
    if isinstance(source, Path):
        return _script_in(source)
    if callable(source):
        return Script(source)
    return Script(_in_order(tuple(source)))


def _in_order(answers: tuple[Answer, ...]) -> ReplyFunction:
    left = iter(answers)

    def reply(request: Request) -> Answer:
        for answer in left:
            return answer
        raise ModelError(
            f"the script holds {len(answers)} replies and all were given; "
            f"it has none for {request.messages[-1].content[:80]!r}"
        )

    return reply


def _script_in(path: Path) -> Script:
    if not path.is_file():
        raise ProjectError(f"{path}: no such script; name a Python file that defines reply(request)")
    spec = importlib.util.spec_from_file_location(f"swarm_script_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ProjectError(f"{path}: not a Python file; a script is a .py file that defines reply(request)")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # A user's file may raise anything while it runs.
        raise ProjectError(f"{path}: the script does not run: {type(error).__name__}: {error}") from error
    reply = getattr(module, "reply", None)
    if not callable(reply):
        raise ProjectError(f"{path}: the script defines no function reply(request); add one")
    latency = getattr(module, "latency", None)
    return Script(
        cast("ReplyFunction", reply), cast("LatencyFunction", latency) if callable(latency) else None
    )
