"""How many agents may use a model at once: what its server told, or what was found by trying."""

from __future__ import annotations

from dataclasses import dataclass

FIRST = 4
"""Tried first on a server that does not tell its slots."""
FIRST_OF_MANY = 8
"""Tried first where the server is of a kind that batches dozens, and where the first call was quick."""
QUICK = 0.02
"""Share of its deadline that such a call takes at most: eight of them, one after the other, are far from it."""
MOST = 256
"""Never exceeded on a server that does not tell: vLLM's own default of sequences at once."""
DOUBLE, CAREFUL = 2.0, 1.25
"""Factors by which more are tried, the first time and later."""
WORTH = 0.5
"""Share of the ideal gain in throughput that more agents must bring."""
QUEUED, QUEUED_SHARE = 0.5, 0.1
"""Calls that wait in the server, on average, from which on it has more than it works on; at least so many,
and at least such a share of all."""
ALONE = 0.25
"""Share of its time that a call may wait while few are at the server, for that to be the way there and back."""
SLOWEST = 0.25
"""Share of its deadline that a call may take where more are tried."""
CALM_CALLS, TOLD_CALM_CALLS = 8, 2
"""Good calls, for each agent at once, after which a limit that was refused grows by one; sooner where the
server told a number, as then a refusal says only that others use it too."""
STEADY_CALLS, STEADIEST_CALLS = 128, 4_096
"""Calls, for each agent at once, after which a number that was found is looked for again: twice as many
each time that it is the same, or that more were refused."""


@dataclass
class Sample:
    """A good call to the model."""

    read: int = 0
    """Tokens of the prompt that the server had to compute, as far as can be known."""
    first_seconds: float = 0.0
    """Until the first token; 0 where nothing tells."""
    written: int = 0
    seconds: float = 0.0
    share: float = 0.0
    """Of its deadline that it took."""
    queued_seconds: float = 0.0
    """Before the prompt was begun, where the server tells how long that took."""


@dataclass
class Throughput:
    """What was measured with this many agents at once."""

    agents: int
    calls: int = 0
    written: int = 0
    writing: float = 0.0
    """Seconds, as the next two."""
    queued: float = 0.0
    whole: float = 0.0

    @property
    def served(self) -> float:
        """Calls that the server worked on at once, on average; the others waited (Little's law)."""
        return self.agents * (1 - self.queued / self.whole)

    @property
    def is_precise(self) -> bool:
        """Whether all agents had their turn. Too many make a server read prompts anew, so that it seems
        to work on fewer than it does."""
        return self.calls >= self.agents

    @property
    def rate(self) -> float:
        """Tokens that all together wrote a second."""
        return self.served * self.written / max(self.writing, 1e-9)


