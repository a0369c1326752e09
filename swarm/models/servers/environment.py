"""The environment of the process that serves an address on this machine, where it is the user's own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

_PROC = Path("/proc")
_LISTENS = "0A"
"""The state ``TCP_LISTEN`` in ``/proc/net/tcp`` (proc_pid_net(5))."""


def environment_of(url: str) -> Mapping[str, str]:
    """What the server at that address was started with; empty for another machine or another user's.

    Read from Linux's ``/proc``, which blocks for some milliseconds; elsewhere empty.
    """
    address = urlsplit(url)
    if address.hostname not in ("127.0.0.1", "localhost", "::1") or not hasattr(os, "getuid"):
        return {}
    sockets = {f"socket:[{inode}]" for inode in _listening(address.port or 80)}
    for process in _PROC.glob("[0-9]*") if sockets else ():
        try:
            if any(_target(file) in sockets for file in (process / "fd").iterdir()):
                return _variables((process / "environ").read_bytes())
        except OSError:  # Another user's, or gone meanwhile.
            continue
    return {}


def _target(file: Path) -> str:
    try:
        return str(file.readlink())
    except OSError:  # Closed meanwhile.
        return ""


def _listening(port: int) -> Iterator[str]:
    """Inodes of this user's sockets that listen on a port."""
    for table in ("tcp", "tcp6"):
        try:
            lines = (_PROC / "net" / table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            at, state, owner, inode = fields[1], fields[3], fields[7], fields[9]
            if at.endswith(f":{port:04X}") and state == _LISTENS and int(owner) == os.getuid():
                yield inode


def _variables(block: bytes) -> dict[str, str]:
    pairs = re.findall(r"([^=\0]+)=([^\0]*)\0", block.decode(errors="replace"))
    return dict(pairs)
