"""Where in the journal a question or a call of a graph stands."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256

from langgraph.config import get_config

from swarm.nouns.plan import Thread
from swarm.work.context import At

DIGITS = 16
"""Hex digits that tell one place of a thread from another."""


@dataclass
class Places:
    """Places of one graph at work: by the task that asks, what it asks, and how often it has asked that.

    LangGraph names a task by the checkpoint that it follows, so a task that is done again after a kill
    finds what it had been given; several questions of one task may come in any order.
    """

    thread: Thread
    _asked: Counter[str] = field(default_factory=Counter[str])

    def next(self, what: str) -> At:
        """The place of what is asked now, by the task that runs in this context."""
        digest = sha256(f"{_task()}\n{what}".encode()).hexdigest()[:DIGITS]
        self._asked[digest] += 1
        return At(self.thread.model_copy(update={"part": f"g{digest}"}), self._asked[digest])


def _task() -> str:
    try:
        found: object = get_config().get("metadata", {}).get("langgraph_checkpoint_ns", "")
    except RuntimeError:  # outside of a graph
        return ""
    return str(found)
