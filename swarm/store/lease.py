"""Who owns a run: one process at a time, held by ``flock`` and named in a small file.

Only the standard library: a second process is refused before anything heavy is loaded.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from swarm.errors import RunBusy, StoreError


@dataclass(frozen=True)
class Owner:
    """A process that owns a run."""

    pid: int
    started: int
    """Start of the process in clock ticks since boot; 0 where the system does not tell."""
    boot: str
    """Id of the boot of the machine; empty where the system does not tell."""
    since: float
    """When it took the run, seconds since 1970."""


@contextmanager
def lease(path: Path) -> Generator[Owner]:
    """Owns the run's file ``path`` until the block ends, or the process does.

    Raises:
        RunBusy: another live process owns it; the message names the process.
        StoreError: the folder does not take a lock file.
    """
    lock = _lock_path(path)
    try:
        file = lock.open("a+", encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{lock}: {error.strerror}; make the folder of the run writable") from error
    with file:
        _lock(file, path)
        owner = Owner(os.getpid(), _started(os.getpid()) or 0, _boot(), time.time())
        _rewrite(file, json.dumps(asdict(owner)))
        try:
            yield owner
        finally:
            _rewrite(file, "")


def owner_of(path: Path) -> Owner | None:
    """The live process that owns the run's file ``path``, or None.

    It looks at the owner file and the process table and takes no lock, so asking never makes an
    owner fail.
    """
    try:
        owner = Owner(**json.loads(_lock_path(path).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None  # no owner file, an empty one, or one that is being written
    if owner.boot != _boot() or _started(owner.pid) != owner.started:
        return None
    return owner


def _lock_path(path: Path) -> Path:
    return path.with_suffix(".lock")


def _lock(file: IO[str], path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = owner_of(path)
        who = f"process {owner.pid}" if owner else "another process"
        raise RunBusy(
            f"run {path.stem!r} is being worked on by {who}; stop that one first, or wait for its end"
        ) from error
    except OSError as error:
        raise StoreError(f"{file.name}: cannot lock ({error.strerror}); keep runs on a local disk") from error


def _rewrite(file: IO[str], text: str) -> None:
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""  # not Linux


def _started(pid: int) -> int | None:
    """Start of a process in clock ticks since boot (field 22 of proc_pid_stat(5)), None when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except OSError:
        return _started_elsewhere(pid)
    # The name of the program stands in parentheses and may itself hold blanks and parentheses.
    fields = stat.rpartition(")")[2].split()
    state, started = fields[0], int(fields[19])
    return None if state == "Z" else started


def _started_elsewhere(pid: int) -> int | None:
    """0 for a live process of a system without /proc, None otherwise."""
    if Path("/proc/self/stat").exists():
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return 0  # it lives and belongs to another user
    return 0
