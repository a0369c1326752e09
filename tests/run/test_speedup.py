"""Where a run's time went, told from its events alone."""

from __future__ import annotations

import pytest

from swarm.nouns.events import (
    AgentEnded,
    AgentStarted,
    AgentWaiting,
    Event,
    LimitRaised,
    LimitReached,
    ModelAsked,
    ModelReplied,
    Notice,
    PlanMade,
    RunEnded,
    RunStarted,
    ServerChanged,
    StepEnded,
    ToolCalled,
    ToolReturned,
)
from swarm.nouns.limits import Usage
from swarm.nouns.plan import Plan, Step
from swarm.nouns.result import Result
from swarm.nouns.timing import Lost
from swarm.run.speedup import speedup_of
from swarm.run.tally import tally_of

PLAN = Plan(
    steps=(
        Step(id="read", agent="researcher", each="*.md", brief="Read {item}."),
        Step(id="look", agent="researcher", brief="Look around."),
        Step(id="join", agent="writer", needs=("read", "look"), brief="Join it."),
    )
)


def spent(seconds: float, **more: float) -> Usage:
    return Usage.model_validate({"model_seconds": seconds, "written_tokens": 10, "model_calls": 1, **more})


def turn(
    step: str, began: float, ended: float, usage: Usage, *, item: int | None = None, attempt: int = 1
) -> list[Event]:
    """One reply of one sub-agent."""
    asked = ModelAsked(step=step, item=item, attempt=attempt, turn=1, at=began)
    return [asked, ModelReplied(step=step, item=item, attempt=attempt, turn=1, usage=usage, at=ended)]


def agent(
    step: str, began: float, ended: float, usage: Usage, *, item: int | None = None, attempt: int = 1
) -> list[Event]:
    """One sub-agent of one turn."""
    start = AgentStarted(step=step, item=item, attempt=attempt, agent="researcher", at=began)
    end = AgentEnded(step=step, item=item, attempt=attempt, status="done", text="", at=ended)
    return [start, *turn(step, began, ended, usage, item=item, attempt=attempt), end]


def stream(*events: Event | list[Event]) -> list[Event]:
    """The events in the order of their time."""
    flat = [one for event in events for one in (event if isinstance(event, list) else [event])]
    return sorted(flat, key=lambda event: event.at)


def step_ended(id: str, at: float) -> StepEnded:
    return StepEnded(step=id, result=Result(text=""), at=at)


def later(agents: list[list[Event]], seconds: float) -> list[list[Event]]:
    """The same some seconds later."""
    return [[one.model_copy(update={"at": one.at + seconds}) for one in events] for events in agents]


STARTED = RunStarted(run="r", task="t", model="m", slots=2, at=100.0)
WHOLE = stream(
    STARTED,
    turn("_plan", 100.0, 104.0, spent(4.0)),
    PlanMade(plan=PLAN, at=104.0),
    agent("read", 104.0, 110.0, spent(6.0), item=0),
    agent("look", 104.0, 106.0, spent(2.0)),
    step_ended("look", 106.0),
    AgentWaiting(step="read", item=1, at=104.0),
    agent("read", 106.0, 114.0, spent(8.0, prefill_seconds=3.0), item=1),
    step_ended("read", 114.0),
    agent("join", 114.0, 117.0, spent(3.0)),
    ToolCalled(step="join", turn=1, tool="files.write", summary="", at=117.0),
    ToolReturned(step="join", turn=1, tool="files.write", is_error=False, summary="", seconds=1.0, at=118.0),
    step_ended("join", 118.0),
    turn("_answer", 118.0, 120.0, spent(2.0)),
    RunEnded(status="done", answer="", at=120.0),
)


def test_the_gain_is_the_work_done_against_the_time_it_took() -> None:
    found = speedup_of(WHOLE)
    # 4 + 6 + 2 + 8 + 3 + 2 seconds of the model and one of a tool.
    assert (found.work_seconds, found.actual_seconds, found.slots) == (26.0, 20.0, 2)
    assert found.factor == pytest.approx(1.3)


def test_the_critical_path_is_planning_the_longest_chain_and_answering() -> None:
    # Plan 4, the longer of the files 8, join 3 + 1, answer 2.
    assert speedup_of(WHOLE).critical_seconds == 18.0


def test_the_ideal_is_the_critical_path_until_slots_are_short() -> None:
    assert speedup_of(WHOLE).ideal_seconds == 18.0
    wide = [agent("read", 104.0, 114.0, spent(10.0), item=item) for item in range(6)]
    short = stream(
        STARTED, PlanMade(plan=PLAN, at=104.0), *wide[:2], *later(wide[2:4], 10), *later(wide[4:], 20)
    )
    assert (speedup_of(short).ideal_seconds, speedup_of(short).critical_seconds) == (30.0, 10.0)


