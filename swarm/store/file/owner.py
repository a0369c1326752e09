"""Who owns a run: one process at a time, held by ``flock`` and named in a small file.

Only the standard library: a second process is refused before anything heavy is loaded.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import stat
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from io import FileIO
from pathlib import Path

from swarm.clock.steady import boot_seconds
from swarm.errors import RunBusy, StoreError

BEAT_SECONDS = 2.0
"""How often an owner shows a sign of life."""
SILENT_SECONDS = 30.0
"""An owner without a sign of life for so long is frozen: a person may take the run from it."""

TAKEN = "another process took the run over; let that one finish"

_RECORD_BYTES = 256
"""The owner file has one size, so that each record replaces the whole one before in a single write."""
_SMALL_BYTES = 4_096
_LOOK_SECONDS = 0.2
"""An owner names itself within this time of taking the lock."""
_DEATH_SECONDS = 2.0
_POLL_SECONDS = 0.01


@dataclass(frozen=True)
class Owner:
    """A process that owns a run."""

    pid: int
    started: int
    """Start of the process in clock ticks since boot; 0 where the system does not tell."""
    boot: str
    """Id of the boot of the machine; empty where the system does not tell."""
    since: float
    """When it took the run, seconds since 1970: to be shown, and for nothing else."""
    epoch: int = 0
    """How many owners the run has had, this one included; 0 until it has opened the run's file."""
    beat: float = 0.0
    """When it last showed a sign of life, seconds on ``boot_seconds``."""

    @property
    def silent_seconds(self) -> float:
        """How long ago that was."""
        return max(0.0, boot_seconds() - self.beat)

    @property
    def is_alive(self) -> bool:
        """Whether that very process is there. One of another container cannot be seen."""
        return self.boot == _boot() and _started(self.pid) == self.started


class Ownership:
    """A run's file owned by this process; ``lease`` gives one."""

    def __init__(self, file: FileIO, lock: Path) -> None:
        self._file = file
        self._lock = lock
        self._writing = threading.Lock()
        self._seen: float | None = None
        self.owner = process(os.getpid())
        """This process, as others see it."""
        self._write()

    def check(self) -> None:
        """Nothing, as long as the run is this process's; asked before anything leaves it.

        Raises:
            RunBusy: another process took the run over.
        """
        if not _is_at(self._file, self._lock, if_gone=True):
            raise RunBusy(TAKEN)

    def note_epoch(self, epoch: int) -> None:
        """Names the epoch that was opened in the run's file."""
        with self._writing:
            self.owner = replace(self.owner, epoch=epoch)
        self._write()

    @contextmanager
    def beating(self) -> Generator[None]:
        """Signs of life meanwhile, from a thread: there may be no loop yet."""
        ended = threading.Event()
        thread = threading.Thread(target=self._beat, args=(ended,), name="swarm lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(BEAT_SECONDS)
            # Of no consequence where it fails: a dead owner is told by its process.
            with suppress(OSError):
                os.ftruncate(self._file.fileno(), 0)

    @contextmanager
    def beating_with(self) -> Generator[Callable[[], None]]:
        """Gives what the work must call, each time it comes round: meanwhile nothing else is a sign of life.

        A thread that goes on beside work that is stuck would keep others from taking the run over.
        """

        def seen() -> None:
            self._seen = boot_seconds()

        seen()
        try:
            yield seen
        finally:
            self._seen = None

    def _beat(self, ended: threading.Event) -> None:
        while not ended.wait(BEAT_SECONDS):
            # A disk that is full now does not take the run from its owner.
            with suppress(OSError):
                self._write()

    def _write(self) -> None:
        with self._writing:
            beat = boot_seconds() if self._seen is None else self._seen
            self.owner = replace(self.owner, beat=round(beat, 6))
            record = json.dumps(asdict(self.owner)).ljust(_RECORD_BYTES)
            os.pwrite(self._file.fileno(), record.encode("ascii"), 0)


@contextmanager
def lease(path: Path, *, take_over: bool = False) -> Generator[Ownership]:
    """Owns the run's file ``path`` until the block ends, or the process does.

    With ``take_over`` it is taken from an owner that shows no sign of life: that process is killed
    where it can be. Where it cannot (it is another user's, or in another container) it goes on to
    hold a lock that is no longer the run's, and can neither record nor do anything from then on.

    Raises:
        RunBusy: another live process owns it; the message names the process.
        StoreError: the folder does not take a lock file.
    """
    check_places(path)
    lock = path.with_suffix(".lock")
    file = _locked(lock)
    if file is None and take_over:
        file = _taken_over(path, lock)
    if file is None:
        raise _busy(path)
    with file:
        _refuse_copy(path, take_over=take_over)
        held = Ownership(file, lock)
        with held.beating():
            yield held


def small_text(path: Path) -> str:
    """The text of one of the small files beside a run's. Pipes and devices are no such files.

    Raises:
        OSError: it is not there, no regular file, or cannot be read.
        ValueError: it is not ASCII.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "no regular file", str(path))
        return file.read(_SMALL_BYTES).decode("ascii")


def make_folder(folder: Path) -> None:
    """Makes a folder for runs' files, which hold prompts and results: for this user alone.

    Raises:
        OSError: it cannot be made.
    """
    for place in reversed((folder, *folder.parents)):
        if not place.is_dir():
            place.mkdir(mode=0o700, exist_ok=True)


def check_places(path: Path) -> None:
    """Refuses a run's file that is a link, or lies in a project's folder of runs that is one.

    What is written there would land elsewhere, in a project from a stranger anywhere the user may write.

    Raises:
        StoreError: names the link.
    """
    folders = (path.parent, path.parent.parent) if path.parent.parent.name == ".swarm" else ()
    for place in (path, *(path.with_suffix(end) for end in (".lock", ".seal")), *folders):
        if place.is_symlink():
            raise StoreError(
                f"{place}: it is a link, and runs are kept in the project itself; remove the link"
            )


def owner_of(path: Path) -> Owner | None:
    """The live process that owns the run's file ``path``, or None.

    It looks at the owner file and the process table and takes no lock, so asking never makes an
    owner fail.
    """
    owner = _recorded(path)
    return owner if owner is not None and owner.is_alive else None


def process(pid: int) -> Owner:
    """A process as it can be known again: its id may be another one's later."""
    return Owner(pid, _started(pid) or 0, _boot(), time.time())


def _recorded(path: Path) -> Owner | None:
    try:
        return Owner(**json.loads(small_text(path.with_suffix(".lock"))))
    except (OSError, ValueError, TypeError):
        return None  # no owner file, an empty one, or one that is being written


def _locked(lock: Path) -> FileIO | None:
    """The file, opened and locked, or None where another process has it."""
    while True:
        try:
            file = os.fdopen(
                os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600),
                "r+b",
                buffering=0,
            )
        except OSError as error:
            raise StoreError(f"{lock}: {error.strerror}; make the folder of the run writable") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        except OSError as error:
            file.close()
            raise StoreError(f"{lock}: cannot lock ({error.strerror}); keep runs on a local disk") from error
        if _is_at(file, lock):
            return file
        file.close()  # Somebody replaced it between the opening and the locking.


