"""The budget of a run: room for every call is reserved before it is made, and a spent limit is a question."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager

from swarm.nouns.events import LimitReached
from swarm.nouns.limits import Limits, Usage
from swarm.nouns.messages import Request

TOKENS_PER_BYTE = 0.5
"""Reserved for a prompt until a reply told a higher ratio. Prose and JSON have 0.2 to 0.35 (Qwen2.5 and
SmolLM2, measured); a table of digits has more, and corrects it."""

COUNTED = ("tokens", "model_calls", "tool_calls", "model_seconds", "seconds", "steps")
"""Fields of ``Limits`` that a run spends from; the others bound a single thing."""

Cost = dict[str, float]
"""An amount for each limit that a call may draw on."""
Waits = Callable[[], None] | None
"""Called before a wait. Whoever waits must hold nothing, such as a slot, that calls in flight need."""


class Budget:
    """Counts what a run spends against its limits. No call starts for which there is no room.

    A call whose room is only taken by calls in flight waits for these. One that will not fit at all
    is a breach: from then on no call starts, those in flight end, and ``breached`` tells what to ask
    a person; ``allow`` lets everything go on where it waits.

    ``clock`` gives seconds that only ever grow; ``spent`` and ``spent_seconds`` are what earlier
    sittings of a resumed run took, and ``agents`` how many sub-agents they had.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        clock: Callable[[], float],
        spent: Usage | None = None,
        spent_seconds: float = 0.0,
        agents: int = 0,
    ) -> None:
        self.limits = limits
        self.spent = spent or Usage()
        self._agents = agents
        self._clock = clock
        self._started = clock() - spent_seconds
        self._reserved: Cost = {}
        self._in_flight = 0
        self._at_work = 0
        self._waiting: list[asyncio.Future[None]] = []
        self._breach: LimitReached | None = None
        self._is_quiet = asyncio.Event()
        self._is_held = False
        self._is_idle = asyncio.Event()
        self._has_no_tools = asyncio.Event()
        self._longest_seconds = 0.0
        self._tokens_per_byte = TOKENS_PER_BYTE
        self._rests = 0
        self._answered_at = -math.inf

    @property
    def is_at_rest(self) -> bool:
        """Whether the run waits for a person."""
        return self._rests > 0

    @property
    def unanswered_seconds(self) -> float:
        """How long ago the model answered last; infinite where it never did."""
        return self._clock() - self._answered_at

    @property
    def seconds(self) -> float:
        """How long the run has worked, over resumes; time it rested is no part of it."""
        return self._clock() - self._started

    @property
    def in_flight(self) -> int:
        """How many model and tool calls are under way."""
        return self._in_flight

    @property
    def longest_seconds(self) -> float:
        """The longest model call of this sitting so far."""
        return self._longest_seconds

    def hold(self) -> None:
        """From now on no call and no sub-agent starts; those at work wait before their next call."""
        self._is_held = True
        self._settle()

    async def idle(self) -> None:
        """Returns when all calls in flight have ended, once it is held."""
        await self._is_idle.wait()

    async def tools_idle(self) -> None:
        """Returns when all tool calls in flight have ended, once it is held."""
        await self._has_no_tools.wait()

    @contextmanager
    def at_rest(self) -> Generator[None]:
        """Time in the block does not count: the run waits for a person."""
        began = self._clock()
        self._rests += 1
        try:
            yield
        finally:
            self._rests -= 1
            self._started += self._clock() - began

    @asynccontextmanager
    async def asking(
        self, request: Request, what: str, waits: Waits = None
    ) -> AsyncGenerator[Callable[[Usage], None]]:
        """Room for a model call, until the block ends; ``what`` names the call for a person.

        The whole prompt, the longest reply it may get and the time of the longest call so far are
        reserved. What it took is counted by calling what the block is given.
        """
        size = sum(message.size for message in request.messages)
        tokens = math.ceil(size * self._tokens_per_byte) + request.max_tokens * request.samples
        cost: Cost = {"tokens": tokens, "model_calls": 1, "model_seconds": self._longest_seconds}

        def count(usage: Usage) -> None:
            self.spent += usage
            self._answered_at = self._clock()
            self._longest_seconds = max(self._longest_seconds, usage.model_seconds)
            self._tokens_per_byte = max(self._tokens_per_byte, usage.prompt_tokens / max(size, 1))

        async with _Room(self, cost, what, waits):
            yield count

    @asynccontextmanager
    async def calling(self, what: str, waits: Waits = None) -> AsyncGenerator[None]:
        """Room for a tool call, until the block ends; it is counted when the block ends well."""
        async with _Room(self, {"tool_calls": 1}, what, waits):
            yield
            self.spent += Usage(tool_calls=1)

    @asynccontextmanager
    async def agent(self, what: str) -> AsyncGenerator[None]:
        """One more sub-agent, once there is room for it, at work until the block ends.

        A spent number of sub-agents lets those at work come to their end.
        """
        await self.room({"steps": 1}, what)
        self._agents += 1
        self._at_work += 1
        try:
            yield
        finally:
            self._at_work -= 1
            self._settle()

    async def breached(self) -> LimitReached:
        """The limit that stands in the way, once all calls in flight have ended."""
        while self._breach is None or not self._is_quiet.is_set():
            await self._is_quiet.wait()
        return self._breach

    def allow(self, limits: Limits) -> None:
        """Go on under these limits."""
        self.limits = limits
        self._breach = None
        self._is_quiet.clear()
        self._wake()

    def reserve(self, cost: Cost) -> None:
        """A call begins that may take so much."""
        self._reserve(cost, 1)

    def release(self, cost: Cost) -> None:
        """Such a call has ended; what it took is counted."""
        self._reserve(cost, -1)
        self._wake()
        self._settle()

    def _reserve(self, cost: Cost, sign: int) -> None:
        self._in_flight += sign
        for limit, amount in cost.items():
            self._reserved[limit] = self._reserved.get(limit, 0) + sign * amount

    async def room(self, cost: Cost, what: str, waits: Waits = None) -> None:
        """Returns once there is room for so much."""
        while self._stops(cost) or not self._fits(cost, what):
            self._settle()
            if waits is not None:
                waits()
            woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(woken)
            await woken

    def _stops(self, cost: Cost) -> bool:
        if self._is_held:
            return True
        return self._breach is not None and (self._breach.limit != "steps" or "steps" in cost)

    def _fits(self, cost: Cost, what: str) -> bool:
        """Whether there is room now; it is a breach when there would be none with nothing in flight."""
        fits = True
        for limit, amount in (cost | {"seconds": 0}).items():
            allowed: float = getattr(self.limits, limit)
            used = self._used(limit)
            if used >= allowed or used + amount > allowed:
                self._breach = _reached(limit, used, amount, allowed, what)
                return False
            fits = fits and used + amount + self._reserved.get(limit, 0) <= allowed
        return fits

    def _used(self, limit: str) -> float:
        if limit == "steps":
            return self._agents
        used: float = self.seconds if limit == "seconds" else getattr(self.spent, limit)
        return used

    def _settle(self) -> None:
        breach = self._breach
        if breach is not None and not self._in_flight and not (self._at_work and breach.limit == "steps"):
            self._is_quiet.set()
        if self._is_held and not self._in_flight:
            self._is_idle.set()
        if self._is_held and not self._reserved.get("tool_calls"):
            self._has_no_tools.set()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for woken in waiting:
            if not woken.done():
                woken.set_result(None)


class _Room:
    """A class and no generator, as it stands open in each agent that waits for its model."""

    __slots__ = ("_budget", "_cost", "_waits", "_what")

    def __init__(self, budget: Budget, cost: Cost, what: str, waits: Waits) -> None:
        self._budget, self._cost, self._what, self._waits = budget, cost, what, waits

    async def __aenter__(self) -> None:
        await self._budget.room(self._cost, self._what, self._waits)
        self._budget.reserve(self._cost)

    async def __aexit__(self, *_: object) -> None:
        self._budget.release(self._cost)


def _reached(limit: str, used: float, needed: float, allowed: float, what: str) -> LimitReached:
    words: Mapping[float, str] = {0: "needs more", 1: "needs one more"}
    more = words.get(needed, f"may need {_figure(needed)} more")
    share = f"{_figure(used)} of {_figure(allowed)} {limit.replace('_', ' ')}"
    enough = math.ceil(max(2 * allowed, used + needed))
    text = f"the run has used {share} and {more} for {what}"
    return LimitReached(limit=limit, used=used, allowed=allowed, enough=enough, text=text)


def _figure(number: float) -> str:
    return f"{number:,.1f}".removesuffix(".0")
