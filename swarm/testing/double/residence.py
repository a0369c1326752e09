"""The models that a scripted server has loaded: loading takes time, and there is room for a few."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from swarm.testing.double.prefix import FakeSlots


@dataclass
class Loaded:
    """A model that is loaded, or will be at ``ready_at``."""

    name: str
    window: int
    slots: FakeSlots
    ready_at: float
    """On the clock of the event loop."""
    users: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)


class Residence:
    """Loads models on demand and drops the one unused longest, as Ollama's scheduler does.

    A request for a model that is loaded goes on at once. The others are dealt with one after the
    other: the first waits until the model that must go has answered its requests
    (``server/sched.go`` of ollama/ollama, ``getRunner`` and ``processPending``).
    """

    def __init__(
        self, names: Sequence[str], *, resident: int, load_seconds: float, slots: int, window: int
    ) -> None:
        self.names = tuple(names)
        self.loads = 0
        """Times a model was loaded, counted from the first request on."""
        self.swaps = 0
        """Times a loaded model had to go for that."""
        self._resident = resident
        self._load_seconds = load_seconds
        self._slots = slots
        self._window = window
        self._turn = asyncio.Lock()
        self._loaded = self._at_start()

    @property
    def loaded(self) -> list[Loaded]:
        """What is loaded now, the longest unused first."""
        return list(self._loaded.values())

    def has_room(self, name: str, window: int, pinned: int | None = None) -> bool:
        """Whether a request for that model and slot would not wait."""
        model = self._fitting(name, window)
        return (
            model is not None
            and model.ready_at <= asyncio.get_running_loop().time()
            and model.slots.has_free(pinned)
        )

    def restart(self) -> None:
        """Drops every model with its caches."""
        self._loaded = self._at_start()

    def _at_start(self) -> dict[str, Loaded]:
        # One model that takes no time to load is there from the start.
        name, *others = self.names
        if others or self._load_seconds:
            return {}
        return {name: Loaded(name, self._window, FakeSlots(self._slots), ready_at=0.0)}

    @asynccontextmanager
    async def use(self, name: str, window: int) -> AsyncGenerator[Loaded]:
        """The model, loaded with that window, which it keeps for as long as the block lasts."""
        model = self._fitting(name, window) or await self._load(name, window)
        model.users += 1
        model.idle.clear()
        self._loaded[name] = self._loaded.pop(name, model)
        try:
            if (wait := model.ready_at - asyncio.get_running_loop().time()) > 0:
                await asyncio.sleep(wait)
            yield model
        finally:
            model.users -= 1
            if not model.users:
                model.idle.set()

    def _fitting(self, name: str, window: int) -> Loaded | None:
        model = self._loaded.get(name)
        return model if model and model.window == window else None

    async def _load(self, name: str, window: int) -> Loaded:
        async with self._turn:
            while not (model := self._fitting(name, window)):
                if name not in self._loaded and len(self._loaded) < self._resident:
                    self.loads += 1
                    model = Loaded(
                        name,
                        window,
                        FakeSlots(self._slots),
                        asyncio.get_running_loop().time() + self._load_seconds,
                    )
                    self._loaded[name] = model
                    return model
                # Another window needs another load, so the model itself is the one to go.
                leaving = self._loaded.get(name) or next(
                    (one for one in self._loaded.values() if not one.users), next(iter(self._loaded.values()))
                )
                while leaving.users:
                    await leaving.idle.wait()
                if self._loaded.get(leaving.name) is leaving:
                    del self._loaded[leaving.name]
                    self.swaps += 1
            return model
