"""Starts a built-in MCP server as a command, by asking a nursery to fork one: ``python -I -S launch.py SOCKET NAME …``.

The server gets this command's pipes, which this command then lets go of; it ends when the server
does, and the nursery kills the server when this command ends first.
"""

from __future__ import annotations

import json
import os
import socket
import sys


def main() -> int:
    """The exit code of the server."""
    pids = os.environ["PIDS"]
    os.close(os.open(f"{pids}/{os.getpid()}", os.O_CREAT | os.O_WRONLY, 0o644))
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
        line.connect(sys.argv[1])
        asked = {"name": sys.argv[2], "args": sys.argv[3:], "pids": pids}
        socket.send_fds(line, [json.dumps(asked).encode()], [0, 1, 2])
        for pipe in (0, 1, 2):
            os.close(pipe)
        code = line.recv(1)
    return code[0] if code else 1


if __name__ == "__main__":
    os._exit(main())
