"""Servers that outlive the process that started them: written down as they start, and ended before a run goes on.

A server that was killed with nobody still works on the call it got, and would have its effect after
the resumed run has asked whether there was one.
"""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from swarm.store.file.owner import Owner, process

FOLDER = "servers"
"""In a project's ``.swarm``: a file for each process that has servers, itself in the first line."""
DEATH_SECONDS = 5.0
"""A killed process is gone by then, unless a disk holds it."""
POLL_SECONDS = 0.002


class Register:
    """Where this process writes down the servers it starts."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{os.getpid()}-{id(self)}.jsonl"

    def note(self, pid: int) -> None:
        """Writes a server down by its process id. Where the disk does not take it, it is left out."""
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lines = [process(pid)] if self._path.exists() else [process(os.getpid()), process(pid)]
            with self._path.open("a", encoding="utf-8") as file:
                file.write("".join(json.dumps(asdict(line)) + "\n" for line in lines))

    def close(self) -> None:
        """Forgets the servers: all have ended."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def end_leftovers(folder: Path) -> int:
    """Kills the servers whose owner is gone, each with its group; gives how many there were.

    It returns when they are gone. A server that left its group is not found.
    """
    left: list[Owner] = []
    for path in folder.glob("*.jsonl"):
        written = _read(path)
        if written and not written[0].is_alive:
            left += [server for server in written[1:] if _is_there(server)]
            with suppress(OSError):
                path.unlink(missing_ok=True)
    for server in left:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(server.pid, signal.SIGKILL)
    ends = time.monotonic() + DEATH_SECONDS
    while any(server.is_alive for server in left) and time.monotonic() < ends:
        time.sleep(POLL_SECONDS)
    return len(left)


def _is_there(server: Owner) -> bool:
    """Whether it is that very process; where the system does not tell when it started, nobody knows."""
    return bool(server.started) and server.is_alive


def _read(path: Path) -> list[Owner]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found: list[Owner] = []
    for line in lines:
        with suppress(ValueError, TypeError):  # the last line may be cut short
            found.append(Owner(**json.loads(line)))
    return found
