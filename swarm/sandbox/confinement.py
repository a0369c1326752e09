"""What a confined program may see, write and use up."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from swarm.errors import ProjectError, quoted, shortened

MIB = 1024 * 1024

SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store"),
    *("/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives"),
)
"""What programs of the system need to start; what is not there is left out."""
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")

_TOO_MUCH = ("/", "/proc", "/sys", "/dev")


@dataclass(frozen=True)
class Confinement:
    """The walls around one program. Whatever is not named is neither seen nor written."""

    readable: tuple[Path, ...] = ()
    """Files and folders it sees and can't change, beside the system's and this Python's own."""
    writable: tuple[Path, ...] = ()
    """Folders it may write into; one may lie in a readable one, and none may hold a readable path."""
    network: Literal[False] = False
    """No way gives a network yet."""
    memory_bytes: int = 1024 * MIB
    """Address space of each process (RLIMIT_AS)."""
    processes: int = 0
    """Further processes it may have at once; with 0 it can't start any."""
    threads: int = 64
    """Threads of all its processes together."""
    cpu_seconds: int = 60
    """CPU time of each process."""
    file_bytes: int = 64 * MIB
    """Size of one file."""
    disk_bytes: int = 256 * MIB
    """What all files it writes may take together; looked at ten times a second."""
    temporary_bytes: int = 64 * MIB
    """Size of a folder in memory that bubblewrap gives for temporary files; Landlock's is on the disk."""
    files: int = 2_000
    """How many files and folders it may make; looked at ten times a second."""
    open_files: int = 64

    def __post_init__(self) -> None:
        for path in (*self.readable, *self.writable):
            _check(path)
        for path in self.writable:
            if not path.is_dir():
                raise ProjectError(f"{_said(path)}: the sandbox can give only a folder to write into")
            for other in self.readable:
                if other.resolve().is_relative_to(path.resolve()):
                    raise ProjectError(
                        f"{_said(other)}: it lies in {_said(path)}, which may be written; "
                        "a part of a writable folder can't be kept from changes"
                    )


def visible(confinement: Confinement) -> list[Path]:
    """Every path it sees and can't change, the outer ones first."""
    here = [Path(path) for path in (*SYSTEM, sys.base_prefix, sys.prefix, sys.exec_prefix)]
    named = [*dict.fromkeys([*here, *confinement.readable])]
    found = [path for path in named if path in confinement.readable or path.exists()]
    return sorted(found, key=lambda path: len(path.parts))


def is_visible(path: Path, confinement: Confinement) -> bool:
    """Whether the program sees that path, by the name it has."""
    return any(path.is_relative_to(shown) for shown in (*visible(confinement), *confinement.writable))


def _check(path: Path) -> None:
    if not path.is_absolute():
        raise ProjectError(f"{_said(path)}: a path of the sandbox must be absolute")
    if not path.exists():
        raise ProjectError(f"{_said(path)}: not found, so the sandbox can't show it")
    if str(path.resolve()) in _TOO_MUCH:
        raise ProjectError(f"{_said(path)}: too much for a sandbox to show; name the folders that are needed")


def _said(path: Path) -> str:
    return shortened(quoted(str(path)), 160)
