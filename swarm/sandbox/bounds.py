"""What the kernel itself holds a process to, and what is looked at as it runs."""

from __future__ import annotations

import errno
import os
import re
import resource
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from swarm.sandbox.confinement import MIB, Confinement

BLOCK = 512
"""Bytes of one of ``st_blocks``, whatever the file system's own are."""


def limits(confinement: Confinement, *, counts_own: bool) -> list[tuple[int, tuple[int, int]]]:
    """What is set with ``setrlimit``, soft and hard.

    ``counts_own`` says that the system counts the sandbox's processes apart from others of the same
    user, which it does in a user namespace.
    """
    seconds = confinement.cpu_seconds
    found = [
        (resource.RLIMIT_AS, (confinement.memory_bytes, confinement.memory_bytes)),
        (resource.RLIMIT_CPU, (seconds, seconds + 1)),
        (resource.RLIMIT_FSIZE, (confinement.file_bytes, confinement.file_bytes)),
        (resource.RLIMIT_NOFILE, (confinement.open_files, confinement.open_files)),
        (resource.RLIMIT_CORE, (0, 0)),
    ]
    if counts_own and _counts_apart():
        # bubblewrap's own process and the program come on top.
        most = confinement.processes + confinement.threads + 2
        found.append((resource.RLIMIT_NPROC, (most, most)))
    return [(which, _within(resource.getrlimit(which)[1], *values)) for which, values in found]


def _counts_apart() -> bool:
    """Whether a user namespace has a count of its own (from Linux 5.14 on); before, all of a user's count."""
    found = re.match(r"(\d+)\.(\d+)", os.uname().release)
    return found is not None and (int(found[1]), int(found[2])) >= (5, 14)


def _within(most: int, soft: int, hard: int) -> tuple[int, int]:
    """No more than this process may have itself, which nobody can raise."""
    return (soft, hard) if most == resource.RLIM_INFINITY else (min(soft, most), min(hard, most))


@dataclass(frozen=True)
class Living:
    """A process of the sandbox."""

    pid: int
    threads: int


@dataclass(frozen=True)
class Taken:
    """What files take on the disk."""

    bytes: int = 0
    files: int = 0
    is_deep: bool = False
    """Whether a folder lies too deep to be looked into."""


def members(root: int) -> list[Living]:
    """The living processes of a sandbox: the root's session, and whatever descends from the root."""
    found: dict[int, tuple[int, int, int]] = {}
    if not Path("/proc/self").exists():  # not on Linux, where only the root is known
        return []
    with os.scandir("/proc") as entries:
        for entry in entries:
            if entry.name.isdigit() and (read := _status(int(entry.name))) is not None:
                found[int(entry.name)] = read
    inside = {root}
    rest = dict(found)
    while more := [pid for pid, (parent, session, _) in rest.items() if parent in inside or session == root]:
        inside.update(more)
        for pid in more:
            del rest[pid]
    return [Living(pid, found[pid][2]) for pid in sorted(inside) if pid in found]


def alive(pids: Iterable[int]) -> list[Living]:
    """The same processes later, those that still live."""
    return [Living(pid, read[2]) for pid in pids if (read := _status(pid)) is not None]


def _status(pid: int) -> tuple[int, int, int] | None:
    """Parent, session and threads; None where the process is gone or dead (proc(5), /proc/pid/stat)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else (int(fields[1]), int(fields[3]), int(fields[17]))


def taken(folders: Iterable[Path], most_files: int) -> Taken:
    """What lies in the folders; it stops counting at more files than ``most_files``."""
    size = count = 0
    seen: set[tuple[int, int]] = set()
    try:
        for entry in _walk(folders):
            count += 1
            if count > most_files:
                break
            size += _size(entry, seen)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        return Taken(size, count, is_deep=True)
    return Taken(size, count)


def _size(entry: os.DirEntry[str], seen: set[tuple[int, int]]) -> int:
    """Bytes on the disk; none for another name of a file that was seen, or for one that is gone."""
    try:
        found = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return 0
    if found.st_nlink > 1 and not stat.S_ISDIR(found.st_mode):
        if (found.st_dev, found.st_ino) in seen:
            return 0
        seen.add((found.st_dev, found.st_ino))
    return found.st_blocks * BLOCK


def _walk(folders: Iterable[Path]) -> Iterator[os.DirEntry[str]]:
    waiting = [os.fspath(folder) for folder in folders]
    while waiting:
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)


def unlinked(pids: Iterable[int]) -> int:
    """Bytes of files that processes hold open and that have no name any more."""
    sizes: dict[tuple[int, int], int] = {}
    for pid in pids:
        with suppress(OSError), os.scandir(f"/proc/{pid}/fd") as opened:
            for entry in opened:
                with suppress(OSError):
                    found = entry.stat()
                    if found.st_nlink == 0 and stat.S_ISREG(found.st_mode):
                        sizes[found.st_dev, found.st_ino] = found.st_blocks * BLOCK
    return sum(sizes.values())


def excess(confinement: Confinement, before: Taken, now: Taken, nameless: int, found: list[Living]) -> str:
    """Which bound is passed, in words; empty where none is. ``found`` is without what starts the program."""
    grown = now.bytes + nameless - before.bytes
    if grown > confinement.disk_bytes:
        return f"it wrote more than {confinement.disk_bytes / MIB:,.0f} MiB"
    if now.files - before.files > confinement.files:
        return f"it made more than {confinement.files:,} files"
    if now.is_deep:
        return "it made folders in folders until their paths were too long"
    if len(found) > confinement.processes + 1:
        return f"it had more than {confinement.processes:,} further processes"
    if sum(member.threads for member in found) > confinement.threads + confinement.processes + 1:
        return f"it had more than {confinement.threads:,} threads"
    return ""
