"""Where a run works that is resumed: in the project it is in now, whatever its record says of another one."""

from __future__ import annotations

from pathlib import Path

from swarm.errors import MOST_LISTED, ProjectError, shortened
from swarm.store.rows.records import IMPORTED, RunRecord, ThreadRecord
from swarm.store.shelf.reader import read_threads

_SETTLED = ("done", "failed", "reconciled", "abandoned")
MOST_OF_REPLY = 160
"""Characters of a recorded reply that are told."""


def workspace_of(record: RunRecord, project: Path) -> Path:
    """The folder that the run goes on in.

    A run that was made in this very project goes on where it worked. One that was imported, copied or
    moved here works in the same place within this project.

    Raises:
        ProjectError: it worked outside its project, so that a person must say where it is to work.
    """
    worked = Path(record.workspace)
    is_own = record.settings.get(IMPORTED) is not True and Path(record.project) == project
    if is_own and worked.is_dir():
        return worked
    if is_own:
        gone = shortened(record.workspace, 120)
        raise ProjectError(f"run {record.id!r} worked in {gone}, which is gone; name one: --workspace FOLDER")
    if worked == Path(record.project):
        return project
    if worked.is_relative_to(record.project) and ".." not in worked.parts:
        here = project / worked.relative_to(record.project)
        if here.is_dir() and here.resolve().is_relative_to(project):
            return here
    raise ProjectError(
        f"run {record.id!r} comes from {shortened(record.project, 120)} and worked in "
        f"{shortened(record.workspace, 120)}; say where it is to work here: --workspace FOLDER"
    )


def replies_to_act_on(path: Path, record: RunRecord) -> tuple[str, ...]:
    """Of a run that was imported and not resumed yet, the recorded replies that a resume acts on before
    any model is asked: the first ones and how many more there are.

    Raises:
        StoreError: the file cannot be read.
    """
    if record.settings.get(IMPORTED) is not True:
        return ()
    found = [words for thread in read_threads(path) if thread.result is None for words in _open(thread)]
    more = (f"and {len(found) - MOST_LISTED} more",) if len(found) > MOST_LISTED else ()
    return (*found[:MOST_LISTED], *more)


def _open(thread: ThreadRecord) -> list[str]:
    settled = {call.turn for call in thread.calls if call.state in _SETTLED}
    return [
        f"{thread.thread.step}, turn {turn.turn}: {shortened(' '.join(turn.reply.text.split()), MOST_OF_REPLY)}"
        for turn in thread.turns
        if turn.turn not in settled
    ]
