"""Servers take turns at starting: many that load at once make each other late."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

import pytest

from swarm.errors import ServerError
from swarm.hub.servers.supervised import Server
from swarm.hub.servers.turns import STARTS, Turns
from swarm.project.server_entry import ServerEntry

pytestmark = pytest.mark.anyio

Start = Callable[..., ServerEntry]
HANGS = ("-c", "import sys; sys.stdin.read()")


async def test_so_many_have_a_turn_and_the_next_one_waits_until_it_is_given_back() -> None:
    turns = Turns(2)
    first, _ = await turns.take(), await turns.take()
    third = asyncio.create_task(turns.take())
    fourth = asyncio.create_task(turns.take())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not third.done()

    first.give_back()
    first.give_back()  # The second time it is nothing.
    (await third).give_back()
    await fourth


async def test_a_turn_is_over_after_its_time() -> None:
    turns = Turns(1, seconds=0.001)
    await turns.take()
    async with asyncio.timeout(20):
        await turns.take()


async def test_servers_start_one_after_the_other_where_one_may(start_server: Start) -> None:
    turns = Turns(1, seconds=600)
    servers = [Server(start_server("bare", name=name), turns=turns) for name in ("one", "two", "three")]
    try:
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            tasks = [group.create_task(server.offers()) for server in servers]
        assert all("pid" in task.result() for task in tasks)
    finally:
        for server in servers:
            await server.close()


async def test_one_that_does_not_start_keeps_no_other_from_it(start_server: Start) -> None:
    turns = Turns(1, seconds=0.001)
    hangs = Server(start_server("bare", name="hangs", command=sys.executable, args=HANGS), turns=turns)
    good = Server(start_server("bare"), turns=turns)
    try:
        hangs.start()
        async with asyncio.timeout(60):
            assert "pid" in await good.offers()
    finally:
        await hangs.close()
        await good.close()


async def test_one_that_is_stopped_before_its_turn_says_so_and_leaves_it_to_others(
    start_server: Start,
) -> None:
    turns = Turns(1, seconds=600)
    held = await turns.take()
    waits, good = (
        Server(start_server("bare", name="waits"), turns=turns),
        Server(start_server("bare"), turns=turns),
    )
    asking = asyncio.create_task(waits.offers())
    await asyncio.sleep(0)
    await waits.close()
    with pytest.raises(ServerError, match="it was stopped"):
        await asking
    held.give_back()
    try:
        async with asyncio.timeout(60):
            assert "pid" in await good.offers()
    finally:
        await good.close()


def test_a_few_may_start_at_once_on_any_machine() -> None:
    assert STARTS >= 4
