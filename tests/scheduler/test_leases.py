"""Leases: who gets a slot when, keeps it, gives it up for a wait, and gets one back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from swarm.models.client.litellm import LitellmModel
from swarm.models.model import Endpoint
from swarm.models.pool import Member
from swarm.models.servers.probe import probe
from swarm.nouns.messages import Message, Reply, Request
from swarm.scheduler.host import AGE, PATIENCE
from swarm.scheduler.slots import Slots, Want
from swarm.testing import serving
from swarm.testing.double.scripted import ScriptedModel

pytestmark = pytest.mark.anyio

QUESTION = Request(messages=(Message(role="user", content="Go on."),))


class Named:
    """A model that is only known by its endpoint."""

    def __init__(self, model: str, *, url: str = "", slots: int = 1, **fields: object) -> None:
        known: dict[str, object] = {"kind": "llamacpp", "model": model, "url": url, "slots": slots}
        self.endpoint = Endpoint.model_validate(known | fields)

    async def reply(self, request: Request) -> Reply:
        return Reply(text=f"{self.endpoint.model} on slot {request.slot}")


@dataclass
class Queue:
    """Agents that ask for a lease, in order, and hold it until they are told to end."""

    slots: Slots
    started: list[str] = field(default_factory=list[str])
    where: dict[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])
    """Model and slot of each."""
    ends: dict[str, asyncio.Event] = field(default_factory=dict[str, asyncio.Event])

    async def agent(self, name: str, want: Want) -> None:
        self.ends[name] = asyncio.Event()
        async with self.slots.lease(want) as lease:
            self.started.append(name)
            self.where[name] = (lease.model.endpoint.model, lease.slot)
            await self.ends[name].wait()

    async def join(self, group: asyncio.TaskGroup, names: Sequence[str], want: Want) -> None:
        for name in names:
            group.create_task(self.agent(name, want))
        await settle()

    async def drain(self) -> list[str]:
        """Ends whoever has a lease, the one that has had it longest first, until nobody waits."""
        await settle()
        while left := [name for name in self.started if not self.ends[name].is_set()]:
            self.ends[left[0]].set()
            await settle()
        return self.started


async def settle() -> None:
    """Lets every task run until it waits."""
    for _ in range(10):
        await asyncio.sleep(0)


def pool(*models: Named | ScriptedModel) -> Slots:
    return Slots([Member(model) for model in models])


async def test_those_who_wait_get_the_slots_that_a_model_is_seen_to_have_once_it_is_loaded() -> None:
    all_there = asyncio.Event()
    asked = 0

    async def reply(_: Request) -> str:
        nonlocal asked
        asked += 1
        if asked == 4:
            all_there.set()
        if asked > 1:
            await all_there.wait()
        return "ok"

    async def agent() -> None:
        async with slots.lease(Want()) as lease:
            await lease.reply(QUESTION)

    server = ScriptedModel(reply, models=("a", "b"), slots=3)
    async with serving(server) as url, LitellmModel((await probe(url))[0]) as model, asyncio.timeout(60):
        slots = Slots([Member(model)])
        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(agent())

    assert server.peak == 3


async def test_agents_start_in_the_order_they_came() -> None:
    names = [f"a{n}" for n in range(20)]
    queue = Queue(pool(Named("m", slots=3)))
    async with asyncio.TaskGroup() as group:
        await queue.join(group, names, Want())
        assert await queue.drain() == names


async def test_a_higher_priority_goes_first_but_not_before_those_who_came_an_age_earlier() -> None:
    queue = Queue(pool(Named("m")))
    async with asyncio.TaskGroup() as group:
        await queue.join(group, ["first", "old"], Want())
        await queue.join(group, [f"n{n}" for n in range(AGE - 2)], Want())
        await queue.join(group, ["urgent", "late"], Want(priority=1))
        order = await queue.drain()
    assert order[:5] == ["first", "urgent", "old", "late", "n0"]


async def test_a_free_slot_that_holds_the_instructions_is_taken_first() -> None:
    queue = Queue(pool(Named("m", slots=2)))
    async with asyncio.TaskGroup() as group:
        await queue.join(group, ["a1"], Want(kind="a"))
        await queue.join(group, ["b1"], Want(kind="b"))
        await queue.drain()
        await queue.join(group, ["b2"], Want(kind="b"))
        await queue.join(group, ["c1"], Want(kind="c"))
        await queue.drain()
    assert [queue.where[name][1] for name in ("a1", "b1", "b2", "c1")] == [0, 1, 1, 0]


async def test_a_request_is_pinned_to_the_slot_of_its_lease() -> None:
    slots = pool(Named("m", slots=2))
    async with slots.lease(Want()) as first, slots.lease(Want()) as second:
        replies = [await lease.reply(QUESTION) for lease in (second, first, second)]
    assert [reply.text for reply in replies] == ["m on slot 1", "m on slot 0", "m on slot 1"]


async def test_a_parked_lease_lets_others_in_and_gets_its_slot_back_before_later_ones() -> None:
    slots = pool(Named("m"))
    queue = Queue(slots)
    async with asyncio.TaskGroup() as group:
        async with slots.lease(Want()) as lease:
            await queue.join(group, ["b", "c"], Want())
            async with lease.parked():
                await settle()
                assert queue.started == ["b"]
                queue.ends["b"].set()
            assert queue.started == ["b"]
            assert (await lease.reply(QUESTION)).text == "m on slot 0"
        await queue.drain()
    assert queue.started == ["b", "c"]


async def test_a_wait_shorter_than_the_threshold_keeps_the_slot() -> None:
    slots = pool(Named("m"))
    queue = Queue(slots)
    async with asyncio.TaskGroup() as group:
        async with slots.lease(Want()) as lease:
            await queue.join(group, ["b"], Want())
            async with lease.parked(after=60):
                await settle()
            assert queue.started == []
        await queue.drain()


async def test_who_is_cancelled_while_it_waits_or_while_it_is_parked_leaves_no_slot_behind() -> None:
    slots = pool(Named("m"))
    queue = Queue(slots)

    async def parked() -> None:
        async with slots.lease(Want()) as lease, lease.parked():
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        away = group.create_task(parked())
        await settle()
        await queue.join(group, ["a"], Want())
        gone = group.create_task(queue.agent("gone", Want()))
        await queue.join(group, ["b"], Want())
        gone.cancel()
        away.cancel()
        queue.ends["a"].set()
        await settle()
        assert queue.started == ["a", "b"]
        await queue.drain()


async def test_two_runs_share_a_server_though_one_came_with_many_agents_before_the_other() -> None:
    server = Named("m", url="http://127.0.0.1:1", slots=2)
    mine, yours = Queue(pool(server)), Queue(pool(Named("m", url="http://127.0.0.1:1", slots=2)))
    order: list[str] = []
    mine.started = yours.started = order
    async with asyncio.TaskGroup() as group:
        await mine.join(group, [f"a{n}" for n in range(10)], Want(run="a"))
        await yours.join(group, [f"b{n}" for n in range(4)], Want(run="b"))
        ends = {**mine.ends, **yours.ends}
        while left := [name for name in order if not ends[name].is_set()]:
            assert len(left) <= 2
            ends[left[0]].set()
            await settle()
    assert order[:10] == ["a0", "a1", "b0", "a2", "b1", "a3", "b2", "a4", "b3", "a5"]


async def test_an_agent_gets_a_model_of_its_tier_and_every_other_when_there_is_none() -> None:
    small, large = Named("s", slots=2), Named("l", slots=2)
    queue = Queue(Slots([Member(small, "small"), Member(large, "large")]))
    async with asyncio.TaskGroup() as group:
        await queue.join(group, ["s1", "s2", "s3"], Want(tier="small"))
        await queue.join(group, ["any"], Want())
        assert queue.where == {"s1": ("s", 0), "s2": ("s", 1), "any": ("l", 0)}
        await queue.drain()
    only = Queue(Slots([Member(small, "small")]))
    async with asyncio.TaskGroup() as group:
        await only.join(group, ["l1"], Want(tier="large"))
        assert only.where == {"l1": ("s", 0)}
        await only.drain()


async def test_servers_of_one_model_are_one_pool_and_the_emptier_is_taken() -> None:
    queue = Queue(pool(Named("m", url="http://a", slots=2), Named("m", url="http://b", slots=1)))
    async with asyncio.TaskGroup() as group:
        await queue.join(group, ["1", "2", "3", "4"], Want())
        assert len(queue.started) == 3
        queue.ends["2"].set()
        await settle()
        assert queue.where["4"] == queue.where["2"]
        await queue.drain()


async def test_another_family_is_taken_where_there_is_one() -> None:
    queue = Queue(pool(Named("q", family="qwen"), Named("l", family="llama")))
    async with asyncio.TaskGroup() as group:
        await queue.join(group, ["a", "b"], Want(unlike="qwen"))
        assert queue.where == {"a": ("l", 0)}
        await queue.drain()


def held(*models: str) -> list[Named]:
    """Models of a server that holds one of them, the first at the start."""
    return [
        Named(model, url="http://127.0.0.1:2", slots=2, resident=1, is_loaded=model == models[0])
        for model in models
    ]


async def test_work_for_the_loaded_model_goes_first_and_the_others_are_loaded_one_after_the_other() -> None:
    a, b, c = held("a", "b", "c")
    slots = Slots([Member(a, "any"), Member(b, "small"), Member(c, "large")])
    queue = Queue(slots)
    wants = {"b": Want(tier="small"), "c": Want(tier="large")}
    async with asyncio.TaskGroup() as group:
        for number in range(5):
            for name, want in wants.items():
                await queue.join(group, [f"{name}{number}"], want)
        await queue.drain()
    models = [queue.where[name][0] for name in queue.started]
    assert sum(before != after for before, after in zip(["a", *models], models, strict=False)) <= 4


async def test_a_model_that_is_not_loaded_gets_its_turn_after_many_others() -> None:
    a, b = held("a", "b")
    queue = Queue(Slots([Member(a, "small"), Member(b, "large")]))
    async with asyncio.TaskGroup() as group:
        await queue.join(group, ["a0"], Want(tier="small"))
        await queue.join(group, ["b0"], Want(tier="large"))
        await queue.join(group, [f"a{n}" for n in range(1, 3 * PATIENCE)], Want(tier="small"))
        order = await queue.drain()
    assert PATIENCE < order.index("b0") < PATIENCE + 6


async def test_an_agent_in_the_middle_of_its_work_is_not_robbed_of_its_model() -> None:
    a, b = held("a", "b")
    queue = Queue(Slots([Member(a, "small"), Member(b, "large")]))
    async with asyncio.TaskGroup() as group:
        await queue.join(group, ["a0"], Want(tier="small"))
        await queue.join(group, ["b0"], Want(tier="large"))
        assert queue.started == ["a0"]
        queue.ends["a0"].set()
        await settle()
        assert queue.started == ["a0", "b0"]
        await queue.drain()
