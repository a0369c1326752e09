"""Built-in MCP servers that start in milliseconds: forked from a process that has imported them.

A server of Python takes a second to import; a thousand kills restart thousands of them. Everything
else is as it is: a process of its own, the pipes of whoever started it, and its own end.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import sys
import tempfile
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, cast

from mcp_servers import database, files
from swarm.project.project import Project
from swarm.project.server_entry import ServerEntry

LAUNCH = Path(__file__).parent / "scripts" / "launch.py"
SERVERS = {"database": database.build, "files": files.build}
MOST_BYTES = 65_536


@contextmanager
def nursery() -> Generator[Path]:
    """A nursery for as long as the block lasts, by the path of its socket. Only one thread may run.

    All its servers are killed when the block ends, or this process.
    """
    with tempfile.TemporaryDirectory(prefix="nursery") as folder:
        path = Path(folder) / "socket"
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(str(path))
        listener.listen(256)
        until, held = os.pipe()
        if (pid := os.fork()) == 0:
            os.close(held)
            _run(_Nursery(listener, until).serve)
        os.close(until)
        listener.close()
        try:
            yield path
        finally:
            os.close(held)
            os.waitpid(pid, 0)


def launched(entry: ServerEntry, socket: Path, pids: Path) -> ServerEntry:
    """The entry of a built-in server, started from a nursery; its process ids go into a folder."""
    _, _, *args = entry.args
    command = ("-I", "-S", str(LAUNCH), str(socket), entry.name, *args)
    return entry.model_copy(update={"args": command, "env": entry.env | {"PIDS": str(pids)}})


def nursed(project: Project, socket: Path, pids: Path) -> Project:
    """The project with its built-in servers started from a nursery."""
    servers = {
        name: launched(entry, socket, pids) if name in SERVERS else entry
        for name, entry in project.servers.items()
    }
    return project.model_copy(update={"servers": servers})


@dataclass
class _Nursery:
    listener: socket.socket
    until: int
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    lines: dict[int, socket.socket] = field(default_factory=dict[int, socket.socket])
    """The connection of the command that started each server, by the server's process id."""

    def serve(self) -> None:
        """Forks a server for each command that asks, until nobody holds the other end of ``until``."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.selector.register(self.until, selectors.EVENT_READ)
        while True:
            for key, _ in self.selector.select():
                if key.fileobj == self.until:
                    return self._end()
                if key.fileobj is self.listener:
                    self._start(self.listener.accept()[0])
                elif isinstance(key.fileobj, int):
                    self._ended(key.fileobj, key.data)
                elif key.data in self.lines:
                    self.selector.unregister(key.fileobj)
                    os.kill(key.data, signal.SIGKILL)

    def _start(self, line: socket.socket) -> None:
        head, pipes, _, _ = socket.recv_fds(line, MOST_BYTES, 3)
        if len(pipes) < 3:
            line.close()
            return
        if (pid := os.fork()) == 0:
            _run(lambda: _be_server(json.loads(head), pipes))
        for pipe in pipes:
            os.close(pipe)
        self.lines[pid] = line
        self.selector.register(line, selectors.EVENT_READ, pid)
        self.selector.register(os.pidfd_open(pid), selectors.EVENT_READ, pid)

    def _ended(self, pidfd: int, pid: int) -> None:
        self.selector.unregister(pidfd)
        os.close(pidfd)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        with self.lines.pop(pid) as line:
            if line.fileno() in {key.fd for key in self.selector.get_map().values()}:
                self.selector.unregister(line)
            line.setblocking(False)
            try:
                line.send(bytes([code & 0xFF]))
            except OSError:
                return  # the command is gone already

    def _end(self) -> None:
        for pid in self.lines:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _be_server(asked: dict[str, object], pipes: list[int]) -> None:
    os.setsid()
    for number, pipe in enumerate(pipes):
        os.dup2(pipe, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    args = [str(arg) for arg in cast("list[object]", asked["args"])]
    (Path(str(asked["pids"])) / str(os.getpid())).touch()
    SERVERS[str(asked["name"])](args).run()


def _run(work: object) -> NoReturn:
    """Does the work of a forked child and ends it without its parent's own end."""
    code = 0
    try:
        if callable(work):
            work()
    except BaseException:  # noqa: BLE001  # the child ends here, whatever it was
        traceback.print_exc()
        code = 1
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    # For a program with threads of its own: a nursery until the input ends.
    with nursery() as path:
        print(path, flush=True)
        sys.stdin.read()
