"""Whether an agent gets on, or goes in circles."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable

from swarm.nouns.prompt import fill
from swarm.nouns.tool import ToolCall

MOST_REPEATS = 2
"""The same call made a third time ends the agent."""
MOST_IDLE = 5
"""Turns in a row without anything new that end the agent; one before, it is told."""


class Progress:
    """Counts an agent's calls and the turns that gave nothing it had not read before."""

    def __init__(self, read: Iterable[str]) -> None:
        self._read = set(read)
        self._calls: Counter[bytes] = Counter()
        self._idle = 0

    def times(self, call: ToolCall) -> int:
        """How often the call has been made, with this time."""
        whole = json.dumps([call.tool, call.args], sort_keys=True)
        key = hashlib.blake2b(whole.encode(), digest_size=16).digest()
        self._calls[key] += 1
        return self._calls[key]

    def hear(self, text: str) -> None:
        """A tool gave this: something new, be it an error, or nothing."""
        self._idle = self._idle + 1 if text in self._read else 0
        self._read.add(text)

    def idle(self) -> None:
        """A turn passed with nothing done."""
        self._idle += 1

    @property
    def nudge(self) -> str:
        """What to tell an agent that is about to be ended; empty for one that gets on."""
        return fill("idle", turns=str(self._idle)) if self._idle == MOST_IDLE - 1 else ""

    @property
    def end(self) -> str:
        """Why the agent has to end; empty while it need not."""
        return f"no progress in {self._idle} turns" if self._idle >= MOST_IDLE else ""
