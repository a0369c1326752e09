"""What a program passes to ``Swarm``, looked at where it comes in, because not every program is type-checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from swarm.errors import ProjectError, quoted
from swarm.nouns.limits import Limits
from swarm.nouns.plan import Plan
from swarm.project.project import Project

FUNCTION = "an async function, or leave it out"


def check_opening(
    *, project: object, model: object, workspace: object, tools: object, limits: object
) -> None:
    """Nothing, when ``Swarm.open`` can take these.

    Raises:
        ProjectError: one is of another kind; says which, and what to pass.
    """
    _check("project", isinstance(project, Project | Path | str | None), project, "a folder, as str or Path")
    is_model = isinstance(model, str | None) or (
        not isinstance(model, type) and hasattr(model, "endpoint") and callable(getattr(model, "reply", None))
    )
    _check("model", is_model, model, "a name as for --model, or an object with 'endpoint' and 'reply'")
    _check("workspace", isinstance(workspace, Path | str | None), workspace, "a folder, as str or Path")
    if workspace is not None and isinstance(project, Project):
        raise ProjectError(
            f"workspace={quoted(workspace)}: an opened project has its own; give it to open_project"
        )
    _check("tools", _is_list(tools), tools, "a list of functions, such as [my_function]")
    check_limits(limits)


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def check_limits(limits: object) -> None:
    """Nothing, when these are limits.

    Raises:
        ProjectError: they are something else.
    """
    _check("limits", isinstance(limits, Limits | None), limits, "swarm.Limits, such as Limits(seconds=600)")


def check_start(*, task: object, plan: object, approve: object, ask_more: object) -> None:
    """Nothing, when a run can be started with these.

    Raises:
        ProjectError: one is of another kind, or the task says nothing.
    """
    _check("task", isinstance(task, str), task, "a sentence that says what is to be done")
    if not str(task).strip():
        raise ProjectError("the task is empty: say in a sentence what is to be done")
    _check("plan", isinstance(plan, Plan | None), plan, "swarm.Plan, such as Plan(steps=(Step(…),))")
    _check("approve", approve is None or callable(approve), approve, FUNCTION)
    _check("ask_more", ask_more is None or callable(ask_more), ask_more, FUNCTION)


def check_text(name: str, value: object, wanted: str) -> None:
    """Nothing, when the value is a text.

    Raises:
        ProjectError: it is something else.
    """
    _check(name, isinstance(value, str), value, wanted)


def _check(name: str, is_right: bool, value: object, wanted: str) -> None:
    if not is_right:
        raise ProjectError(f"{name}={quoted(value)}: pass {wanted}")
