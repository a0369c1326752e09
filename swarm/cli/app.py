"""The ``swarm`` command: its sub-commands, and how errors and closed pipes end it."""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, cast

import typer

from swarm.cli import models
from swarm.cli import planning as plan
from swarm.cli.descriptors import raise_descriptor_limit
from swarm.cli.doctor import doctor
from swarm.cli.init import init
from swarm.cli.listing import content
from swarm.cli.options import from_options
from swarm.cli.output import TAKES_NO_MORE
from swarm.cli.program import ProgramOptions, RerunOptions, program, rerun
from swarm.cli.prompts import prompts
from swarm.cli.questions import answer, questions
from swarm.cli.run_command import ResumeOptions, TaskOptions, resume, run
from swarm.cli.run_files import ForkOptions, export, fork, gc, import_, replay
from swarm.cli.serve import serve
from swarm.cli.show import runs, show
from swarm.cli.steer import limit, pause, stop
from swarm.errors import PlanError, ProjectError, RunInterrupted, StoreError, SwarmError, shortened

WRONG_INPUT = 2
FAILED = 1
INTERRUPTED = 130
MOST_OF_LINE = 390
"""Characters of an error on one line, with ``swarm:`` and the end of the line 400 at most."""
MOST_OF_USAGE = 200
MOST_READ = 4_000
UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})
"""What the system says of a stream that takes no more."""

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
app.command("program")(from_options(ProgramOptions, program))
app.command("rerun")(from_options(RerunOptions, rerun))
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

    ``args`` are those of the process when left out; the process then ends here, without the seconds that
    the interpreter takes on a busy machine to look through what the libraries loaded.
    """
    if args is not None:
        sys.exit(_ended(args))
    _open_streams()
    raise_descriptor_limit()
    code = _ended(None)
    leave(code)


def _open_streams() -> None:
    """Whoever starts a command with a closed stream wants nothing of it; Python then has none at all."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  # for the whole process


def leave(code: int) -> None:
    """Ends the process with what it wrote flushed; everything that must survive was committed before."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _ended(args: Sequence[str] | None) -> int:
    try:
        code = _exit_code(args)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has gone (`swarm runs | head`); Python would complain as it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILED
    except OSError as error:
        if not _is_of_output(error):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = _report([
            SwarmError(f"{TAKES_NO_MORE} ({error.strerror}); a run is kept: swarm runs, swarm show")
        ])
    return code


def _is_of_output(error: BaseException) -> bool:
    """Whether a stream could not be written: an error of a file would name it."""
    return isinstance(error, OSError) and error.filename is None and error.errno in UNWRITABLE


def _lacks_memory(error: BaseException) -> bool:
    """Whether this process may have no more memory, or no more threads."""
    words = str(error).casefold()
    return (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        or (isinstance(error, ImportError | OSError) and "failed to map segment" in words)
        or (isinstance(error, RuntimeError) and "can't start new thread" in words)
        # What CPython says where even the error got no memory.
        or (isinstance(error, SystemError) and "without exception set" in words)
    )


def _without_memory(error: BaseException) -> str:
    told = f" ({shortened(str(error))})" if str(error) else ""
    return (
        f"this process may have no more memory{told}: a run takes up to 1 GB; see `ulimit -v`, `ulimit -u` and the "
        "limits of the container. What was recorded of a run is kept: swarm runs, swarm resume"
    )


def _exit_code(args: Sequence[str] | None) -> int:
    try:
        code: object = app(args, standalone_mode=False)
    except SystemExit as end:
        code = end.code
    except typer.Abort:
        sys.stderr.write("swarm: stopped by the user\n")
        return INTERRUPTED
    except SwarmError as error:
        return _report([error])
    except BaseExceptionGroup as group:
        return _group_code(group)
    except Exception as error:
        if _lacks_memory(error):
            return _report([SwarmError(_without_memory(error))])
        # The command line's own errors have no public base in all versions of its library.
        if not hasattr(error, "format_message"):
            raise
        return _usage(error)
    return code if isinstance(code, int) else 0


def _usage(error: Exception) -> int:
    """Says what is wrong with the command line, and where its help is; the help alone where nothing was asked."""
    show: Callable[[], None] | None = getattr(error, "show", None)
    words: str = getattr(error, "format_message")()  # noqa: B009
    if show and type(error).__name__ == "NoArgsIsHelpError":
        show()
        return WRONG_INPUT
    command: str = getattr(getattr(error, "ctx", None), "command_path", "swarm")
    return _report([ProjectError(f"{shortened(words, MOST_OF_USAGE).rstrip('.')}. See: {command} --help")])


def _group_code(group: BaseExceptionGroup[BaseException]) -> int:
    """Task groups wrap what happened in them; a group of expected errors is expected."""
    _, bugs = group.split(
        lambda one: isinstance(one, SwarmError | BrokenPipeError) or _is_of_output(one) or _lacks_memory(one)
    )
    if bugs is not None:
        raise group
    leaves = _leaves(group)
    if errors := [error for error in leaves if isinstance(error, SwarmError)]:
        return _report(errors)
    if short := next((error for error in leaves if _lacks_memory(error)), None):
        return _report([SwarmError(_without_memory(short))])
    raise next((error for error in leaves if _is_of_output(error)), BrokenPipeError()) from group


def _leaves(error: BaseException) -> list[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    group = cast("BaseExceptionGroup[BaseException]", error)
    return [leaf for inner in group.exceptions for leaf in _leaves(inner)]


def _report(errors: list[SwarmError]) -> int:
    for words in dict.fromkeys(" ".join(str(error).split()) for error in errors):
        # Nothing in it may steer the terminal.
        plain = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in words[:MOST_READ])
        sys.stderr.write(f"swarm: {shortened(plain, MOST_OF_LINE)}\n")
    return max(_code_of(error) for error in errors)


def _code_of(error: SwarmError) -> int:
    if isinstance(error, RunInterrupted):
        return INTERRUPTED
    return WRONG_INPUT if isinstance(error, ProjectError | PlanError | StoreError) else FAILED
