"""Starting a scripted server: in a process of its own, or in this one."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from urllib.request import ProxyHandler, build_opener

from pydantic import TypeAdapter

from swarm.errors import ModelUnavailable
from swarm.models.embedded.server_process import stop_server
from swarm.testing.asgi import ScriptedApp
from swarm.testing.double.scripted import ScriptedModel
from swarm.testing.double.served import Received
from swarm.testing.http_server import serve
from swarm.testing.wire import FaceKind

START_SECONDS = 30.0
"""A server has printed its address by then, on a machine as busy as a test run makes it."""

_SERVED: TypeAdapter[list[Received]] = TypeAdapter(list[Received])


@dataclass(frozen=True)
class ServerLog:
    """What a scripted server was asked."""

    peak: int
    """The most requests it worked on at once."""
    requests: list[Received]
    """In order of arrival."""
    longest_queue: int = 0
    """The most requests that waited at once."""
    loads: int = 0
    """Times a model was loaded."""
    swaps: int = 0
    """Times a loaded model had to go for another."""


@dataclass(frozen=True)
class ScriptedServer:
    """A scripted server that runs in a process of its own."""

    url: str
    pid: int

    async def log(self) -> ServerLog:
        """What it was asked so far."""
        return await asyncio.to_thread(read_log, self.url)


def read_log(url: str) -> ServerLog:
    """What the scripted server at that address was asked so far."""
    with build_opener(ProxyHandler({})).open(f"{url}/scripted/log", timeout=START_SECONDS) as response:
        content = json.load(response)
    return ServerLog(**content | {"requests": _SERVED.validate_python(content["requests"])})


@asynccontextmanager
async def scripted_server(
    script: Path,
    *,
    kind: FaceKind = "llamacpp",
    slots: int = 8,
    latency_seconds: float = 0.0,
    window: int = 32_768,
    options: Sequence[str] = (),
) -> AsyncGenerator[ScriptedServer]:
    """A scripted server in a process of its own, for as long as the block lasts.

    ``options`` are others of its command line, such as ``("--decode", "20", "--fault", "429:2")``.

    Raises:
        ModelUnavailable: it did not start; the message holds what it said.
    """
    named: dict[str, object] = {
        "--script": script,
        "--kind": kind,
        "--slots": slots,
        "--latency": latency_seconds,
        "--window": window,
    }
    with TemporaryFile() as said:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "swarm.testing.server",
            *(str(part) for option in named.items() for part in option),
            *options,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=said,
        )
        try:
            if not (line := await _first_line(process)):
                await stop_server(process)
                said.seek(0)
                raise ModelUnavailable(f"the scripted server did not start: {said.read().decode().strip()}")
            yield ScriptedServer(str(json.loads(line)["url"]), process.pid)
        finally:
            await stop_server(process)


async def _first_line(process: asyncio.subprocess.Process) -> bytes:
    """The line with the address; empty when none came."""
    assert process.stdout
    try:
        async with asyncio.timeout(START_SECONDS):
            return await process.stdout.readline()
    except TimeoutError:
        return b""


@asynccontextmanager
async def serving(model: ScriptedModel, kind: FaceKind = "llamacpp", *, key: str = "") -> AsyncGenerator[str]:
    """The address of a server in this process that answers with the model, for tests with closures.

    With a ``key`` it wants that as a bearer token.
    """
    async with serve(ScriptedApp(model, kind, key).handle) as url:
        yield url
