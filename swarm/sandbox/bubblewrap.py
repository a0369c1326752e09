"""The way of namespaces: bubblewrap's arguments, and whether it can start here.

A program sees nothing but the paths named, has no network, names no process but its own, and ends
with bubblewrap. Options: bwrap(1).
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from swarm.errors import shortened
from swarm.sandbox.confinement import Confinement, visible

TRIAL_SECONDS = 10.0

_APART = ("--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL")


def arguments(program: str, confinement: Confinement, cwd: Path) -> list[str]:
    """bwrap with all but its file descriptors and the program's own command."""
    size = str(confinement.temporary_bytes)
    args = [program, *_APART, "--proc", "/proc", "--dev", "/dev"]
    for folder in ("/tmp", "/dev/shm"):
        args += ["--size", size, "--tmpfs", folder]
    shown = [("--ro-bind", path) for path in visible(confinement)]
    shown += [("--bind", path) for path in confinement.writable]
    for option, path in sorted(shown, key=lambda pair: len(pair[1].parts)):
        args += [option, str(path), str(path)]
    # bubblewrap leaves /proc/sys writable to root, whom the kernel lets write there without capabilities.
    for folder in ("/proc", "/dev", "/"):
        args += ["--remount-ro", folder]
    return [*args, "--chdir", str(cwd)]


def try_out(path: str) -> tuple[str | None, str]:
    """The program where one on that ``PATH`` can start a sandbox here, else None and why not."""
    program = shutil.which("bwrap", path=path)
    if program is None:
        return None, "bubblewrap is not installed"
    nothing = arguments(program, Confinement(), Path("/"))
    try:
        done = subprocess.run(
            [*nothing, "--", "/bin/true"], env={}, capture_output=True, timeout=TRIAL_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, f"{program} could not be run: {shortened(str(error))}"
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}"
        return None, f"bubblewrap can't start here: {shortened(said, 160)}"
    return program, ""
