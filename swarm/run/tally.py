"""What a run's events add up to, kept as they come: its time, its sub-agents, what it has spent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from swarm.nouns.events import (
    AgentEnded,
    AgentWaiting,
    Event,
    LimitReached,
    ModelReplied,
    PlanMade,
    RunStarted,
)
from swarm.nouns.limits import Usage

COUNTED = frozenset((
    "run_started",
    "plan_made",
    "agent_waiting",
    "limit_reached",
    "model_replied",
    "agent_ended",
))
"""Kinds of events that count for more than the time at which they came."""


ASIDE = frozenset(("notice", "server_changed", "loop_blocked"))
"""Kinds of events that may come while a person is asked, and end no question."""


@dataclass
class Tally:
    """The sums over the events so far; each is added once, in their order."""

    agents: int = 0
    """Sub-agents that ended."""
    spent: Usage = field(default_factory=Usage)
    started: RunStarted | None = None
    """The start of the last sitting."""
    has_plan: bool = False
    asked_seconds: float = 0.0
    """How long the whole run waited for a person: each question to what came of it, in its sitting."""
    _earlier: float = 0.0
    """How long the sittings before the last one took."""
    _last_at: float = 0.0
    _asks: bool = False

    @property
    def worked_seconds(self) -> float:
        """How long the run has worked: each sitting from its start to its last event, without waits for a person."""
        return max(0.0, self._earlier + self._sitting_seconds - self.asked_seconds)

    @property
    def _sitting_seconds(self) -> float:
        return max(0.0, self._last_at - self.started.at) if self.started else 0.0

    def add(self, event: Event) -> None:
        """Counts an event."""
        if isinstance(event, RunStarted):
            self._earlier += self._sitting_seconds
            self.started, self._asks = event, False
        self.pass_to(event.at, event.kind)
        match event:
            case PlanMade():
                self.has_plan = True
            case AgentEnded():
                self.agents += 1
            case ModelReplied():
                self.spent += event.usage
            case LimitReached():
                self._asks = True
            case AgentWaiting(what="question"):
                self._asks = event.step.startswith("_")
            case _:
                pass

    def pass_to(self, at: float, kind: str) -> None:
        """Counts an event that is none of ``COUNTED`` by its time."""
        self.asked_seconds += at - self._last_at if self._asks else 0.0
        self._last_at, self._asks = at, self._asks and kind in ASIDE


def tally_of(events: Iterable[Event]) -> Tally:
    """The sums over these events."""
    tally = Tally()
    for event in events:
        tally.add(event)
    return tally
