"""A run as one file that travels: its database, what its answer wrote if asked for, and a manifest.

The file is a zip archive. Every part is checked against its SHA-256 in the manifest before anything
of it is used.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import zipfile
import zlib
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from swarm.errors import ProjectError, StoreError
from swarm.events import RunEnded
from swarm.store import database, runfile
from swarm.store.fork import rename
from swarm.store.inspection import inspect
from swarm.store.lease import lease
from swarm.store.reader import read_events, read_run
from swarm.store.witness import witness_path
from swarm.store.writer import Writer

FORMAT = 1
"""Version of what is in an archive."""

_MANIFEST, _DATABASE, _FILES = "manifest.json", "run.db", "files/"
_CHUNK = 1 << 20
_ID = r"^[A-Za-z0-9_-]{1,64}$"


class Manifest(BaseModel):
    """What an archive holds."""

    model_config = ConfigDict(frozen=True)

    format: int
    schema_version: int
    """Of the tables of the run's file."""
    run: str = Field(pattern=_ID)
    task: str
    digests: dict[str, str]
    """SHA-256 of each part, by its name."""

    @property
    def files(self) -> tuple[str, ...]:
        """The workspace files it holds, relative to the workspace."""
        return tuple(name.removeprefix(_FILES) for name in self.digests if name.startswith(_FILES))


def check_id(id: str) -> str:
    """The id, if a run can be called that.

    Raises:
        ProjectError: it cannot.
    """
    if not re.fullmatch(_ID, id):
        raise ProjectError(f"a run cannot be called {id!r}: use letters, digits, - and _, at most 64")
    return id


def answer_files(path: Path) -> tuple[str, ...]:
    """The files that the run's answer names, relative to its workspace.

    Raises:
        StoreError: the run's file cannot be read.
    """
    ends = [event for event in read_events(path) if isinstance(event, RunEnded)]
    return ends[-1].files if ends else ()


def export_run(path: Path, target: Path, files: Iterable[str] = ()) -> Manifest:
    """Writes the run as it is now into the new file ``target``, with these files of its workspace.

    A live process may own the run. ``target`` appears whole or not at all.

    Raises:
        StoreError: something of it cannot be read, or ``target`` not be written or is there already.
    """
    if target.exists():
        raise StoreError(f"{target}: there is a file already; remove it, or name another one")
    record = read_run(path)
    try:
        with tempfile.TemporaryDirectory(prefix=".export-", dir=target.absolute().parent) as folder:
            copy = Path(folder) / _DATABASE
            runfile.copy_file(path, copy)
            parts = {_DATABASE: copy}
            parts |= {f"{_FILES}{name}": _within(Path(record.workspace), name) for name in files}
            manifest = Manifest(
                format=FORMAT,
                schema_version=runfile.version_of(copy),
                run=record.id,
                task=record.task,
                digests={name: _digest(part) for name, part in parts.items()},
            )
            whole = Path(folder) / "whole"
            _write(whole, manifest, parts)
            whole.rename(target)
    except OSError as error:
        raise StoreError(f"{error.filename or target}: {error.strerror}; nothing was exported") from error
    return manifest


def read_manifest(file: Path) -> Manifest:
    """What an archive says it holds.

    Raises:
        StoreError: it is none, damaged, or newer than this program.
    """
    with _opened(file) as archive:
        try:
            manifest = Manifest.model_validate_json(archive.read(_MANIFEST))
        except ValidationError as error:
            raise _damaged(file, "its manifest does not read") from error
    if manifest.format > FORMAT or manifest.schema_version > runfile.SCHEMA_VERSION:
        raise StoreError(f"{file}: a newer version exported it; upgrade sovereign-swarm")
    return manifest


async def import_run(file: Path, target: Path) -> Manifest:
    """Makes the run's file ``target`` of an archive; its name is the run's id from then on.

    The file appears whole or not at all.

    Raises:
        RunBusy: a live process is about to make that run.
        StoreError: the archive is none, damaged or newer than this program; there is such a run.
    """
    manifest = read_manifest(file)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with lease(target), tempfile.TemporaryDirectory(prefix=".import-", dir=target.parent) as folder:
            part = Path(folder) / target.name
            _take_out(file, manifest, target, part)
            if target.stem != manifest.run:
                record = read_run(part).model_copy(update={"id": target.stem})
                async with Writer.open(part, partial(database.open_existing, part)) as writer:
                    await writer.do(lambda connection: rename(connection, record))
            # Of an earlier run of that id, and false of this one.
            witness_path(target).unlink(missing_ok=True)
            part.rename(target)
            _sync(target.parent)
    except OSError as error:
        raise StoreError(f"{error.filename or target}: {error.strerror}; nothing was imported") from error
    return manifest


def _take_out(file: Path, manifest: Manifest, target: Path, part: Path) -> None:
    if target.exists():
        raise StoreError(f"{target}: there is such a run already; give this one another id (--as ID)")
    with _opened(file) as archive:
        _extract(file, archive, manifest, _DATABASE, part)
    inspect(part)
    if read_run(part).id != manifest.run:
        raise _damaged(file, "its run is another one than its manifest says")


def import_files(file: Path, folder: Path) -> tuple[str, ...]:
    """Writes the workspace files of an archive into a folder; gives their names. None may be there already.

    Raises:
        StoreError: the archive is none or damaged, a file is there, or the folder does not take them.
    """
    manifest = read_manifest(file)
    targets = {name: _within(folder, name) for name in manifest.files}
    for target in targets.values():
        if target.exists():
            raise StoreError(f"{target}: there is a file already; name another folder")
    try:
        with _opened(file) as archive:
            for name, target in targets.items():
                target.parent.mkdir(parents=True, exist_ok=True)
                _extract(file, archive, manifest, f"{_FILES}{name}", target)
    except OSError as error:
        raise StoreError(f"{error.filename or folder}: {error.strerror}") from error
    return manifest.files


@contextmanager
def _opened(file: Path) -> Generator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError) as error:
        raise _damaged(file, f"{error}") from error
    except FileNotFoundError as error:
        raise StoreError(f"{file}: no such file; `swarm export RUN` makes one") from error


def _damaged(file: Path, why: str) -> StoreError:
    return StoreError(f"{file}: no export of a run, or a damaged one ({why}); export it again")


def _extract(file: Path, archive: zipfile.ZipFile, manifest: Manifest, name: str, target: Path) -> None:
    """Writes a part where no file is, or nothing when it is not what the manifest says."""
    digest = hashlib.sha256()
    with target.open("xb") as out:
        with archive.open(name) as part:
            while chunk := part.read(_CHUNK):
                digest.update(chunk)
                out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    if digest.hexdigest() != manifest.digests[name]:
        target.unlink()
        raise _damaged(file, f"{name} is not as it was exported")


def _write(target: Path, manifest: Manifest, parts: Mapping[str, Path]) -> None:
    with target.open("xb") as out:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(_MANIFEST, manifest.model_dump_json(indent=2))
            for name, part in parts.items():
                archive.write(part, name)
        out.flush()
        os.fsync(out.fileno())


def _digest(part: Path) -> str:
    with part.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _within(folder: Path, name: str) -> Path:
    """The file of that name in a folder, and never one outside it.

    Raises:
        StoreError: the name leads out of the folder.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise StoreError(f"{name!r} is no file of {folder}; only files of the workspace travel")
    return folder / path


def _sync(folder: Path) -> None:
    """Makes a new name durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