def _is_at(file: FileIO, path: Path, *, if_gone: bool = False) -> bool:
    """Whether the open file is the one of that name; ``if_gone`` where there is none."""
    try:
        named = os.stat(path)  # noqa: PTH116 - a third of the time of Path.stat, and asked for each call
    except FileNotFoundError:
        return if_gone
    mine = os.fstat(file.fileno())
    return (named.st_ino, named.st_dev) == (mine.st_ino, mine.st_dev)


def _refuse_copy(path: Path, *, take_over: bool) -> None:
    """Refuses a lock file that nobody holds and that names a living owner: it was copied with its run.

    Raises:
        RunBusy: that process works on the original.
    """
    owner = _recorded(path)
    if owner is None or not owner.is_alive or owner.pid == os.getpid() or take_over:
        return
    raise RunBusy(
        f"run {path.stem!r} is a copy of one that process {owner.pid} is working on, and both would do the "
        f"same work; let that one end, or remove {path.with_suffix('.lock').name} to go on with the copy"
    )


def _taken_over(path: Path, lock: Path) -> FileIO | None:
    """Another lock file in the place of the one that a frozen process holds, locked; None when refused.

    Who takes over must hold the new file's own lock, so of several one does; the others then find
    an owner that is alive.
    """
    new = lock.with_suffix(".lock-new")
    file = _locked(new)
    if file is None:
        return None
    owner = _recorded(path)
    if owner is None or not _is_frozen(path, owner):
        new.unlink()
        file.close()
        return None
    _end(owner)
    Ownership(file, lock)  # It is named before others find it.
    new.replace(lock)
    return file


def _is_frozen(path: Path, owner: Owner) -> bool:
    """Whether an owner has long shown no sign of life, and shows none now.

    After the machine slept all signs are old for a moment.
    """
    if owner.boot != _boot() or owner.silent_seconds < SILENT_SECONDS:
        return False
    # The work comes round every two seconds, and the thread that tells of it does.
    ends = time.monotonic() + 2.5 * BEAT_SECONDS
    while time.monotonic() < ends:
        time.sleep(_POLL_SECONDS)
        if _recorded(path) != owner:
            return False
    return True


def _end(owner: Owner) -> None:
    """Kills the process, if it is to be seen and may be killed: it may be frozen inside a transaction."""
    ends = time.monotonic() + _DEATH_SECONDS
    with suppress(ProcessLookupError, PermissionError):
        while owner.is_alive and owner.pid != os.getpid() and time.monotonic() < ends:
            os.kill(owner.pid, signal.SIGKILL)
            time.sleep(_POLL_SECONDS)


def _busy(path: Path) -> RunBusy:
    """Who owns the run, and what to do."""
    owner, ends = _recorded(path), time.monotonic() + _LOOK_SECONDS
    while not (owner and owner.is_alive) and time.monotonic() < ends:
        time.sleep(_POLL_SECONDS)  # The record is one of before, or there is none yet.
        owner = _recorded(path)
    run = f"run {path.stem!r} is being worked on by"
    if owner is None or owner.boot != _boot():
        return RunBusy(f"{run} another process; stop that one first, or wait for its end")
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(owner.since))
    who = f"{run} process {owner.pid} since {since}, last sign of life {owner.silent_seconds:.0f} s ago"
    if owner.silent_seconds < SILENT_SECONDS:
        return RunBusy(f"{who}; stop that one first, or wait for its end")
    return RunBusy(f"{who}: it is frozen; `swarm resume {path.stem} --take-over` ends it and goes on")


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
