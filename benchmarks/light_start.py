"""Proves that the command starts light: little CPU, no heavy library, no socket at import."""

from __future__ import annotations

import json
import resource
import signal
from dataclasses import dataclass

from benchmarks.proof import Figure, Findings, Proof, prove, python, run

HEAVY = ("litellm", "langgraph", "mcp", "sqlmodel")
CPU_SECONDS = 0.5
ROUNDS = 7
"""The best of several: CPU time only grows by what else the machine does."""

PROOF = Proof(
    name="light_start",
    claim="`swarm --help` starts light: it loads no heavy library, and nothing reaches for the network at import.",
    bar=f"CPU ≤ {CPU_SECONDS} s as best of {ROUNDS}; none of {', '.join(HEAVY)} loaded; every module can be imported with sockets refused, and nothing but urllib3's IPv6 probe tries to open one",
)

HELP = """
import atexit, json, sys
sys.argv = ["swarm", "--help"]
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))
from swarm.cli.app import main
main()
"""

# The kernel refuses every socket() and io_uring_setup(), or ends the process at it, whoever calls
# it: an audit hook would not see a compiled module do it. Numbers: linux/unistd.h of each machine
# type, linux/seccomp.h.
FILTER = """
import ctypes, platform, struct
SOCKET = {"x86_64": 41, "aarch64": 198}[platform.machine()]
IO_URING_SETUP = 425
LOAD, EQUAL, RETURN, ALLOW = 0x20, 0x15, 0x06, 0x7FFF0000
program = b"".join(struct.pack("HBBI", *part) for part in (
    (LOAD, 0, 0, 0), (EQUAL, 1, 0, SOCKET), (EQUAL, 0, 1, IO_URING_SETUP), (RETURN, 0, 0, VERDICT), (RETURN, 0, 0, ALLOW)))
class Filter(ctypes.Structure):
    _fields_ = [("size", ctypes.c_ushort), ("program", ctypes.c_char_p)]
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS"
assert libc.prctl(22, 2, ctypes.byref(Filter(5, program))) == 0, "PR_SET_SECCOMP"
"""
FATAL = "VERDICT = 0x80000000" + FILTER
"""SECCOMP_RET_KILL_PROCESS: ends at the first attempt."""
REFUSED = "VERDICT = 0x00050001" + FILTER
"""SECCOMP_RET_ERRNO with EPERM."""

IMPORT_ALL = """
import asyncio, importlib, json, pkgutil, sys, traceback
attempts = set()
def notice(event, args):
    if event == "socket.__new__":
        frames = [frame.filename for frame in traceback.extract_stack() if "/importlib" not in frame.filename]
        attempts.add(next(name for name in reversed(frames) if not name.endswith("/socket.py") and name != "<string>"))
sys.addaudithook(notice)
import swarm
names = [module.name for module in pkgutil.walk_packages(swarm.__path__, "swarm.") if "._builtin" not in module.name]
for name in names:
    importlib.import_module(name)
from swarm.models.client.litellm import load_client
# The client is loaded in a thread; a loop made for it would open a socket pair of its own.
def inline(function):
    async def run(): return function()
    return run()
asyncio.to_thread = inline
try:
    load_client().send(None)
except StopIteration:
    pass
print(json.dumps({"modules": len(names), "attempts": sorted(attempts)}))
"""

OPEN_ONE = "import socket; socket.socket()"

PROBE = "urllib3/util/connection.py"
"""langgraph's dependencies bring urllib3, which tries at its import whether this machine has IPv6:
it binds ::1, sends nothing, and does without when refused."""


@dataclass(frozen=True)
class Imports:
    """What importing everything with sockets refused came to."""

    modules: int
    attempts: list[str]
    """Files of the code that tried to open a socket."""


def measure() -> Findings:
    """CPU seconds of ``swarm --help``, what it loads, and who tries to open a socket at import."""
    cpu, loaded = _help()
    heavy = [name for name in HEAVY if name in loaded]
    faults = [f"`swarm --help` took {cpu:.2f} s of CPU"] if cpu > CPU_SECONDS else []
    faults += [f"`swarm --help` loads {name}" for name in heavy]
    control = run(python("-c", FATAL + OPEN_ONE))
    if control.returncode != -signal.SIGSYS:
        faults.append(f"the control could open a socket: nothing is proved ({control.stderr.strip()[-200:]})")
    if (alone := run(python("-c", FATAL + HELP))).returncode:
        faults.append(f"`swarm --help` opens a socket or fails: it ended with {alone.returncode}")
    everything = run(python("-c", REFUSED + IMPORT_ALL))
    if everything.returncode:
        faults.append(f"not all can be imported with sockets refused: {everything.stderr.strip()[-300:]}")
    seen = Imports(**json.loads(everything.stdout)) if everything.returncode == 0 else Imports(0, [])
    faults += [f"{path} opens a socket at import" for path in seen.attempts if not path.endswith(PROBE)]
    figures: dict[str, Figure] = {
        "CPU of `swarm --help` (s)": round(cpu, 3),
        "modules it loads": len(loaded),
        "heavy libraries it loads": ", ".join(heavy) or "none",
        "modules of swarm imported with sockets refused, litellm too": seen.modules,
        "attempts at a socket": ", ".join(path.split("site-packages/")[-1] for path in seen.attempts)
        or "none",
        "control: opening a socket is fatal": "yes" if control.returncode == -signal.SIGSYS else "no",
    }
    return Findings(figures, faults)


def _help() -> tuple[float, list[str]]:
    """The least CPU seconds of several starts, and the modules of the last."""
    spent: list[float] = []
    modules: list[str] = []
    for _ in range(ROUNDS):
        before = _children_seconds()
        done = run(python("-c", HELP))
        spent.append(_children_seconds() - before)
        if done.returncode:
            raise SystemExit(f"swarm --help ended with {done.returncode}: {done.stderr.strip()[-500:]}")
        modules = json.loads(done.stderr.strip().splitlines()[-1])
    return min(spent), modules


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    prove(PROOF, measure)
