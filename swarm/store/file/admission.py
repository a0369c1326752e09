"""What is refused before a run starts or goes on, and what pauses one: a file, folder or disk that would fail it.

Only the standard library: it is asked before anything heavy is loaded.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from swarm.errors import StoreError
from swarm.store.file import runfile


def admit(path: Path) -> None:
    """Refuses the file of a run that could not be written.

    Raises:
        StoreError: names the file and what to do.
    """
    runfile.must_exist(path)
    for place in (path.parent, path):
        if not os.access(place, os.R_OK | os.W_OK):
            raise StoreError(f"{place}: it is read-only; make it writable, then resume the run")


def admit_to(folder: Path, free_mb: int) -> None:
    """Refuses a folder of runs, which need not be there, that takes no file or whose disk is nearly full.

    Raises:
        StoreError: names the folder and what to do.
    """
    there = next(place for place in (folder, *folder.parents) if place.exists())
    if not os.access(there, os.W_OK):
        raise StoreError(f"{there}: it is read-only, and runs are kept there; make it writable")
    if problem := too_full(there, free_mb):
        raise StoreError(problem)


def too_full(folder: Path, free_mb: int) -> str:
    """What a person must do before there is ``free_mb`` on the folder's disk; empty where there is."""
    try:
        free = shutil.disk_usage(folder).free // 1_000_000
    except FileNotFoundError as error:
        raise StoreError(gone(folder)) from error
    if free >= free_mb:
        return ""
    return (
        f"{folder}: only {free:,} MB are free on this disk; free some space, or let it be fuller with "
        f"--limit free_disk_mb={free // 2} (limits.free_disk_mb is {free_mb:,})"
    )


def gone(folder: Path) -> str:
    """What a person must know where a run's folder is not where it was."""
    return f"{folder}: the run's folder is gone or was moved; where it is now, `swarm resume` goes on with it"


def too_large(path: Path, most_mb: int) -> str:
    """What a person must do before the run's file may grow beyond ``most_mb``; empty where it has not."""
    try:
        size = runfile.size_of(path) // 1_000_000
    except FileNotFoundError as error:
        raise StoreError(gone(path.parent)) from error
    if size < most_mb:
        return ""
    return (
        f"{path}: the run's file has {size:,} MB; `swarm gc {path.stem}` may make it smaller, or let it grow "
        f"with --limit run_file_mb={2 * size} (limits.run_file_mb is {most_mb:,})"
    )
