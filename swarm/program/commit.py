"""Putting what a program left into the workspace: all of it or nothing, and never over what changed meanwhile.

New contents are written beside the workspace's files first. Each is then exchanged with the file it replaces in
one act of the file system, and what comes out is looked at: where it is not what the program saw, it goes back.
A commit that was cut off goes on where it was, or is taken back whole where somebody changed a file since.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from swarm.errors import ToolError
from swarm.program.outcome import Left, digest_of

FOLDER = ".swarm/commits"
"""Below the workspace, where what is to be put in place is kept meanwhile."""
AT_FDCWD, RENAME_NOREPLACE, RENAME_EXCHANGE = -100, 1, 2
"""From linux/fs.h and fcntl.h."""


class Commit:
    """The files of one program on their way into the workspace."""

    def __init__(self, workspace: Path, key: str, files: Mapping[str, Left]) -> None:
        self._workspace = workspace
        self._files = files
        self._stage = workspace / FOLDER / hashlib.sha256(key.encode()).hexdigest()[:16]

    def prepare(self) -> None:
        """Writes the new contents beside the workspace's files; durable when it returns.

        Raises:
            ToolError: a file is not what the program saw, or can't be written.
        """
        for name, left in self._files.items():
            self._refuse_if_changed(name, left)
        try:
            self._stage.mkdir(parents=True, exist_ok=True)
            for number, (name, left) in enumerate(self._files.items()):
                if (content := left.content) is not None:
                    self._write(self._staged(number), content, self._workspace / name)
            _sync(self._stage)
        except OSError as error:
            self.forget()
            raise ToolError(f"nothing was written: {error.strerror}") from error

    def put(self) -> None:
        """Puts each file in its place; goes on where an earlier try was cut off.

        Raises:
            ToolError: somebody changed one of them meanwhile; all are as they were before.
        """
        done: list[tuple[int, str, Left]] = []
        for number, (name, left) in enumerate(self._files.items()):
            try:
                if digest_of(self._workspace / name) != left.after:
                    self._put_one(number, name, left)
            except (ToolError, OSError) as error:
                self._take_back(done)
                why = error.strerror if isinstance(error, OSError) else str(error)
                raise ToolError(f"{name}: {why}; nothing of this step was written") from error
            done.append((number, name, left))
        for folder in {(self._workspace / name).parent for name in self._files}:
            _sync(folder)

    def forget(self) -> None:
        """Lets go of what was kept meanwhile."""
        shutil.rmtree(self._stage, ignore_errors=True)
        for folder in (self._stage.parent, self._stage.parent.parent):
            with suppress(OSError):
                folder.rmdir()

    def _staged(self, number: int) -> Path:
        return self._stage / str(number)

    def _put_one(self, number: int, name: str, left: Left) -> None:
        place, staged = self._workspace / name, self._staged(number)
        self._refuse_if_changed(name, left)
        if left.content is not None and not staged.exists():
            self._write(staged, left.content, place)
        if not left.before:
            place.parent.mkdir(parents=True, exist_ok=True)
            _rename(staged, place, RENAME_NOREPLACE)
        elif left.content is None:
            Path(place).rename(staged)
        else:
            _rename(staged, place, RENAME_EXCHANGE)
        if left.before and digest_of(staged) != left.before:
            _back(staged, place, left)
            raise ToolError("it was changed by somebody else meanwhile")

    def _take_back(self, done: list[tuple[int, str, Left]]) -> None:
        """Makes what was put in place as it was, last first; what somebody changed since stays theirs."""
        for number, name, left in reversed(done):
            place, staged = self._workspace / name, self._staged(number)
            if digest_of(place) != left.after:
                continue
            if not left.before:
                place.unlink(missing_ok=True)
            elif digest_of(staged) == left.before:
                _back(staged, place, left)

    def _refuse_if_changed(self, name: str, left: Left) -> None:
        try:
            now = digest_of(self._workspace / name)
        except OSError as error:
            raise ToolError(f"{name} can't be written: {error.strerror}") from error
        if now not in (left.before, left.after):
            raise ToolError(f"{name} was changed by somebody else since the program ran; nothing was written")

    @staticmethod
    def _write(staged: Path, content: bytes, place: Path) -> None:
        with staged.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with suppress(OSError):
            shutil.copymode(place, staged)


def _back(staged: Path, place: Path, left: Left) -> None:
    if left.content is None:
        _rename(staged, place, RENAME_NOREPLACE)
    else:
        _rename(staged, place, RENAME_EXCHANGE)


def _rename(source: Path, target: Path, how: int) -> None:
    """renameat2(2): a rename that replaces nothing, or an exchange of two files.

    Raises:
        OSError: it failed.
    """
    library = ctypes.CDLL(None, use_errno=True)
    result = library.renameat2(AT_FDCWD, os.fsencode(source), AT_FDCWD, os.fsencode(target), how)
    if result == 0:
        return
    code = ctypes.get_errno()
    if code not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        raise OSError(code, os.strerror(code), str(target))
    _rename_in_two(source, target, how)


def _rename_in_two(source: Path, target: Path, how: int) -> None:
    """The same where the file system has no such rename: in two acts, with a moment between them."""
    if how == RENAME_NOREPLACE:
        os.link(source, target)
        source.unlink()
        return
    kept = source.with_name(f"{source.name}.old")
    os.link(target, kept)
    Path(source).replace(target)
    Path(kept).replace(source)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
