"""Bringing a program to its start on each way; what goes wrong before that is an error here."""

from __future__ import annotations

import asyncio
import functools
import json
import marshal
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE

from swarm.errors import ProjectError, shortened
from swarm.sandbox import bounds, bubblewrap, landlock
from swarm.sandbox.confinement import Confinement
from swarm.sandbox.confiner import Way
from swarm.sandbox.denials import beside_landlock, in_namespaces
from swarm.sandbox.pipes import pipe, pipe_with, read_all, read_line
from swarm.sandbox.seccomp import OWN_PROCESS, assemble
from swarm.sandbox.syscalls import PROCESSORS

START_SECONDS = 30.0
"""A start takes some hundredths of a second; a machine that swaps may take longer."""
MOST_REPORTED = 2_000
"""Characters of what bubblewrap and the stage say of themselves."""

_GO = b"go"


@dataclass(frozen=True)
class Program:
    """What is started."""

    argv: tuple[str, ...]
    """The first is an absolute path that the program sees."""
    cwd: Path
    """A folder that it sees."""
    env: Mapping[str, str]
    """All of its environment, but for ``PATH``, ``LANG``, ``HOME`` and ``TMPDIR`` where they are not given."""
    pass_fds: tuple[int, ...] = ()
    """File descriptors that it inherits under their numbers, beside its three streams."""
    stdin: int = PIPE
    """As ``subprocess.Popen`` takes it; so are the next two."""
    stdout: int = PIPE
    stderr: int = PIPE


@dataclass
class Spawned:
    """A program that runs. Its descriptors are closed by ``close``."""

    process: subprocess.Popen[bytes]
    root: int
    """The process with which all others end: the program itself, or the first of its namespace."""
    alive: int | None
    """Can be read from once the process has ended; where the system has no such thing, it is asked for."""
    first: int | None = None
    """Names the first process of its namespace, where it has one."""
    may_outlive: bool = False
    """Whether there may be processes left in its group when it has ended."""
    status: int | None = None
    """Where bubblewrap reports, to be read to its end."""

    def close(self) -> None:
        """Closes what names it."""
        for fd in (self.alive, self.first, self.status):
            if fd is not None:
                os.close(fd)


async def spawn(way: Way, confinement: Confinement, program: Program) -> Spawned:
    """Starts the program; ``env`` holds its folder for temporary files as ``TMPDIR``.

    Raises:
        ProjectError: it could not be confined or started.
    """
    try:
        async with asyncio.timeout(START_SECONDS):
            if way.name == "bubblewrap":
                return await _in_namespaces(way, confinement, program)
            if way.name == "landlock":
                return await _under_landlock(way, confinement, program)
            return _without(confinement, program)
    except TimeoutError as error:
        raise ProjectError(f"{program.argv[0]}: no sandbox was ready within {START_SECONDS:g} s") from error
    except OSError as error:
        raise ProjectError(f"{program.argv[0]}: could not be started: {shortened(str(error))}") from error


def _popen(program: Program, command: Sequence[str], fds: Sequence[int]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        cwd=program.cwd,
        env=dict(program.env),
        stdin=program.stdin,
        stdout=program.stdout,
        stderr=program.stderr,
        pass_fds=(*program.pass_fds, *fds),
        start_new_session=True,
    )


def _without(confinement: Confinement, program: Program) -> Spawned:
    process = _popen(program, program.argv, ())
    with _ended_on_error(process):
        _limit(process.pid, bounds.limits(confinement, counts_own=False))
        return Spawned(process, process.pid, _handle(process.pid), may_outlive=True)


def _handle(pid: int) -> int | None:
    """A descriptor of the process, which Linux alone has."""
    return os.pidfd_open(pid) if sys.platform == "linux" else None


def _limit(pid: int, limits: list[tuple[int, tuple[int, int]]]) -> None:
    if sys.platform == "linux":
        for which, values in limits:
            resource.prlimit(pid, which, values)


