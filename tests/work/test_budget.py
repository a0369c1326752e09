"""The budget: reserved before it is spent, never overrun, and a question when it is gone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from swarm.nouns.limits import Limits, Usage
from swarm.nouns.messages import Message, Request
from swarm.work.budget import Budget

pytestmark = pytest.mark.anyio

QUESTION = Request(messages=(Message(role="user", content="x" * 400),), max_tokens=100)
"""Reserves 200 tokens for its prompt and 100 for the reply."""
ANSWER = Usage(prefilled_tokens=100, written_tokens=50, model_calls=1, model_seconds=2.0)


@dataclass
class Clock:
    """Time that a test moves."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Calls:
    """Calls on one budget, each of which ends when the test says so."""

    budget: Budget
    started: int = 0
    ended: int = 0
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def make(self, usage: Usage = ANSWER) -> None:
        async with self.budget.asking(QUESTION, "a turn") as count:
            self.started += 1
            await self.go.wait()
            count(usage)
            self.ended += 1


async def settled() -> None:
    """Lets every task go as far as it can."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_of_300_calls_at_once_only_those_start_that_all_have_room() -> None:
    budget = Budget(Limits(tokens=10_000), clock=Clock())
    calls = Calls(budget)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        tasks = [group.create_task(calls.make()) for _ in range(300)]
        await settled()
        assert calls.started == 10_000 // 300
        calls.go.set()
        reached = await budget.breached()
        assert calls.started == calls.ended
        # What is left is less than one call may take.
        assert 10_000 - 300 < budget.spent.tokens <= 10_000
        assert (reached.limit, reached.allowed, reached.enough) == ("tokens", 10_000, 20_000)
        assert reached.text == "the run has used 9,750 of 10,000 tokens and may need 300 more for a turn"
        for task in tasks:
            task.cancel()


async def test_a_reached_limit_is_told_when_the_calls_in_flight_have_ended() -> None:
    budget = Budget(Limits(model_calls=2), clock=Clock())
    calls = Calls(budget)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        tasks = [group.create_task(calls.make()) for _ in range(2)]
        await settled()
        tasks.append(group.create_task(calls.make()))
        asked = group.create_task(budget.breached())
        await settled()
        assert (calls.started, asked.done()) == (2, False)
        calls.go.set()
        assert (await asked).text == "the run has used 2 of 2 model calls and needs one more for a turn"
        assert calls.ended == 2
        tasks[-1].cancel()


async def test_with_more_allowed_everything_goes_on_where_it_waited() -> None:
    budget = Budget(Limits(model_calls=1, tool_calls=1), clock=Clock())
    calls = Calls(budget)
    calls.go.set()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(calls.make())
        await budget.breached()
        budget.allow(Limits(model_calls=3))
    assert (calls.ended, budget.spent.model_calls) == (3, 3)


async def test_whoever_waits_for_room_lets_go_of_what_others_need() -> None:
    budget = Budget(Limits(model_calls=1), clock=Clock())
    slot = asyncio.Lock()
    done: list[str] = []

    async def with_slot() -> None:
        await slot.acquire()
        async with budget.asking(QUESTION, "the first", slot.release):
            done.append("first")

    async def needs_slot() -> None:
        async with budget.asking(QUESTION, "the second") as count, slot:
            count(ANSWER)
            done.append("second")

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        second = group.create_task(needs_slot())
        first = group.create_task(with_slot())
        await second
        await budget.breached()
        first.cancel()
    assert done == ["second"]


async def test_model_seconds_are_reserved_by_the_longest_call_so_far() -> None:
    budget = Budget(Limits(model_seconds=5.0), clock=Clock())
    calls = Calls(budget)
    calls.go.set()
    async with asyncio.timeout(5):
        await calls.make()
        await calls.make()
        async with asyncio.TaskGroup() as group:
            third = group.create_task(calls.make())
            reached = await budget.breached()
            third.cancel()
    assert (reached.limit, reached.used, reached.enough) == ("model_seconds", 4.0, 10)


async def test_a_prompt_with_more_tokens_than_was_reserved_teaches_the_next_reservation() -> None:
    budget = Budget(Limits(tokens=1_200), clock=Clock())
    calls = Calls(budget)
    calls.go.set()
    async with asyncio.timeout(5):
        await calls.make(Usage(prefilled_tokens=700, written_tokens=50, model_calls=1))
        async with asyncio.TaskGroup() as group:
            second = group.create_task(calls.make())
            reached = await budget.breached()
            second.cancel()
    assert (reached.used, reached.enough) == (750, 2_400)


async def test_time_at_rest_and_time_between_sittings_is_not_counted() -> None:
    clock = Clock(100.0)
    budget = Budget(Limits(seconds=60.0), clock=clock, spent_seconds=20.0)
    clock.now += 30.0
    with budget.at_rest():
        clock.now += 3_600.0
    assert budget.seconds == 50.0
    clock.now += 10.0
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        call = group.create_task(Calls(budget).make())
        reached = await budget.breached()
        call.cancel()
    assert reached.text == "the run has used 60 of 60 seconds and needs more for a turn"


async def test_tool_calls_and_sub_agents_have_limits_too() -> None:
    budget = Budget(Limits(tool_calls=1, steps=5), clock=Clock(), agents=4)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        async with budget.calling("files.read"):
            pass
        async with budget.agent("the fifth"):
            waiting = group.create_task(start(budget))
            asked = group.create_task(budget.breached())
            await settled()
            # The fifth goes on to its end before anyone is asked.
            calls = Calls(budget)
            calls.go.set()
            await calls.make()
            assert not asked.done()
        assert (await asked).limit == "steps"
        waiting.cancel()
    assert budget.spent.tool_calls == 1


async def start(budget: Budget) -> None:
    async with budget.agent("the sixth"):
        pass
