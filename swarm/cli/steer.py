"""``swarm pause``, ``swarm stop`` and ``swarm limit``: telling a run that works in another terminal."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swarm.cli.options import ProjectOption, folder_of, path_of
from swarm.errors import ProjectError, StoreError
from swarm.store.file.owner import owner_of
from swarm.store.shelf.runs import runs_at_work

if TYPE_CHECKING:
    from swarm.nouns.commands import Command

POLL_SECONDS = 0.05

RunsArgument = Annotated[
    str | None,
    typer.Argument(metavar="[RUN]", help="Its id or the beginning of it; the one at work when left out."),
]
AllOption = Annotated[bool, typer.Option("--all", help="All runs of the project that are at work.")]
WaitOption = Annotated[
    float, typer.Option("--wait", min=0.0, metavar="S", help="Seconds to wait for its process to end.")
]


def pause(
    run: RunsArgument = None, every: AllOption = False, wait: WaitOption = 60.0, project: ProjectOption = None
) -> None:
    """Pause a run at work: no further call starts, those in flight end and are recorded, and its process
    ends with exit code 3. `swarm resume` goes on, at any later time."""
    from swarm.nouns.commands import Pause

    _end(_named(project, run, every=every), Pause(), wait)


def stop(
    run: RunsArgument = None, every: AllOption = False, wait: WaitOption = 10.0, project: ProjectOption = None
) -> None:
    """Stop a run at work, as Ctrl-C in its terminal does: model calls are cut off, tool calls in flight have
    2 s to end and be recorded, nothing that was recorded is lost. `swarm resume` goes on."""
    from swarm.nouns.commands import Stop

    _end(_named(project, run, every=every), Stop(), wait)


def limit(
    limits: Annotated[list[str], typer.Argument(metavar="NAME=N...", help="As tokens=500000.")],
    run: Annotated[
        str | None, typer.Option("--run", "-r", metavar="RUN", help="The run; the one at work when left out.")
    ] = None,
    project: ProjectOption = None,
) -> None:
    """Change what a run at work may spend; one that waits at this limit goes on."""
    from swarm.cli.options import limits_of, split
    from swarm.nouns.commands import Allow

    given = limits_of(dict(split(words) for words in limits)).model_dump(exclude_unset=True)
    for path in _named(project, run, every=False):
        for name, value in given.items():
            _tell(path, Allow(limit=name, value=value), "give it to the next `swarm resume` with --limit")


def _named(project: Path | None, run: str | None, *, every: bool) -> tuple[Path, ...]:
    """The files of the runs that are meant.

    Raises:
        ProjectError: none is at work, or several are and none was named.
    """
    folder = folder_of(project)
    if run is not None:
        return (path_of(folder, run),)
    working = runs_at_work(folder)
    if not working and not every:
        raise ProjectError(f"{folder}: no run is at work")
    if len(working) > 1 and not every:
        names = ", ".join(path.stem for path in working)
        raise ProjectError(f"{len(working)} runs are at work: {names}; name one, or give --all")
    return working


def _end(paths: tuple[Path, ...], command: Command, wait: float) -> None:
    """Tells the runs to end, and waits for them."""
    from swarm.store.shelf.reader import read_run

    for path in paths:
        _tell(path, command, "there is nothing to end")
    ends = time.monotonic() + wait
    for path in paths:
        if _has_ended(path, ends):
            status = read_run(path).status
            goes_on = status in ("paused", "stopped")
            _say(path, f"{status} now{f'; go on with: swarm resume {path.stem}' if goes_on else ''}")
        else:
            _say(path, f"at work still, after {wait:g} s; it ends when its calls in flight have ended")


def _tell(path: Path, command: Command, idle: str) -> None:
    """Has a run do something.

    Raises:
        ProjectError: it is not at work; ``idle`` says what to do then.
        StoreError: it does not do it.
    """
    from swarm.store.file.mailbox import tell
    from swarm.store.shelf.reader import read_run

    heard = tell(path, command)
    if heard is None:
        if owner := owner_of(path):
            raise StoreError(f"run {path.stem!r}: process {owner.pid} takes no commands; end it by a signal")
        status = read_run(path).status
        is_idle = (
            f"its process was killed; `swarm resume {path.stem}` goes on" if status == "running" else status
        )
        raise ProjectError(f"run {path.stem!r} is not at work ({is_idle}); {idle}")
    if not heard.ok:
        raise StoreError(f"run {path.stem!r}: {heard.text}")
    _say(path, heard.text)


def _has_ended(path: Path, ends: float) -> bool:
    while owner_of(path) is not None:
        if time.monotonic() >= ends:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _say(path: Path, words: str) -> None:
    sys.stderr.write(f"swarm: run {path.stem}: {words}\n")
