"""The model that comes with us: starting the embedded server and ending it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from urllib.parse import urlsplit

from swarm.clock.awake import Deadline
from swarm.errors import ModelUnavailable, ProjectError
from swarm.models.embedded.catalog import CATALOG
from swarm.models.embedded.cores import physical_cores
from swarm.models.model import Endpoint
from swarm.models.servers.probe import probe_quietly

START_SECONDS = 300.0
"""Deadline for loading a model: 2 to 12 s from a warm disk, minutes from a cold and slow one."""

WINDOW = 8_192
"""Tokens of a slot where nothing else is said: a sub-agent's prompt and reply fit it several times,
and it costs 0.25 GB of memory for the 1.5B model."""

FIRST_PAUSE_SECONDS = 1.0
MOST_PAUSE_SECONDS = 60.0
"""Before a server that died is started again; doubled each time one dies that lived no longer than this."""

SAMPLES = 4
"""Replies that one request may ask for: four drawn together take about twice the time of one on two cores."""

SPIN_COUNT = "1000"
"""``GOMP_SPINCOUNT``: how long a thread spins for the others before it sleeps. With the default, a
second busy process on a 2-core machine made the 1.5B model write 0.3 tokens a second; with this 1.8."""

_SCRIPT = Path(__file__).with_name("embedded_server.py")
_STOP_SECONDS = 5.0
_SHOWN_LINES = 8


def default_slots() -> int:
    """Slots worth having here: one for each four cores, because slots share the cores."""
    return max(1, min(4, physical_cores() // 4))


def threads() -> int:
    """Threads the embedded server computes with: the physical cores, or ``SWARM_THREADS``.

    Raises:
        ProjectError: ``SWARM_THREADS`` is no positive number.
    """
    said = os.environ.get("SWARM_THREADS")
    if said is None:
        return physical_cores()
    if not said.isdecimal() or int(said) < 1:
        raise ProjectError(f"SWARM_THREADS={said!r}: set it to a number of threads, such as 4, or unset it")
    return int(said)


@asynccontextmanager
async def open_embedded(
    path: Path,
    name: str,
    *,
    slots: int | None = None,
    window: int | None = None,
    tell: Callable[[str], None] | None = None,
    cache_mib: int | None = None,
) -> AsyncGenerator[Endpoint]:
    """A server of the model file, for as long as the block lasts; ``tell`` hears what takes time.

    ``cache_mib``: memory for prompts that lost their slot, where it is not to be the usual.
    It listens on loopback only and dies with this process, also when that is killed. Where the server
    dies by itself it is started again, at the same address.

    Raises:
        ModelUnavailable: it did not start; the message holds the end of its log.
        ProjectError: ``SWARM_THREADS`` is wrong.
    """
    slots, window = slots or default_slots(), window or WINDOW
    samples = max(slots, SAMPLES)
    tell = tell or _nobody
    tell(f"loading the embedded model {name}")
    with TemporaryFile() as log:
        command = [*_command(path, name, slots, window), "--samples", str(samples)]
        server = _ServerProcess(
            command + ([] if cache_mib is None else ["--cache", str(cache_mib)]), name, log
        )
        try:
            url = await server.start()
            # Where it is too busy to tell of itself, what it was started with must do.
            told = await probe_quietly(url) or [Endpoint(kind="llamacpp", model=name, url=url)]
            known = {"model": name, "slots": slots, "samples": samples, "window": window, "is_embedded": True}
            keeping = asyncio.create_task(server.keep(tell))
            try:
                yield told[0].model_copy(update=known)
            finally:
                keeping.cancel()
                await asyncio.wait([keeping])
        finally:
            await asyncio.shield(server.stop())


class _ServerProcess:
    """The server's process, and the next one where that dies."""

    def __init__(self, command: list[str], name: str, log: IO[bytes]) -> None:
        self._command = command
        self._name = name
        self._log = log
        self._port = 0
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> str:
        """Its address, which stays the same however often it is started.

        Raises:
            ModelUnavailable: it did not start; the message holds the end of its log.
        """
        self._process = await _start([*self._command, "--port", str(self._port)], self._log)
        url = await _address(self._process, self._log, self._name)
        self._port = urlsplit(url).port or 0
        return url

    async def keep(self, tell: Callable[[str], None]) -> None:
        """Starts it again whenever it has died; calls wait meanwhile, as for any server that restarts."""
        clock = asyncio.get_running_loop().time
        pause = FIRST_PAUSE_SECONDS
        while self._process is not None:
            began = clock()
            code = await self._process.wait()
            pause = FIRST_PAUSE_SECONDS if clock() - began > MOST_PAUSE_SECONDS else pause
            tell(f"the embedded model {self._name} died (exit code {code}); loading it again in {pause:g} s")
            await asyncio.sleep(pause)
            pause = min(MOST_PAUSE_SECONDS, 2 * pause)
            try:
                await self.start()
            except ModelUnavailable as error:
                tell(str(error))
            except OSError as error:
                tell(f"the embedded model {self._name} could not be started: {error.strerror}")

    async def stop(self) -> None:
        """Ends it."""
        if self._process is not None:
            await stop_server(self._process)


def _nobody(_: str) -> None:
    pass


def _command(path: Path, name: str, slots: int, window: int) -> list[str]:
    options: dict[str, object] = {
        "--model": path,
        "--name": name,
        "--slots": slots,
        "--window": window,
        "--threads": threads(),
    }
    # By its path and with -P, so that no file of the user's folder is taken for a module of Python.
    return [sys.executable, "-P", str(_SCRIPT), *(str(part) for option in options.items() for part in option)]


async def _start(command: list[str], log: IO[bytes]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=log,
        env={"GOMP_SPINCOUNT": SPIN_COUNT} | os.environ,
        # A group of its own: Ctrl-C in the terminal must not end it before the run has stopped.
        start_new_session=True,
    )


async def _address(process: asyncio.subprocess.Process, log: IO[bytes], name: str) -> str:
    assert process.stdout
    try:
        async with Deadline(START_SECONDS):
            line = await process.stdout.readline()
    except TimeoutError:
        line = b""
    if line:
        return str(json.loads(line)["url"])
    await stop_server(process)
    raise ModelUnavailable(_reason(log, name))


def _reason(log: IO[bytes], name: str) -> str:
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    shown = "\n".join(lines[-_SHOWN_LINES:])
    if "libgomp" in shown:
        return (
            "the embedded model needs the system's OpenMP library, libgomp.so.1; "
            "install it, on Debian and Ubuntu with: apt install libgomp1"
        )
    is_ours = any(entry.name == name for entry in CATALOG)
    check = f"check its file with: swarm models verify {name}" if is_ours else "check that its file is whole"
    return f"the embedded model {name!r} did not start; {check}\n{shown}"


async def stop_server(process: asyncio.subprocess.Process) -> None:
    """Ends a server that stops at the end of its standard input; it is killed when it takes too long."""
    if process.stdin:
        process.stdin.close()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
