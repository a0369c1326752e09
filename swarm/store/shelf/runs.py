"""The runs of a project: where their files are, which there are, and which one a person means."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from swarm.errors import ProjectError, StoreError, listed, quoted, shortened
from swarm.store.file.owner import owner_of, small_text

if TYPE_CHECKING:
    from swarm.store.rows.records import RunRecord

LAST = "last"
"""Stands for the run that was started last; also the name of the file that holds its id."""

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that are mistaken for another one."""

_ID_LENGTH = 8
"""31 ** 8 ids: among 10,000 runs of a project, two alike once in 17,000 projects."""


@dataclass(frozen=True)
class RunFolder:
    """What is in a project's folder of runs."""

    records: tuple[RunRecord, ...]
    """The last one first."""
    problems: tuple[str, ...]
    """One sentence for each file that cannot be read."""


def new_run_id() -> str:
    """An id for a new run: eight letters and digits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_ID_LENGTH))


def run_path(project: Path, id: str) -> Path:
    """The file of the project's run of that id; it need not be there."""
    return _folder(project) / f"{id}.db"


def list_runs(project: Path) -> RunFolder:
    """The project's runs. A file that cannot be read hides no other one."""
    from swarm.store.shelf.reader import read_run  # Finding the file of an id is to load nothing.

    records: list[RunRecord] = []
    problems: list[str] = []
    for path in _files(project):
        try:
            records.append(read_run(path))
        except StoreError as error:
            problems.append(str(error))
    records.sort(key=lambda record: (record.created_at, record.id), reverse=True)
    return RunFolder(tuple(records), tuple(problems))


def find_run(project: Path, run: str) -> Path:
    """The file of the run that a person means: an id, the beginning of one, or ``last``.

    Raises:
        ProjectError: there is no such run, or more than one; the message names those there are.
    """
    ids = [path.stem for path in _files(project)]
    if run == LAST and not ids:
        where = shortened(str(_folder(project)), 160)
        raise ProjectError(f"there is no run yet in {where}; start one with `swarm run`")
    if run == LAST:
        return run_path(project, _last(project, ids))
    found = [run] if run in ids else [id for id in ids if run and id.startswith(run)]
    if len(found) == 1:
        return run_path(project, found[0])
    if found:
        raise ProjectError(f"run {quoted(run)} is one of {listed(found)}; give more letters of its id")
    there = f"there are {listed(ids)}" if ids else "there is none yet; start one with `swarm run`"
    raise ProjectError(
        f"no run begins with {quoted(run)} in {shortened(str(_folder(project)), 160)}; {there}"
    )


def note_last(project: Path, id: str) -> None:
    """Makes that run the last one. Dates do not tell: the system's clock may have been set meanwhile."""
    with suppress(OSError):  # Without it the dates tell, and a full disk is told of by the run itself.
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(_folder(project) / LAST, flags, 0o600), "w", encoding="ascii") as file:
            file.write(id)


def _last(project: Path, ids: list[str]) -> str:
    with suppress(OSError, ValueError):
        noted = small_text(_folder(project) / LAST)
        if noted in ids:
            return noted
    records = list_runs(project).records
    return records[0].id if records else ids[-1]


def runs_at_work(project: Path) -> tuple[Path, ...]:
    """The files of the project's runs that a live process owns."""
    return tuple(path for path in _files(project) if owner_of(path))


def _folder(project: Path) -> Path:
    return project / ".swarm" / "runs"


def _files(project: Path) -> list[Path]:
    folder = _folder(project)
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".db")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(
            f"{shortened(str(folder), 160)}: {error.strerror}; make the folder readable"
        ) from error
