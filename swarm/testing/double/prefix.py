"""The slots of a scripted server and the prompt each has cached, as llama.cpp's server keeps them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

CHARS_PER_TOKEN = 4
"""Characters that count as one token: the usual rule of thumb for English."""

SIMILAR = 0.1
"""Share of a prompt that a slot must have cached to be preferred: ``--slot-prompt-similarity`` of
llama.cpp's server."""


def tokens_of(text: str) -> int:
    """About how many tokens a text has; at least one."""
    return max(1, len(text) // CHARS_PER_TOKEN)


def common_prefix(left: str, right: str) -> int:
    """How many characters two texts share from their start."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


@dataclass
class FakeSlot:
    """One slot of a server. While it is leased, ``kept`` is the lessee's to update."""

    id: int
    kept: str = ""
    """The text whose state the slot has cached."""


class FakeSlots:
    """A fixed number of slots; who finds none free waits in order of arrival."""

    def __init__(self, count: int) -> None:
        self._all = [FakeSlot(id) for id in range(count)]
        # Ordered by last use, the longest unused first: that is the one to overwrite.
        self._free = dict.fromkeys(range(count))
        self._waiting: deque[tuple[asyncio.Future[FakeSlot], int | None]] = deque()

    @property
    def busy(self) -> frozenset[int]:
        """Ids of the slots that are leased now."""
        return frozenset(range(len(self._all))) - self._free.keys()

    def has_free(self, pinned: int | None = None) -> bool:
        """Whether the pinned slot, or any, is free."""
        return bool(self._free) if pinned is None else pinned % len(self._all) in self._free

    @asynccontextmanager
    async def lease(self, prompt: str, pinned: int | None = None) -> AsyncGenerator[FakeSlot]:
        """A slot for as long as the block lasts: the pinned one, else the one whose cache fits best."""
        slot = await self._acquire(prompt, pinned)
        try:
            yield slot
        finally:
            self._release(slot)

    async def _acquire(self, prompt: str, pinned: int | None) -> FakeSlot:
        wanted = pinned % len(self._all) if pinned is not None else None
        if self._free if wanted is None else wanted in self._free:
            return self._take(wanted if wanted is not None else self._best(prompt))
        turn: asyncio.Future[FakeSlot] = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, wanted))
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release(turn.result())
            raise

    def _take(self, id: int) -> FakeSlot:
        del self._free[id]
        return self._all[id]

    def _best(self, prompt: str) -> int:
        """The free slot with the longest useful cache; the longest unused one when none helps."""
        going_on = [id for id in self._free if self._all[id].kept and prompt.startswith(self._all[id].kept)]
        if going_on:
            return max(going_on, key=lambda id: len(self._all[id].kept))
        best = max(self._free, key=lambda id: common_prefix(prompt, self._all[id].kept))
        is_similar = common_prefix(prompt, self._all[best].kept) > SIMILAR * len(prompt)
        return best if is_similar else next(iter(self._free))

    def _release(self, slot: FakeSlot) -> None:
        for waiting in self._waiting:
            turn, wanted = waiting
            if not turn.done() and wanted in (None, slot.id):
                self._waiting.remove(waiting)
                turn.set_result(slot)
                return
        self._waiting = deque(waiting for waiting in self._waiting if not waiting[0].done())
        self._free[slot.id] = None
