"""``swarm run`` and ``swarm resume``: a task from its words to its answer."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swarm.cli.options import LaterOptions, RunArgument, RunOptions, folder_of, path_of
from swarm.errors import ProjectError

if TYPE_CHECKING:
    from swarm.cli.screen import Screen
    from swarm.nouns.plan import Plan
    from swarm.run.run import Run
    from swarm.run.swarm import Swarm
    from swarm.store.rows.records import RunRecord


LONGEST_TASK = 200_000
"""Characters of a task: more than the window of any local model takes."""


@dataclass(frozen=True, kw_only=True)
class TaskOptions(LaterOptions):
    """Options of ``swarm run``."""

    task: Annotated[str, typer.Argument(help="What is to be done, in plain words; - reads it from stdin.")]
    plan_only: Annotated[bool, typer.Option("--plan-only", help="Make and print the plan; run nothing.")] = (
        False
    )


@dataclass(frozen=True, kw_only=True)
class ResumeOptions(LaterOptions):
    """Options of ``swarm resume``."""

    run: RunArgument = "last"
    take_over: Annotated[
        bool,
        typer.Option(
            "--take-over", help="Take the run from a process that froze; it is killed if it can be."
        ),
    ] = False


def run(options: TaskOptions) -> None:
    """Run a task with as many agents as it takes. The answer goes to stdout, progress to stderr. A run
    that reaches a limit asks for more; with --yes or without a terminal it is paused and exits with 3.
    So it does when its time is up (--until, --for) or on `swarm pause`."""
    task = read_task(options.task)
    if options.plan_only:
        from swarm.cli.planning import make_plan, print_plan

        print_plan(make_plan(task, options), as_json=options.json)
    else:
        raise typer.Exit(run_task(task, options))


def resume(options: ResumeOptions) -> None:
    """Go on with a stopped, paused or killed run. Nothing that was recorded is done again. It goes on with
    the model it had; --model names another one. A run that
    reaches a limit is paused (exit code 3); --limit NAME=N raises it."""
    path = path_of(options.project, options.run)
    raise typer.Exit(go_on(path, options, take_over=options.take_over))


def go_on(path: Path, options: RunOptions, *, take_over: bool = False) -> int:
    """Resumes the run of a file, in the folder that it worked in; gives the exit code."""
    from swarm.store.file.admission import admit
    from swarm.store.file.owner import lease
    from swarm.store.shelf.place import workspace_of
    from swarm.store.shelf.reader import read_run

    # Held from here on: whoever comes second is refused before anything heavy is loaded.
    with lease(path, take_over=take_over) as held:
        admit(path)
        record = read_run(path)
        if options.model is None:
            options = replace(options, model=_model_of(record, path))
        if options.workspace is None:
            options = replace(options, workspace=workspace_of(record, folder_of(options.project)))
        _tell_of_replies(path, record)
        from swarm.cli.follow import run_on_screen

        async def start(swarm: Swarm, screen: Screen) -> Run[str]:
            ask_more = screen.ask_more if screen.can_ask and not options.yes else None
            return await swarm.resume(path.stem, ask_more=ask_more, held=held)

        return run_on_screen(options, start)


def _tell_of_replies(path: Path, record: RunRecord) -> None:
    """Says what an imported run does first: that comes from its file, and no model here chose it."""
    from swarm.store.shelf.place import replies_to_act_on
    from swarm.view.words import printable

    if found := replies_to_act_on(path, record):
        lines = "".join(f"  {printable(words)}\n" for words in found)
        sys.stderr.write(f"swarm: the run was imported; it goes on from these recorded replies:\n{lines}")


def _model_of(record: RunRecord, path: Path) -> str | None:
    """The name of the model that a run had, where the run is this project's own.

    What an archive from elsewhere names is not to be reached, and no script of it to be run.
    """
    from swarm.run.setting import MODEL
    from swarm.store.rows.records import IMPORTED

    name = record.settings.get(MODEL)
    is_own = Path(record.project) == path.resolve().parents[2] and not record.settings.get(IMPORTED)
    return name if isinstance(name, str) and name and is_own else None


def run_task(task: str, options: RunOptions, plan: Plan | None = None) -> int:
    """Runs a task, by a given plan or by one that is made and shown; gives the exit code."""
    from swarm.cli.follow import run_on_screen
    from swarm.view.timing_words import forecast_words

    async def start(swarm: Swarm, screen: Screen) -> Run[str]:
        def forecast(plan: Plan) -> str:
            return forecast_words(swarm.forecast(plan), swarm.model.endpoint.model)

        if options.yes or not screen.can_ask:
            return await swarm.start(task, plan=plan)
        approve = None if plan else partial(screen.approve, forecast)
        return await swarm.start(task, plan=plan, approve=approve, ask_more=screen.ask_more)

    return run_on_screen(options, start)


def read_task(words: str) -> str:
    """The task, from stdin where it is ``-``.

    Raises:
        ProjectError: it is empty.
    """
    task = (_stdin() if words == "-" else words).strip()
    if not task:
        raise ProjectError("the task is empty; say in plain words what is to be done")
    if len(task) > LONGEST_TASK:
        raise ProjectError(
            f"the task has {len(task):,} characters, {LONGEST_TASK:,} are the most; put long texts into files"
        )
    try:
        task.encode()
    except UnicodeEncodeError as error:
        raise ProjectError(
            f"the task has bytes that are no UTF-8, at character {error.start + 1}; set a UTF-8 locale "
            "(LC_ALL=C.UTF-8), or write the task so"
        ) from error
    return task


def _stdin() -> str:
    try:
        return sys.stdin.read(LONGEST_TASK + 1)
    except UnicodeDecodeError as error:
        raise ProjectError(f"the task on stdin is not UTF-8 at byte {error.start}; write it so") from error
