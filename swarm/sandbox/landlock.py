"""The way without namespaces: Landlock's rules for files, as the stage takes them.

Rights and ABIs: linux/landlock.h and the kernel's Documentation/userspace-api/landlock.rst.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from swarm.sandbox.confinement import DEVICES, Confinement, visible

OWN = ("/proc/self/cgroup", "/sys/fs/cgroup")
"""What tells a program its share of the machine: DuckDB opens no database where this is there and can't be read.
The stage opens it, and becomes the program."""

_CREATE_RULESET = 444
_ASKS_VERSION = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REMOVE_DIR, _REMOVE_FILE, _MAKE_DIR, _MAKE_REG = 1 << 4, 1 << 5, 1 << 7, 1 << 8
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15

_HANDLED = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
"""By ABI the rights of files that Landlock knows."""
_TCP = 0b11
"""To bind and to connect, from ABI 4 on."""
_SCOPES = 0b11
"""Abstract UNIX sockets and signals, from ABI 6 on."""

_READ = _READ_FILE | _READ_DIR | _EXECUTE
_WRITE = (
    *(_READ_FILE, _READ_DIR, _WRITE_FILE, _REMOVE_DIR, _REMOVE_FILE, _MAKE_DIR, _MAKE_REG),
    *(_REFER, _TRUNCATE),
)
_DEVICE = _READ_FILE | _WRITE_FILE | _TRUNCATE | _IOCTL_DEV
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV


def abi() -> tuple[int, str]:
    """Landlock's version in this kernel, and where it is 0, why."""
    if sys.platform != "linux":
        return 0, "it is part of Linux"
    libc = ctypes.CDLL(None, use_errno=True)
    asked = (ctypes.c_long(_CREATE_RULESET), None, ctypes.c_long(0), ctypes.c_long(_ASKS_VERSION))
    if (version := int(libc.syscall(*asked))) > 0:
        return version, ""
    return 0, f"the kernel says: {os.strerror(ctypes.get_errno())}"


def handled(abi: int) -> list[int]:
    """What is denied unless a rule gives it: rights of files, of networks, scopes; as long as the ABI has it."""
    files = _HANDLED[min(abi, max(_HANDLED))]
    return [files, *([_TCP] if abi >= 4 else []), *([_SCOPES] if abi >= 6 else [])]


def rules(confinement: Confinement, temporary: Path, abi: int) -> list[tuple[str, int]]:
    """What is given beneath each path."""
    files = handled(abi)[0]
    read = [(path, _READ) for path in visible(confinement)]
    written = [(path, sum(_WRITE)) for path in (*confinement.writable, temporary)]
    devices = [(Path(name), _DEVICE) for name in DEVICES if Path(name).exists()]
    own = [(Path(name), _READ_FILE | _READ_DIR) for name in OWN if Path(name).exists()]
    return [
        (str(path), rights & files & (-1 if path.is_dir() else _OF_FILES))
        for path, rights in [*read, *written, *devices, *own]
    ]