def test_slots_that_the_server_did_not_tell_of_are_seen_in_the_replies() -> None:
    told_none = [STARTED.model_copy(update={"slots": 1}), *WHOLE[1:]]
    assert speedup_of(told_none).slots == 2


def test_time_is_lost_where_the_end_waited_for_it() -> None:
    # The second file waited two seconds for a slot; `look` is not waited for by anyone.
    assert speedup_of(WHOLE).lost == Lost(queue=2.0, prefill=3.0)
    aside = stream(list(WHOLE), AgentWaiting(step="look", attempt=2, at=106.5))
    assert speedup_of(aside).lost == Lost(queue=2.0, prefill=3.0)


def test_what_the_server_tells_of_its_queue_its_loads_and_failed_requests_is_lost() -> None:
    usage = spent(9.0, queued_seconds=1.0, load_seconds=2.0, prefill_seconds=3.0, retry_seconds=5.0)
    found = speedup_of(stream(STARTED, turn("_plan", 100.0, 114.0, usage)))
    assert found.lost == Lost(queue=1.0, swap=2.0, prefill=3.0, retry=5.0)
    assert (found.work_seconds, found.critical_seconds) == (6.0, 6.0)


def test_a_wait_for_a_slot_within_a_call_is_lost_without_the_call() -> None:
    asked, replied = turn("_plan", 100.0, 110.0, spent(4.0))
    waiting = AgentWaiting(step="_plan", at=101.0)
    assert speedup_of([STARTED, asked, waiting, replied]).lost.queue == 5.0


def test_an_attempt_that_failed_is_lost_from_its_first_to_its_last_event() -> None:
    plan = Plan(steps=(Step(id="look", agent="researcher", brief="Look around."),))
    found = speedup_of(
        stream(
            STARTED,
            PlanMade(plan=plan, at=100.0),
            agent("look", 101.0, 105.0, spent(4.0, prefill_seconds=1.0)),
            AgentWaiting(step="look", attempt=2, what="retry", at=105.0),
            agent("look", 106.0, 109.0, spent(3.0, prefill_seconds=0.5), attempt=2),
            step_ended("look", 109.0),
        )
    )
    assert found.lost == Lost(prefill=0.5, retry=5.0, start=1.0)


def test_waiting_for_a_person_is_told_and_is_no_part_of_the_runs_time() -> None:
    reached = LimitReached(limit="tokens", used=1, allowed=1, enough=2, text="", at=120.0)
    found = speedup_of(
        stream(
            STARTED,
            turn("_plan", 100.0, 104.0, spent(4.0)),
            AgentWaiting(step="_plan", what="question", at=104.0),
            PlanMade(plan=PLAN, at=114.0),
            reached,
            LimitRaised(limit="tokens", allowed=2, at=150.0),
            RunEnded(status="done", answer="", at=151.0),
        )
    )
    assert (found.lost.approval, found.actual_seconds) == (40.0, 11.0)


def test_a_run_has_worked_in_its_sittings_and_not_between_them() -> None:
    first = [STARTED, *turn("_plan", 101.0, 104.0, spent(3.0))]
    asked = ModelAsked(step="_plan", turn=2, at=104.0)
    cut = AgentWaiting(step="other", at=107.0)
    again = STARTED.model_copy(update={"at": 500.0, "is_resumed": True})
    events = [*first, asked, cut, again, *turn("_plan", 500.0, 505.0, spent(5.0))]
    assert tally_of(events).worked_seconds == 7.0 + 5.0
    # The call that was under way when the first sitting ended.
    assert speedup_of(events).lost.retry == 3.0


def test_replies_that_were_slowed_by_others_count_as_long_as_one_alone() -> None:
    alone = Usage(
        prefilled_tokens=100, written_tokens=40, model_seconds=5.0, prefill_seconds=1.0, model_calls=1
    )
    slowed = alone.model_copy(update={"model_seconds": 10.0, "prefill_seconds": 2.0})
    events = stream(
        STARTED,
        turn("_plan", 100.0, 105.0, alone),
        PlanMade(plan=PLAN, at=105.0),
        agent("read", 105.0, 115.0, slowed, item=0),
        agent("read", 105.0, 115.0, slowed, item=1),
        step_ended("read", 115.0),
    )
    found = speedup_of(events)
    assert (found.work_seconds, found.actual_seconds, found.factor) == (15.0, 15.0, 1.0)


def test_a_server_that_does_not_tell_prefill_is_said_not_to() -> None:
    assert speedup_of(WHOLE).tells_prefill
    assert not speedup_of(stream(STARTED, turn("_plan", 100.0, 104.0, spent(4.0)))).tells_prefill


