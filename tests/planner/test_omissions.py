"""What the planner asks to be added to a plan, and that it keeps the better of two plans."""

from __future__ import annotations

from benchmarks.plan_tasks.task import PlanTask, all_tasks, draft_of
from benchmarks.plan_tasks.workspace import survey_of
from swarm.planner.draft import to_plan
from swarm.planner.omissions import omissions


def _task(id: str) -> PlanTask:
    return next(task for task in all_tasks() if task.id == id)


def _omitted(id: str, *lines: str) -> list[str]:
    task = _task(id)
    return omissions(to_plan(draft_of(lines)), task.task, survey_of(task))


def test_a_table_that_the_task_names_and_no_step_uses_is_left_out_and_so_is_the_name_beside_it() -> None:
    read = "agreements researcher each=agreements/*.txt cols=supplier,percentage -- Read {item} and give supplier and percentage."
    joined = "credits analyst needs=agreements cols=supplier -- Join agreements with purchases in erp.db."
    assert _omitted("credit-notes", read, joined) == ["no step uses suppliers", "no step says 'Austria'"]


def test_a_step_that_names_the_database_alone_uses_all_its_tables() -> None:
    read = "agreements researcher each=agreements/*.txt cols=supplier,percentage -- Read {item} and give supplier and percentage."
    joined = "credits analyst needs=agreements cols=supplier -- Join agreements with erp.db."
    assert _omitted("credit-notes", read, joined) == []


def test_a_figure_of_the_task_that_no_step_says_is_left_out() -> None:
    line = "over analyst cols=employee writes=overtime.csv -- Give who worked more than 40 hours in shifts."
    assert _omitted("overtime", line) == ["no step says '20'"]


def test_a_result_that_no_step_uses_is_left_over_where_only_files_are_asked_for() -> None:
    total = "totals analyst cols=donor -- Sum amount of donations for each donor of 2024."
    file = "donors analyst cols=donor writes=donors_2024.csv -- Give donations of 2024."
    assert _omitted("donors-2024", total, file) == ["no step uses the result of totals"]


def test_no_good_plan_leaves_out_what_its_task_names() -> None:
    found = {task.id: omissions(task.good_plan, task.task, survey_of(task)) for task in all_tasks()}
    assert {id: omitted for id, omitted in found.items() if omitted} == {}


def test_an_operation_that_the_task_asks_for_and_no_step_does_is_left_out() -> None:
    line = "overdue analyst cols=book -- Give the loans in library.db that are past due_on."
    assert _omitted("overdue-loans", line) == ["no step counts"]
    read = "contracts researcher each=contracts/*.txt cols=start_date,end_date,rent writes=rentals.csv -- Read {item} and give start date, end date and monthly rent."
    assert _omitted("rentals", read) == ["no step sorts"]
