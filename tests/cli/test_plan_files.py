"""Plans in files: what is read, what is refused, and in which words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from swarm.cli.plan_file import read_plan, write_plan
from swarm.cli.planning import check_in
from swarm.errors import PlanError, ProjectError
from swarm.nouns.plan import Plan, Step
from swarm.project.project import open_project

PLAN = Plan(
    steps=(
        Step(id="notes", agent="researcher", brief="List the notes."),
        Step(id="read", agent="researcher", each="notes", brief="Read {item}."),
    )
)


def written(folder: Path, text: str) -> Path:
    file = folder / "plan.json"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_written_plan_is_read_as_it_was(tmp_path: Path) -> None:
    write_plan(PLAN, tmp_path / "plan.json")

    assert read_plan(tmp_path / "plan.json") == PLAN


def test_what_stands_at_its_default_is_left_out_of_the_file(tmp_path: Path) -> None:
    write_plan(PLAN, tmp_path / "plan.json")

    first = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))["steps"][0]
    assert first == {"id": "notes", "agent": "researcher", "brief": "List the notes."}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "Invalid JSON"),
        ("[]", "Input should be an object"),
        ('{"steps": []}', "steps: Tuple should have at least 1 item"),
        ('{"steps": [{"id": "a", "agent": "writer"}]}', "steps.0.brief is missing; add it"),
        (
            '{"steps": [{"id": "a", "agent": "w", "brief": "b", "when": 1}]}',
            "steps.0.when is no known key; known: agent, brief",
        ),
        ('{"steps": [{"id": "a", "agent": "w", "brief": "b", "needs": ["x"]}]}', "step 'a' needs 'x'"),
    ],
)
def test_a_file_without_a_sound_plan_is_refused_with_its_place(
    text: str, problem: str, tmp_path: Path
) -> None:
    file = written(tmp_path, text)

    with pytest.raises(PlanError) as caught:
        read_plan(file)

    assert str(file) in str(caught.value)
    assert problem in str(caught.value)


def test_a_missing_file_is_the_users_to_mend(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"plan\.json: cannot be read"):
        read_plan(tmp_path / "plan.json")


def test_a_step_for_an_agent_without_a_card_is_named_with_those_there_are(tmp_path: Path) -> None:
    plan = Plan(steps=(Step(id="a", agent="wizard", brief="Do magic."),))

    with pytest.raises(PlanError, match=r"step 'a' asks for agent 'wizard'; there are: .*writer"):
        check_in(open_project(tmp_path), plan)
