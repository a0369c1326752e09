"""Which way programs are confined on this machine."""

from __future__ import annotations

import functools
import os
import platform
from dataclasses import dataclass
from typing import Literal

from swarm.errors import ProjectError
from swarm.sandbox import bubblewrap, landlock
from swarm.sandbox.syscalls import PROCESSORS

WayName = Literal["bubblewrap", "landlock", "none"]
SandboxSetting = Literal["auto", "bubblewrap", "landlock", "none"]
"""``sandbox`` of ``swarm.toml``."""


@dataclass(frozen=True)
class Way:
    """How programs are confined."""

    name: WayName
    program: str = ""
    """bwrap, where that is the way."""
    abi: int = 0
    """Landlock's version, where that is the way."""
    reason: str = ""
    """Why it is not the better one; empty where it is, or where it was asked for."""

    @property
    def words(self) -> str:
        """The way as a person reads it."""
        if self.name == "bubblewrap":
            return f"bubblewrap ({self.program}) with a seccomp filter"
        if self.name == "landlock":
            because = f"; {self.reason}" if self.reason else ""
            return f"Landlock (version {self.abi}) with a seccomp filter{because}"
        return "none: programs run with your rights"


def choose(setting: SandboxSetting) -> Way:
    """The way that is set, or with ``auto`` the best that works here. Each is tried once.

    Raises:
        ProjectError: it does not work here, or with ``auto`` none does; names what to do.
    """
    if setting == "none":
        return Way("none")
    if platform.machine() not in PROCESSORS:
        raise ProjectError(
            f"no sandbox for processors of kind {platform.machine()!r}: the numbers of their system calls "
            f"are not known here; {_WITHOUT}"
        )
    program, why_no_program = (
        _tried(os.environ.get("PATH", os.defpath)) if setting != "landlock" else (None, "")
    )
    if program is not None:
        return Way("bubblewrap", program=program)
    if setting == "bubblewrap":
        raise ProjectError(f'sandbox = "bubblewrap", but {why_no_program}; {_INSTALL}, or {_WITHOUT}')
    version, why_no_landlock = landlock.abi()
    if version:
        return Way("landlock", abi=version, reason=why_no_program)
    if setting == "landlock":
        raise ProjectError(f'sandbox = "landlock", but Landlock is missing: {why_no_landlock}; {_WITHOUT}')
    raise ProjectError(
        f"no sandbox works here: {why_no_program}, and Landlock is missing ({why_no_landlock}); "
        f"{_INSTALL}, or {_WITHOUT}"
    )


_WITHOUT = 'sandbox = "none" in swarm.toml goes without one'
_INSTALL = "install bubblewrap (the package has that name) and allow it user namespaces"

_tried = functools.cache(bubblewrap.try_out)
