"""The budget of one call and the breaker before a server."""

from __future__ import annotations

import asyncio

import pytest

from swarm.errors import ModelUnavailable
from swarm.models.client.failures import Failure, FailureKind
from swarm.models.client.retry import OPENS_AFTER, Breaker, Retries, Setback, hearing, tell

pytestmark = pytest.mark.anyio

SOON = 0.01


def failure(kind: FailureKind, retry_after: float | None = None) -> Failure:
    return Failure(kind, ModelUnavailable(kind), retry_after)


def retries(requests: int = 5, seconds: float = 900.0) -> Retries:
    return Retries(requests, asyncio.get_running_loop().time() + seconds, 0.5)


async def test_pauses_grow_until_the_requests_are_spent() -> None:
    budget = retries(requests=4)

    for least in (0.5, 2.0, 8.0):
        pause = budget.pause(failure("failed"))
        assert pause is not None
        assert least <= pause <= 1.25 * least
    assert budget.pause(failure("failed")) is None


@pytest.mark.parametrize("kind", ["late", "final"])
async def test_what_cannot_pass_ends_the_call(kind: FailureKind) -> None:
    assert retries().pause(failure(kind)) is None


async def test_an_answer_that_cannot_be_read_is_asked_for_once_more() -> None:
    budget = retries()

    assert budget.pause(failure("garbled")) is not None
    assert budget.pause(failure("garbled")) is None


async def test_a_server_that_is_away_is_waited_for_without_spending_requests() -> None:
    budget = retries(requests=1)

    assert all(budget.pause(failure("away")) is not None for _ in range(100))
    assert budget.pause(failure("failed")) is None


async def test_the_time_a_server_names_is_kept_but_never_past_the_deadline() -> None:
    budget = retries(seconds=60.0)

    assert 20.0 <= (budget.pause(failure("busy", 20.0)) or 0.0) <= 25.0
    assert budget.pause(failure("busy", 60.0)) is None


async def broken() -> Breaker:
    breaker = Breaker(SOON)
    for _ in range(OPENS_AFTER):
        breaker.failed("out of memory")
    return breaker


async def test_it_opens_after_failures_in_a_row_and_closes_at_the_first_answer() -> None:
    breaker = Breaker(SOON)
    for _ in range(3 * OPENS_AFTER):
        breaker.failed("x")
        breaker.failed("x")
        breaker.answered()

    assert not breaker.is_open
    assert (await broken()).is_open


async def test_while_it_is_open_one_call_at_a_time_probes_and_an_answer_lets_all_pass() -> None:
    breaker = await broken()
    passed: list[int] = []

    async def call(number: int) -> None:
        await breaker.passage(900.0)
        passed.append(number)
        if len(passed) < 3:
            breaker.failed("still so")
        else:
            breaker.answered()

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(call(number))

    assert passed == list(range(20))
    assert not breaker.is_open


async def test_a_probe_that_is_never_heard_of_again_holds_nobody_up_for_ever() -> None:
    breaker = await broken()

    async with asyncio.timeout(5):
        await breaker.passage(900.0)
        await breaker.passage(900.0)

    assert breaker.is_open


async def test_a_cancelled_wait_gives_its_turn_away() -> None:
    breaker = await broken()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await breaker.passage(900.0)
    async with asyncio.timeout(5):
        await breaker.passage(900.0)


async def test_a_server_that_fails_for_longer_than_the_patience_is_not_waited_for() -> None:
    breaker = await broken()
    await breaker.passage(900.0)

    with pytest.raises(ModelUnavailable, match="has failed for 0 s: out of memory"):
        await breaker.passage(0.0)


def test_who_listens_hears_and_so_do_those_around() -> None:
    heard: list[tuple[str, str]] = []
    setback = Setback("busy", "full", 1.0)

    with hearing(lambda one: heard.append(("outer", one.text))):
        with hearing(lambda one: heard.append(("inner", one.text))):
            tell(setback)
        tell(setback)
    tell(setback)

    assert heard == [("outer", "full"), ("inner", "full"), ("outer", "full")]
