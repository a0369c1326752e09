"""What a scripted model promises to the tests that run on it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from swarm.errors import ContextOverflow, ModelError, ModelUnavailable, ProjectError
from swarm.nouns.messages import Message, Reply, Request
from swarm.testing.double.scripted import ScriptedModel

pytestmark = pytest.mark.anyio


def ask(text: str, **fields: Any) -> Request:
    return Request(messages=(Message(role="user", content=text),), **fields)


async def test_a_function_computes_the_answer_from_the_prompt() -> None:
    model = ScriptedModel(lambda request: request.messages[-1].content.upper())

    reply = await model.reply(ask("hello"))

    assert (reply.text, reply.finish, reply.model) == ("HELLO", "stop", "scripted")


async def test_a_list_is_answered_in_order_and_its_end_is_an_error_that_says_so() -> None:
    model = ScriptedModel(["one", Reply(text="two")])

    assert [(await model.reply(ask("?"))).text for _ in range(2)] == ["one", "two"]
    with pytest.raises(ModelError, match="the script holds 2 replies and all were given"):
        await model.reply(ask("a third question"))


async def test_a_file_defines_the_reply_and_how_long_it_takes(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "def reply(request):\n    return 'from the file'\ndef latency(request):\n    return 3600.0\n",
        encoding="utf-8",
    )
    model = ScriptedModel(script)

    with pytest.raises(ModelUnavailable, match=r"no reply within 0\.01 s"):
        await model.reply(ask("?", deadline_seconds=0.01))
    assert model.log[0].error == "deadline"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such script"),
        ("def answer(request): ...", r"defines no function reply\(request\)"),
        ("raise ValueError('broken')", "does not run: ValueError: broken"),
    ],
)
async def test_a_wrong_script_file_is_named(tmp_path: Path, content: str | None, message: str) -> None:
    script = tmp_path / "script.py"
    if content is not None:
        script.write_text(content, encoding="utf-8")

    with pytest.raises(ProjectError, match=f"script.py: .*{message}"):
        ScriptedModel(script)


async def test_requests_beyond_the_slots_wait_their_turn() -> None:
    working = 0
    all_slots_work, go_on = asyncio.Event(), asyncio.Event()

    async def reply(request: Request) -> str:
        nonlocal working
        working += 1
        if working == 2:
            all_slots_work.set()
        await go_on.wait()
        return request.messages[0].content

    model = ScriptedModel(reply, slots=2)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        tasks = [group.create_task(model.reply(ask(f"{number}"))) for number in range(5)]
        await all_slots_work.wait()
        assert model.busy_slots == {0, 1}
        go_on.set()

    assert [task.result().text for task in tasks] == ["0", "1", "2", "3", "4"]
    assert (model.peak, model.busy_slots) == (2, frozenset())


async def test_who_gives_up_waiting_does_not_take_a_slot_with_it() -> None:
    go_on = asyncio.Event()

    async def reply(request: Request) -> str:
        await go_on.wait()
        return "done"

    model = ScriptedModel(reply, slots=1)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        first = group.create_task(model.reply(ask("first")))
        await asyncio.sleep(0)
        with pytest.raises(ModelUnavailable):
            await model.reply(ask("second", deadline_seconds=0.01))
        third = group.create_task(model.reply(ask("third")))
        go_on.set()

    assert (first.result().text, third.result().text) == ("done", "done")


async def test_a_conversation_that_goes_on_finds_its_prompt_in_the_cache() -> None:
    model = ScriptedModel(["x" * 400, "y", "z"], slots=2)
    start = (Message(role="system", content="s" * 400), Message(role="user", content="u" * 400))
    first = await model.reply(Request(messages=start))
    other = await model.reply(ask("something else"))
    longer = (*start, Message(role="assistant", content=first.text), Message(role="user", content="v" * 40))

    again = await model.reply(Request(messages=longer))

    assert (first.usage.cached_tokens, other.usage.cached_tokens) == (0, 0)
    assert again.usage.cached_tokens > 300
    assert again.usage.prefilled_tokens < 20
    assert [served.slot for served in model.log] == [0, 1, 0]


async def test_a_prompt_larger_than_the_window_is_refused() -> None:
    with pytest.raises(ContextOverflow, match="has 25 tokens and the window of 'scripted' is 16"):
        await ScriptedModel(["never"], window=16).reply(ask("x" * 90))


async def test_a_reply_is_cut_at_the_tokens_it_may_have() -> None:
    reply = await ScriptedModel(["x" * 100]).reply(ask("?", max_tokens=16))

    assert (len(reply.text), reply.finish, reply.usage.written_tokens) == (64, "length", 16)
