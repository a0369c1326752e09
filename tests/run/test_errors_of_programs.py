"""What a program does wrong reaches it as the error that is documented, and never in a group."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from swarm import (
    Limits,
    Plan,
    PlanError,
    ProjectError,
    Run,
    RunInterrupted,
    Step,
    StoreError,
    Swarm,
    SwarmError,
    run_sync,
    tool,
)
from swarm.testing import ScriptedModel
from tests.conftest import write_cards

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_servers")]

SAY = Step(id="say", agent="writer", brief="Say it.")
SAID = '{"result": "said"}'
Use = Callable[[Swarm], Awaitable[object]]


async def begin(swarm: Swarm, task: str = "Say it.", plan: Plan | None = None) -> None:
    """A run that is started."""
    _: Run[str] = await swarm.start(task, plan=plan)


async def go_on(swarm: Swarm, run: str = "last") -> None:
    """A run that is resumed."""
    _: Run[str] = await swarm.resume(run)


def fine() -> str:
    """Works."""
    return "fine"


def again() -> str:
    """Works too."""
    return "fine"


again.__name__ = "fine"


def with_more(**more: str) -> str:
    """Takes anything."""
    return str(more)


def with_rest(*rest: str) -> str:
    """Takes any number."""
    return str(rest)


def with_place(text: str, /) -> str:
    """Takes a text by its place."""
    return text


def with_name(text: str) -> str:
    """Takes what is not there."""
    return text


with_name.__annotations__["text"] = "Nowhere"


def with_socket(one: Callable[[int], int]) -> str:
    """Takes a function."""
    return str(one)


def plan(*steps: Step) -> Plan:
    return Plan(steps=steps)


def step(**changes: object) -> Step:
    return SAY.model_copy(update=changes)


BAD_TOOLS: dict[str, tuple[object, ...]] = {
    "keyword arguments": (with_more,),
    "positional rest": (with_rest,),
    "positional only": (with_place,),
    "a name that is not there": (with_name,),
    "a type JSON lacks": (with_socket,),
    "a lambda": (lambda: "x",),
    "a partial": (partial(fine),),
    "a text": ("abc",),
    "a number": (7,),
    "nothing": (None,),
    "two of one name": (fine, again),
    "the same twice": (fine, fine),
    "a bad one beside a good one": (fine, with_more),
}

BAD_PLANS: dict[str, Plan] = {
    "unknown agent": plan(step(agent="writter")),
    "the planner as agent": plan(step(agent="planner")),
    "unknown need": plan(step(needs=("nothing",))),
    "itself": plan(step(needs=("say",))),
    "a circle": plan(step(needs=("b",)), step(id="b", needs=("say",))),
    "twice the same id": plan(SAY, SAY),
    "a file outside": plan(step(writes="/etc/x.txt")),
    "a file above": plan(step(writes="../x.txt")),
    "a folder": plan(step(writes="out/")),
    "a picture": plan(step(writes="x.png")),
    "a document": plan(step(writes="report.PDF")),
    "a workbook": plan(step(writes="totals.xlsx")),
    "no schema": plan(step(expects={"type": "nonsense"})),
    "an item without each": plan(step(brief="Say {item}.")),
    "an each without item": plan(step(each="notes/*.md")),
    "each of a text": plan(SAY, step(id="b", each="say", brief="Say {item}.")),
    "two write one file": plan(step(writes="a.md"), step(id="b", writes="a.md")),
}


BAD_ARGUMENTS: dict[str, tuple[dict[str, object], str]] = {
    "a project that is a number": ({"project": 7}, "project=7: pass a folder, as str or Path"),
    "a model that is a number": (
        {"model": 7},
        "model=7: pass a name as for --model, or an object with 'endpoint' and 'reply'",
    ),
    "a class for a model": (
        {"model": ScriptedModel},
        "model=<class 'swarm.testing.double.scripted.ScriptedModel'>: pass a name as for --model, or an object with "
        "'endpoint' and 'reply'",
    ),
    "a workspace that is a number": ({"workspace": 7}, "workspace=7: pass a folder, as str or Path"),
    "no tools": ({"tools": None}, "tools=None: pass a list of functions, such as [my_function]"),
    "a text for tools": ({"tools": "abc"}, "tools='abc': pass a list of functions, such as [my_function]"),
    "a dict for limits": (
        {"limits": {"seconds": 5}},
        "limits={'seconds': 5}: pass swarm.Limits, such as Limits(seconds=600)",
    ),
}


class Odd:
    """What no schema can be made of."""


@dataclasses.dataclass
class HasOdd:
    """A field that no schema can be made of."""

    odd: Odd


async def mine(swarm: Swarm) -> None:
    raise KeyError("mine")


async def group(swarm: Swarm) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(mine(swarm))


async def never_started(swarm: Swarm) -> None:
    started: Run[str] = await swarm.start("Say it.", plan=plan(SAY))
    await started.answer()
    await started.decide(1, "done")


async def damaged(swarm: Swarm) -> None:
    started: Run[str] = await swarm.start("Say it.", plan=plan(SAY))
    await started.answer()
    file = swarm.project.runs_folder / f"{started.id}.db"
    file.write_bytes(b"no database")
    await swarm.resume(started.id)


USES: dict[str, tuple[type[BaseException], Use]] = {
    "an empty task": (ProjectError, lambda swarm: begin(swarm, "  ")),
    "a task that is a number": (ProjectError, lambda swarm: begin(swarm, 7)),  # type: ignore[arg-type]  # a slip
    "steps for a plan": (ProjectError, lambda swarm: begin(swarm, plan=[SAY])),  # type: ignore[arg-type]  # a slip
    "a word for a function": (ProjectError, lambda swarm: swarm.start("Say it.", approve="yes")),  # type: ignore[arg-type]  # a slip
    "a run by a number": (ProjectError, lambda swarm: go_on(swarm, 3)),  # type: ignore[arg-type]  # a slip
    "a dict for the limits of a resume": (
        ProjectError,
        lambda swarm: swarm.resume(limits={"turns": 3}),  # type: ignore[arg-type]  # a slip
    ),
    "an event by a number": (ProjectError, lambda swarm: swarm.fork("last", 3)),  # type: ignore[arg-type]  # a slip
    "a run that is not there": (ProjectError, lambda swarm: go_on(swarm, "nothing")),
    "no run yet": (ProjectError, lambda swarm: go_on(swarm)),
    "a fork of nothing": (ProjectError, lambda swarm: swarm.fork("nothing", "say:1")),
    "a type that no schema can be made of": (
        ProjectError,
        lambda swarm: swarm.start("Say it.", plan=plan(SAY), answer_type=Odd),
    ),
    "a type with a field that no schema can be made of": (
        ProjectError,
        lambda swarm: swarm.start("Say it.", plan=plan(SAY), answer_type=HasOdd),
    ),
    "a value for a type": (
        ProjectError,
        lambda swarm: swarm.start("Say it.", plan=plan(SAY), answer_type=7),  # type: ignore[arg-type]  # a slip
    ),
    "deciding in a run that is over": (RunInterrupted, never_started),
    "a file that is damaged": (StoreError, damaged),
    "an error of the program": (KeyError, mine),
}


def opening(folder: Path, **more: object) -> object:
    return Swarm.open(folder, model=ScriptedModel(lambda _: SAID), **more)  # type: ignore[arg-type]  # wrong on purpose


async def used(folder: Path, use: Use) -> None:
    async with asyncio.timeout(60), Swarm.open(folder, model=ScriptedModel(lambda _: SAID)) as swarm:
        await use(swarm)


@pytest.mark.parametrize("name", BAD_TOOLS)
async def test_a_function_that_can_be_no_tool_is_refused_when_the_swarm_is_opened(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(ProjectError):
        async with Swarm.open(
            tmp_path,
            model=ScriptedModel(lambda _: SAID),
            tools=BAD_TOOLS[name],  # type: ignore[arg-type]  # wrong on purpose
        ):
            pytest.fail("it was opened")


@pytest.mark.parametrize("name", BAD_ARGUMENTS)
async def test_an_argument_of_another_kind_is_refused_when_the_swarm_is_opened(
    tmp_path: Path, name: str
) -> None:
    given, said = BAD_ARGUMENTS[name]
    more = {"project": tmp_path, "model": ScriptedModel(lambda _: SAID)} | given
    with pytest.raises(ProjectError) as caught:
        async with Swarm.open(**more):  # type: ignore[arg-type]  # wrong on purpose
            pytest.fail("it was opened")
    assert str(caught.value) == said


async def test_a_workspace_may_be_a_text_and_is_not_passed_over_beside_an_opened_project(
    tmp_path: Path,
) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    async with Swarm.open(tmp_path, model=ScriptedModel(lambda _: SAID), workspace=str(inside)) as swarm:
        assert swarm.project.workspace == inside.resolve()
    with pytest.raises(ProjectError, match="an opened project has its own; give it to open_project"):
        async with Swarm.open(swarm.project, model=ScriptedModel(lambda _: SAID), workspace=tmp_path):
            pytest.fail("it was opened")


@pytest.mark.parametrize("name", BAD_PLANS)
async def test_a_plan_that_can_not_run_is_a_plan_error_outside_the_block(tmp_path: Path, name: str) -> None:
    write_cards(tmp_path, writer="")
    with pytest.raises(PlanError, match=r"the plan cannot run: .+"):
        await used(tmp_path, lambda swarm: begin(swarm, plan=BAD_PLANS[name]))


@pytest.mark.parametrize("name", USES)
async def test_an_error_leaves_the_block_as_what_it_is(tmp_path: Path, name: str) -> None:
    expected, use = USES[name]
    with pytest.raises(expected) as caught:
        await used(tmp_path, use)
    assert type(caught.value) is not ExceptionGroup
    assert caught.value.__context__ is None or not isinstance(caught.value.__context__, BaseExceptionGroup)


async def test_a_group_of_the_programs_own_stays_one(tmp_path: Path) -> None:
    with pytest.raises(ExceptionGroup) as caught:
        await used(tmp_path, group)
    assert [type(error) for error in caught.value.exceptions] == [KeyError]


async def test_runs_that_work_are_stopped_when_the_block_fails(tmp_path: Path) -> None:
    stands: list[Run[str]] = []
    at_work, never = asyncio.Event(), asyncio.Event()

    async def waits(_: object) -> str:
        at_work.set()
        await never.wait()
        return SAID

    async def fails(swarm: Swarm) -> None:
        stands.append(await swarm.start("Say it.", plan=plan(SAY)))
        await at_work.wait()
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        async with asyncio.timeout(60), Swarm.open(tmp_path, model=ScriptedModel(waits)) as swarm:
            await fails(swarm)
    answer = await stands[0].answer()
    assert (answer.status, answer.text) == ("stopped", "the program ended")


@pytest.mark.parametrize(
    ("expected", "more"),
    [
        (PlanError, {"plan": BAD_PLANS["unknown agent"]}),
        (PlanError, {"plan": BAD_PLANS["a circle"]}),
        (ProjectError, {"tools": [with_more]}),
        (ProjectError, {"model": "nothing-like-it@http://127.0.0.1:9"}),
        (ProjectError, {"answer_type": Odd, "plan": plan(SAY)}),
        (ProjectError, {"task": ""}),
        (ProjectError, {"project": "/no/such/folder"}),
    ],
)
def test_run_sync_raises_the_error_itself(
    tmp_path: Path, expected: type[SwarmError], more: dict[str, object]
) -> None:
    given = {"task": "Say it.", "project": tmp_path, "model": ScriptedModel(lambda _: SAID), **more}
    with pytest.raises(expected):
        run_sync(**given)  # type: ignore[arg-type]  # wrong on purpose


async def test_run_sync_in_a_loop_says_what_to_write_instead() -> None:
    with pytest.raises(ProjectError, match=r"async with Swarm\.open"):
        run_sync("Say it.")


async def test_a_limit_that_is_none_is_refused_where_it_is_written() -> None:
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        Limits(tokens=0)


async def test_a_misspelt_agent_is_told_which_was_meant(tmp_path: Path) -> None:
    write_cards(tmp_path, writer="")
    with pytest.raises(PlanError, match="did you mean 'writer'"):
        await used(tmp_path, lambda swarm: begin(swarm, plan=BAD_PLANS["unknown agent"]))


def test_a_tool_may_be_marked() -> None:
    assert tool(effect="pure")(fine) is fine
