"""Runs that are resumed after a card, a tool or a limit changed: what is recorded stays, the rest is asked anew."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from swarm import Answer, Limits, Plan, Run, Step, Swarm, tool
from swarm.nouns.events import Notice
from swarm.nouns.messages import Request
from swarm.store.shelf.reader import read_events, read_run, read_threads
from swarm.store.shelf.runs import run_path
from swarm.testing import ScriptedModel

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_servers")]

PLAN = Plan(steps=(Step(id="pay", agent="clerk", brief="Pay all."),))
TURNS = (
    '{"tool": "python.pay", "args": {"to": "Ana", "cents": 5}}',
    '{"tool": "python.pay", "args": {"to": "Ben", "cents": 7}}',
    '{"tool": "python.pay", "args": {"to": "Cid", "cents": 9}}',
    '{"result": "paid"}',
)
Make = Callable[["Till"], Callable[..., object]]


class Till:
    """What was paid, and a model that pays one after the other and stands still before the third."""

    def __init__(self) -> None:
        self.paid: list[str] = []
        self.asked: list[Request] = []
        self.stands = asyncio.Event()

    def model(self, *, waits: bool) -> ScriptedModel:
        async def reply(request: Request) -> str:
            if "It has been worked on" in request.messages[0].content:
                return '{"result": "All is paid."}'
            turn = sum(message.role == "assistant" for message in request.messages)
            if waits and turn == 2:
                self.stands.set()
                await asyncio.Event().wait()
            self.asked.append(request)
            return TURNS[turn]

        return ScriptedModel(reply)


def plain(till: Till) -> Callable[..., object]:
    @tool(effect="irreversible")
    def pay(to: str, cents: int) -> str:
        """Pay somebody."""
        till.paid.append(to)
        return f"paid {cents} to {to}"

    return pay


def described(till: Till) -> Callable[..., object]:
    @tool(effect="irreversible")
    def pay(to: str, cents: int) -> str:
        """Pay somebody. It is now 01:23:45."""
        till.paid.append(to)
        return f"paid {cents} to {to}"

    return pay


def with_one_more_argument(till: Till) -> Callable[..., object]:
    @tool(effect="irreversible")
    def pay(to: str, cents: int, note: str = "") -> str:
        """Pay somebody."""
        till.paid.append(to)
        return f"paid {cents} to {to}{note}"

    return pay


def with_another_type(till: Till) -> Callable[..., object]:
    @tool(effect="irreversible")
    def pay(to: str, cents: str | int) -> str:
        """Pay somebody."""
        till.paid.append(to)
        return f"paid {cents} to {to}"

    return pay


def write_card(folder: Path, text: str = "Pay them.", tools: str = "python", more: str = "") -> None:
    (folder / "agents").mkdir(exist_ok=True)
    card = f"---\ndescription: Pays.\ntools: [{tools}]\n{more}---\n{text}\n"
    (folder / "agents" / "clerk.md").write_text(card, encoding="utf-8")


async def cut_off(folder: Path, till: Till) -> str:
    """A run that is stopped after two payments; gives its id."""
    write_card(folder)
    opening = Swarm.open(folder, model=till.model(waits=True), tools=[plain(till)])
    async with asyncio.timeout(60), opening as swarm:
        run: Run[str] = await swarm.start("Pay.", plan=PLAN)
        await till.stands.wait()
        await run.stop()
    assert till.paid == ["Ana", "Ben"]
    return run.id


async def gone_on(
    folder: Path, till: Till, id: str, pay: Callable[..., object], limits: Limits | None = None
) -> Answer[str]:
    till.asked.clear()
    opening = Swarm.open(folder, model=till.model(waits=False), tools=[pay])
    async with asyncio.timeout(60), opening as swarm:
        run: Run[str] = await swarm.resume(id, limits=limits)
        return await run.answer()


def notices(folder: Path, id: str) -> list[str]:
    events = read_events(run_path(folder, id))
    return [event.text for event in events if isinstance(event, Notice) and "prompt" in event.text]


CHANGES: dict[str, tuple[Make, dict[str, str], Limits | None]] = {
    "a tool's description": (described, {}, None),
    "an argument more": (with_one_more_argument, {}, None),
    "another type of an argument": (with_another_type, {}, None),
    "a line of the card": (plain, {"text": "Pay them. Be quick."}, None),
    "a tool more": (plain, {"tools": "python, calculate"}, None),
    "a limit of the card": (plain, {"more": "limits: {reply_tokens: 2048}\n"}, None),
    "a limit of the run": (plain, {}, Limits(reply_tokens=2_048)),
    "a smaller limit of the run": (plain, {}, Limits(reply_tokens=512)),
    "all of it": (with_one_more_argument, {"text": "Pay.", "tools": "calculate, python"}, Limits(reply_tokens=99)),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
async def test_a_run_goes_on_after_its_prompts_changed_and_repeats_nothing(tmp_path: Path, name: str) -> None:
    make, card, limits = CHANGES[name]
    till = Till()
    id = await cut_off(tmp_path, till)
    write_card(tmp_path, **card)
    answer = await gone_on(tmp_path, till, id, make(till), limits)
    assert answer.status == "done", answer.text
    assert till.paid == ["Ana", "Ben", "Cid"]
    turns = [sum(message.role == "assistant" for message in request.messages) for request in till.asked]
    assert turns == [2, 3]
    assert notices(tmp_path, id) == [
        "the prompt of pay changed (its card, a tool, a limit or this version changed): what is recorded stays, "
        "and from turn 3 on the new one is used"
    ]
    again = await gone_on(tmp_path, till, id, make(till))
    assert (again.status, till.asked) == ("done", [])


async def test_without_a_change_nothing_is_told(tmp_path: Path) -> None:
    till = Till()
    id = await cut_off(tmp_path, till)
    await gone_on(tmp_path, till, id, plain(till))
    assert notices(tmp_path, id) == []


async def test_a_call_of_a_tool_that_the_card_has_no_more_stays_what_it_was(tmp_path: Path) -> None:
    till = Till()
    id = await cut_off(tmp_path, till)
    write_card(tmp_path, tools="calculate")
    await gone_on(tmp_path, till, id, plain(till), Limits(attempts=1, replans=0))
    assert till.paid[:2] == ["Ana", "Ben"]
    (thread,) = [one for one in read_threads(run_path(tmp_path, id)) if one.thread.step == "pay"]
    assert [call.state for call in thread.calls][:2] == ["done", "done"]
    assert "paid 5 to Ana" in till.asked[0].messages[3].content


async def test_a_limit_that_was_given_to_a_resume_is_kept_by_the_next(tmp_path: Path) -> None:
    till = Till()
    id = await cut_off(tmp_path, till)
    await gone_on(tmp_path, till, id, plain(till), Limits(reply_tokens=2_048))
    assert read_run(run_path(tmp_path, id)).limits.reply_tokens == 2_048
    assert (await gone_on(tmp_path, till, id, plain(till))).status == "done"


async def test_a_prompt_of_the_planner_that_changed_asks_for_no_plan_twice(tmp_path: Path) -> None:
    write_card(tmp_path)
    draft = json.dumps({
        "steps": [
            {"id": "pay", "agent": "clerk", "needs": [], "each": "", "brief": "Pay all of them.", "columns": [], "writes": ""}
        ]
    })  # fmt: skip
    plans: list[str] = []
    stands = asyncio.Event()

    def model(waits: bool) -> ScriptedModel:
        async def reply(request: Request) -> str:
            if "You plan work" in request.messages[0].content:
                plans.append("asked")
                return draft
            if waits:
                stands.set()
                await asyncio.Event().wait()
            return '{"result": "paid"}'

        return ScriptedModel(reply)

    till = Till()
    opening = Swarm.open(tmp_path, model=model(True), tools=[plain(till)])
    async with asyncio.timeout(60), opening as swarm:
        run: Run[str] = await swarm.start("Pay Ana, Ben and Cid what is due.")
        await stands.wait()
        await run.stop()
    asked = len(plans)
    (tmp_path / "agents" / "helper.md").write_text("---\ndescription: Helps.\n---\nHelp.\n", encoding="utf-8")
    async with asyncio.timeout(60), Swarm.open(tmp_path, model=model(False), tools=[plain(till)]) as swarm:
        again: Run[str] = await swarm.resume(run.id)
        answer = await again.answer()
    assert answer.status == "done", answer.text
    assert len(plans) == asked
