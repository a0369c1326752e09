"""Proves that the command starts light: little CPU, no heavy library, no socket at import."""

from __future__ import annotations

import json
import resource
import signal
import subprocess

from benchmarks.proof import ROOT, Figure, Findings, Proof, prove, python

HEAVY = ("litellm", "langgraph", "mcp", "sqlmodel")
CPU_SECONDS = 0.5
ROUNDS = 7
"""The best of several: CPU time only grows by what else the machine does."""

PROOF = Proof(
    name="light_start",
    claim="`swarm --help` starts light: it loads no heavy library, and nothing opens a socket at import.",
    bar=f"CPU ≤ {CPU_SECONDS} s as best of {ROUNDS}; none of {', '.join(HEAVY)} loaded; no socket() at import",
)

HELP = """
import atexit, json, sys
sys.argv = ["swarm", "--help"]
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))
from swarm.cli.app import main
main()
"""

# The kernel ends the process at its first socket() or io_uring_setup(), whoever calls it: an
# audit hook would not see a compiled module do it. Numbers: linux/unistd.h of each machine type.
NO_SOCKETS = """
import ctypes, platform, struct
SOCKET = {"x86_64": 41, "aarch64": 198}[platform.machine()]
IO_URING_SETUP = 425
LOAD, EQUAL, RETURN, KILL, ALLOW = 0x20, 0x15, 0x06, 0x80000000, 0x7FFF0000
program = b"".join(struct.pack("HBBI", *part) for part in (
    (LOAD, 0, 0, 0), (EQUAL, 1, 0, SOCKET), (EQUAL, 0, 1, IO_URING_SETUP), (RETURN, 0, 0, KILL), (RETURN, 0, 0, ALLOW)))
class Filter(ctypes.Structure):
    _fields_ = [("size", ctypes.c_ushort), ("program", ctypes.c_char_p)]
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS"
assert libc.prctl(22, 2, ctypes.byref(Filter(5, program))) == 0, "PR_SET_SECCOMP"
"""

IMPORT_ALL = """
import importlib, pkgutil, swarm
for module in pkgutil.walk_packages(swarm.__path__, "swarm."):
    # What starts when it is imported as __main__ is a command and no module to import.
    if not module.name.endswith("__main__"):
        print("importing", module.name, flush=True)
        importlib.import_module(module.name)
print("all imported", flush=True)
"""

OPEN_ONE = "import socket; socket.socket()"


def measure() -> Findings:
    """CPU seconds of ``swarm --help``, what it loads, and whether an import opens a socket."""
    cpu, loaded = _help()
    heavy = [name for name in HEAVY if name in loaded]
    control = subprocess.run(
        python("-c", NO_SOCKETS + OPEN_ONE), cwd=ROOT, capture_output=True, text=True, check=False
    )
    imports = subprocess.run(
        python("-c", NO_SOCKETS + IMPORT_ALL), cwd=ROOT, capture_output=True, text=True, check=False
    )
    faults = [f"`swarm --help` took {cpu:.2f} s of CPU"] if cpu > CPU_SECONDS else []
    faults += [f"`swarm --help` loads {name}" for name in heavy]
    if control.returncode != -signal.SIGSYS:
        faults.append(f"the control could open a socket: nothing is proved ({control.stderr.strip()[-200:]})")
    if imports.returncode:
        last = imports.stdout.strip().splitlines()[-1:] or ["nothing"]
        faults.append(f"{last[0]} ended with {imports.returncode}: {imports.stderr.strip()[-200:]}")
    figures: dict[str, Figure] = {
        "CPU of `swarm --help` (s)": round(cpu, 3),
        "modules it loads": len(loaded),
        "heavy libraries it loads": ", ".join(heavy) or "none",
        "modules imported without a socket": imports.stdout.count("importing "),
        "control: opening a socket is fatal": "yes" if control.returncode == -signal.SIGSYS else "no",
    }
    return Findings(figures, faults)


def _help() -> tuple[float, list[str]]:
    """The least CPU seconds of several starts, and the modules of the last."""
    spent: list[float] = []
    modules: list[str] = []
    for _ in range(ROUNDS):
        before = _children_seconds()
        done = subprocess.run(python("-c", HELP), cwd=ROOT, capture_output=True, text=True, check=False)
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
