"""A run as one file that travels: its database, what its answer wrote if asked for, and a manifest.

The file is a zip archive. Every part is checked against its SHA-256 in the manifest before anything
of it is used.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from swarm.errors import ProjectError, StoreError, quoted, shortened
from swarm.nouns.events import RunEnded
from swarm.store.file import runfile
from swarm.store.file.inspection import inspect
from swarm.store.file.owner import lease, make_folder
from swarm.store.file.seal import witness_path
from swarm.store.rows import database
from swarm.store.rows.records import IMPORTED
from swarm.store.rows.writer import Writer
from swarm.store.shelf.beginning import rename
from swarm.store.shelf.reader import read_events, read_run

FORMAT = 1
"""Version of what is in an archive."""

MOST_OF_MANIFEST = 4_000_000
"""Bytes of a manifest."""
LONGEST_PART = 255
"""Bytes of one part of a path, as file systems have it."""

_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
"""Bit of a part's flags (APPNOTE.TXT of the format, 4.4.4)."""
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
_MANIFEST, _DATABASE, _FILES = "manifest.json", "run.db", "files/"
_CHUNK = 1 << 20
_EXPORTING = ".swarm-export-"
_LOCK = "swarm-export.lock"
"""Held by whoever exports: a folder without its holder was left by a kill."""
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


@dataclass(frozen=True)
class Placed:
    """Workspace files of an archive that were put into a folder."""

    folder: Path
    names: tuple[str, ...]


def check_id(id: str) -> str:
    """The id, if a run can be called that.

    Raises:
        ProjectError: it cannot.
    """
    if not re.fullmatch(_ID, id):
        raise ProjectError(f"a run cannot be called {quoted(id)}: use letters, digits, - and _, at most 64")
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
    if os.path.lexists(target):
        raise StoreError(
            f"{shortened(str(target), 160)}: there is a file already; remove it, or name another one"
        )
    record = read_run(path)
    try:
        with _beside(target) as folder:
            copy = folder / _DATABASE
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
            whole = folder / "whole"
            _write(whole, manifest, parts)
            whole.rename(target)
    except OSError as error:
        # Of what it is made of on the way nobody knows; files of the workspace are named.
        is_own = error.filename is None or _EXPORTING in str(error.filename)
        where = shortened(str(target if is_own else error.filename), 160)
        raise StoreError(f"{where}: {error.strerror}; nothing was exported") from error
    return manifest


@contextmanager
def _beside(target: Path) -> Generator[Path]:
    """A folder beside the file, for what it is made of. Those that killed exports left there are removed."""
    parent = target.absolute().parent
    for left in parent.glob(f"{_EXPORTING}*"):
        with suppress(OSError), (left / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left)
    with (
        tempfile.TemporaryDirectory(prefix=_EXPORTING, dir=parent) as made,
        (Path(made) / _LOCK).open("wb") as lock,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Path(made)


def read_manifest(file: Path) -> Manifest:
    """What an archive says it holds.

    Raises:
        StoreError: it is none, damaged, or newer than this program.
    """
    with _opened(file) as archive:
        if archive.getinfo(_MANIFEST).file_size > MOST_OF_MANIFEST:
            raise _damaged(file, f"its manifest has more than {MOST_OF_MANIFEST // 1_000_000} MB")
        try:
            manifest = Manifest.model_validate_json(archive.read(_MANIFEST))
        except ValidationError as error:
            raise _damaged(file, "its manifest does not read") from error
    if manifest.format > FORMAT or manifest.schema_version > runfile.SCHEMA_VERSION:
        raise StoreError(f"{shortened(str(file), 160)}: a newer version exported it; upgrade sovereign-swarm")
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
        make_folder(target.parent)
        with lease(target), tempfile.TemporaryDirectory(prefix=".import-", dir=target.parent) as folder:
            part = Path(folder) / target.name
            _take_out(file, manifest, target, part)
            before = read_run(part)
            settings: dict[str, JsonValue] = {**before.settings, IMPORTED: True}
            record = before.model_copy(update={"id": target.stem, "settings": settings})
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
    with placed_files(file, folder) as placed:
        return placed.names


@contextmanager
def placed_files(file: Path, folder: Path) -> Generator[Placed]:
    """The workspace files of an archive in a folder; where the block fails they are taken away again.

    Raises:
        StoreError: as ``import_files``.
    """
    manifest = read_manifest(file)
    targets = {name: _within(folder, name) for name in manifest.files}
    made: list[Path] = []
    try:
        for target in targets.values():
            if os.path.lexists(target):
                raise StoreError(
                    f"{shortened(str(target), 160)}: there is a file already; name another folder"
                )
        with _opened(file) as archive:
            for name, target in targets.items():
                _make_folders(target.parent, made)
                made.append(target)
                _extract(file, archive, manifest, f"{_FILES}{name}", target)
        yield Placed(folder, manifest.files)
    except BaseException as error:
        for path in reversed(made):
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        if isinstance(error, OSError):
            where = shortened(str(error.filename or folder), 160)
            raise StoreError(f"{where}: {error.strerror}; nothing was imported") from error
        raise


def _make_folders(folder: Path, made: list[Path]) -> None:
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        place.mkdir()
        made.append(place)


@contextmanager
def _opened(file: Path) -> Generator[zipfile.ZipFile]:
    """The archive, whose parts are packed as we pack them: what packs otherwise may take all memory to read."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise StoreError(
                f"{shortened(str(file), 160)}: no regular file; name one that `swarm export` made"
            )
        with zipfile.ZipFile(file) as archive:
            for part in archive.infolist():
                if part.compress_type not in _PACKED or part.flag_bits & _ENCRYPTED:
                    raise _damaged(file, "it is encrypted, or packed in another way")
            yield archive
    except OSError as error:
        if error.errno is None:
            raise _damaged(file, f"{error}") from error
        if error.filename not in (file, str(file)):
            raise
        words = f"{error.strerror}; name a file that `swarm export RUN` made"
        words = "no such file; `swarm export RUN` makes one" if error.errno == errno.ENOENT else words
        raise StoreError(f"{shortened(str(file), 160)}: {words}") from error
    except _BROKEN as error:
        raise _damaged(file, f"{error}") from error


def _damaged(file: Path, why: str) -> StoreError:
    where, what = shortened(str(file), 160), shortened(why)
    return StoreError(f"{where}: no export of a run, or a damaged one ({what}); export it again")


def _extract(file: Path, archive: zipfile.ZipFile, manifest: Manifest, name: str, target: Path) -> None:
    """Writes a part where no file is, or nothing when it is not what the manifest says."""
    size, free = archive.getinfo(name).file_size, shutil.disk_usage(target.parent).free
    if size > free:
        raise StoreError(f"{shortened(name)} of {file} has {size:,} bytes, and {free:,} are free; make room")
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
    is_name = name.isprintable() and all(len(part.encode()) <= LONGEST_PART for part in path.parts)
    if path.is_absolute() or ".." in path.parts or not path.parts or not is_name:
        where = shortened(str(folder), 160)
        raise StoreError(f"{quoted(name)} is no file of {where}; only files of the workspace travel")
    return folder / path


def _sync(folder: Path) -> None:
    """Makes a new name durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
