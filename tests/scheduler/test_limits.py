"""How many agents are let in at once on a server that tells, does not tell, or refuses."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

import pytest

from swarm.scheduler.limit import STEADY_CALLS, TOLD_CALM_CALLS, Concurrency, Sample, Throughput

GOOD = Sample(200, 0.1, 60, 1.0, 0.01)
WRITE_SECONDS = 0.9


@dataclass
class Simulation:
    """A server of some slots with a queue, and agents that make calls of a second, one after the other.

    A slot holds the prompt of the agent it served last; any other agent's is read anew.
    """

    slots: int
    limit: Concurrency
    agents: int = 32
    turns: int = 16
    read_seconds: float = 0.1
    """For what was said in one turn."""
    seconds: float = 0.0
    """Until nine tenths were done; what remains does not fill the slots."""
    settled: list[int] = field(default_factory=list[int])
    """Numbers that were found."""

    def run(self) -> Simulation:
        """Works all calls off."""
        left = dict.fromkeys(range(self.agents), self.turns)
        waiting, now, done = list(left), 0.0, 0
        slots = [(0.0, -1 - number) for number in range(self.slots)]
        seated = -1
        ends: list[tuple[float, int, float, float, Throughput | None]] = []
        while left:
            while waiting and len(ends) < self.limit.now:
                agent = waiting.pop(0)
                tally = self.limit.begin(len(ends), is_first=agent != seated)
                slot = min(slots, key=lambda slot: (max(slot[0], now), slot[1] != agent, slot[0]))
                parts = 1 if slot[1] == agent else 1 + self.turns - left[agent]
                first = max(slot[0], now) + parts * self.read_seconds
                slots[slots.index(slot)] = (first + WRITE_SECONDS, agent)
                heapq.heappush(ends, (first + WRITE_SECONDS, agent, now, first - now, tally))
            now, agent, began, first_seconds, tally = heapq.heappop(ends)
            done += 1
            if 10 * done == 9 * self.agents * self.turns // 10 * 10:
                self.seconds = now
            self.limit.end(tally, Sample(200, first_seconds, 60, now - began, 0.01))
            if self.limit.is_settled:
                self.settled.append(self.limit.now)
            left[agent] -= 1
            seated = agent
            if left[agent]:
                waiting.insert(0, agent)
            else:
                del left[agent]
                self.limit.freed()
        return self


@pytest.mark.parametrize("slots", [1, 2, 3, 4, 6, 8, 12, 16])
def test_the_slots_of_a_server_that_tells_nothing_are_found(slots: int) -> None:
    found = Simulation(slots, Concurrency(1, is_told=False)).run().settled
    assert set(found) <= {slots, slots + 1}


@pytest.mark.parametrize("read_seconds", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("slots", [1, 2, 4, 8])
def test_the_search_costs_less_than_a_twentieth_of_the_throughput(slots: int, read_seconds: float) -> None:
    def seconds(limit: Concurrency) -> float:
        return Simulation(slots, limit, read_seconds=read_seconds).run().seconds

    best = min(seconds(Concurrency(n, is_told=True)) for n in (1, 2, 4, 8, 16, 32))
    assert seconds(Concurrency(1, is_told=False)) <= best / 0.95


def test_fewer_are_tried_first_where_the_first_call_takes_long() -> None:
    quick, slow = Concurrency(1, is_told=False), Concurrency(1, is_told=False)
    for limit, share in ((quick, 0.01), (slow, 0.05)):
        limit.end(limit.begin(0, is_first=True), Sample(200, 0.1, 60, 1.0, share))
    assert (quick.now, slow.now) == (8, 4)


def test_one_more_than_the_best_is_not_tried_where_the_server_hardly_seems_to_work_on_more() -> None:
    limit = Concurrency(8, is_told=False)
    tried = [limit.now]
    while not limit.is_settled:
        # Sixteen seem to be worked on as 8.6: eight slots, and what measuring is off by.
        queued = 1.295 if limit.now == 16 else 0.0
        call = Sample(200, 0.0, 60, 2.8 if limit.now == 16 else 1.15, 0.01, queued)
        limit.end(limit.begin(limit.now), call)
        tried += [limit.now] if limit.now != tried[-1] else []
    assert tried == [8, 16, 8]


def test_a_told_number_is_kept() -> None:
    assert set(Simulation(2, Concurrency(5, is_told=True)).run().settled) == {5}


def test_a_refusal_halves_the_number_and_it_grows_back_by_one_after_many_good_calls() -> None:
    limit = Concurrency(8, is_told=True)
    limit.refuse()
    seen = [limit.now]
    for _ in range(TOLD_CALM_CALLS * (4 + 5)):
        limit.end(limit.begin(8), GOOD)
        if limit.now != seen[-1]:
            seen.append(limit.now)
    assert seen == [4, 5, 6]


def test_after_a_refusal_the_number_that_was_refused_is_not_tried_again_soon() -> None:
    limit = Concurrency(64, is_told=False)
    refused = limit.now
    limit.refuse()
    for _ in range(200):
        limit.end(limit.begin(limit.now), GOOD)
    assert limit.now < refused


def test_an_outage_costs_half_of_a_number_however_many_calls_it_refuses() -> None:
    limit = Concurrency(8, is_told=False)
    for _ in range(8):
        limit.refuse()
    assert limit.now == 4
    limit.end(None, GOOD)
    limit.refuse()
    assert limit.now == 2


def test_after_refusals_the_slots_of_a_server_are_found_again() -> None:
    limit = Concurrency(8, is_told=False)
    for _ in range(3):
        limit.refuse()
        limit.end(None, GOOD)
    assert limit.now == 1
    agents = 8 * STEADY_CALLS // 16
    assert Simulation(8, limit, agents).run().settled[-1] in {8, 9}


def test_a_server_that_refuses_more_is_asked_for_more_ever_less_often() -> None:
    def calls_until_a_search() -> int:
        limit.refuse()
        calls = 0
        while limit.is_settled:
            limit.end(None, GOOD)
            limit.freed()
            calls += 1
        return calls

    limit = Concurrency(8, is_told=False)
    assert calls_until_a_search() < calls_until_a_search() < calls_until_a_search()


def test_more_agents_are_not_let_in_where_a_server_counts_no_tokens() -> None:
    limit = Concurrency(1, is_told=False)
    first = limit.now
    for _ in range(4 * first):
        limit.end(limit.begin(limit.now), Sample(seconds=1.0))
    assert (limit.now, limit.is_settled) == (first, True)


def test_more_are_not_tried_where_a_call_takes_much_of_its_deadline() -> None:
    limit = Concurrency(1, is_told=False)
    first = limit.now
    for _ in range(6):
        limit.end(limit.begin(first), Sample(200, 1.0, 60, 30.0, 0.5))
    assert limit.now <= first
