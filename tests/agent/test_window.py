"""Conversations in small windows: what is counted, what is dropped, what stays, and a resume of it all."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.context import FIRST_INSTRUCTION, STEP, TASK, Followed, Follower, follow, new_project
from benchmarks.turns import call_turn, result_turn, unmarked
from swarm import Limits, Plan, Run, Swarm
from swarm.agent.compaction import KEPT, notes_in, size, tail_of, with_handles, with_notes
from swarm.errors import ContextOverflow, ModelError
from swarm.nouns.messages import Message, Request
from swarm.store.shelf.reader import read_threads
from swarm.testing import ScriptedModel
from tests.conftest import Quick

pytestmark = pytest.mark.anyio


def talk(turns: int, length: int) -> list[Message]:
    """A conversation of that many turns with results of that many characters."""
    messages = [Message(role="system", content="Be exact."), Message(role="user", content="Your step: read.")]
    for turn in range(turns):
        call = json.dumps({"tool": "files.read", "args": {"path": f"{turn}.txt"}})
        result = f"files.read gave:\nfile {turn} " + "word " * (length // 5)
        messages += [Message(role="assistant", content=call), Message(role="user", content=result)]
    return messages


async def keep(text: str, most: int) -> str:
    return f"{text[:most]} kept as t-{len(text)}"


async def test_old_results_become_handles_in_one_go_and_the_newest_stay_whole() -> None:
    messages = talk(8, 2_000)
    goal = 0.6 * size(messages)
    shorter = await with_handles(messages, goal, keep, newest=False)
    newest = tail_of(messages, goal)
    assert shorter[newest:] == messages[newest:]
    assert newest < len(messages) - 2
    assert all(len(message.content) <= KEPT + 20 for message in shorter[3:newest:2])
    assert shorter[:3] == messages[:3]


def test_notes_take_the_place_of_the_oldest_turns_behind_the_step() -> None:
    messages = talk(8, 2_000)
    shorter = with_notes(messages, 14, messages[1].content, "0 and 1 are empty")
    assert [message.role for message in shorter[:3]] == ["system", "user", "assistant"]
    assert shorter[0] == messages[0]
    assert shorter[1].content.startswith("Your step: read.\n")
    assert "0 and 1 are empty" in shorter[1].content
    assert "- files.read 0.txt: file 0 word" in shorter[1].content
    assert shorter[2:] == messages[14:]


@pytest.mark.parametrize(
    ("reply", "notes"),
    [
        ('{"notes": "a\\nb"}', "a\nb"),
        ('{"notes": "cut in the mid', "cut in the mid"),
        ('{"notes": "cut at a sign \\', "cut at a sign"),
        ('{"tool": "files.read", "args": {}}', ""),
        ("I did well.", ""),
    ],
)
def test_notes_are_read_also_when_they_were_cut_off(reply: str, notes: str) -> None:
    assert notes_in(reply) == notes


async def test_sixty_turns_in_a_small_window_end_right_on_prompts_that_are_append_only_between_compactions(
    tmp_path: Path,
) -> None:
    followed = await follow(tmp_path, 4_096)
    broken = [
        after
        for before, after in pairwise(followed.turns)
        if after.messages[: len(before.messages)] != before.messages
    ]
    assert followed.faults() == []
    assert 0 < followed.notes <= followed.breaks == len(broken) < 15
    # After a compaction there is room for several turns.
    assert max(size(one.messages) for one in broken) < 0.75 * 4_096


async def test_without_need_every_prompt_of_a_run_is_the_one_before_and_more_and_all_begin_alike(
    tmp_path: Path, quick: Quick
) -> None:
    new_project(tmp_path, 4_096, files=6)
    follower = Follower()
    others = STEP.model_copy(update={"id": "others", "brief": f"{STEP.brief} Do it again."})
    async with Swarm.open(quick(tmp_path), model=ScriptedModel(follower.reply)) as swarm:
        begun: Run[str] = await swarm.start(TASK, plan=Plan(steps=(STEP, others)))
        assert (await begun.answer()).status == "done"

    turns = [one.messages for one in follower.asked if len(one.messages) > 1]
    agents = [
        [one for one in turns if one[1].content == first] for first in {one[1].content for one in turns}
    ]
    assert [len(agent) for agent in agents] == [7, 7]
    for agent in agents:
        assert all(after[: len(before)] == before for before, after in pairwise(agent))
    assert len({one[0].content for one in turns}) == 1


async def test_where_the_model_gives_no_notes_the_oldest_turns_are_dropped_and_named(
    tmp_path: Path, quick: Quick
) -> None:
    new_project(tmp_path, 4_096)
    follower = Follower()

    def reply(request: Request) -> str:
        if request.messages[-1].content.endswith('{"notes": "..."}'):
            raise ModelError("it will not")
        said = follower.reply(request)
        return result_turn("enough") if "Calls made there" in request.messages[1].content else said

    async with Swarm.open(quick(tmp_path), model=ScriptedModel(reply, window=4_096)) as swarm:
        begun: Run[str] = await swarm.start(TASK, plan=Plan(steps=(STEP,)))
        await begun.answer()

    turns = [one for one in follower.asked if len(one.messages) > 1]
    shortened = next(one for one in turns if "Calls made there" in one.messages[1].content)
    instructions, step = shortened.messages[:2]
    assert FIRST_INSTRUCTION in instructions.content
    assert unmarked(step.content).startswith(f"Your step: {STEP.brief}\n")
    assert "files.read chain/alpha.txt" in step.content


@pytest.mark.parametrize("later", [4_096, 8_192, 3_584])
async def test_a_resumed_run_makes_the_same_prompts_again_and_asks_for_no_notes_twice(
    tmp_path: Path, quick: Quick, later: int
) -> None:
    total = new_project(tmp_path, 4_096)
    follower, stop = Follower(), asyncio.Event()

    async def until_stopped(request: Request) -> str:
        if len(follower.asked) == 40:
            stop.set()
            await asyncio.Event().wait()
        return follower.reply(request)

    async with Swarm.open(quick(tmp_path), model=ScriptedModel(until_stopped, window=4_096)) as swarm:
        begun: Run[str] = await swarm.start(TASK, plan=Plan(steps=(STEP,)))
        await stop.wait()
        await begun.stop("the test says so")
    assert any(turn.turn < 0 for thread in read_threads(_file(tmp_path)) for turn in thread.turns)

    again = Follower()
    async with Swarm.open(quick(tmp_path), model=ScriptedModel(again.reply, window=later)) as swarm:
        resumed: Run[str] = await swarm.resume()
        answer = await resumed.answer()

    assert f"The sum is {total}." in answer.text
    together = Followed(answer.text, follower.asked + again.asked, f"The sum is {total}.", max(4_096, later))
    assert together.faults() == []
    assert again.asked[0].messages[0] == follower.asked[0].messages[0]
    digests = [one.digest() for one in together.asked]
    assert len(digests) == len(set(digests))


async def test_a_run_whose_large_results_were_cut_is_resumed_in_a_larger_window(
    tmp_path: Path, quick: Quick
) -> None:
    new_project(tmp_path, 4_096, files=1)
    names = ("alpha", "beta")
    for name in names:
        (tmp_path / "data" / "chain" / f"{name}.txt").write_text(f"{name}\n" + "word " * 1_000, "utf-8")
    waits, resumed = asyncio.Event(), list[Request]()

    async def until_two_are_read(request: Request) -> str:
        read = len(request.messages) // 2 - 1
        if read == len(names):
            waits.set()
            await asyncio.Event().wait()
        return call_turn("files.read", path=f"chain/{names[read]}.txt")

    def ending(request: Request) -> str:
        resumed.append(request)
        return result_turn("It is done.")

    plan = Plan(steps=(STEP,))
    async with Swarm.open(quick(tmp_path), model=ScriptedModel(until_two_are_read, window=4_096)) as swarm:
        begun: Run[str] = await swarm.start(TASK, plan=plan)
        await waits.wait()
        await begun.stop("the test says so")
    async with Swarm.open(quick(tmp_path), model=ScriptedModel(ending, window=8_192)) as swarm:
        again: Run[str] = await swarm.resume()
        answer = await again.answer()

    assert answer.status == "done"
    assert all("kept as t-" in message.content for message in resumed[0].messages[3::2])


def _file(project: Path) -> Path:
    return next((project / ".swarm" / "runs").glob("*.db"))


async def test_a_server_that_refuses_a_prompt_gets_a_shorter_one(tmp_path: Path, quick: Quick) -> None:
    """The window was said to be twice what it is."""
    total, follower, refused = new_project(tmp_path, 4_096), Follower(), [0]

    def reply(request: Request) -> str:
        if size(request.messages) > 2_500:
            refused[0] += 1
            raise ContextOverflow("too long")
        return follower.reply(request)

    async with Swarm.open(quick(tmp_path), model=ScriptedModel(reply, window=4_096)) as swarm:
        begun: Run[str] = await swarm.start(TASK, plan=Plan(steps=(STEP,)))
        answer = await begun.answer()
    assert f"The sum is {total}." in answer.text
    assert refused[0] > 0


async def test_what_can_never_fit_is_an_overflow_that_says_what_to_do(tmp_path: Path, quick: Quick) -> None:
    new_project(tmp_path, 4_096)
    long = STEP.model_copy(update={"brief": STEP.brief + " Mind this:" + " so" * 20_000})
    model = ScriptedModel(lambda _: "never", window=4_096)
    async with Swarm.open(quick(tmp_path), model=model, limits=Limits(attempts=1, replans=0)) as swarm:
        begun: Run[str] = await swarm.start(TASK, plan=Plan(steps=(long,)))
        answer = await begun.answer()
    assert "do not fit the model's window of 4096; use a model server with a larger window" in " ".join(
        answer.missing
    )
    assert not [one for one in model.log if one.error == ""]
