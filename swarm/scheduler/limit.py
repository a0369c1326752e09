"""How many agents may use a model at once: what its server told, or what was found by trying."""

from __future__ import annotations

from dataclasses import dataclass

FIRST = 2
"""Tried first on a server that does not tell its slots."""
FIRST_OF_MANY = 8
"""Tried first where the server is of a kind that batches dozens."""
MOST = 256
"""Never exceeded on a server that does not tell: vLLM's own default of sequences at once."""
WORTH = 0.5
"""Share of the ideal gain that more agents at once must bring."""
SLIGHT = 1.1
"""Gain below which no number between is worth a try."""
FULL = 0.9
"""Share of the ideal gain from which on no number between is worth a try either."""
AS_GOOD = 0.95
"""Share of the throughput that fewer agents at once must keep, to be preferred."""
SLOWEST = 0.25
"""Share of its deadline that a call may take where more agents at once are tried."""
CALM_CALLS = 8
"""Good calls, for each agent at once, after which a limit that was refused grows by one."""
STEADY_CALLS = 48
"""Calls, for each agent at once, after which a limit that was found is looked for anew."""


@dataclass
class Trial:
    """What was measured with this many agents at once."""

    agents: int
    calls: int = 0
    work: float = 0.0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Work a second of all of them together, by Little's law."""
        return self.agents * self.work / max(self.seconds, 1e-9)


class Limit:
    """The number of agents let in at once: ``now``.

    A told number is kept. Where none is told it doubles as long as the throughput grows by half of
    what it could; then the smallest number that is as good is looked for. A refusal (429, 503)
    halves it; after that it grows back by one at a time.
    """

    def __init__(self, slots: int, *, is_told: bool) -> None:
        self._is_told = is_told
        self._ceiling = slots if is_told else MOST
        self._settle(slots)
        if not is_told:
            self._search(min(max(slots, FIRST), FIRST_OF_MANY))

    def begin(self, others: int) -> Trial | None:
        """What to hand to ``end`` when the call is done, if it can tell something.

        ``others``: calls that were at the server when it started. Only a call beside a full house
        tells how the server does with one.
        """
        return self._trial if others >= self.now - 1 else None

    def end(self, trial: Trial | None, *, work: float, seconds: float, share: float) -> None:
        """Count a good call: the tokens of its work, its time, and what share of its deadline that is."""
        if self._trial is None:
            self._calls += 1
            self._go_on()
        elif trial is self._trial:
            trial.calls += 1
            trial.work += work
            trial.seconds += seconds
            if trial.calls >= max(2, self.now):
                self._judge(trial, is_slow=share > SLOWEST)

    def refuse(self) -> None:
        """Count a refusal of the server: it has more than it can take."""
        if not self._is_told:
            self._ceiling = max(1, self.now - 1)
        self._settle(max(1, self.now // 2))

    def _go_on(self) -> None:
        if self.now < self._ceiling and (self._is_told or self._was_refused):
            if self._calls >= CALM_CALLS * self.now:
                self._settle(self.now + 1)
        elif not self._is_told and self._calls >= STEADY_CALLS * self.now:
            self._ceiling = MOST
            self._search(self.now)

    @property
    def _was_refused(self) -> bool:
        return self._ceiling < MOST

    def _settle(self, agents: int) -> None:
        self.now, self._calls = agents, 0
        self._trial: Trial | None = None

    def _search(self, agents: int) -> None:
        """Look for the best number, from this one on."""
        self._best: Trial | None = None
        self._floor, self._high = 0, 0
        self._try(agents)

    def _try(self, agents: int) -> None:
        self.now, self._trial = agents, Trial(agents)

    def _judge(self, trial: Trial, *, is_slow: bool) -> None:
        """Take the trial as the best or bound the search by it, and go on."""
        best = self._best
        if best is None:
            self._best = trial
        elif trial.agents > best.agents:
            gain, ideal = trial.rate / best.rate, trial.agents / best.agents
            if gain - 1 >= WORTH * (ideal - 1):
                self._best, self._floor = trial, trial.agents - 1 if gain >= FULL * ideal else best.agents
            else:
                self._high = trial.agents if gain > SLIGHT else best.agents + 1
        elif trial.rate >= AS_GOOD * best.rate:
            self._best, self._high = trial, trial.agents + 1
        else:
            self._floor = trial.agents
        self._go_further(self._best or trial, is_slow=is_slow)

    def _go_further(self, best: Trial, *, is_slow: bool) -> None:
        if is_slow or best.agents >= self._ceiling:
            self._high = self._high or best.agents + 1
        if not self._high:
            self._try(min(2 * best.agents, self._ceiling))
        elif self._high - best.agents > 1:
            self._try((best.agents + self._high) // 2)
        elif best.agents - self._floor > 1:
            self._try((best.agents + self._floor) // 2)
        else:
            self._settle(best.agents)
