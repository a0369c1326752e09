"""The runs of a project: where their files are, which there are, and which one a person means."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from swarm.errors import ProjectError, StoreError
from swarm.store.lease import owner_of
from swarm.store.reader import read_run
from swarm.store.records import RunRecord

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that are mistaken for another one."""

_ID_LENGTH = 8
"""31 ** 8 ids: among 10,000 runs of a project, two alike once in 17,000 projects."""


@dataclass(frozen=True)
class Runs:
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


def list_runs(project: Path) -> Runs:
    """The project's runs. A file that cannot be read hides no other one."""
    records: list[RunRecord] = []
    problems: list[str] = []
    for path in _files(project):
        try:
            records.append(read_run(path))
        except StoreError as error:
            problems.append(str(error))
    records.sort(key=lambda record: (record.created_at, record.id), reverse=True)
    return Runs(tuple(records), tuple(problems))


def find_run(project: Path, prefix: str) -> Path:
    """The file of the one run whose id begins with ``prefix``.

    Raises:
        ProjectError: no run begins so, or more than one does; the message names those there are.
    """
    ids = [path.stem for path in _files(project)]
    found = [prefix] if prefix in ids else [id for id in ids if prefix and id.startswith(prefix)]
    if len(found) == 1:
        return run_path(project, found[0])
    if found:
        raise ProjectError(f"run {prefix!r} is one of {', '.join(found)}; give more letters of its id")
    there = f"there are {', '.join(ids)}" if ids else "there is none yet; start one with `swarm run`"
    raise ProjectError(f"no run begins with {prefix!r} in {_folder(project)}; {there}")


def runs_at_work(project: Path) -> tuple[Path, ...]:
    """The files of the project's runs that a live process owns."""
    return tuple(path for path in _files(project) if owner_of(path))


def _folder(project: Path) -> Path:
    return project / ".swarm" / "runs"


def _files(project: Path) -> list[Path]:
    return sorted(_folder(project).glob("*.db"))
