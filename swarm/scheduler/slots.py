"""Leases: a slot of a model server for as long as an agent works."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from swarm.messages import Reply, Request
from swarm.models.model import Model
from swarm.models.pool import Member, Tier
from swarm.scheduler.host import Seat, Service, Waiter, host_of, key_of

READ_COST = 1 / 8
"""What a new prompt token costs against a written one; between a CPU's 1/4 and a GPU's 1/50."""


@dataclass(frozen=True)
class Want:
    """Who asks for a slot, and of which models."""

    run: str = ""
    """The runs of a process share a server fairly."""
    kind: str = ""
    """Agents of one kind have the same instructions; a free slot that holds them is taken first."""
    priority: int = 0
    """The higher goes first, but not before those who came ``AGE`` arrivals earlier."""
    tier: Tier = "any"
    unlike: str = ""
    """A family of models to avoid, where there is another."""


class Lease:
    """A slot of one model, held by an agent from its first turn to its last.

    Running agents to completion keeps a slot's prompt cache hot: 4 agents of 3 turns on one slot
    prefilled 948 prompt tokens so, and 3,162 in turns.
    """

    def __init__(self, want: Want, key: float, seat: Seat, model: Model) -> None:
        self.model = model
        """The model that it is a slot of, to its end."""
        self._want, self._key = want, key
        self._last = seat
        self._seat: Seat | None = seat
        self._said = 0
        """Tokens of the conversation so far."""

    @property
    def slot(self) -> int | None:
        """The slot's number, to pin requests to; None while it is parked."""
        return self._seat.number if self._seat else None

    async def reply(self, request: Request) -> Reply:
        """The model's answer, on this slot.

        Raises:
            ModelError: as ``Model.reply``.
        """
        service = self._last.service
        if service.is_over:
            self.leave()
        await self._come_back()
        trial = service.limit.begin(service.calls) if self._said else None
        service.calls += 1
        started = time.monotonic()
        try:
            reply = await self.model.reply(request.model_copy(update={"slot": self.slot}))
        finally:
            service.calls -= 1
        usage = reply.usage
        seconds = time.monotonic() - started
        work = usage.written_tokens + READ_COST * max(0, usage.prompt_tokens - self._said)
        self._said = usage.prompt_tokens + usage.written_tokens
        service.limit.end(trial, work=work, seconds=seconds, share=seconds / request.deadline_seconds)
        service.host.dispatch()
        return reply

    @asynccontextmanager
    async def parked(self, after: float = 0.0) -> AsyncGenerator[None]:
        """A long wait: the slot is others' from ``after`` seconds on, and one is got back at the end.

        Whoever asks the model in the block gets one back for that.
        """
        timer = asyncio.get_running_loop().call_later(after, self.leave)
        try:
            yield
        finally:
            timer.cancel()
        await self._come_back()

    def leave(self) -> None:
        """Give the slot back, if there is one."""
        seat, self._seat = self._seat, None
        if seat is not None:
            seat.give_back(self._want.kind)

    async def _come_back(self) -> None:
        if self._seat is None:
            last, want = self._last, self._want
            waiter = Waiter(self._key, want.run, want.kind, (last.service,), last.number)
            self._last = self._seat = await _granted(waiter)


class Slots:
    """The slots of a pool of models, which it shares with every other pool of this process.

    Among those that wait, the runs with the fewest slots go first; then the highest priority, aged;
    then who came first.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self._models: dict[Service, Model] = {}
        self._tiers: dict[Service, Tier] = {}
        for member in members:
            service = host_of(member.model).service(member.model.endpoint)
            self._models[service] = member.model
            self._tiers[service] = member.tier

    @asynccontextmanager
    async def lease(self, want: Want, *, waits: Callable[[], None] | None = None) -> AsyncGenerator[Lease]:
        """A slot of a fitting model, for as long as the block runs; ``waits`` is called if none is free."""
        waiter = Waiter(key_of(want.priority), want.run, want.kind, self._fitting(want))
        seat = await _granted(waiter, waits)
        lease = Lease(want, waiter.key, seat, self._models[seat.service])
        try:
            yield lease
        finally:
            lease.leave()

    def _fitting(self, want: Want) -> tuple[Service, ...]:
        """The models for this, the best first: with its instructions, in memory, the most room."""
        fits = [
            service
            for service, tier in self._tiers.items()
            if "any" in (tier, want.tier) or tier == want.tier
        ]
        fits = fits or list(self._tiers)
        if len(fits) == 1:
            return tuple(fits)
        others = [one for one in fits if self._models[one].endpoint.family != want.unlike]
        return tuple(sorted(others or fits, key=lambda one: one.reluctance(want.kind)))


async def _granted(waiter: Waiter, waits: Callable[[], None] | None = None) -> Seat:
    """A slot for the waiter, once it is its turn."""
    waiter.fits[0].line(waiter).push(waiter)
    for host in dict.fromkeys(service.host for service in waiter.fits):
        host.dispatch()
    if waits and not waiter.granted.done():
        waits()
    try:
        return await waiter.granted
    except asyncio.CancelledError:
        if waiter.granted.done() and not waiter.granted.cancelled():
            waiter.granted.result().give_back(waiter.kind)
        raise
