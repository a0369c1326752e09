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
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from swarm.errors import ToolError
from swarm.program.outcome import Left, digest_of
from swarm.program.overlay import refuse_place

FOLDER = ".swarm/commits"
"""Below the workspace, where what is to be put in place is kept meanwhile."""
FOLDERS = "folders"
"""There, the folders that were made."""
AT_FDCWD, RENAME_NOREPLACE, RENAME_EXCHANGE = -100, 1, 2
"""From linux/fs.h and fcntl.h."""


class Commit:
    """The files of one program on their way into the workspace.

    ``guard`` is called before each file is put in place, and raises where the run has another owner by now.
    """

    def __init__(
        self,
        workspace: Path,
        key: str,
        files: Mapping[str, Left],
        guard: Callable[[], None] = lambda: None,
    ) -> None:
        self._workspace = workspace
        self._files = files
        self._guard = guard
        self._stage = workspace / FOLDER / hashlib.sha256(key.encode()).hexdigest()[:16]

    def prepare(self) -> None:
        """Writes the new contents beside the workspace's files; durable when it returns.

        Raises:
            ToolError: a file is not what the program saw, or can't be written.
        """
        for name, left in self._files.items():
            try:
                self._refuse_if_changed(name, left)
            except ToolError as error:
                raise ToolError(f"{name} {error}; nothing of this step was written") from error
        try:
            self.forget()
            self._stage.mkdir(parents=True)
            self._note_folders()
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
            self._guard()
            try:
                self._put_one(number, name, left)
            except (ToolError, OSError) as error:
                why = f"can't be written: {error.strerror}" if isinstance(error, OSError) else str(error)
                kept = self._take_back(done)
                raise ToolError(f"{name} {why}; {kept or 'nothing of this step was written'}") from error
            done.append((number, name, left))
        for folder in {(self._workspace / name).parent for name in self._files}:
            if folder.is_dir():
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
        if (old := staged.with_name(f"{staged.name}.old")).exists() and not staged.exists():
            old.replace(staged)  # An exchange in two acts was cut off between them.
        if digest_of(place) == left.after:
            # Put in place before; what came out may not have been looked at.
            self._refuse_if_another_came_out(place, staged, left)
            return
        self._refuse_if_changed(name, left)
        if left.content is not None and not staged.exists():
            self._stage.mkdir(parents=True, exist_ok=True)
            self._write(staged, left.content, place)
        if not left.before:
            place.parent.mkdir(parents=True, exist_ok=True)
            self._rename(staged, place, RENAME_NOREPLACE)
        elif left.content is None:
            self._stage.mkdir(parents=True, exist_ok=True)
            self._rename(place, staged, RENAME_NOREPLACE)
        else:
            self._rename(staged, place, RENAME_EXCHANGE)
        self._refuse_if_another_came_out(place, staged, left)

    def _refuse_if_another_came_out(self, place: Path, staged: Path, left: Left) -> None:
        """Puts back what came out of a place where it is not what the program saw."""
        if left.before and staged.exists() and digest_of(staged) not in (left.before, left.after):
            self._back(staged, place, left)
            raise ToolError("was changed by somebody else meanwhile")

    def _take_back(self, done: list[tuple[int, str, Left]]) -> str:
        """Makes what was put in place as it was, last first; what somebody changed since stays theirs.
        What could not be taken back, in words."""
        stuck: list[str] = []
        for number, name, left in reversed(done):
            place, staged = self._workspace / name, self._staged(number)
            try:
                if digest_of(place) != left.after:
                    continue
                if not left.before:
                    place.unlink(missing_ok=True)
                elif digest_of(staged) == left.before:
                    self._back(staged, place, left)
            except OSError as error:
                stuck.append(f"{name} ({error.strerror})")
        self._remove_folders()
        return f"these stay written, as they can't be taken back: {', '.join(stuck)}" if stuck else ""

    def _note_folders(self) -> None:
        """Notes the folders that are made for its files, to be taken back with them."""
        above = {Path(name).parents[at] for name in self._files for at in range(len(Path(name).parents) - 1)}
        made = sorted(str(folder) for folder in above if not (self._workspace / folder).exists())
        (self._stage / FOLDERS).write_text("\n".join(made), encoding="utf-8")

    def _remove_folders(self) -> None:
        with suppress(OSError):
            for folder in reversed((self._stage / FOLDERS).read_text(encoding="utf-8").splitlines()):
                with suppress(OSError):
                    (self._workspace / folder).rmdir()

    def _refuse_if_changed(self, name: str, left: Left) -> None:
        try:
            refuse_place(self._workspace, name)
            now = digest_of(self._workspace / name)
        except ValueError as error:
            raise ToolError(f"can't be written: {error}") from error
        except OSError as error:
            raise ToolError(f"can't be read: {error.strerror}") from error
        if now not in (left.before, left.after):
            raise ToolError("was changed by somebody else since the program ran")

    def _back(self, staged: Path, place: Path, left: Left) -> None:
        how = RENAME_NOREPLACE if left.content is None else RENAME_EXCHANGE
        self._rename(staged, place, how)

    def _rename(self, source: Path, target: Path, how: int) -> None:
        rename(source, target, how)

    @staticmethod
    def _write(staged: Path, content: bytes, place: Path) -> None:
        # Under another name first: what has the right one is whole.
        part = staged.with_name(f"{staged.name}.part")
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with suppress(OSError):
            shutil.copymode(place, part)
        part.replace(staged)


def rename(source: Path, target: Path, how: int) -> None:
    """renameat2(2): a rename that replaces nothing, or an exchange of two files.

    Raises:
        OSError: it failed.
    """
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is None:
        rename_in_two(source, target, how)
        return
    if function(AT_FDCWD, os.fsencode(source), AT_FDCWD, os.fsencode(target), how) == 0:
        return
    code = ctypes.get_errno()
    if code not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        raise OSError(code, os.strerror(code), str(target))
    rename_in_two(source, target, how)


def rename_in_two(source: Path, target: Path, how: int) -> None:
    """The same where the file system has no such rename: in two acts, with a moment between them.

    What is cut off there leaves both files: the old one under the name of the source with an ending.
    """
    if how == RENAME_NOREPLACE:
        os.link(source, target)
        source.unlink()
        return
    kept = source.with_name(f"{source.name}.old")
    kept.unlink(missing_ok=True)
    os.link(target, kept)
    Path(source).replace(target)
    Path(kept).replace(source)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
