"""The ``swarm`` command: its sub-commands, and how errors and closed pipes end it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated, cast

import typer

from swarm.cli import models, plan
from swarm.cli.archive import export, import_
from swarm.cli.doctor import doctor
from swarm.cli.fork import ForkOptions, fork
from swarm.cli.gc import gc
from swarm.cli.init import init
from swarm.cli.listing import content
from swarm.cli.options import from_options
from swarm.cli.prompts import prompts
from swarm.cli.questions import answer, questions
from swarm.cli.replay import replay
from swarm.cli.run import ResumeOptions, TaskOptions, resume, run
from swarm.cli.runs import runs, show
from swarm.cli.serve import serve
from swarm.cli.steer import limit, pause, stop
from swarm.errors import PlanError, ProjectError, RunInterrupted, StoreError, SwarmError

WRONG_INPUT = 2
FAILED = 1
INTERRUPTED = 130

# Plain help: the rich one costs a third of a second.
app = typer.Typer(
    name="swarm",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        from swarm import __version__

        sys.stdout.write(f"swarm {__version__}\n")
        raise typer.Exit


@app.callback()
def swarm(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Many small agents on local models and MCP tools: a task in plain words goes in, an answer and
    files come out, and a killed run goes on where it was."""


app.command("run")(from_options(TaskOptions, run))
app.command("resume")(from_options(ResumeOptions, resume))
app.command("pause")(pause)
app.command("stop")(stop)
app.command("limit")(limit)
app.command("fork")(from_options(ForkOptions, fork))
app.command("replay")(replay)
app.command("runs")(runs)
app.command("show")(show)
app.command("gc")(gc)
app.command("export")(export)
app.command("import")(import_)
app.command("questions")(questions)
app.command("answer")(answer)
app.add_typer(plan.app, name="plan", help="Make, check or run a plan.")
app.add_typer(models.app, name="models", help="The embedded models: list, pull, verify.")
app.command("list")(content)
app.command("doctor")(doctor)
app.command("init")(init)
app.command("prompts")(prompts)
app.command("serve")(serve)


def main(args: Sequence[str] | None = None) -> None:
    """Runs the command line and exits: 0, 1 for a run that failed, 2 for wrong input, 3 for a run that is
    paused, 130 interrupted.

    ``args`` are those of the process when left out.
    """
    try:
        code = _exit_code(args)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has gone (`swarm runs | head`); Python would complain as it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILED
    sys.exit(code)


def _exit_code(args: Sequence[str] | None) -> int:
    try:
        app(args)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except SwarmError as error:
        return _report([error])
    except BaseExceptionGroup as group:
        return _group_code(group)
    return 0


def _group_code(group: BaseExceptionGroup[BaseException]) -> int:
    """Task groups wrap what happened in them; a group of expected errors is expected."""
    _, bugs = group.split((SwarmError, BrokenPipeError))
    if bugs is not None:
        raise group
    leaves = _leaves(group)
    if errors := [error for error in leaves if isinstance(error, SwarmError)]:
        return _report(errors)
    raise BrokenPipeError from group


def _leaves(error: BaseException) -> list[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    group = cast("BaseExceptionGroup[BaseException]", error)
    return [leaf for inner in group.exceptions for leaf in _leaves(inner)]


def _report(errors: list[SwarmError]) -> int:
    for words in dict.fromkeys(" ".join(str(error).split()) for error in errors):
        sys.stderr.write(f"swarm: {words}\n")
    return max(_code_of(error) for error in errors)


def _code_of(error: SwarmError) -> int:
    if isinstance(error, RunInterrupted):
        return INTERRUPTED
    return WRONG_INPUT if isinstance(error, ProjectError | PlanError | StoreError) else FAILED
