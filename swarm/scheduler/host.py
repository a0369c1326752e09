"""A model server in use: who holds its slots, who waits, and which of its models is in memory."""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from weakref import WeakValueDictionary

from swarm.models.client.retry import Setback, hearing
from swarm.models.model import Endpoint, Model
from swarm.nouns.limits import Usage
from swarm.scheduler.limit import Concurrency, Sample

AGE = 100
"""Arrivals that one more level of priority is worth: so many later ones may go first, and no more."""
PATIENCE = 32
"""Agents of other models that may go first while one waits for a model that is not in memory."""

_ORDER = count()


@dataclass(order=True)
class Waiter:
    """Someone who waits for a slot."""

    key: tuple[int, int]
    """Who has the smallest goes first: its place in the order of arrival, less what its priority is worth."""
    run: str = field(compare=False)
    kind: str = field(compare=False)
    fits: tuple[Service, ...] = field(compare=False)
    old: int | None = field(compare=False, default=None)
    """The slot it had."""
    granted: asyncio.Future[Seat] = field(
        compare=False, default_factory=lambda: asyncio.get_running_loop().create_future()
    )


def key_of(priority: int) -> tuple[int, int]:
    """The key of one who comes now."""
    place = next(_ORDER)
    return place - AGE * priority, place


@dataclass(frozen=True)
class Seat:
    """A slot that someone holds."""

    service: Service
    number: int
    run: str

    def give_back(self, kind: str) -> None:
        """Free the slot, which now holds the prompt of an agent of that kind."""
        self.service.take_back(self, kind)


class WaitingLine:
    """Those of one run who wait for the same services, the first to go at the head."""

    def __init__(self) -> None:
        self._heap: list[Waiter] = []

    @property
    def head(self) -> Waiter | None:
        """Who goes first; None when nobody waits."""
        while self._heap and self._heap[0].granted.done():
            heapq.heappop(self._heap)
        return self._heap[0] if self._heap else None

    def push(self, waiter: Waiter) -> None:
        """Let one more wait."""
        heapq.heappush(self._heap, waiter)


class Service:
    """One model of a host: its slots and its lines."""

    def __init__(self, host: Host, endpoint: Endpoint) -> None:
        self.host = host
        self.limit = Concurrency(endpoint.slots, is_told=not endpoint.slots_guessed)
        self.held = 0
        self._endpoint = endpoint
        self._calls = 0
        """Calls that are at the server now."""
        self._read_tokens, self._read_seconds = 0, 0.0
        self.overtaken = 0
        """Agents of other models that went first while one waited for this one."""
        self._lines: dict[tuple[str, tuple[int, ...]], WaitingLine] = {}
        self._used = 0
        """Slots that were ever used."""
        self._idle: dict[str, list[int]] = {}
        """Free slots by the kind of agent whose instructions they hold, the longest unused first."""

    @property
    def has_room(self) -> bool:
        """Whether one more agent may use it."""
        return self.held < self.limit.now

    @property
    def first(self) -> Waiter | None:
        """Who goes first: of the run with the fewest slots, and of those the one served longest ago."""
        heads: list[Waiter] = []
        for key, line in list(self._lines.items()):
            if (head := line.head) is not None:
                heads.append(head)
            else:
                del self._lines[key]
        if len(heads) < 2:
            return heads[0] if heads else None
        return min(heads, key=lambda head: (*self.host.share(head.run), head.key))

    @property
    def is_over(self) -> bool:
        """Whether more hold a slot than may, because the limit fell."""
        return self.held > self.limit.now

    def reluctance(self, kind: str) -> tuple[bool, bool, float]:
        """Sorts services: the best for an agent of that kind has the least."""
        return not self._idle.get(kind), not self.host.has_loaded(self), self.held / self.limit.now

    def heed(self, endpoint: Endpoint) -> None:
        """Take over the slots of the endpoint as it is now, for servers change."""
        if (endpoint.slots, endpoint.slots_guessed) != (self._endpoint.slots, self._endpoint.slots_guessed):
            self.limit = Concurrency(endpoint.slots, is_told=not endpoint.slots_guessed)
        self._endpoint = endpoint

    def reading_seconds(self, tokens: int) -> float:
        """About how long it computes a prompt of so many tokens; 0 where nothing tells."""
        return tokens * self._read_seconds / max(1, self._read_tokens)

    def note_reading(self, usage: Usage) -> None:
        """Count how long it computed a prompt."""
        if usage.prefill_seconds:
            self._read_tokens += usage.prefilled_tokens
            self._read_seconds += usage.prefill_seconds

    @contextmanager
    def calling(self, *, is_first: bool = False) -> Generator[Sample]:
        """A call to the model, maybe the first on its slot; within the block is filled in what it took."""
        call = Sample()

        def hear(setback: Setback) -> None:
            if setback.kind == "busy" and self._calls <= self.limit.now:
                self.limit.refuse()

        tally = self.limit.begin(self._calls, is_first=is_first)
        self._calls += 1
        try:
            with hearing(hear):
                yield call
        finally:
            self._calls -= 1
        self.limit.end(tally, call)
        self.host.dispatch()

    def line(self, waiter: Waiter) -> WaitingLine:
        """The line that one like this stands in."""
        key = (waiter.run, tuple(id(service) for service in waiter.fits))
        lines = (service._lines.get(key) for service in waiter.fits)
        line = next((line for line in lines if line is not None), None) or WaitingLine()
        for service in waiter.fits:
            service._lines[key] = line
        return line

    def seat(self, waiter: Waiter) -> Seat:
        """A free slot: the one it had, else one of its kind, an unused one, or the longest unused."""
        self.held += 1
        return Seat(self, self._pick(waiter), waiter.run)

    def _pick(self, waiter: Waiter) -> int:
        idle = [numbers for numbers in self._idle.values() if numbers]
        if waiter.old is not None and (mine := [numbers for numbers in idle if waiter.old in numbers]):
            mine[0].remove(waiter.old)
            return waiter.old
        if same := self._idle.get(waiter.kind):
            return same.pop()
        if self._used < self.limit.now or not idle:
            self._used += 1
            return self._used - 1
        return idle[0].pop(0)

    def take_back(self, seat: Seat, kind: str) -> None:
        """Free a slot."""
        self.held -= 1
        self._idle.setdefault(kind, []).append(seat.number)
        self.limit.freed()
        self.host.left(seat)


