"""The tasks of the proof of planning, and the checkers that say whether a plan covers one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks.plan_tasks.broken import BREAKS, broken_at_random, broken_by_hand, is_rejected
from benchmarks.plan_tasks.coverage import lacks
from benchmarks.plan_tasks.task import PlanTask, all_tasks, draft_of
from benchmarks.plan_tasks.workspace import survey_of
from swarm.nouns.card import AgentCard
from swarm.planner.check import problems
from swarm.planner.draft import files_to_write, to_plan
from swarm.project.project import open_project

TASKS = all_tasks()


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, AgentCard]:
    folder: Path = tmp_path_factory.mktemp("project")
    return open_project(folder).cards


def test_there_are_sixty_tasks_of_different_names() -> None:
    assert len({task.id for task in TASKS}) == len({task.task for task in TASKS}) == len(TASKS) == 60


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_the_good_plan_covers_its_task_and_the_bad_one_leaves_something_out(
    task: PlanTask, cards: Mapping[str, AgentCard]
) -> None:
    survey = survey_of(task)
    assert lacks(task.good_plan, task, survey, cards) == []
    assert lacks(task.bad_plan, task, survey, cards) != []
    for plan in (task.good_plan, task.bad_plan):
        assert problems(plan, cards, survey) == []


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_every_file_that_is_wanted_is_one_the_task_names_and_its_sources_exist(task: PlanTask) -> None:
    named = files_to_write(task.task, survey_of(task).paths)
    assert [want.file for want in task.wants if want.file] == [file for file in named if "/" not in file]
    stored = {table for tables in task.database.values() for table in tables}
    assert {one for want in task.wants for one in want.sources} <= {*task.texts, *task.tables, *stored}


def test_every_plan_that_was_broken_by_hand_is_rejected(cards: Mapping[str, AgentCard]) -> None:
    broken = broken_by_hand()
    assert len(broken) >= 40
    assert [one.why for one in broken if not is_rejected(one.plan, one.survey, cards)] == []


def test_every_good_plan_that_was_broken_at_random_is_rejected(cards: Mapping[str, AgentCard]) -> None:
    broken = [(task.id, *one) for task in TASKS for one in broken_at_random(task)]
    assert {way for _, way, _, _ in broken} == set(BREAKS)
    assert [(id, way) for id, way, plan, survey in broken if not is_rejected(plan, survey, cards)] == []


def _task(id: str) -> PlanTask:
    return next(task for task in TASKS if task.id == id)


def _lacks(id: str, cards: Mapping[str, AgentCard], *lines: str) -> list[str]:
    task = _task(id)
    return lacks(to_plan(draft_of(lines)), task, survey_of(task), cards)


def test_a_table_may_be_compared_where_it_lies_or_in_a_step_of_its_own(
    cards: Mapping[str, AgentCard],
) -> None:
    read = "billed researcher each=invoices/*.txt cols=booking_no -- Read {item} and give booking number."
    direct = "ghost analyst needs=billed cols=booking_no writes=ghost.csv -- Give the rows of billed that are not in bookings."
    loaded = "known analyst cols=booking_no -- Give booking_no of bookings."
    joined = "ghost analyst needs=billed,known cols=booking_no writes=ghost.csv -- Give the rows of billed that are not in known."
    assert _lacks("billed-not-booked", cards, read, direct) == []
    assert _lacks("billed-not-booked", cards, read, loaded, joined) == []


def test_a_comparison_by_an_agent_that_cannot_query_is_none(cards: Mapping[str, AgentCard]) -> None:
    read = "billed researcher each=invoices/*.txt cols=booking_no -- Read {item} and give booking number."
    known = "known analyst cols=booking_no -- Give booking_no of bookings."
    told = "ghost writer needs=billed,known cols=booking_no writes=ghost.csv -- Give the rows of billed that are not in known."
    (lack,) = _lacks("billed-not-booked", cards, read, known, told)
    assert "no query" in lack


def test_files_that_an_earlier_step_lists_are_read_by_an_agent_for_each(
    cards: Mapping[str, AgentCard],
) -> None:
    listed = "files researcher cols=file -- List the files in applications/."
    read = "candidates researcher each=files cols=name,years:number,salary:number writes=candidates.csv -- Read {item} and give name, years of experience and salary."
    alone = "candidates researcher cols=name,years:number,salary:number writes=candidates.csv -- Read applications/*.txt and give name, years of experience and salary."
    assert _lacks("applications", cards, listed, read) == []
    assert _lacks("applications", cards, alone) != []


def test_the_name_of_the_file_does_not_say_the_condition(cards: Mapping[str, AgentCard]) -> None:
    line = "donors analyst cols=donor,total:number writes=donors_2024.csv -- Sum amount of donations for each donor into donors_2024.csv."
    (lack,) = _lacks("donors-2024", cards, line)
    assert "2024" in lack


def test_one_agent_with_tools_may_search_many_files(cards: Mapping[str, AgentCard]) -> None:
    line = "hits researcher -- Search letters/ for the phrase force majeure and name the files."
    assert _lacks("force-majeure", cards, line) == []
