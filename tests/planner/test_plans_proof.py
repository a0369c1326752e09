"""The proof of planning in small: real workspaces and the real planner, a scripted model in place of the real one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.plan_tasks.coverage import lacks
from benchmarks.plan_tasks.task import PlanTask, all_tasks, draft_of, held_out
from benchmarks.plan_tasks.workspace import survey_of
from benchmarks.plans import Made, judged, make, new_project
from benchmarks.runs import run_files
from swarm.nouns.limits import Usage
from swarm.project.project import open_project
from swarm.store.shelf.reader import read_threads
from swarm.testing import Script, ScriptedModel

pytestmark = pytest.mark.anyio


def _task(id: str) -> PlanTask:
    return next(task for task in all_tasks() if task.id == id)


@pytest.mark.parametrize("id", ["credit-notes", "payroll", "untranslated"])
async def test_the_workspace_is_as_the_checkers_see_it_and_a_good_draft_becomes_a_plan_that_covers(
    id: str, tmp_path: Path
) -> None:
    task, project = _task(id), new_project(tmp_path / "project")
    drafted = json.dumps(draft_of(task.good).model_dump(mode="json"))
    made = await make(task, ScriptedModel(Script(lambda request: drafted)), project)
    assert not made.is_template
    assert made.replies == (drafted,)
    assert lacks(made.plan, task, survey_of(task), open_project(project).cards) == []


async def test_a_plan_that_stays_broken_is_replaced_before_any_tool_of_a_step_runs(tmp_path: Path) -> None:
    task, project = _task("autumn-poem"), new_project(tmp_path / "project")
    step = {"id": "poem", "agent": "analyst", "brief": "Give the poem.", "columns": ["line:text"]}
    made = await make(task, ScriptedModel(Script(lambda request: json.dumps({"steps": [step]}))), project)
    assert made.is_template
    assert len(made.replies) == 2
    (path,) = run_files(project)
    assert [thread.thread.step for thread in read_threads(path) if thread.calls] == ["_survey"]


def test_the_findings_count_what_covers_and_what_is_rejected(tmp_path: Path) -> None:
    tasks = [_task("rentals"), _task("donors-2024")]
    made = {
        task.id: Made(task=task.id, plan=plan, is_template=False, replies=("",), usage=Usage(), seconds=1.0)
        for task, plan in zip(tasks, (tasks[0].good_plan, tasks[1].bad_plan), strict=True)
    }
    findings = judged(tasks, made, open_project(tmp_path).cards)
    assert findings.figures["can run without the fallback"] == 2
    assert findings.figures["cover the whole task"] == 1
    assert findings.faults == ["only 2 of 60 plans were made", "1 of 2 plans cover their task"]


def test_half_of_the_tasks_are_held_out() -> None:
    assert len(held_out()) == 30
