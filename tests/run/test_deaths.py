"""Workers that die, hang or leave a run standing: each costs itself, and every step is accounted for."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import JsonValue

from benchmarks.runs import NO_SERVERS
from swarm.clock.pulse import PULSE, within
from swarm.engine.watch import Watch
from swarm.errors import LimitExceeded, ModelUnavailable, WorkerDied
from swarm.models.model import Endpoint, Model
from swarm.nouns.events import AgentDied, Event, LimitReached, LoopBlocked, Notice, ServerChanged
from swarm.nouns.limits import Limits
from swarm.nouns.messages import Reply, Request
from swarm.nouns.plan import Plan, Step, Thread
from swarm.run.answer import Answer
from swarm.run.run import Run
from swarm.run.swarm import Swarm
from swarm.store.shelf.account import read_stand, unaccounted
from swarm.store.shelf.reader import read_events
from swarm.store.shelf.runs import run_path
from swarm.testing import ScriptedModel
from swarm.work.budget import Budget

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_servers")]

SERVERS = Path(__file__).parents[1] / "hub" / "servers"
LOOK = Step(id="look", agent="generalist", brief="Look which files there are.")
HELLO = Step(id="hello", agent="writer", brief="Say hello.")
NOTES = Step(id="notes", agent="writer", each="notes/*.md", brief="Say {item}.")
ONCE = Limits(attempts=1, replans=0)


def said(request: Request) -> str:
    """The whole prompt."""
    return "\n".join(message.content for message in request.messages)


def result(data: JsonValue) -> str:
    return json.dumps({"result": data})


COUNT = json.dumps({"tool": "calculate.calculate", "args": {"expression": "15 + 15"}})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "notes").mkdir()
    for number in range(30):
        (tmp_path / "notes" / f"{number:02}.md").write_text(f"note {number}\n", encoding="utf-8")
    return tmp_path


async def run(
    project: Path,
    model: Model,
    plan: Plan | None,
    limits: Limits | None = None,
    tools: tuple[Callable[..., object], ...] = (),
) -> tuple[Answer[str], list[Event]]:
    async with (
        asyncio.timeout(60),
        Swarm.open(project, model=model, limits=limits, tools=tools) as swarm,
    ):
        started: Run[str] = await swarm.start("Look around.", plan=plan)
        answer = await started.answer()
    path = run_path(project, answer.run)
    assert unaccounted(path) == []
    return answer, read_events(path)


def deaths_in(events: list[Event]) -> list[AgentDied]:
    return [event for event in events if isinstance(event, AgentDied)]


async def test_another_worker_goes_on_from_the_last_recorded_turn_and_siblings_notice_nothing(
    project: Path,
) -> None:
    asked: list[str] = []

    def script(request: Request) -> str:
        prompt = said(request)
        if "It has been worked on" in prompt or "Say hello" in prompt:
            return result("hello")
        asked.append("second" if "calculate.calculate gave" in prompt else "first")
        if asked == ["first", "second"]:
            raise MemoryError("no room")
        return COUNT if asked[-1] == "first" else result("thirty notes")

    answer, events = await run(project, ScriptedModel(script), Plan(steps=(LOOK, HELLO)))
    (death,) = deaths_in(events)
    assert (death.step, death.attempt, death.text, death.goes_on) == ("look", 1, "MemoryError: no room", True)
    assert answer.status == "done"
    assert asked == ["first", "second", "second"]


async def test_workers_that_keep_dying_fail_their_step_and_no_other(project: Path) -> None:
    def script(request: Request) -> str:
        if "Look which" in said(request) and "It has been worked on" not in said(request):
            raise ZeroDivisionError("a bug")
        return result("hello")

    limits = Limits(attempts=2, replans=0)
    answer, events = await run(project, ScriptedModel(script), Plan(steps=(LOOK, HELLO)), limits)
    assert [(death.attempt, death.goes_on) for death in deaths_in(events)] == [
        (1, True),
        (1, False),
        (2, True),
        (2, False),
    ]
    assert answer.missing[0] == "step look failed: its worker died 2 times: ZeroDivisionError: a bug"
    assert read_stand(run_path(project, answer.run)) == {"look": "failed", "hello": "done"}


async def test_a_tool_that_cancels_or_ends_the_program_costs_its_call_or_its_worker(project: Path) -> None:
    async def leave() -> str:
        """Ends the program."""
        sys.exit(3)

    async def cancel() -> str:
        """Cancels itself."""
        raise asyncio.CancelledError

    def script(request: Request) -> str:
        if "python.leave failed" in said(request):
            return json.dumps({"tool": "python.cancel", "args": {}})
        return json.dumps({"tool": "python.leave", "args": {}})

    answer, events = await run(project, ScriptedModel(script), Plan(steps=(LOOK,)), ONCE, (leave, cancel))
    (death,) = deaths_in(events)
    assert death.text == "it was cancelled by something that it called"
    assert answer.status == "failed"


CARD = """---
description: breaks things
tools: [bare]
---
You break things.
"""


async def test_a_server_that_dies_and_comes_back_is_told_in_the_run(project: Path) -> None:
    for folder in ("agents", "mcp_servers"):
        (project / folder).mkdir()
    (project / "agents" / "breaker.md").write_text(CARD, encoding="utf-8")
    shutil.copy(SERVERS / "bare.py", project / "mcp_servers" / "bare.py")
    # Calls that can be made again: any other one that a death cuts off is put to a person.
    settings = f'{NO_SERVERS}\n[servers.bare]\neffect = "pure"\n'
    (project / "swarm.toml").write_text(settings, encoding="utf-8")

    def script(request: Request) -> str:
        prompt = said(request)
        if "bare.pid gave" in prompt:
            return result("it lives")
        tool = "bare.pid" if "bare.die failed" in prompt else "bare.die"
        return json.dumps({"tool": tool, "args": {}})

    step = Step(id="break", agent="breaker", brief="Break it.")
    answer, events = await run(project, ScriptedModel(script), Plan(steps=(step,)))
    assert answer.status == "done"
    told = [(event.server, event.state) for event in events if isinstance(event, ServerChanged)]
    assert told == [("bare", "died"), ("bare", "restarted")]


class Hanging:
    """A model that does not keep its deadline for what a function chooses."""

    def __init__(self, hangs: Callable[[Request], bool]) -> None:
        self.endpoint = Endpoint(kind="scripted", model="hanging", slots=4, window=32_768)
        self._hangs = hangs

    async def reply(self, request: Request) -> Reply:
        """An answer, or none for ever."""
        if self._hangs(request):
            await asyncio.Event().wait()
        return Reply(text=result("here"))


async def test_a_wait_that_outlasts_its_own_deadline_ends_the_worker_and_another_takes_over(
    project: Path,
) -> None:
    times: list[int] = []

    def hangs(request: Request) -> bool:
        times.append(1)
        return len(times) == 1

    answer, events = await run(project, Hanging(hangs), Plan(steps=(HELLO,)), Limits(reply_seconds=0.05))
    (death,) = deaths_in(events)
    assert death.text == "a reply of the model did not come, long after its deadline"
    assert (answer.status, len(times)) == ("done", 2)


async def test_a_run_in_which_nothing_moves_is_paused_with_the_reason(project: Path) -> None:
    limits = Limits(reply_seconds=0.05, stall_seconds=0.05)
    answer, events = await run(project, Hanging(lambda _: True), None, limits)
    assert answer.status == "paused"
    assert answer.text.startswith("nothing has moved for ")
    assert [event.limit for event in events if isinstance(event, LimitReached)] == ["stall_seconds"]


@pytest.mark.usefixtures("files_alone")
async def test_an_agent_whom_the_model_does_not_answer_leaves_its_step_unfinished_and_a_resume_does_it(
    project: Path,
) -> None:
    def gone(request: Request) -> str:
        if "notes/07.md" in said(request):
            raise ModelUnavailable("nobody listens")
        return result("said")

    first = ScriptedModel(gone, slots=1)
    after = Step(id="after", agent="writer", brief="Sum up.", needs=("notes",))
    paused, _ = await run(project, first, Plan(steps=(NOTES, HELLO, after)))
    path = run_path(project, paused.run)
    assert paused.status == "paused"
    assert "the model did not answer for notes, after" in paused.text
    assert read_stand(path) == {"notes": "unfinished", "hello": "done", "after": "unfinished"}

    second = ScriptedModel(lambda _: result("said"))
    async with asyncio.timeout(60), Swarm.open(project, model=second) as swarm:
        resumed: Run[str] = await swarm.resume()
        assert (await resumed.answer()).status == "done"
    assert unaccounted(path) == []
    assert len(second.log) == 3  # The item, what comes after, and the answer.


@pytest.mark.usefixtures("files_alone")
async def test_one_reply_that_does_not_come_while_others_do_fails_its_item_and_the_run_goes_on(
    project: Path,
) -> None:
    async def slow(request: Request) -> str:
        if "notes/00.md" in said(request):
            await asyncio.Event().wait()
        await asyncio.sleep(0.02)
        return result("said")

    limits = Limits(attempts=1, replans=0, reply_seconds=0.25)
    answer, _ = await run(project, ScriptedModel(slow, slots=2), Plan(steps=(NOTES,)), limits)
    assert answer.status == "degraded"
    assert read_stand(run_path(project, answer.run)) == {"notes": "degraded"}


async def test_a_stopped_run_tells_which_steps_are_unfinished(project: Path) -> None:
    reached = asyncio.Event()

    async def slow(request: Request) -> str:
        if "Look which" in said(request):
            reached.set()
            await asyncio.Event().wait()
        return result("hello")

    async with asyncio.timeout(60), Swarm.open(project, model=ScriptedModel(slow, slots=1)) as swarm:
        started: Run[str] = await swarm.start("Look.", plan=Plan(steps=(HELLO, LOOK)))
        await reached.wait()
        await started.stop("enough")
    path = run_path(project, started.id)
    assert read_stand(path) == {"hello": "done", "look": "unfinished"}
    assert read_events(path)[-1].model_dump()["steps"] == {"hello": "done", "look": "unfinished"}


def budget(**limits: float) -> Budget:
    return Budget(Limits.model_validate(limits), clock=time.monotonic)


async def test_neither_a_sleep_of_the_machine_nor_a_halt_of_the_process_is_a_stall() -> None:
    events: asyncio.Queue[Event] = asyncio.Queue()
    halted, slept = [0.0], [0.0]
    watch = Watch(
        events.put_nowait,
        budget(stall_seconds=30.0),
        clock=lambda: time.monotonic() + halted[0],
        boot=lambda: time.monotonic() + halted[0] + slept[0],
    )
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        task = group.create_task(watch.run())
        async with watch.over(Thread(run="r", step="s")):
            with within("a reply", 5.0):
                await asyncio.sleep(0)
                slept[0] = 7_200.0
                while not isinstance(notice := await events.get(), Notice):
                    pass  # a loaded machine holds the process up by itself
                halted[0] = 20.0
                while not isinstance(blocked := await events.get(), LoopBlocked) or blocked.seconds < 19:
                    pass
        task.cancel()
    assert notice.text == "the machine slept for 7,200 s; the run goes on"


async def test_time_at_rest_for_a_person_is_no_stall_and_silence_after_it_is() -> None:
    events: list[Event] = []
    spent = budget(stall_seconds=0.2)
    watch = Watch(events.append, spent)
    async with asyncio.timeout(30):
        with spent.at_rest():
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.2):
                    await watch.run()
            assert events == []
        with pytest.raises(LimitExceeded, match="nothing has moved"):
            await watch.run()


async def test_a_worker_that_others_end_is_not_dead_and_one_that_is_overdue_is() -> None:
    watch = Watch(lambda _: None, budget())
    thread = Thread(run="r", step="s")

    async def work() -> None:
        async with watch.over(thread):
            with within("a tool", 0.0):
                await asyncio.Event().wait()

    outer = PULSE.get()
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        looking = group.create_task(watch.run())
        stopped = group.create_task(work())
        await asyncio.sleep(0)
        stopped.cancel()
        with pytest.raises(WorkerDied, match="a tool did not come"):
            await work()
        looking.cancel()
    assert stopped.cancelled()
    assert PULSE.get() is outer
    assert outer.waits == {}
