"""What lies outside of the sandbox and must stay as it is, and the programs that are sent against it."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from benchmarks.runs import is_alive
from benchmarks.sandbox_bounds import SMALL, WRAPPED, Excess
from swarm.sandbox.bounds import taken
from swarm.sandbox.confined import Ending
from swarm.sandbox.confinement import MIB, visible
from swarm.sandbox.confiner import Way
from swarm.sandbox.launch import Program
from swarm.sandbox.start import start
from swarm.sandbox.syscalls import PROCESSORS

ASKS = Path(__file__).with_name("sandbox_asks.py")
REFUSALS = {"EPERM", "EACCES", "ENOSYS", "ENOENT", "EROFS", "ESRCH", "EXDEV", "not there"}
ELSE = {"another user": {"EINVAL"}, "/sys for writing": {"ENOENT"}}
"""Where another error is the refusal: in a user namespace a user that it does not have is no valid one."""
SECONDS = 300.0
"""No program here takes longer than three; one that uses up CPU time gets little of it on a busy machine."""
MARK = "SWARM_OUTSIDE_MARK"
FLOOD_BYTES = 4 * MIB
_SECRET = b"what lies outside"


@dataclass(frozen=True)
class Verdict:
    """One probe and what came of it."""

    name: str
    outcome: str
    is_held: bool
    written_bytes: int = 0
    """What it left on the disk, where it used that up."""


@dataclass(frozen=True)
class Outside:
    """Things of the user's that a program may try to reach."""

    inside: Path
    """The folder that it may write into."""
    shown: Path
    """A file that it may read."""
    secret: Path
    """A file that it may not."""
    victim: subprocess.Popen[bytes]
    listeners: dict[str, socket.socket]

    def changes(self) -> list[str]:
        """What is not as it was laid out."""
        found = [
            f"{path.name} was changed"
            for path in (self.secret, self.shown)
            if not path.exists()
            or path.read_bytes() != _SECRET
            or path.stat().st_mode & 0o7777 != 0o644
            or path.stat().st_mtime != 1_000_000
        ]
        beside = {path.name for path in self.secret.parent.iterdir()} - {"secret", "socket"}
        found += [f"{name} was made outside" for name in sorted(beside)]
        if self.victim.poll() is not None:
            return [*found, "the other process ended"]
        if os.getpriority(os.PRIO_PROCESS, self.victim.pid) != os.getpriority(os.PRIO_PROCESS, 0):
            found.append("the other process got another priority")
        return found + [f"the listener for {name} heard something" for name in self._heard()]

    def _heard(self) -> list[str]:
        heard: list[str] = []
        for name, listener in self.listeners.items():
            listener.setblocking(False)
            with suppress(BlockingIOError):
                if listener.type == socket.SOCK_STREAM:
                    listener.accept()[0].close()
                else:
                    listener.recv(1)
                heard.append(name)
        return heard


@contextmanager
def outside(folder: Path) -> Generator[Outside]:
    """All of it laid out in a folder, which holds nothing else."""
    for name in ("inside", "shown", "hidden"):
        (folder / name).mkdir()
    for path in (folder / "shown" / "file", folder / "hidden" / "secret"):
        path.write_bytes(_SECRET)
        path.chmod(0o644)
        os.utime(path, (1_000_000, 1_000_000))
    listeners = _listeners(folder)
    victim = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", "input()"], stdin=subprocess.PIPE, env={MARK: "of another process"}
    )
    try:
        yield Outside(
            folder / "inside", folder / "shown" / "file", folder / "hidden" / "secret", victim, listeners
        )
    finally:
        victim.kill()
        victim.communicate()
        for listener in listeners.values():
            listener.close()


