"""Speeds, queues and loads of the scripted model, on a clock that skips whatever is waited for."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import TypeVar

import pytest

from swarm.errors import ModelUnavailable
from swarm.nouns.messages import Message, Reply, Request
from swarm.testing.double.scripted import ScriptedModel
from swarm.testing.double.served import ModelBusy, ModelUnknown, Terms

_Result = TypeVar("_Result")


class SkippingSelector(selectors.DefaultSelector):
    """Waits for nothing and counts what it would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += max(0.0, timeout or 0.0)
        return super().select(0)


class SkippingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._skipping = SkippingSelector()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.now


def skipping(main: Callable[[], Coroutine[None, None, _Result]]) -> _Result:
    """The result of the coroutine, whose waiting takes no time."""
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        return runner.run(main())


async def seconds_of(work: Awaitable[object]) -> float:
    began = asyncio.get_running_loop().time()
    await work
    return asyncio.get_running_loop().time() - began


def ask(prompt_tokens: int, text: str = "x") -> Request:
    # The template adds 3 tokens.
    return Request(
        messages=(Message(role="user", content=(text * prompt_tokens * 4)[: prompt_tokens * 4 - 10]),)
    )


async def at_once(model: ScriptedModel, requests: list[Request]) -> list[float]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(seconds_of(model.reply(request))) for request in requests]
    return [round(task.result(), 2) for task in tasks]


def test_a_reply_takes_the_time_to_compute_its_prompt_and_to_write_it() -> None:
    model = ScriptedModel(lambda _: "y" * 160, prefill=50, decode=20)

    async def main() -> None:
        async with model.turn(ask(100)) as turn:
            times = [asyncio.get_running_loop().time() async for _ in turn.pieces]
        assert (round(times[0], 2), round(times[-1], 2)) == (2.05, 4.0)
        assert (turn.reply.usage.prefilled_tokens, turn.reply.usage.written_tokens) == (100, 40)
        assert round(turn.reply.usage.prefill_seconds, 2) == 2.0
        assert round(turn.reply.usage.model_seconds, 2) == 4.0

    skipping(main)


def test_what_is_cached_is_not_computed_again() -> None:
    model = ScriptedModel(lambda _: "y" * 40, prefill=50)

    async def main() -> list[float]:
        return [round(await seconds_of(model.reply(ask(100))), 2) for _ in range(2)]

    # The last token is computed always, to go on from.
    assert skipping(main) == [2.0, 0.02]
    assert model.log[1].usage.cached_tokens == 99


def test_slots_that_share_a_computer_slow_each_other_down() -> None:
    def model() -> ScriptedModel:
        return ScriptedModel(lambda _: "y" * 240, slots=4, decode=(20, 30, 24))

    async def main() -> list[list[float]]:
        return [await at_once(model(), [ask(10, text) for text in "abc"[:number]]) for number in (1, 2, 3)]

    # 60 tokens each: together 20, 30 and 24 a second. Three at once are slower than one by one.
    one, two, three = skipping(main)
    assert one == pytest.approx([3], abs=0.1)
    assert two == pytest.approx([4, 4], abs=0.1)
    assert three == pytest.approx([7.5, 7.5, 7.5], abs=0.1)


def test_prompts_share_the_computer_too() -> None:
    model = ScriptedModel(lambda _: "", slots=4, prefill=100, decode=(20, 30))

    assert skipping(lambda: at_once(model, [ask(100, text) for text in "ab"])) == pytest.approx(
        [2, 2], abs=0.1
    )


def test_more_than_the_queue_holds_are_refused() -> None:
    model = ScriptedModel(lambda _: "y", slots=2, queue=3, latency_seconds=1)

    async def try_it(text: str) -> bool:
        try:
            await model.reply(ask(10, text))
        except ModelBusy:
            return False
        return True

    async def main() -> list[bool]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(try_it(text)) for text in "abcdefg"]
        return [task.result() for task in tasks]

    assert skipping(main) == [True] * 5 + [False] * 2
    assert (model.peak, model.longest_queue, model.waiting) == (2, 3, 0)
    assert model.log[4].usage.queued_seconds == pytest.approx(2)


def several(resident: int = 1, slots: int = 2) -> ScriptedModel:
    return ScriptedModel(
        lambda _: "y",
        models=("a", "b", "c"),
        slots=slots,
        resident=resident,
        load_seconds=5,
        latency_seconds=1,
    )


async def of(model: ScriptedModel, name: str) -> Reply:
    async with model.turn(ask(10), Terms(model=name)) as turn:
        async for _ in turn.pieces:
            pass
    return turn.reply


def test_loading_takes_time_and_a_swap_waits_for_the_requests_of_the_other_model() -> None:
    model = several()

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for name in "abaa":
                group.create_task(of(model, name))

    skipping(main)

    def at(finished: float | None) -> float:
        return round(finished or 0, 1)

    # The third and fourth go before the second: their model is there.
    assert [(served.model, at(served.finished)) for served in model.log] == [
        ("a", 6),
        ("b", 13),
        ("a", 6),
        ("a", 7),
    ]
    assert (model.residence.loads, model.residence.swaps) == (2, 1)
    assert model.log[1].usage.load_seconds == pytest.approx(12)
    assert [one.name for one in model.residence.loaded] == ["b"]


def test_the_model_unused_longest_has_to_go() -> None:
    model = several(resident=2)

    async def main() -> None:
        for name in "abac":
            await of(model, name)

    skipping(main)
    assert [one.name for one in model.residence.loaded] == ["a", "c"]
    assert (model.residence.loads, model.residence.swaps) == (3, 1)


def test_another_window_needs_another_load_which_goes_on_when_its_client_leaves() -> None:
    model = ScriptedModel(lambda _: "y", load_seconds=5)

    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3), model.turn(ask(10), Terms(window=4_096)):
                pass
        return await seconds_of(of_window(4_096))

    async def of_window(window: int) -> None:
        async with model.turn(ask(10), Terms(window=window)):
            pass

    assert skipping(main) == pytest.approx(2)
    assert (model.residence.loads, model.residence.loaded[0].window) == (1, 4_096)


def test_a_model_that_is_not_served_is_refused() -> None:
    with pytest.raises(ModelUnknown, match="model 'd' not found"):
        skipping(lambda: of(several(), "d"))


def test_who_leaves_in_the_middle_of_a_reply_frees_the_slot() -> None:
    model = ScriptedModel(lambda _: "y" * 400, slots=1, decode=20)

    async def main() -> float:
        with pytest.raises(ModelUnavailable):
            await model.reply(replace(ask(10), deadline_seconds=2.0))
        assert model.busy_slots == frozenset()
        return await seconds_of(model.reply(ask(10)))

    assert skipping(main) == pytest.approx(5)
    assert model.log[0].error == "deadline"