def test_the_runs_own_calls_for_a_step_are_no_failed_attempt() -> None:
    plan = Plan(steps=(Step(id="look", agent="writer", brief="Look around.", writes="a.txt"),))
    call = {"step": "look", "attempt": 0, "turn": 1, "tool": "files.write", "summary": ""}
    events = stream(
        STARTED,
        PlanMade(plan=plan, at=100.0),
        agent("look", 101.0, 105.0, spent(4.0)),
        ToolCalled.model_validate({**call, "at": 105.0}),
        ToolReturned.model_validate({**call, "is_error": False, "seconds": 1.0, "at": 106.0}),
        step_ended("look", 106.0),
    )
    # The second before it began, and the one that its file took.
    assert speedup_of(events).lost == Lost(start=1.0, other=1.0)


def test_a_run_without_events_has_no_figures() -> None:
    found = speedup_of([])
    assert (found.work_seconds, found.actual_seconds, found.factor) == (0.0, 0.0, 1.0)


def test_the_start_of_each_sitting_is_no_time_of_work() -> None:
    again = STARTED.model_copy(update={"at": 500.0, "is_resumed": True})
    events = [
        STARTED,
        *turn("_plan", 103.0, 107.0, spent(4.0)),
        again,
        *turn("_plan", 505.0, 510.0, spent(5.0)),
    ]
    found = speedup_of(events)
    assert (found.lost.start, found.actual_seconds, found.factor) == (8.0, 9.0, 1.0)


def test_what_comes_while_a_person_is_asked_ends_no_question() -> None:
    events = [
        STARTED,
        *turn("_plan", 100.0, 104.0, spent(4.0)),
        AgentWaiting(step="_plan", what="question", at=104.0),
        Notice(text="the machine slept for 9 s; the run goes on", at=120.0),
        ServerChanged(server="files", state="resting", at=130.0),
        PlanMade(plan=PLAN, at=164.0),
    ]
    found = speedup_of(events)
    assert (found.lost.approval, found.actual_seconds) == (60.0, 4.0)


@pytest.mark.parametrize(("at_once", "width"), [(1, 1), (2, 2), (6, 6)])
def test_the_width_is_how_many_sub_agents_were_at_work_at_once(at_once: int, width: int) -> None:
    agents = [agent("read", 104.0, 114.0, spent(10.0), item=item) for item in range(6)]
    moved = [later([one], 10.0 * (item // at_once))[0] for item, one in enumerate(agents)]
    found = speedup_of(stream(STARTED, PlanMade(plan=PLAN, at=104.0), *moved))
    assert found.width == width


def test_sub_agents_that_wait_while_one_works_are_no_width() -> None:
    waiting = [AgentWaiting(step="read", item=item, at=104.0) for item in range(1, 6)]
    one = agent("read", 104.0, 114.0, spent(10.0), item=0)
    assert speedup_of(stream(STARTED, PlanMade(plan=PLAN, at=104.0), *waiting, one)).width == 1
    planning = turn("_plan", 100.0, 104.0, spent(4.0))
    assert speedup_of(stream(STARTED, planning, PlanMade(plan=PLAN, at=104.0), one)).width == 1


@pytest.mark.parametrize("agents", [10, 1_000])
def test_what_waits_in_a_servers_queue_does_not_work(agents: int) -> None:
    """All ask at once, two are written at a time, and the server tells nothing of its queue."""
    started = STARTED.model_copy(update={"slots": agents})
    many = [
        agent("read", 104.0, 105.0 + item // 2, spent(1.0 + item // 2), item=item) for item in range(agents)
    ]
    found = speedup_of(stream(started, PlanMade(plan=PLAN, at=104.0), *many))
    assert found.factor <= found.slots
    assert found.work_seconds <= found.slots * found.actual_seconds


def test_calls_that_wait_for_a_busy_tool_server_do_not_work() -> None:
    agents = [
        ToolReturned(
            step="read",
            item=item,
            turn=1,
            tool="files.read",
            is_error=False,
            summary="",
            seconds=1.0 + item,
            at=105.0 + item,
        )
        for item in range(100)
    ]
    found = speedup_of(stream(STARTED, PlanMade(plan=PLAN, at=104.0), *agents))
    assert found.work_seconds == pytest.approx(100.0)


def test_calls_of_tools_that_work_side_by_side_count_as_one_alone_does() -> None:
    call = {"step": "read", "turn": 1, "tool": "shop.price", "is_error": False, "summary": "", "seconds": 2.0}
    alone = ToolReturned.model_validate({**call, "item": 0, "at": 106.0})
    beside = [ToolReturned.model_validate({**call, "item": item, "at": 110.0}) for item in range(1, 5)]
    found = speedup_of(stream(STARTED, PlanMade(plan=PLAN, at=104.0), alone, *beside))
    assert (found.work_seconds, found.width) == (10.0, 4)