class Concurrency:
    """The number of agents let in at once: ``now``.

    A told number is kept. Where none is told it doubles as long as the throughput grows by half of
    what it could and no call waits in the server; where some wait, so many are taken as it works
    on. A refusal (429, 503) halves the number; after that it grows back by one at a time.
    """

    def __init__(self, slots: int, *, is_told: bool) -> None:
        self._is_told = is_told
        self._ceiling = slots if is_told else MOST
        self._growth = DOUBLE
        self._steady_calls = STEADY_CALLS
        self._found = 0
        """The number that a search ended with."""
        self._token_seconds = float("inf")
        """The least time that a token of a prompt was seen to take."""
        self._way_seconds = 0.0
        """What a call waits that finds a free slot: the way there and back, and a busy machine."""
        self._is_refused = False
        """Whether no call was good since the last refusal."""
        self._is_new = not is_told
        """Whether no call was good at all."""
        self._settle(slots)
        if not is_told:
            self._search(min(max(slots, FIRST), FIRST_OF_MANY))

    @property
    def is_settled(self) -> bool:
        """Whether nothing else is being tried."""
        return self._tally is None

    def begin(self, others: int, *, is_first: bool = False) -> Throughput | None:
        """What to hand to ``end`` when the call is done, if it can tell something.

        ``others``: calls that were at the server when it started. Only a call beside a full house
        tells how the server does with one, and not the first of an agent that comes (back) to a
        slot: its prompt is read from the start, which looks like waiting.
        """
        return self._tally if others >= self.now - 1 and not is_first else None

    def end(self, tally: Throughput | None, call: Sample) -> None:
        """Count a good call; ``tally`` is what ``begin`` gave."""
        self._is_refused = False
        is_new, self._is_new = self._is_new, False
        if self._tally is None:
            self._calls += 1
            self._go_on()
            return
        if is_new and call.written and call.share <= QUICK and self.now < FIRST_OF_MANY:
            self._try(FIRST_OF_MANY)
        queued = self._queued_seconds(call)
        if tally is not None and tally is self._tally and call.seconds > 0:
            tally.calls += 1
            tally.whole += call.seconds
            tally.queued += max(0.0, queued - self._way_seconds)
            tally.writing += call.seconds - call.first_seconds
            tally.written += call.written
            if tally.calls >= self._enough:
                self._judge(tally, is_slow=call.share > SLOWEST)

    def _queued_seconds(self, call: Sample) -> float:
        """How long a call waited before its prompt was begun."""
        if call.queued_seconds or not call.first_seconds or not call.read:
            return call.queued_seconds
        self._token_seconds = min(self._token_seconds, call.first_seconds / call.read)
        return call.first_seconds - call.read * self._token_seconds

    def freed(self) -> None:
        """Count an agent that came to its end: those that start now have little for a server to read
        anew, which a number that is too high makes it do."""
        if self.is_settled and not self._is_told and self._calls >= self._steady_calls * self.now:
            self._ceiling, self._growth = MOST, CAREFUL
            self._search(self.now)

    def refuse(self) -> None:
        """Count a refusal of the server: it has more than it can take.

        One that refuses all is away, whatever the number: until a call is good, the first counts.
        """
        if self._is_refused:
            return
        self._is_refused = True
        if not self.is_settled:
            self._steady_calls = min(2 * self._steady_calls, STEADIEST_CALLS)
        if not self._is_told:
            self._ceiling = max(1, self.now - 1)
        self._settle(max(1, self.now // 2))

    def _go_on(self) -> None:
        calm = TOLD_CALM_CALLS if self._is_told else CALM_CALLS
        is_refused = self._is_told or self._ceiling < MOST
        if is_refused and self.now < self._ceiling and self._calls >= calm * self.now:
            self._settle(self.now + 1)

    def _settle(self, agents: int) -> None:
        self.now, self._calls = agents, 0
        self._tally: Throughput | None = None

    def _find(self, agents: int) -> None:
        """Take the number that a search ended with."""
        is_same = agents == self._found
        self._steady_calls = min(2 * self._steady_calls, STEADIEST_CALLS) if is_same else STEADY_CALLS
        self._found = agents
        self._settle(agents)

    def _search(self, agents: int) -> None:
        """Look for the best number, from this one on."""
        self._best: Throughput | None = None
        self._high = 0
        """The fewest that were too many."""
        self._way_seconds = 0.0
        self._try(agents)

    def _try(self, agents: int) -> None:
        self.now, self._tally = agents, Throughput(agents)
        # On the way up half of the agents tell enough; a precise number takes a round of all.
        is_rough = self._growth == DOUBLE and not self._high
        self._enough = max(2, agents // 2 if is_rough else agents)

    def _judge(self, tally: Throughput, *, is_slow: bool) -> None:
        """Take the number or another, or try one more."""
        best = self._best
        if best is None and not self._high and tally.queued < ALONE * tally.whole:
            self._way_seconds, tally.queued = tally.queued / tally.calls, 0.0
        if tally.agents - tally.served > max(QUEUED, QUEUED_SHARE * tally.agents):
            self._high = tally.agents
            if best and tally.served > (1 + QUEUED_SHARE) * best.agents:
                best = None  # the server works on clearly more than those
            if best and best.is_precise:
                self._find(best.agents)
            elif best:
                # Looked at once more: a rough one may have been measured before its queue had formed.
                self._best, self._high = None, best.agents + 1
                self._try(best.agents)
            else:
                self._best = None
                self._try(max(1, min(round(tally.served), tally.agents - 1)))
        elif best and not self._high and not _is_worth(tally, best):
            self._find(best.agents)
        else:
            self._best = tally
            self._go_up(tally.agents, is_slow=is_slow)

    def _go_up(self, agents: int, *, is_slow: bool) -> None:
        more = agents + 1 if self._high else max(agents + 1, int(agents * self._growth))
        if is_slow or more > self._ceiling or more == self._high:
            self._find(agents)
        else:
            self._try(more)


def _is_worth(tally: Throughput, best: Throughput) -> bool:
    """Whether more agents bring at least half of what they could."""
    return best.rate > 0 and tally.rate / best.rate - 1 >= WORTH * (tally.agents / best.agents - 1)
