"""A program that runs under confinement: its streams, its end, and the bounds that are looked at meanwhile."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from swarm.errors import ProjectError
from swarm.sandbox import bounds
from swarm.sandbox.confinement import MIB, Confinement
from swarm.sandbox.launch import MOST_REPORTED, Spawned
from swarm.sandbox.pipes import read_all, readable, reader_of, writer_of

_log = logging.getLogger("swarm.sandbox")

LOOK_SECONDS = 0.1
"""Between two looks at what a program has written and started."""
END_SECONDS = 5.0
"""A killed process is gone by then, unless a disk holds it."""
_POLL_SECONDS = 0.005


@dataclass(frozen=True)
class Ending:
    """How a program ended."""

    code: int
    """Its exit code; 128 and the signal's number where a signal ended it."""
    reason: str = ""
    """The bound that ended it; empty where none did."""


class Confined:
    """A program that runs. Its streams are there where they are pipes."""

    def __init__(
        self, spawned: Spawned, confinement: Confinement, folders: tuple[Path, ...], before: bounds.Taken
    ) -> None:
        self.stdin: asyncio.StreamWriter | None = None
        self.stdout: asyncio.StreamReader | None = None
        self.stderr: asyncio.StreamReader | None = None
        self._spawned = spawned
        self._confinement = confinement
        self._folders = folders
        self._before = before
        self._transports: list[asyncio.BaseTransport] = []
        self._known: list[int] = []
        self._reason = ""
        self._failure = "the sandbox ended before its program began; its stderr says why"
        self._ending: Ending | None = None
        self._ended = asyncio.Event()

    @property
    def pid(self) -> int:
        """Of the process that was started, which is bubblewrap's where that is the way."""
        return self._spawned.process.pid

    async def wait(self) -> Ending:
        """How it ended; there is no deadline here. What it wrote can still be read afterwards.

        Raises:
            ProjectError: bubblewrap ended and the program had not begun, or it could not be watched.
        """
        await self._ended.wait()
        if self._ending is None:
            raise ProjectError(self._failure)
        return self._ending

    def kill(self) -> None:
        """Kills it with all it started, at once."""
        spawned = self._spawned
        if spawned.first is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(spawned.first, signal.SIGKILL)
        elif spawned.process.returncode is None or spawned.may_outlive:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(spawned.root, signal.SIGKILL)

    async def connect(self) -> None:
        """Makes streams of its pipes."""
        process = self._spawned.process
        if process.stdin is not None:
            self.stdin = await writer_of(process.stdin)
            self._transports.append(self.stdin.transport)
        if process.stdout is not None:
            self.stdout, transport = await reader_of(process.stdout)
            self._transports.append(transport)
        if process.stderr is not None:
            self.stderr, transport = await reader_of(process.stderr)
            self._transports.append(transport)

    async def watch(self) -> None:
        """Looks at its bounds until it ends, and says how that was."""
        try:
            while not await self._has_ended():
                if not self._reason and (reason := await asyncio.to_thread(self._excess)):
                    self._reason = reason
                    self.kill()
            self._ending = await self._how()
        except OSError as error:
            self._failure = f"a program in the sandbox was ended, as it could not be watched: {error}"
            self.kill()
        finally:
            self._ended.set()

    async def close(self) -> None:
        """Lets go of it after its end; returns once all it started is gone, or after five seconds."""
        for transport in self._transports:
            transport.close()
        try:
            async with asyncio.timeout(END_SECONDS):
                while self._is_anything_left():
                    self.kill()
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            _log.warning("process %s was killed and is still there after %s s", self.pid, END_SECONDS)
        finally:
            if self._spawned.process.poll() is None:
                self._spawned.process.kill()
            self._spawned.close()

    def _is_anything_left(self) -> bool:
        spawned = self._spawned
        if spawned.process.poll() is None:
            return True
        return spawned.may_outlive and bool(bounds.members(spawned.root))

    async def _has_ended(self) -> bool:
        """Whether it ends before the next look."""
        spawned = self._spawned
        if spawned.alive is None:
            await asyncio.sleep(LOOK_SECONDS)
        else:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await readable(spawned.alive)
        return spawned.process.poll() is not None

    def _excess(self) -> str:
        confinement, before = self._confinement, self._before
        is_apart = self._spawned.first is not None
        if confinement.processes or len(self._known) <= is_apart:
            found = bounds.members(self._spawned.root)
            self._known = [process.pid for process in found]
        else:
            found = bounds.alive(self._known)
        own = [process for process in found if not is_apart or process.pid != self._spawned.root]
        now = bounds.taken(self._folders, before.files + confinement.files)
        nameless = bounds.unlinked(process.pid for process in own)
        return bounds.excess(confinement, before, now, nameless, own)

    async def _how(self) -> Ending | None:
        """From the exit code, or from bubblewrap's report, which is missing where nothing began."""
        code = self._spawned.process.returncode
        if self._spawned.status is not None and not self._reason:
            said = await read_all(self._spawned.status, MOST_REPORTED)
            lines = [json.loads(line) for line in said.splitlines() if line]
            found = [int(line["exit-code"]) for line in lines if "exit-code" in line]
            if not found and code >= 0:
                return None
            code = found[0] if found else code
        code = 128 - code if code < 0 else code
        return Ending(code, self._reason or _bound(code, self._confinement))


def _bound(code: int, confinement: Confinement) -> str:
    """The limit of the kernel whose signal that is."""
    return {
        128 + signal.SIGXCPU: f"it used more than {confinement.cpu_seconds:,} s of CPU time",
        128
        + signal.SIGKILL: "it was killed from outside, or by the kernel: its CPU time or the memory was used up",
        128 + signal.SIGXFSZ: f"it wrote a file larger than {confinement.file_bytes / MIB:,.0f} MiB",
    }.get(code, "")