class Host:
    """A model server, shared by all who use it in this process.

    Where it holds fewer models in memory than it serves, those who want one that is in memory go
    first. Another is loaded once one in memory has no work, or once ``PATIENCE`` others have gone
    before someone.
    """

    def __init__(self, anchor: object) -> None:
        self.swaps = 0
        """How often a model took the place of another."""
        self._anchor = anchor
        self._services: dict[str, Service] = {}
        self._resident: int | None = None
        self._loaded: list[Service] = []
        """In memory, the longest unused first."""
        self._held: Counter[str] = Counter()
        self._served: dict[str, int] = {}
        self._grants = count(1)

    def service(self, endpoint: Endpoint) -> Service:
        """One of its models."""
        found = self._services.get(endpoint.model)
        if found is None:
            found = self._services[endpoint.model] = Service(self, endpoint)
            self._resident = endpoint.resident
            if endpoint.is_loaded and len(self._loaded) < (endpoint.resident or 0):
                self._loaded.append(found)
        found.heed(endpoint)
        return found

    def has_loaded(self, service: Service) -> bool:
        """Whether the model is in memory."""
        return not self._is_short or service in self._loaded

    def share(self, run: str) -> tuple[int, int]:
        """What a run has and when it last got something: the smaller goes first."""
        return self._held[run], self._served.get(run, 0)

    def left(self, seat: Seat) -> None:
        """Let the next ones in, now that a slot was given back."""
        self._held[seat.run] -= 1
        self.dispatch()

    def dispatch(self) -> None:
        """Let in all that may use a slot now."""
        while claims := self._possible():
            service, waiter = min(claims, key=lambda claim: (*self.share(claim[1].run), claim[1].key))
            if self._is_short:
                self._use(service, waiter)
            self._held[waiter.run] += 1
            self._served[waiter.run] = next(self._grants)
            waiter.granted.set_result(service.seat(waiter))

    @property
    def _is_short(self) -> bool:
        """Whether it holds fewer models than it serves."""
        return self._resident is not None and len(self._services) > self._resident

    def _possible(self) -> list[tuple[Service, Waiter]]:
        """Who goes first for each model that may be used now."""
        claims = [
            (service, waiter)
            for service in self._services.values()
            if service.has_room and (waiter := service.first) is not None
        ]
        absent = [service for service, _ in claims if service not in self._loaded] if self._is_short else []
        if not absent or len(self._loaded) < (self._resident or 0):
            return claims
        starving = [service for service in absent if service.overtaken >= PATIENCE]
        if self._victim(claims, is_urgent=bool(starving)) is None:
            # The longest unused is drained for those who waited too long.
            barred = [*absent, self._loaded[0]] if starving else absent
        else:
            barred = [service for service, _ in claims if service not in starving] if starving else []
        return [claim for claim in claims if claim[0] not in barred]

    def _victim(self, claims: list[tuple[Service, Waiter]], *, is_urgent: bool) -> Service | None:
        """A model in memory that nobody uses, and, unless it is urgent, nobody waits for."""
        wanted = [] if is_urgent else [service for service, _ in claims]
        idle = (service for service in self._loaded if not service.held and service not in wanted)
        return next(idle, None)

    def _use(self, service: Service, waiter: Waiter) -> None:
        """Count a model as the last used, loaded in the place of another if it must be."""
        if service not in self._loaded and len(self._loaded) >= (self._resident or 0):
            idle = [one for one in self._loaded if not one.held]
            self._loaded.remove(min(idle, key=lambda one: one.first is not None))
            self.swaps += 1
        elif service in self._loaded:
            self._loaded.remove(service)
        self._loaded.append(service)
        service.overtaken = 0
        for other in self._services.values():
            if other not in self._loaded and (first := other.first) and first.key < waiter.key:
                other.overtaken += 1


_HOSTS: WeakValueDictionary[tuple[int, str], Host] = WeakValueDictionary()
"""All hosts in use, so that two swarms of one process share the slots of a server."""


def host_of(model: Model) -> Host:
    """The server of a model, the same for all who use it on this event loop."""
    loop = asyncio.get_running_loop()
    key = (id(loop), model.endpoint.url or f"script {id(model)}")
    found = _HOSTS.get(key)
    if found is None:
        # What it was made for lives as long as it does, so that no other gets its id.
        found = _HOSTS[key] = Host((loop, model))
    return found
