"""Plans in files: JSON as ``swarm plan make`` writes it and a person may write it."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from swarm.errors import PlanError, ProjectError
from swarm.nouns.plan import Plan
from swarm.project.folders import read_text, said
from swarm.project.nesting import check_json
from swarm.project.wording import problems

MOST_BYTES = 16_000_000
"""Size of a plan: 10,000 steps have some 5 MB."""


def read_plan(path: Path) -> Plan:
    """The plan in a file, checked by itself (its agents are the project's affair).

    Raises:
        ProjectError: the file cannot be read.
        PlanError: it holds no plan, or one that cannot run.
    """
    text = check_json(path, read_text(path, MOST_BYTES))
    try:
        return Plan.model_validate_json(text).check()
    except ValidationError as error:
        raise PlanError([f"{said(path)}: {problems(error, Plan)}"]) from error
    except PlanError as error:
        raise PlanError([f"{said(path)}: {problem}" for problem in error.problems]) from error


def write_plan(plan: Plan, path: Path) -> None:
    """Writes the plan to a file, over the one that may be there.

    Raises:
        ProjectError: the file cannot be written.
    """
    try:
        path.write_text(plan_json(plan), encoding="utf-8")
    except OSError as error:
        raise ProjectError(
            f"{said(path)}: cannot be written ({error.strerror}); name another file"
        ) from error


def plan_json(plan: Plan) -> str:
    """The plan as a file holds it: what stands at its default is left out."""
    return plan.model_dump_json(indent=2, exclude_defaults=True) + "\n"
