"""``swarm gc``: makes the files of runs small."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swarm.cli.options import ProjectOption, folder_of, path_of
from swarm.cli.output import print_columns, size_words
from swarm.cli.runs import records
from swarm.store.file.owner import owner_of
from swarm.store.shelf.runs import run_path

if TYPE_CHECKING:
    from swarm.store.shelf.gc import Collected

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
