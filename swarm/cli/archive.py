"""``swarm export`` and ``swarm import``: a run as one file that travels."""

from __future__ import annotations

import asyncio
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from swarm.cli.options import ProjectOption, RunArgument, folder_of, path_of
from swarm.cli.output import print_line, size_words
from swarm.store.shelf.runs import run_path


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
