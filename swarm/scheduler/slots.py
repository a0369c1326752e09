"""Leases: a slot of a model server for as long as an agent works."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from swarm.clock.pulse import within
from swarm.models.model import Endpoint, Model
from swarm.models.pool import Member
from swarm.nouns.card import Tier
from swarm.nouns.messages import Reply, Request
from swarm.scheduler.host import Seat, Service, Waiter, host_of, key_of

PARKED_AFTER_SECONDS = 2.0
"""A tool call that takes longer gives the slot to others, unless computing the prompt again would
take longer still."""


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
    model: str = ""
    """Name of a table of models, before the tier; empty for none."""
    unlike: str = ""
    """A family of models to avoid, or a model whose family is not known, where there is another."""


class Lease:
    """A slot of one model, held by an agent from its first turn to its last.

    Running agents to completion keeps a slot's prompt cache hot: 4 agents of 3 turns on one slot
    prefilled 948 prompt tokens so, and 3,162 in turns.
    """

    def __init__(self, waiter: Waiter, seat: Seat, model: Model, waits: Callable[[], None] | None) -> None:
        self.model = model
        """The model that it is a slot of, to its end."""
        self._waiter = waiter
        self._service = seat.service
        self._number = seat.number
        self._seat: Seat | None = seat
        self._waits = waits
        self._is_new = True
        """Whether nothing was asked since it got its slot."""
        self._said = 0
        """Tokens of the conversation so far."""

    @property
    def slot(self) -> int:
        """The slot's number, to pin requests to; while it is parked, that of the one it had."""
        return self._number

    @property
    def patience_seconds(self) -> float:
        """How long the slot is worth holding through a wait: as long as computing the prompt again takes."""
        return max(PARKED_AFTER_SECONDS, self._service.reading_seconds(self._said))

    async def reply(self, request: Request) -> Reply:
        """The model's answer, on this slot.

        Raises:
            ModelError: as ``Model.reply``.
        """
        if self._service.is_over:
            self.leave()
        await self._come_back()
        is_first, self._is_new = self._is_new, False
        asked = replace(request, slot=self._number)
        within_time = within("a reply of the model", request.deadline_seconds)
        with self._service.calling(is_first=is_first) as call, within_time:
            endpoint = self.model.endpoint
            reply = await self.model.reply(asked)
            if self.model.endpoint is not endpoint:
                self._service.heed(self.model.endpoint)
            usage = reply.usage
            call.seconds = usage.model_seconds - usage.retry_seconds - usage.load_seconds
            call.first_seconds = usage.prefill_seconds + usage.queued_seconds
            call.queued_seconds = usage.queued_seconds
            # Where a server does not tell what it had cached, it is what was said before.
            call.read = min(usage.prefilled_tokens, max(0, usage.prompt_tokens - self._said))
            call.written = usage.written_tokens
            call.share = call.seconds / request.deadline_seconds
        self._said = usage.prompt_tokens + usage.written_tokens
        self._service.note_reading(usage)
        return reply

    @asynccontextmanager
    async def parked(self, after: float = 0.0) -> AsyncGenerator[None]:
        """A wait: from ``after`` seconds on the slot is others', and at the end one is got back.

        Whoever asks the model within the block gets one for that.
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
            seat.give_back(self._waiter.kind)

    async def _come_back(self) -> None:
        """Have a slot again, the same if it can be: as one who has waited since the lease began."""
        if self._seat is None:
            first = self._waiter
            waiter = Waiter(first.key, first.run, first.kind, (self._service,), self._number)
            self._seat = await _granted(waiter, self._waits)
            self._number = self._seat.number
            self._is_new = True


class Slots:
    """The slots of a pool of models, shared with every other pool of this process that has them.

    Among those that wait, the runs with the fewest slots go first; then the highest priority, aged;
    then who came first.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = {host_of(member.model).service(member.model.endpoint): member for member in members}

    @asynccontextmanager
    async def lease(self, want: Want, *, waits: Callable[[], None] | None = None) -> AsyncGenerator[Lease]:
        """A slot of a fitting model, for as long as the block runs.

        ``waits`` is called each time that none is free.
        """
        for service, member in self._members.items():
            service.heed(member.model.endpoint)
        waiter = Waiter(key_of(want.priority), want.run, want.kind, self._fitting(want))
        seat = await _granted(waiter, waits)
        lease = Lease(waiter, seat, self._members[seat.service].model, waits)
        try:
            yield lease
        finally:
            lease.leave()

    def _fitting(self, want: Want) -> tuple[Service, ...]:
        """The models for this, the best first: with its instructions, in memory, with the most room."""
        if len(self._members) == 1:
            return tuple(self._members)
        named = [one for one, member in self._members.items() if want.model and member.name == want.model]
        tiers = ("any", want.tier) if want.tier != "any" else ("any", "small", "large")
        tiered = [one for one, member in self._members.items() if member.tier in tiers]
        choices = [named, tiered, list(self._members)]
        others = [[one for one in fits if not self._is_kin(one, want.unlike)] for fits in choices]
        fits = next(filter(None, [*others, *choices]))
        return tuple(sorted(fits, key=lambda service: service.reluctance(want.kind)))

    def _is_kin(self, service: Service, unlike: str) -> bool:
        return bool(unlike) and unlike in _kin(self._members[service].model.endpoint)


async def _granted(waiter: Waiter, waits: Callable[[], None] | None) -> Seat:
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


def _kin(endpoint: Endpoint) -> tuple[str, str]:
    return endpoint.family, endpoint.model
