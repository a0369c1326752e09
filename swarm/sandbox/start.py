"""Starting one program under confinement, and ending it with all it started."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from swarm.errors import ProjectError, quoted
from swarm.sandbox import bounds
from swarm.sandbox.confined import END_SECONDS, Confined
from swarm.sandbox.confinement import Confinement, is_visible
from swarm.sandbox.confiner import Way
from swarm.sandbox.launch import Program, spawn

_log = logging.getLogger("swarm.sandbox")

MOST_BEFORE = 1_000_000
"""Files that may lie in the writable folders before the start; counting them takes a second or two."""


@asynccontextmanager
async def start(way: Way, confinement: Confinement, program: Program) -> AsyncGenerator[Confined]:
    """The program as it runs; at the end of the block it is killed with all it started.

    Raises:
        ProjectError: it could not be confined or started.
    """
    _check(way, confinement, program)
    own = None if way.name == "bubblewrap" else Path(tempfile.mkdtemp(prefix="swarm-sandbox-"))
    try:
        folders = (*confinement.writable, *([] if own is None else [own]))
        before = await asyncio.to_thread(bounds.taken, folders, MOST_BEFORE)
        complete = replace(program, env=_environment(program, own or Path("/tmp")))
        spawned = await spawn(way, confinement, complete)
        async with _running(Confined(spawned, confinement, folders, before)) as confined:
            yield confined
    finally:
        if own is not None:
            await asyncio.to_thread(_remove, own)


def _check(way: Way, confinement: Confinement, program: Program) -> None:
    named = {"the program": Path(program.argv[0]), "its working folder": program.cwd}
    for what, path in named.items():
        if not path.is_absolute():
            raise ProjectError(f"{quoted(str(path))}: {what} must be an absolute path")
        if not os.access(path, os.X_OK):
            raise ProjectError(f"{quoted(str(path))}: {what} is not there, or may not be used")
        if way.name != "none" and not is_visible(path, confinement):
            raise ProjectError(
                f"{quoted(str(path))}: {what} is not visible in the sandbox; name a folder above it as readable"
            )


@asynccontextmanager
async def _running(confined: Confined) -> AsyncGenerator[Confined]:
    watch = asyncio.create_task(confined.watch())
    try:
        await confined.connect()
        yield confined
    finally:
        confined.kill()
        await asyncio.wait([watch], timeout=END_SECONDS)
        watch.cancel()
        await confined.close()


def _remove(folder: Path) -> None:
    """Without a limit of depth, which Python's own way of removing has."""
    done = subprocess.run(["rm", "-rf", "--", str(folder)], capture_output=True, check=False)
    if done.returncode != 0:
        _log.warning("%s could not be removed: %s", folder, done.stderr.decode(errors="replace").strip())


def _environment(program: Program, temporary: Path) -> dict[str, str]:
    given = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(temporary)}
    return {**given, **program.env, "TMPDIR": str(temporary)}
