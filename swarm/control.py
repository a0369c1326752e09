"""The budget of a run: what it may still spend."""

from __future__ import annotations

from collections.abc import Callable

from swarm.errors import LimitExceeded
from swarm.limits import Limits, Usage


class Budget:
    """Counts what a run spends against its limits.

    ``clock`` gives seconds that only ever grow; ``spent_seconds`` is what earlier sittings of a
    resumed run took.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        clock: Callable[[], float],
        spent: Usage | None = None,
        spent_seconds: float = 0.0,
    ) -> None:
        self.limits = limits
        self.spent = spent or Usage()
        self._agents = 0
        self._clock = clock
        self._started = clock() - spent_seconds

    @property
    def seconds(self) -> float:
        """How long the run has worked, over resumes."""
        return self._clock() - self._started

    def add(self, usage: Usage) -> None:
        """Count what was spent."""
        self.spent = self.spent + usage

    def add_agent(self) -> None:
        """Count one more sub-agent.

        Raises:
            LimitExceeded: the run has as many as it may.
        """
        self._agents += 1
        self._hold("steps", self._agents - 1)

    def check(self) -> None:
        """Nothing, while something of every limit is left.

        Raises:
            LimitExceeded: a limit is reached; call before spending more.
        """
        self._hold("tokens", self.spent.tokens)
        self._hold("model_calls", self.spent.model_calls)
        self._hold("tool_calls", self.spent.tool_calls)
        self._hold("seconds", self.seconds)

    def _hold(self, limit: str, used: float) -> None:
        allowed: float = getattr(self.limits, limit)
        if used >= allowed:
            raise LimitExceeded(
                f"the run has used {used:,.0f} of {allowed:,.0f} {limit.replace('_', ' ')};"
                f" raise limits.{limit} and resume it",
                limit,
            )
