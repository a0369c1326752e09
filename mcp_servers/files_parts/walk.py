"""Walking folders without following links: what a pattern matches, and what had to be left out."""

from __future__ import annotations

import contextlib
import errno
import fnmatch
import os
import re
import stat
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

WALK_ENTRIES = 500_000
"""That one walk looks at before it stops."""
WALK_DEPTH = 100
"""Folders within each other that are looked into."""
FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
LINK, SPECIAL = "link, not followed", "special file"
CLOSED = "list it to see inside"
"""A folder that was not looked into."""
MOST_NAMED = 20
UNSPEAKABLE = re.compile(
    "[\0-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufe00-\ufe0e\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e01ef]|(?<![^\0-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\0-\x7f])"
)
"""In a name: what nobody sees, what breaks a line, and bytes that are no UTF-8."""


class WayEnds(OSError):
    """A folder on the way to a place cannot be entered; ``filename`` names it."""


@dataclass(frozen=True)
class Place:
    """A path inside a granted folder. ``prefix`` is what a caller writes before it: nothing for the
    first folder, the whole path of any other."""

    root: Path
    prefix: str
    parts: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The path as a caller writes it."""
        return self.prefix + "/".join(self.parts) or "."

    @property
    def top(self) -> Place:
        """The granted folder."""
        return replace(self, parts=())

    def below(self, name: str) -> Place:
        """The place of that name in this folder."""
        return replace(self, parts=(*self.parts, name))


@dataclass(frozen=True)
class Entry:
    """What a walk found: a ``file`` with its size, a ``folder``, or what else it is."""

    place: Place
    kind: str
    size_bytes: int = 0


@dataclass(frozen=True)
class Glob:
    """A pattern, folder by folder; None stands for ``**``. Where a walk is in it is a set of indices."""

    steps: tuple[str | None, ...]
    patterns: tuple[re.Pattern[str] | None, ...]

    def follow(self, at: frozenset[int]) -> Callable[[str], frozenset[int]]:
        """What tells where it is after a name; its end is in it where the name matches."""
        end = len(self.steps)
        within = [(index, self.patterns[index]) for index in sorted(self._with_skips(at))]
        stays = {index for index, pattern in within if pattern is None}
        stays |= {end} if end - 1 in stays else set()
        moves = [(index + 1, pattern.match) for index, pattern in within if pattern is not None]

        def after(name: str) -> frozenset[int]:
            return frozenset(stays.union(index for index, match in moves if match(name)))

        return after

    def goes_on(self, at: frozenset[int]) -> bool:
        """Whether something in that folder can match."""
        return any(index < len(self.steps) for index in at)

    def wants(self, kind: str, then: frozenset[int]) -> bool:
        """Whether something of that kind matches, or may lead to what does, where the pattern is ``then``."""
        if kind == "folder":
            return self.goes_on(then) or (self.names_files and len(self.steps) in then)
        # A link may lead to a folder.
        return bool(then) if kind == LINK else len(self.steps) in then

    @property
    def names_files(self) -> bool:
        """Whether its last part says more than that something is there."""
        return bool(self.steps) and self.steps[-1] not in {None, "*"}

    def names(self, at: frozenset[int]) -> list[str] | None:
        """The only names that can match next; None where there may be others."""
        steps = [self.steps[index] for index in self._with_skips(at)]
        plain = [step for step in steps if step is not None and not re.search(r"[*?\[]", step)]
        return sorted(set(plain)) if len(plain) == len(steps) else None

    def _with_skips(self, at: frozenset[int]) -> set[int]:
        """The places themselves and those behind a ``**`` that stands for nothing."""
        within = {index for index in at if index < len(self.steps)}
        while (
            more := {
                index + 1 for index in within if self.steps[index] is None and index + 1 < len(self.steps)
            }
            - within
        ):
            within |= more
        return within


@dataclass
class Walk:
    """One walk: what it may still look at, and what it left out, as it is told."""

    entries: int = WALK_ENTRIES
    is_sized: bool = False
    """Whether it asks for the sizes of files."""
    left_out: list[str] = field(default_factory=list[str])

    def leave(self, place: Place, why: str) -> None:
        """Notes that a place was left out; a name that cannot be shown is spelled out."""
        self.left_out.append(f"{spelled(place.shown)} {why}")

    def told(self) -> list[str]:
        """What was left out, in at most ``MOST_NAMED`` lines and a count."""
        left_out = list(dict.fromkeys(self.left_out))
        more = len(left_out) - MOST_NAMED
        return [*left_out[:MOST_NAMED], *([f"and {more} more"] if more > 0 else [])]


def spelled(name: str) -> str:
    r"""A name in quotes, with ``\n`` for what cannot be shown."""
    raw = re.sub("[\udc80-\udcff]", lambda found: f"\\x{ord(found[0]) - 0xDC00:02x}", name)
    return "'" + UNSPEAKABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), raw) + "'"


def glob_of(parts: Sequence[str], *, literal: bool = False) -> Glob:
    """The pattern of path parts; ``literal``: brackets stand for themselves.

    Raises:
        ValueError: it has too many ``**``.
    """
    steps = tuple(None if part == "**" else part for part, _ in groupby(parts))
    if steps.count(None) > 4:
        raise ValueError("a pattern may have '**' at most 4 times")
    spelt = [step.replace("[", "[[]") if step and literal else step for step in steps]
    return Glob(
        tuple(spelt), tuple(None if step is None else re.compile(fnmatch.translate(step)) for step in spelt)
    )


def kind_of(mode: int) -> str:
    """What a place is, by its mode."""
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    return LINK if stat.S_ISLNK(mode) else SPECIAL


@contextlib.contextmanager
def opened_folder(place: Place, *, make: bool = False) -> Generator[int]:
    """The open folder at a place, reached without following links; with ``make``, made where missing.

    Raises:
        WayEnds: it cannot be reached.
    """
    at = place.top
    handle = os.open(place.root, FOLDER_FLAGS)
    try:
        for part in place.parts:
            at = at.below(part)
            try:
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(part, dir_fd=handle)
                outer, handle = handle, os.open(part, FOLDER_FLAGS, dir_fd=handle)
            except OSError as error:
                raise WayEnds(error.errno, error.strerror, at.shown) from error
            os.close(outer)
        yield handle
    finally:
        os.close(handle)


def walk(top: Place, glob: Glob, made: Walk, depth: int = WALK_DEPTH) -> Iterator[Entry]:
    """The entries below a folder that a pattern matches, and the folders that were looked into for them:
    of each folder its files by name, then its folders with what is in them.

    Hidden entries are none. What else is left out is noted in ``made``.

    Raises:
        OSError: the folder itself cannot be opened.
    """
    waiting = [(top, frozenset({0}))]
    while waiting:
        place, at = waiting.pop()
        is_top = place == top
        if made.entries <= 0:
            made.leave(place, f"and {len(waiting)} more folders are too much to look into in one call")
            return
        if not is_top and len(place.parts) - len(top.parts) >= depth:
            yield Entry(place, CLOSED)
            continue
        try:
            found = _matching(place, glob, at, made)
        except OSError as error:
            if is_top:
                raise
            if error.errno != errno.ENOENT:  # Another agent may have moved it since.
                yield Entry(place, f"cannot be opened: {error.strerror}")
            continue
        if not is_top:
            yield Entry(place, "folder")
        yield from (entry for entry, _ in found if entry.kind != "folder")
        waiting += [
            (entry.place, then)
            for entry, then in reversed(found)
            if entry.kind == "folder" and glob.goes_on(then)
        ]


def _matching(place: Place, glob: Glob, at: frozenset[int], made: Walk) -> list[tuple[Entry, frozenset[int]]]:
    """What is in a folder and matches or may hold what does, by name, and where the pattern is after it."""
    found: list[tuple[Entry, frozenset[int]]] = []
    after = glob.follow(at)
    with opened_folder(place) as folder:
        for name, kind in _kinds(folder, place, glob.names(at), made):
            then = after(name)
            if name.startswith(".") or not glob.wants(kind, then):
                continue
            inside = place.below(name)
            if UNSPEAKABLE.search(name):
                made.leave(inside, "has a name with signs that cannot be written; rename it")
                continue
            # Another agent may have moved it since.
            with contextlib.suppress(FileNotFoundError):
                size = _size(folder, name) if made.is_sized and kind == "file" else 0
                found.append((Entry(inside, kind, size), then))
            if kind == "folder" and glob.names_files and len(glob.steps) in then:
                made.leave(inside, "is a folder")
    return sorted(found, key=lambda one: one[0].place.parts[-1])


def _size(folder: int, name: str) -> int:
    return os.stat(name, dir_fd=folder, follow_symlinks=False).st_size


def _kinds(folder: int, place: Place, names: list[str] | None, made: Walk) -> Iterator[tuple[str, str]]:
    """The entries of an open folder, or those of them that bear one of the names, and what they are, as far
    as they may be counted."""
    if names is not None:
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                yield name, kind_of(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
        return
    with os.scandir(folder) as scan:
        for entry in scan:
            if made.entries <= 0:
                made.leave(place, "holds too much to look at in one call")
                return
            made.entries -= 1
            yield entry.name, _kind(entry)


def _kind(entry: os.DirEntry[str]) -> str:
    """What an entry is, mostly without asking the system again."""
    if entry.is_file(follow_symlinks=False):
        return "file"
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    return LINK if entry.is_symlink() else SPECIAL
