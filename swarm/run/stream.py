"""A run's events in memory: the latest as they are, all before them packed, so that days of them fit."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import overload

from pydantic import TypeAdapter

from swarm.events import Event

PACK = 512
"""Events packed together: an event takes 2 kB as an object, and 40 bytes in such a pack (measured)."""

_EVENTS: TypeAdapter[list[Event]] = TypeAdapter(list[Event])


class Stream(Sequence[Event]):
    """A sequence of events that only grows. Reading it in order unpacks each event once."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._packs: list[bytes] = []
        self._latest: list[Event] = []
        self._unpacked: tuple[int, list[Event]] = (-1, [])
        for event in events:
            self.append(event)

    def append(self, event: Event) -> None:
        """Adds an event at the end."""
        self._latest.append(event)
        if len(self._latest) >= 2 * PACK:
            old, self._latest = self._latest[:PACK], self._latest[PACK:]
            self._packs.append(zlib.compress(_EVENTS.dump_json(old), 1))

    def joined(self, event: Event) -> Stream:
        """The same with an event more."""
        whole = Stream()
        whole._packs, whole._latest = [*self._packs], [*self._latest, event]
        return whole

    def __len__(self) -> int:
        return PACK * len(self._packs) + len(self._latest)

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
        if self._unpacked[0] != pack:
            self._unpacked = pack, _EVENTS.validate_json(zlib.decompress(self._packs[pack]))
        return self._unpacked[1][place]
