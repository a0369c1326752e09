"""What is done with the files of runs: ``swarm export``, ``import``, ``gc``, ``fork`` and ``replay``."""

from __future__ import annotations

import asyncio
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swarm.cli.options import JsonOption, ProjectOption, RunArgument, RunOptions, folder_of, path_of
from swarm.cli.output import print_columns, print_line, size_words
from swarm.cli.run_command import go_on
from swarm.cli.show import records
from swarm.store.file.owner import owner_of
from swarm.store.shelf.runs import run_path

if TYPE_CHECKING:
    from swarm.cli.screen import Screen
    from swarm.run.fork import Fork
    from swarm.store.shelf.gc import Collected


def export(
    run: RunArgument = "last",
    file: Annotated[
        Path | None, typer.Argument(help="The file to make; RUN.swarm in the current folder when left out.")
    ] = None,
    project: ProjectOption = None,
    files: Annotated[
        bool, typer.Option("--files", help="With the workspace files that the run's answer names.")
    ] = False,
) -> None:
    """Write a run into one file that `swarm import` takes elsewhere. The run may be at work: the file
    holds what is recorded by then."""
    from swarm.store.shelf.archive import answer_files, export_run

    path = path_of(project, run)
    target = file or Path(f"{path.stem}.swarm")
    manifest = export_run(path, target, answer_files(path) if files else ())
    print_line(str(target))
    told = f" with {', '.join(manifest.files)}" if manifest.files else ""
    sys.stderr.write(f"run {manifest.run}{told}: {size_words(target.stat().st_size)}\n")


def import_(
    file: Annotated[Path, typer.Argument(help="A file that `swarm export` made.")],
    project: ProjectOption = None,
    as_id: Annotated[
        str | None, typer.Option("--as", metavar="ID", help="The run's id here; its own when left out.")
    ] = None,
    files: Annotated[
        Path | None,
        typer.Option("--files", metavar="FOLDER", help="Put the workspace files it holds into this folder."),
    ] = None,
) -> None:
    """Take in a run that was exported: it can be shown and resumed here. What is damaged, newer than
    this program, or there already is refused."""
    from swarm.store.shelf.archive import check_id, import_run, placed_files, read_manifest

    id = check_id(as_id) if as_id else read_manifest(file).run
    target = run_path(folder_of(project), id)
    with placed_files(file, files) if files else nullcontext() as placed:
        manifest = asyncio.run(import_run(file, target))
    print_line(id)
    if placed is not None:
        for name in placed.names:
            sys.stderr.write(f"wrote: {placed.folder / name}\n")
    elif manifest.files:
        count = len(manifest.files)
        sys.stderr.write(f"{count} files of its workspace stay in {file}; --files FOLDER takes them out\n")


_FINISHED = ("done", "degraded", "failed")


def gc(
    run: Annotated[
        str | None,
        typer.Argument(
            help="The run: its id, the beginning of it, or last. All finished ones when left out."
        ),
    ] = None,
    project: ProjectOption = None,
    keep: Annotated[
        int, typer.Option("--keep", min=1, metavar="N", help="Last checkpoints of each sub-agent that stay.")
    ] = 4,
    unfinished: Annotated[
        bool, typer.Option("--unfinished", help="Also runs that were paused, stopped or killed.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
) -> None:
    """Make the files of runs smaller: old checkpoints and texts that nothing names go. What was said
    and done stays, and a run that is at work is left alone."""
    from swarm.store.shelf.gc import collect, foresee

    paths = [path_of(project, run)] if run else _candidates(folder_of(project), with_unfinished=unfinished)
    work = foresee if dry_run else collect
    rows: list[tuple[str, ...]] = []
    for path in paths:
        done: Collected = asyncio.run(work(path, keep=keep))
        sizes = size_words(done.size_before), size_words(done.size)
        rows.append((path.stem, *sizes, str(done.checkpoints), str(done.texts)))
    if rows:
        after = "WOULD BE" if dry_run else "NOW"
        print_columns(("RUN", "SIZE", after, "CHECKPOINTS GONE", "TEXTS GONE"), rows)
    else:
        sys.stderr.write(
            "no finished run; --unfinished takes those too that were paused, stopped or killed\n"
        )


def _candidates(project: Path, *, with_unfinished: bool) -> list[Path]:
    """The files of the runs that nobody works on, of the finished ones or of all."""
    wanted = [one.id for one in records(project) if with_unfinished or one.status in _FINISHED]
    return [path for path in (run_path(project, id) for id in wanted) if owner_of(path) is None]


MOST_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class ForkOptions(RunOptions):
    """Options of ``swarm fork``."""

    run: RunArgument = "last"
    cut: Annotated[
        str,
        typer.Option(
            "--at",
            metavar="TURN",
            help="The turn to ask anew: STEP:TURN, STEP[ITEM]:TURN, STEP[ITEM]/ATTEMPT:TURN; plan:1 for the "
            "plan, answer:1 for the answer. Or the number of the last event to keep (show --events).",
        ),
    ]
    stay: Annotated[bool, typer.Option("--stay", help="Make the fork and print its id; run nothing.")] = False


def fork(options: ForkOptions) -> None:
    """Begin a new run with what another one recorded up to a turn, and go on from there: with another
    --model or other limits, say. Nothing recorded before the turn is done again. What the other run did
    after it stays done, in the same workspace, and is listed."""
    from swarm.cli.screen import Screen
    from swarm.run.fork import fork

    path = path_of(options.project, options.run)
    # What is wrong with the options is told before anything is made.
    options.opened()
    options.limits()
    options.rests()
    made = asyncio.run(fork(path, options.cut))
    _tell(Screen(), path.stem, made)
    if options.stay:
        print_line(made.path.stem)
        return
    raise typer.Exit(go_on(made.path, options))


def _tell(screen: Screen, run: str, made: Fork) -> None:
    screen.say(
        f"swarm: run {made.path.stem} is a fork of run {run} after its event {made.event}: it has "
        f"{made.replies} replies and {made.calls} tool calls of it"
    )
    for line in made.later[:MOST_SHOWN]:
        screen.say(f"swarm: after that, run {run} did: {line}")
    if len(made.later) > MOST_SHOWN:
        screen.say(f"swarm: and {len(made.later) - MOST_SHOWN} more; `swarm show {run} --events` has all")


SPEED = 10.0


def replay(
    run: RunArgument = "last",
    speed: Annotated[
        float | None,
        typer.Option(
            "--speed",
            min=0.0,
            metavar="N",
            help="N times as fast as it was, 0 without any wait; 10 on a terminal, else 0.",
        ),
    ] = None,
    json: JsonOption = False,
    project: ProjectOption = None,
) -> None:
    """Show a run again as it went, from its file alone: no model and no tool is asked, nothing is written.
    Long waits are cut short. The answer goes to stdout."""
    from swarm.cli.screen import Screen
    from swarm.nouns.events import RunEnded
    from swarm.run.replay import Replay
    from swarm.store.shelf.reader import read_events

    path = path_of(project, run)
    events = read_events(path)
    is_watched = sys.stderr.isatty() and not json
    replayed = Replay(events, speed if speed is not None else SPEED if is_watched else 0.0)
    screen = Screen(as_json=json, clock=replayed.clock)
    try:
        asyncio.run(screen.show(replayed.events()))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    last = events[-1] if events else None
    if isinstance(last, RunEnded):
        screen.answer(last.answer)
    else:
        screen.say(f"swarm: here the record of run {path.stem} ends; it has no answer yet")