def _listeners(folder: Path) -> dict[str, socket.socket]:
    addresses: dict[str, tuple[int, int, object]] = {
        "tcp": (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
        "udp": (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
        "socket_inside": (socket.AF_UNIX, socket.SOCK_STREAM, str(folder / "shown" / "socket")),
        "socket_outside": (socket.AF_UNIX, socket.SOCK_STREAM, str(folder / "hidden" / "socket")),
        "abstract": (socket.AF_UNIX, socket.SOCK_STREAM, f"\0swarm-{os.getpid()}"),
    }
    made: dict[str, socket.socket] = {}
    for name, (family, kind, address) in addresses.items():
        made[name] = listener = socket.socket(family, kind)
        listener.bind(address)  # type: ignore[arg-type]  # an address has the form of its family
        if kind == socket.SOCK_STREAM:
            listener.listen()
    return made


def _targets(there: Outside) -> dict[str, str]:
    listeners = there.listeners
    disks = [
        line.split()[-1] for line in Path("/proc/partitions").read_text(encoding="utf-8").splitlines()[2:]
    ]
    return {
        "tcp": str(listeners["tcp"].getsockname()[1]),
        "udp": str(listeners["udp"].getsockname()[1]),
        "socket_inside": str(there.shown.with_name("socket")),
        "socket_outside": str(there.secret.with_name("socket")),
        "abstract": f"\0swarm-{os.getpid()}",
        "secret": str(there.secret),
        "shown": str(there.shown),
        "home": str(Path.home()),
        "leads": json.dumps(_leads(there)),
        "disk": f"/dev/{disks[0] if disks else 'sda'}",
        "victim": str(there.victim.pid),
        "parent": str(os.getpid()),
    }


def _leads(there: Outside) -> list[str]:
    """Names in the user's folder that lead to what a program may see."""
    home = Path.home()
    shown = visible(replace(SMALL, readable=(there.shown.parent,), writable=(there.inside,)))
    return [path.relative_to(home).parts[0] for path in shown if path.is_relative_to(home) and path != home]


async def ask_all(way: Way, there: Outside, python: str) -> list[Verdict]:
    """What came of everything that is asked for in its plainest form."""
    numbers = PROCESSORS[platform.machine()].numbers
    given = json.dumps({"targets": _targets(there), "numbers": numbers})
    reads, writes = os.pipe()
    spare = os.dup(reads)
    os.set_inheritable(spare, True)
    program = Program(
        (python, "-c", ASKS.read_text(encoding="utf-8"), given),
        there.inside,
        {"GIVEN": "1"},
        pass_fds=(writes,),
    )
    walls = replace(SMALL, readable=(there.shown.parent,), writable=(there.inside,))
    try:
        async with asyncio.timeout(SECONDS), start(way, walls, program) as confined:
            assert confined.stdout is not None
            assert confined.stderr is not None
            said = await confined.stdout.read()
            complaint = await confined.stderr.read()
            await confined.wait()
    finally:
        for fd in (reads, writes, spare):
            os.close(fd)
    if not said:
        return [Verdict("the program of the probes", complaint.decode()[-300:], False)]
    found = json.loads(said)
    asked = [
        Verdict(name, outcome, outcome in REFUSALS | ELSE.get(name, set()))
        for name, outcome in found["asked"].items()
    ]
    return [
        *asked,
        *_states(found["state"], writes),
        *(Verdict(c, "changed", False) for c in there.changes()),
    ]


def _states(state: dict[str, object], given: int) -> list[Verdict]:
    names = {"GIVEN", "PATH", "LANG", "HOME", "TMPDIR", "PWD", "LC_CTYPE"}
    environment = set(cast(list[str], state["environment"]))
    descriptors = cast(list[int], state["descriptors"])
    return [
        Verdict("variables of the parent", f"{sorted(environment - names)}", environment <= names),
        Verdict("inherited descriptors", f"{descriptors}", descriptors == [0, 1, 2, given]),
        Verdict("capabilities", f"{state['capabilities']}", state["capabilities"] == "0" * 48),
        Verdict("no new privileges", f"{state['no new privileges']}", state["no new privileges"] == 1),
        Verdict("filter of system calls", f"{state['filtered']}", state["filtered"] == 2),
    ]


async def exceed(way: Way, excess: Excess, folder: Path, python: str) -> Verdict:
    """What came of a program that uses up one thing."""
    walls = replace(excess.confinement, writable=(folder,))
    program = Program((python, "-I", "-S", "-c", WRAPPED.format(code=excess.code)), folder, {})
    try:
        async with asyncio.timeout(SECONDS), start(way, walls, program) as confined:
            assert confined.stdout is not None
            ending = await confined.wait()
            said = (await confined.stdout.read(400)).decode().strip()
    except TimeoutError:
        return Verdict(excess.name, f"not over within {SECONDS:g} s", False)
    written = taken((folder,), 1_000_000).bytes
    # Python's own way of removing does not go as deep as a program can.
    await asyncio.to_thread(subprocess.run, ["find", str(folder), "-mindepth", "1", "-delete"], check=False)
    outcome = ending.reason or said or f"exit code {ending.code}"
    return Verdict(excess.name, outcome, _is_met(excess, ending, said), written)


def _is_met(excess: Excess, ending: Ending, said: str) -> bool:
    if ending.reason:
        return bool(excess.reason) and ending.reason.startswith(excess.reason)
    return bool(excess.says) and said.startswith(excess.says)


async def flood(way: Way, folder: Path, python: str) -> Verdict:
    """A program that never stops writing is held up by whoever reads, and ended with the block."""
    code = "import os\nwhile True: os.write(1, bytes(65536))"
    program = Program((python, "-I", "-S", "-c", code), folder, {})
    async with asyncio.timeout(SECONDS), start(way, replace(SMALL, writable=(folder,)), program) as confined:
        assert confined.stdout is not None
        await confined.stdout.readexactly(FLOOD_BYTES)
        pid = confined.pid
    return Verdict("output without end", "ended with the block", not is_alive(pid))


async def orphans(way: Way, folder: Path, python: str) -> Verdict:
    """Processes of a program end with it, those in other sessions too; a pipe that all hold is closed then."""
    code = (
        "import os, signal\n"
        "for _ in range(3):\n"
        " if os.fork() == 0:\n"
        "  try: os.setsid()\n"
        "  except OSError: pass\n"
        "  if os.fork() == 0: os.write(1, b'x')\n"
        "  signal.pause()\n"
        "signal.pause()"
    )
    reads, writes = os.pipe()
    program = Program((python, "-I", "-S", "-c", code), folder, {}, pass_fds=(writes,))
    walls = replace(SMALL, writable=(folder,), processes=12)
    try:
        async with asyncio.timeout(SECONDS), start(way, walls, program) as confined:
            assert confined.stdout is not None
            await confined.stdout.readexactly(3)
    finally:
        os.close(writes)
    os.set_blocking(reads, False)
    with os.fdopen(reads, "rb", buffering=0) as pipe:
        try:
            left = pipe.read() != b""
        except BlockingIOError:
            left = True
    return Verdict("processes left behind", "some" if left else "none", not left)


def spare_signals() -> None:
    """Nothing of the probes shall end the process that sends them by a closed pipe."""
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
