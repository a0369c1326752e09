"""A model that answers from a script: the double that tests, examples and benchmarks run on."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path
from typing import cast

from swarm.errors import MalformedReply, ModelUnavailable
from swarm.models.model import Endpoint
from swarm.nouns.limits import Usage
from swarm.nouns.messages import Message, Reply, Request
from swarm.testing.double.dialects import spoken
from swarm.testing.double.faults import DOOR_FAULTS, Fault, WordFault, fault_at
from swarm.testing.double.prefix import CHARS_PER_TOKEN, FakeSlot, common_prefix, tokens_of
from swarm.testing.double.residence import Residence
from swarm.testing.double.script import Answer, ReplyFunction, Script, script_of
from swarm.testing.double.served import (
    ModelBusy,
    ModelUnknown,
    PromptTooLong,
    Received,
    Refused,
    Serving,
    Terms,
)
from swarm.testing.double.speeds import Pace

KEPT_TOKENS = 4
"""Tokens at the start of a prompt that Ollama keeps when it cuts: its default of ``num_keep``."""


@dataclass(eq=False)
class ScriptedModel:
    """A ``Model`` that answers from a script, alone or behind the scripted server.

    It has slots that queue when they are full, a prompt cache in each, a window, a speed, and
    room for a number of loaded models, so what a caller measures on it behaves as on a local
    server; tokens are counted as four characters each.
    """

    script: Script | ReplyFunction | Sequence[Answer] | Path
    _: KW_ONLY
    slots: int = 8
    """Requests worked on at once, by each loaded model."""
    latency_seconds: float = 0.0
    """Time a reply takes beside the speeds, where the script does not say."""
    window: int = 32_768
    """Tokens a prompt and its reply may have."""
    name: str = "scripted"
    models: Sequence[str] = ()
    """Names of several models that are served; empty for one."""
    resident: int = 1
    """Models that are loaded at once."""
    load_seconds: float = 0.0
    queue: int | None = None
    """Requests that may wait before more are refused; None for any number."""
    prefill: float = 0.0
    """Prompt tokens computed a second; 0 takes no time."""
    decode: float | tuple[float, ...] = 0.0
    """Tokens written a second, see ``Speeds``."""
    faults: Sequence[Fault] = ()
    """What goes wrong; the first one that a request meets counts."""
    log: list[Received] = field(init=False, default_factory=list[Received])
    """Every request so far."""
    peak: int = field(init=False, default=0)
    """The most requests that were worked on at once."""
    longest_queue: int = field(init=False, default=0)
    """The most requests that waited at once, for a model or a slot."""
    waiting: int = field(init=False, default=0)
    """Requests that wait now."""
    version: int = field(init=False, default=1)
    """Goes up when the model behind the name changes."""

    def __post_init__(self) -> None:
        self._script = script_of(self.script)
        names = tuple(self.models) or (self.name,)
        self.endpoint = Endpoint(kind="scripted", model=names[0], slots=self.slots, window=self.window)
        """What a caller may know of it; of kind ``scripted``."""
        self.residence = Residence(
            names,
            resident=self.resident,
            load_seconds=self.load_seconds,
            slots=self.slots,
            window=self.window,
        )
        self.speeds = Pace(self.prefill, self.decode)

    @property
    def busy_slots(self) -> frozenset[int]:
        """Ids of the slots that work on a request now, of the model used last."""
        return self.residence.loaded[-1].slots.busy if self.residence.loaded else frozenset()

    async def reply(self, request: Request) -> Reply:
        """The script's answer, cut at ``request.max_tokens``."""
        terms = Terms()
        served = self._arrived(request, terms)
        try:
            async with (
                asyncio.timeout(request.deadline_seconds),
                self._serving(served, request, terms) as turn,
            ):
                async for _ in turn.pieces:
                    pass
                if turn.fault and turn.fault.is_wire:
                    await _suffer(turn.fault)
            return turn.reply
        except TimeoutError as error:
            served.error = "deadline"
            raise ModelUnavailable(
                f"the scripted model gave no reply within {request.deadline_seconds:g} s; "
                "raise limits.reply_seconds or lower the script's latency"
            ) from error

    @asynccontextmanager
    async def turn(self, request: Request, terms: Terms | None = None) -> AsyncGenerator[Serving]:
        """The request on a slot for as long as the block lasts, entered when its prompt is computed.

        Raises:
            ModelError: it is refused: too long, the queue is full, no such model, a fault.
        """
        terms = terms or Terms()
        async with self._serving(self._arrived(request, terms), request, terms) as turn:
            yield turn

    def _arrived(self, request: Request, terms: Terms) -> Received:
        served = Received(len(self.log) + 1, request.digest(), _now())
        served.model = terms.model or self.endpoint.model
        self.log.append(served)
        return served

    @asynccontextmanager
    async def _serving(self, served: Received, request: Request, terms: Terms) -> AsyncGenerator[Serving]:
        try:
            fault = self._fault(served) if self.faults else None
            if served.model not in self.residence.names:
                raise ModelUnknown(f"model {served.model!r} not found")
            window = terms.window or self.window
            request, prompt = self._fitted(served, request, terms, window)
            async with self._slot(served, window, prompt, request.slot) as slot:
                usage = await self._compute(slot, prompt, served)
                reply, fault = await self._answer(served, request, fault)
                if not terms.shifts:
                    reply = _cut(reply, window - tokens_of(prompt))
                async with aclosing(self._written(reply.text)) as pieces:
                    turn = Serving(request, served, reply, fault, pieces)
                    yield turn
                turn.reply = self._ended(slot, prompt, reply, served, usage)
        except BaseException as error:
            served.error = type(error).__name__
            raise
        finally:
            served.finished = _now()

    def _fault(self, served: Received) -> Fault | None:
        fault = fault_at(self.faults, served.number)
        if fault is None:
            return None
        served.fault = fault.kind
        if fault.kind in ("digest", "restart"):
            self.version += fault.kind == "digest"
            self.residence.restart()
        if fault.kind in DOOR_FAULTS:
            raise Refused(fault)
        return fault

    def _fitted(self, served: Received, request: Request, terms: Terms, window: int) -> tuple[Request, str]:
        """The request as the model sees it, and its prompt; both shorter where the server cuts."""
        prompt = terms.preamble + rendered(request.messages)
        size = tokens_of(prompt)
        if size + max(1, terms.reserved_tokens) <= window:
            return request, prompt
        if not terms.truncates:
            raise PromptTooLong(served.model, size, window, terms.reserved_tokens)
        served.is_truncated = True
        messages = request.messages
        for start in range(1, len(messages)):
            # The latest message and those of the system stay (server/prompt.go of ollama/ollama).
            kept = [message for message in messages[:start] if message.role == "system"]
            kept.extend(messages[start:])
            prompt = terms.preamble + rendered(kept)
            if tokens_of(prompt) < window:
                return replace(request, messages=tuple(kept)), prompt
        if not terms.shifts:
            raise PromptTooLong(served.model, size, window)
        # Still too long: the middle goes, and half of the window with it (llm/llama_server.go).
        tail = window - max((window - KEPT_TOKENS) // 2, 1) - KEPT_TOKENS
        last = Message(role="user", content=prompt[-tail * CHARS_PER_TOKEN :])
        prompt = prompt[: KEPT_TOKENS * CHARS_PER_TOKEN] + last.content
        return replace(request, messages=(last,)), prompt

    @asynccontextmanager
    async def _slot(
        self, served: Received, window: int, prompt: str, pinned: int | None
    ) -> AsyncGenerator[FakeSlot]:
        must_wait = not self.residence.has_room(served.model, window, pinned)
        if must_wait and self.queue is not None and self.waiting >= self.queue:
            raise ModelBusy(f"the server is busy: {self.waiting} requests wait")
        self.waiting += must_wait
        self.longest_queue = max(self.longest_queue, self.waiting)
        async with AsyncExitStack() as stack:
            try:
                model = await stack.enter_async_context(self.residence.use(served.model, window))
                ready = _now() if must_wait else served.arrived
                slot = await stack.enter_async_context(model.slots.lease(prompt, pinned))
            finally:
                self.waiting -= must_wait
            served.slot, served.started = slot.id, _now()
            if must_wait:
                served.usage = Usage(
                    load_seconds=ready - served.arrived, queued_seconds=served.started - ready
                )
            self.speeds.working += 1
            self.peak = max(self.peak, self.speeds.working)
            try:
                yield slot
            finally:
                self.speeds.working -= 1

    async def _compute(self, slot: FakeSlot, prompt: str, served: Received) -> Usage:
        """What the prompt costs, when it is computed; its last token is so always, to go on from."""
        size = tokens_of(prompt)
        cached = min(common_prefix(slot.kept, prompt) // CHARS_PER_TOKEN, size - 1)
        began = _now()
        await self.speeds.compute(size - cached)
        slot.kept = prompt
        return served.usage.model_copy(
            update={
                "prefilled_tokens": size - cached,
                "cached_tokens": cached,
                "model_calls": 1,
                "prefill_seconds": _now() - began if self.prefill else 0.0,
            }
        )

    async def _answer(
        self, served: Received, request: Request, fault: Fault | None
    ) -> tuple[Reply, Fault | None]:
        latency = self._script.latency
        seconds = latency(request) if latency else self.latency_seconds
        if seconds > 0:
            await asyncio.sleep(seconds)
        answer = self._script.reply(request)
        if inspect.isawaitable(answer):
            answer = await answer
        if isinstance(answer, Fault):
            fault, answer = answer, answer.text
            served.fault = fault.kind
        reply = answer if isinstance(answer, Reply) else Reply(text=answer)
        if fault and not fault.is_wire:
            text = spoken(cast("WordFault", fault.kind), reply.text, request, served.number)
            reply = reply.model_copy(update={"text": text})
        return _cut(reply, request.max_tokens), fault

    async def _written(self, text: str) -> AsyncGenerator[str]:
        """The text at the pace it is written at."""
        if not self.decode:
            if text:
                yield text
            return
        sent, tokens = 0, tokens_of(text)
        async for written in self.speeds.write(tokens):
            end = written * CHARS_PER_TOKEN if written < tokens else len(text)
            if end > sent:
                yield text[sent:end]
            sent = end

    def _ended(self, slot: FakeSlot, prompt: str, reply: Reply, served: Received, usage: Usage) -> Reply:
        slot.kept = prompt + rendered((Message(role="assistant", content=reply.text),))
        served.usage = usage.model_copy(
            update={"written_tokens": tokens_of(reply.text), "model_seconds": _now() - served.arrived}
        )
        return reply.model_copy(update={"model": served.model, "usage": served.usage})


def rendered(messages: Sequence[Message]) -> str:
    """The messages as one prompt, the way a chat template lays them out."""
    return "".join(f"<|{message.role}|>\n{message.content}\n" for message in messages)


def _now() -> float:
    # Not the clock itself, so that a loop whose time is made up carries the double along.
    return asyncio.get_running_loop().time()


def _cut(reply: Reply, tokens: int) -> Reply:
    if len(reply.text) <= tokens * CHARS_PER_TOKEN:
        return reply
    return reply.model_copy(update={"text": reply.text[: tokens * CHARS_PER_TOKEN], "finish": "length"})


async def _suffer(fault: Fault) -> None:
    """What a fault of the server is to its caller where there is no wire."""
    if fault.kind in ("hang", "drip", "stall"):
        await asyncio.Event().wait()
    if fault.kind in ("html", "half-json", "broken-stream", "empty"):
        raise MalformedReply(f"the scripted model shows the fault {fault.kind!r}", "")
    if fault.kind in ("cut", "stream-error"):
        raise Refused(fault)
