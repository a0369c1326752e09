"""The workspace as a program sees it: what lies there, and over it what the program has written.

A program writes into a folder of its own, so that a copy of the workspace costs nothing and no program sees
what another one did. What it changes is compared, chosen and only then put into the workspace.
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from fnmatch import translate
from pathlib import Path, PurePosixPath

LEFT_OUT = frozenset({"node_modules", "__pycache__", "venv", "site-packages"})
"""Folders that nobody means by the files of a workspace, beside those whose names begin with a dot."""
MOST_FILES = 200_000
MOST_NAMED = 8
MOST_COMPARED = 2_000
"""Names that a wrong one is compared with."""


class Overlay:
    """A workspace that is only read, and the folder that takes what is written."""

    def __init__(self, workspace: Path, written: Path) -> None:
        self.workspace = workspace
        self.written = written
        self.removed: set[str] = set()
        """Files of the workspace that are to go."""
        self.read: dict[str, list[int]] = {}
        """Files of the workspace that were opened, in their order, each as it was then: its number, size and
        times; nothing of what is no single file."""
        self.listed: dict[str, None] = {}
        """Patterns that files were looked for by."""
        self._known: list[str] | None = None

    @property
    def has_changes(self) -> bool:
        """Whether anything was written or removed."""
        return bool(self.removed) or any(self.written.iterdir())

    def forget(self) -> None:
        """Lets go of all that was written, as before the start."""
        for path in self.written.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.removed.clear()
        self.listed.clear()

    def name_of(self, name: str | os.PathLike[str]) -> str:
        """A file's name relative to the workspace, whatever way it is written.

        Raises:
            ValueError: it leads out of the workspace.
        """
        text = os.fspath(name)
        if text.startswith(f"{self.workspace}{os.sep}"):
            text = text[len(str(self.workspace)) + 1 :]
        inside = os.path.normpath(text.replace("\\", "/").strip())
        if inside.startswith("/") or inside.split("/")[0] == ".." or "\0" in inside:
            raise ValueError(f"{text[:80]!r} is no file of this folder; name one as files() gives it")
        return inside

    def path_of(self, name: str | os.PathLike[str]) -> Path:
        """Where a file is to be read.

        Raises:
            FileNotFoundError: there is none of that name; names those that are like it.
        """
        inside = self.name_of(name)
        if (mine := self.written / inside).is_file():
            return mine
        theirs = self.workspace / inside
        if inside in self.removed or not theirs.is_file():
            raise FileNotFoundError(self._no_such(inside))
        self.note_read(inside)
        return theirs

    def forget_read(self, name: str | os.PathLike[str]) -> None:
        """Notes that a file was opened and could not be read."""
        self.read.pop(self.name_of(name), None)

    def note_read(self, name: str) -> None:
        """Notes that a file, or the files of a pattern, are read."""
        if name not in self.read:
            try:
                stat = (self.workspace / name).stat()
                self.read[name] = [stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
            except OSError:
                self.read[name] = []

    def place_for(self, name: str | os.PathLike[str]) -> Path:
        """Where a file is to be written; its folder is made.

        Raises:
            ValueError: it leads out of the workspace, or is a folder, hidden or a link.
        """
        inside = self.name_of(name)
        refuse_place(self.workspace, inside)
        path = self.written / inside
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(f"{inside!r} can't be written: {error.strerror}") from error
        if path.is_dir():
            raise ValueError(f"{inside!r} is a folder; name a file in it")
        self.removed.discard(inside)
        return path

    def remove(self, name: str | os.PathLike[str]) -> None:
        """Takes a file away.

        Raises:
            FileNotFoundError: there is none of that name.
            ValueError: it is a folder, hidden or a link.
        """
        inside = self.name_of(name)
        refuse_place(self.workspace, inside)
        self.path_of(inside)
        (self.written / inside).unlink(missing_ok=True)
        if (self.workspace / inside).exists():
            self.removed.add(inside)

    def files(self, pattern: str = "**/*") -> list[str]:
        """Names of the files that a pattern matches, sorted; one without a folder means files anywhere.

        Raises:
            FileNotFoundError: none does; names some that are there.
        """
        wanted = self.name_of(pattern)
        if wanted == "." or (self.workspace / wanted).is_dir():
            wanted = f"{wanted}/**/*".removeprefix("./")
        found = matching(self._names(), wanted)
        self.listed[wanted] = None
        if not found:
            raise FileNotFoundError(self._no_such(wanted))
        return found

    def _names(self) -> list[str]:
        if self._known is None:
            self._known = sorted(_walked(self.workspace))
        if not self.has_changes:
            return self._known
        return sorted({*self._known, *_walked(self.written)} - self.removed)

    def _no_such(self, inside: str) -> str:
        names = self._names()
        folder, _, last = inside.rpartition("/")
        ending = PurePosixPath(last).suffix.casefold()
        alike = [name for name in names if name.casefold() == inside.casefold()]
        alike += [name for name in names if name.rpartition("/")[2].casefold() == last.casefold()]
        here = [name for name in names if name.rpartition("/")[0] == folder]
        near = difflib.get_close_matches(inside, here[:MOST_COMPARED], MOST_NAMED, 0.5)
        ends = [name for name in names if ending and name.casefold().endswith(ending)]
        some = list(dict.fromkeys([*alike, *near, *ends[:MOST_NAMED], *here, *names[:MOST_NAMED]]))[
            :MOST_NAMED
        ]
        what = "matches" if "*" in inside else "is called"
        return f"no file {what} {inside[:80]!r}; there are: {', '.join(some) or 'none'}"


def refuse_place(workspace: Path, inside: str) -> None:
    """Lets pass the name of a file that may be written or removed.

    Raises:
        ValueError: it leads out of the workspace, or is a folder, hidden or a link; says which.
    """
    parts = PurePosixPath(inside).parts
    there = workspace / inside
    if not parts or inside.startswith("/") or ".." in parts or "\0" in inside:
        raise ValueError(f"{inside[:80]!r} is no file of this folder; name one as files() gives it")
    if any(part.startswith(".") for part in parts):
        raise ValueError(f"{inside[:80]!r} is hidden; hidden files are not written")
    if any("\ud800" <= sign <= "\udfff" for sign in inside):
        raise ValueError(f"{inside[:80]!r} is no valid text; give the file another name")
    if there.is_symlink():
        raise ValueError(f"{inside[:80]!r} is a link; name the file that it leads to")
    if there.is_dir():
        raise ValueError(f"{inside[:80]!r} is a folder; name a file in it")
    for above in [workspace / Path(*parts[:count]) for count in range(1, len(parts))]:
        if above.is_file():
            raise ValueError(f"{above.name[:80]!r} is a file, so nothing can be written below it")
        if above.is_symlink() and not above.resolve().is_relative_to(workspace.resolve()):
            raise ValueError(f"{inside[:80]!r} leads out of this folder by a link; write inside of it")


def _walked(folder: Path) -> Iterator[str]:
    """The files below a folder, hidden folders and those of tools left out."""
    count = 0
    for place, inner, names in os.walk(folder):
        inner[:] = [name for name in inner if not name.startswith(".") and name not in LEFT_OUT]
        at = Path(place).relative_to(folder)
        for name in names:
            count += 1
            if count > MOST_FILES:
                raise OSError(f"there are more than {MOST_FILES:,} files here; name a folder of fewer")
            yield (at / name).as_posix()


def matching(names: Sequence[str], pattern: str) -> list[str]:
    """The names that a pattern matches; one without a folder means files anywhere, if none lies at the top."""
    found = [name for name in names if is_match(name, pattern)]
    if not found and "/" not in pattern:
        found = [name for name in names if is_match(PurePosixPath(name).name, pattern)]
    return found


def is_match(name: str, pattern: str) -> bool:
    """Whether a pattern names a file: ``*`` stays in a folder, ``**/`` is any number of folders."""
    parts = [part for part in re.split(r"(\*\*/|\*\*)", pattern) if part]
    signs = ("(?:.*/)?" if part == "**/" else ".*" if part == "**" else _plain(part) for part in parts)
    return re.fullmatch("".join(signs), name) is not None


def _plain(part: str) -> str:
    # fnmatch's star crosses folders; this one does not.
    pieces = re.split(r"([*?])", part) if "[" not in part else [part]
    if len(pieces) == 1 and "[" in part:
        return translate(part).removeprefix("(?s:").removesuffix(")\\Z").replace(".*", "[^/]*")
    return "".join({"*": "[^/]*", "?": "[^/]"}.get(piece, re.escape(piece)) for piece in pieces)
