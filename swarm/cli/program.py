"""``swarm program`` and ``swarm rerun``: work that programs do, without a planner."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swarm.cli.options import LaterOptions, RunArgument, folder_of, path_of
from swarm.cli.run_command import read_task, run_task
from swarm.errors import ProjectError

if TYPE_CHECKING:
    from swarm.nouns.plan import Plan

NO_MODEL = "none"
READERS = frozenset({"extract", "ask"})
"""Functions that ask a model."""
AGENT = "programmer"
MOST_BYTES = 200_000


@dataclass(frozen=True, kw_only=True)
class ProgramOptions(LaterOptions):
    """Options of ``swarm program``."""

    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A Python program over the functions of programs.")
    ]
    task: Annotated[str, typer.Argument(help="What it is for; shown with the run.")] = ""


@dataclass(frozen=True, kw_only=True)
class RerunOptions(LaterOptions):
    """Options of ``swarm rerun``."""

    run: RunArgument = "last"


def program(options: ProgramOptions) -> None:
    """Run a program that a person wrote or a run kept, in the sandbox, with its calls recorded; a resume goes on
    with it. A model is opened only where it calls extract or ask."""
    from swarm.nouns.plan import Plan, Step

    text = _text_of(options.file)
    task = read_task(options.task) if options.task else f"Run {options.file.stem}"
    plan = Plan(steps=(Step(id="program", agent=AGENT, brief=task.replace("{item}", "item"), program=text),))
    raise typer.Exit(run_task(task, _without_model(options, plan), plan))


def rerun(options: RerunOptions) -> None:
    """Do the work of a run again, on new data with --workspace: by its plan and its programs, without a planner.
    Only steps that no program did, and programs that read with extract or ask, need a model."""
    from swarm.program.kept import programs_of, read_kept
    from swarm.store.shelf.reader import read_run, read_threads

    path = path_of(options.project, options.run)
    record = read_run(path)
    if record.plan is None:
        raise ProjectError(f"run {record.id} has no plan, so there is nothing to do again")
    folder, threads = programs_of(path.parent, record.id), read_threads(path)
    steps = tuple(
        step.model_copy(update={"program": read_kept(folder, step.id, threads)})
        if step.program is None
        else step
        for step in record.plan.steps
    )
    plan = record.plan.model_copy(update={"steps": steps})
    if all(step.program is None for step in steps):
        raise ProjectError(f"no step of run {record.id} was done by a program; use `swarm run` for the task")
    if asked := [step.id for step in steps if step.program is None and not step.joins]:
        typer.echo(
            f"a model does these steps again, as no single program did them: {', '.join(asked)}", err=True
        )
    options = replace(options, yes=True)
    if options.workspace is None:
        from swarm.store.shelf.place import workspace_of

        options = replace(options, workspace=workspace_of(record, folder_of(options.project)))
    raise typer.Exit(run_task(record.task, _without_model(options, plan), plan))


def _without_model(options: LaterOptions, plan: Plan) -> LaterOptions:
    """The options with no model, where none is named and nothing in the plan asks one."""
    needs = any(
        (step.program is None and not step.joins) or _calls_reader(step.program) for step in plan.steps
    )
    return options if needs or options.model is not None else replace(options, model=NO_MODEL)


def _calls_reader(text: str | None) -> bool:
    try:
        tree = ast.parse(text or "")
    except (SyntaxError, ValueError):
        return False  # What is no program asks nothing; its run says what is wrong with it.
    return any(isinstance(node, ast.Name) and node.id in READERS for node in ast.walk(tree))


def _text_of(file: Path) -> str:
    from swarm.project.folders import read_text

    text = read_text(file)
    if not text.strip():
        raise ProjectError(f"{file}: the program is empty")
    return text