async def _in_namespaces(way: Way, confinement: Confinement, program: Program) -> Spawned:
    """bubblewrap holds the program back until its limits are set from here."""
    with ExitStack() as stack:
        given = pipe_with(stack, _filter_in_namespaces(confinement.processes))
        status, told = pipe(stack)
        held, go = pipe(stack)
        command = bubblewrap.arguments(way.program, confinement, program.cwd)
        for option, end in (("--seccomp", given), ("--json-status-fd", told), ("--block-fd", held)):
            command += [option, str(end.fileno())]
        fds = (given.fileno(), told.fileno(), held.fileno())
        process = _popen(program, [*command, "--", *program.argv], fds)
        with _ended_on_error(process):
            for end in (given, told, held):
                end.close()
            root = await _first_process(status.fileno(), process)
            try:
                first = os.pidfd_open(root)
                stack.callback(os.close, first)
                _limit(root, bounds.limits(confinement, counts_own=True))
                go.write(_GO)
            except (ProcessLookupError, BrokenPipeError) as error:
                raise ProjectError(await _complaint(process)) from error
            return Spawned(process, root, _handle(process.pid), os.dup(first), status=os.dup(status.fileno()))


@functools.cache
def _filter_in_namespaces(processes: int) -> bytes:
    return assemble(in_namespaces(processes=processes), PROCESSORS[platform.machine()])


async def _first_process(status: int, process: subprocess.Popen[bytes]) -> int:
    """The id of the first process in the new namespace, which is all that bubblewrap says at its start."""
    line = await read_line(status, MOST_REPORTED)
    if not line:
        raise ProjectError(await _complaint(process))
    return int(json.loads(line)["child-pid"])


async def _complaint(process: subprocess.Popen[bytes]) -> str:
    """Why bubblewrap ended, as far as it can be read."""
    said = await read_all(process.stderr.fileno(), MOST_REPORTED) if process.stderr else b""
    why = shortened(said.decode(errors="replace").strip(), 160)
    return f"bubblewrap ended before the program began: {why or 'it does not say why'}"


async def _under_landlock(way: Way, confinement: Confinement, program: Program) -> Spawned:
    """A bare interpreter takes on the walls and becomes the program."""
    with ExitStack() as stack:
        report, told = pipe(stack)
        order = {
            "parent": os.getpid(),
            "report": told.fileno(),
            "handled": landlock.handled(way.abi),
            "rules": landlock.rules(confinement, Path(program.env["TMPDIR"]), way.abi),
            "limits": bounds.limits(confinement, counts_own=False),
            "filter": _filter_beside_landlock(confinement.processes, way.abi),
            "mark": OWN_PROCESS,
        }
        stage = [_interpreter(), "-I", "-S", "-c", _stage(), marshal.dumps(order).hex()]
        process = _popen(program, [*stage, *program.argv], (told.fileno(),))
        with _ended_on_error(process):
            told.close()
            if said := await read_all(report.fileno(), MOST_REPORTED):
                raise ProjectError(f"{program.argv[0]}: not confined: {said.decode(errors='replace')}")
            may_outlive = confinement.processes > 0
            return Spawned(process, process.pid, _handle(process.pid), may_outlive=may_outlive)


@functools.cache
def _filter_beside_landlock(processes: int, abi: int) -> bytes:
    return assemble(beside_landlock(processes=processes, abi=abi), PROCESSORS[platform.machine()])


@functools.cache
def _stage() -> str:
    return Path(__file__).with_name("stage.py").read_text(encoding="utf-8")


def _interpreter() -> str:
    """This Python outside of its environment, which the stage does without."""
    return str(Path(sys.executable).resolve())


@contextmanager
def _ended_on_error(process: subprocess.Popen[bytes]) -> Generator[None]:
    """Kills what was started where it did not come to run; what bubblewrap had begun ends with it."""
    try:
        yield
    except BaseException:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        raise
