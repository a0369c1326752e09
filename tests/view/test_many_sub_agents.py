"""The picture of a run with many sub-agents, some of them failed, on terminals of all sizes."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from swarm.nouns.events import (
    AgentStarted,
    AgentWaiting,
    LimitReached,
    ModelAsked,
    Notice,
    PlanMade,
    QuestionAnswered,
    QuestionAsked,
    RunEnded,
    RunStarted,
    StepEnded,
    ToolCalled,
)
from swarm.nouns.result import Result
from swarm.view.state import RunState
from tests.view.pictures import NOW, PLAN, busy, live, told

SIZES = [(40, 8), (40, 12), (60, 12), (60, 16), (80, 24), (120, 30), (200, 50)]
COUNTS = {30: "13✓ 1! 1✗ 15 left", 300: "148✓ 1! 1✗ 150 left"}


def rows(state: RunState, width: int, height: int) -> list[str]:
    return [row.plain for row in live(state, width=width, height=height)]


@pytest.mark.parametrize("items", [30, 300])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_line_that_says_how_far_it_is_is_whole(width: int, height: int, items: int) -> None:
    shown = rows(busy(items), width, height)

    assert [COUNTS[items] in row for row in shown].count(True) == 1
    assert len(shown) <= height
    assert max(cell_len(row) for row in shown) <= width


@pytest.mark.parametrize("items", [30, 300])
@pytest.mark.parametrize(("width", "height"), [size for size in SIZES if size[1] >= 12])
def test_what_failed_and_is_tried_again_stays_in_sight(width: int, height: int, items: int) -> None:
    shown = rows(busy(items), width, height)
    failed = next(row for row in shown if row.lstrip().startswith("✗"))

    assert "r006"[: max(width // 3 - 9, 3)] in failed
    assert "gave up" in failed
    if height >= 16:
        assert any(row.lstrip().startswith("! reports/r004.txt  not found") for row in shown)
        again = next(row for row in shown if f"r{items // 2 + 1:03}" in row)
        assert "attempt 2" in again


@pytest.mark.parametrize("items", [30, 300])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_time_left_slots_and_what_is_waited_for_are_told(width: int, height: int, items: int) -> None:
    shown = rows(busy(items), width, height)

    assert "45s · about " in shown[0]
    assert " left" in shown[0]
    assert "14/16 slots" in shown[0]
    assert shown[-1].startswith(f"14 at work · {items // 2 - 14} wait for a slot")


def test_a_high_terminal_shows_every_item_in_a_grid() -> None:
    shown = "\n".join(rows(busy(300), 200, 50))

    assert "003✓ 004! 005✓ 006✗" in shown
    assert "151↻ 152●" in shown
    assert "300·" in shown


def test_the_one_that_works_longest_comes_first() -> None:
    shown = [row for row in rows(busy(30), 80, 24) if row.startswith("  ●")]
    seconds = [int(row.split()[-1].removesuffix("s")) for row in shown]

    assert len(seconds) == 14
    assert seconds == sorted(seconds, reverse=True)


def test_in_the_rows_of_a_short_terminal_trouble_leaves_room_for_the_work() -> None:
    shown = rows(busy(300), 60, 12)
    kinds = [row.split()[0] for row in shown if row.startswith("  ")]

    assert kinds == ["✗", "↻", "●", "●", "+"]


def test_a_run_that_is_paused_has_nothing_at_work_and_its_time_stands_still() -> None:
    paused = busy(30, RunEnded(status="paused", answer="", at=160.0))

    assert rows(paused, 80, 24)[-1].startswith("0 at work")
    assert "paused · 60s" in rows(paused, 80, 24)[0].replace("1:00", "60s")
    assert paused.worked(NOW + 1_000) == 60.0


def test_a_pause_is_no_time_of_work_and_its_notes_go_with_it() -> None:
    said = Notice(text="paused by the user: it pauses when the 16 calls in flight have ended", at=159.0)
    paused = busy(30, said, RunEnded(status="paused", answer="", at=160.0))
    assert any("paused by the user" in row for row in rows(paused, 80, 24))
    paused.apply(RunStarted(run="k3f9a2bc", task="t", model="m", slots=16, is_resumed=True, at=1_000.0))

    assert paused.worked(1_005.0) == 65.0
    assert not any("paused by the user" in row for row in rows(paused, 80, 24))


def test_a_note_is_shown_for_a_while() -> None:
    assert any("a repair" in row for row in rows(busy(30, Notice(text="a repair", at=NOW)), 80, 24))
    assert not any(
        "a repair" in row for row in rows(busy(30, Notice(text="a repair", at=NOW - 10)), 80, 24)[:3]
    )
    old = told(Notice(text="a repair", at=10.0))
    assert not any("a repair" in row for row in rows(old, 80, 24))


def test_the_wait_for_a_persons_approval_is_no_time_of_work() -> None:
    state = told(
        RunStarted(run="r", task="t", model="m", at=100.0),
        AgentWaiting(step="_plan", what="question", at=104.0),
    )
    assert state.worked(150.0) == 4.0
    state.apply(PlanMade(plan=PLAN, at=164.0))

    assert state.worked(165.0) == 5.0


def test_what_needs_a_person_stays_until_it_is_decided() -> None:
    asked = QuestionAsked(step="totals", item=20, number=1, text="was it sent?", at=110.0)
    state = busy(30, asked, Notice(text="another thing", at=NOW))
    assert rows(state, 80, 24)[-2].startswith("! question 1 (swarm questions): was it sent?")
    state.apply(QuestionAnswered(number=1, decision="repeat", at=NOW))
    assert not any("swarm questions" in row for row in rows(state, 80, 24))

    reached = LimitReached(limit="tokens", used=9, allowed=9, enough=18, text="9 tokens are used up", at=NOW)
    state.apply(reached)
    assert rows(state, 80, 24)[-2] == "! 9 tokens are used up"


def test_the_runs_own_work_is_gone_once_a_step_of_a_given_plan_begins() -> None:
    state = told(
        RunStarted(run="r", task="t", model="m", at=100.0),
        PlanMade(plan=PLAN, origin="given", at=100.0),
        ToolCalled(step="_survey", turn=0, tool="files.glob", summary="**/*", at=101.0),
        AgentStarted(step="_survey", agent="survey", at=101.0),
    )
    assert rows(state, 80, 24)[-1].startswith("1 at work")
    state.apply(AgentStarted(step="names", agent="researcher", at=102.0))
    state.apply(ModelAsked(step="names", turn=1, at=102.0))

    assert not any("survey" in row for row in rows(state, 80, 24))
    assert rows(state, 80, 24)[-1].startswith("1 at work")


def test_before_enough_has_ended_the_forecast_tells_the_time_left_and_afterwards_the_pace() -> None:
    assert "about 41s left" in rows(busy(30), 80, 24)[0]
    begun = told(RunStarted(run="r", task="t", model="m", at=100.0), PlanMade(plan=PLAN, at=100.0))
    assert " left" not in rows(begun, 80, 24)[0]


def test_a_step_that_ended_with_failures_shows_them_beside_the_work_of_others() -> None:
    state = busy(
        30, StepEnded(step="totals", result=Result(status="degraded", reason="1 of 30 failed"), at=NOW)
    )
    shown = rows(state, 80, 24)

    assert [row.split()[0] for row in shown if row.startswith("  ")][:2] == ["✗", "↻"]


def test_a_step_that_writes_a_file_says_so_while_it_waits() -> None:
    assert any("waits for totals → out/report.md" in row for row in rows(busy(30), 80, 24))
