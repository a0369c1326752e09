"""A run's events in memory: the latest as they are, all before them packed, so that days of them fit."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from pydantic import BaseModel, TypeAdapter

from swarm.nouns.events import EVENT, Event
from swarm.run.tally import COUNTED, Tally

PACK = 64
"""Events packed together: an event takes 2 kB as an object, and some 60 bytes in such a pack (measured)."""

_EVENTS: TypeAdapter[list[Event]] = TypeAdapter(list[Event])


class _Glance(BaseModel):
    """What is read of an earlier event that only its time counts of."""

    kind: str
    seq: int
    at: float


_GLANCES = TypeAdapter(list[_Glance])


class EventStream(Sequence[Event]):
    """A sequence of events that only grows, and its sums. Reading it in order unpacks each event once."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.tally = Tally()
        self._packs: list[bytes] = []
        self._latest: list[Event] = []
        self._unpacked: tuple[int, list[Event]] = (-1, [])
        for event in events:
            self.append(event)

    def append(self, event: Event) -> None:
        """Adds an event at the end."""
        self.tally.add(event)
        self._latest.append(event)
        if len(self._latest) >= 2 * PACK:
            old, self._latest = self._latest[:PACK], self._latest[PACK:]
            self._packs.append(zlib.compress(_EVENTS.dump_json(old), 1))

    def recall(self, earlier: Sequence[str]) -> int:
        """Adds events of earlier sittings, as JSON, and gives the ``seq`` of the last one.

        Where there are ``PACK`` of them they are packed as they are: few of them need be understood.
        """
        text = f"[{','.join(earlier)}]"
        glances = _GLANCES.validate_json(text)
        if len(earlier) < PACK:
            for event in _EVENTS.validate_json(text):
                self.append(event)
            return glances[-1].seq
        assert not self._latest
        self._packs.append(zlib.compress(text.encode(), 1))
        for glance, told in zip(glances, earlier, strict=True):
            if glance.kind in COUNTED:
                self.tally.add(EVENT.validate_json(told))
            else:
                self.tally.pass_to(glance.at, glance.kind)
        return glances[-1].seq

    def __len__(self) -> int:
        return PACK * len(self._packs) + len(self._latest)

    def __iter__(self) -> Iterator[Event]:
        for number in range(len(self._packs)):
            yield from self._unpack(number)
        yield from self._latest

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> list[Event]: ...
    def __getitem__(self, index: int | slice) -> Event | list[Event]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number = index + len(self) if index < 0 else index
        if not 0 <= number < len(self):
            raise IndexError(index)
        pack, place = divmod(number, PACK)
        if pack >= len(self._packs):
            return self._latest[number - PACK * len(self._packs)]
        return self._unpack(pack)[place]

    def _unpack(self, number: int) -> list[Event]:
        if self._unpacked[0] != number:
            self._unpacked = number, _EVENTS.validate_json(zlib.decompress(self._packs[number]))
        return self._unpacked[1]
