"""The mailbox of a run at work: a unix socket beside its file, on which its owner takes commands.

One connection carries one command and its answer, a JSON line each. Sending one loads nothing heavy.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from swarm.errors import StoreError, SwarmError
from swarm.nouns.commands import COMMAND, Command, Heard

ANSWER_SECONDS = 5.0
"""Deadline of a command: to be sent, obeyed and answered."""

LONGEST_LINE = 65_536
"""Bytes of a command."""

LONGEST_NAME = 100
"""Bytes of an address: ``sun_path`` has 108 on Linux (unix(7)) and 104 on macOS, an end mark included."""

Obey = Callable[[Command], Awaitable[Heard]]

_log = logging.getLogger("swarm.mailbox")


@asynccontextmanager
async def mailbox(path: Path, obey: Obey) -> AsyncGenerator[None]:
    """Takes commands for the run's file ``path`` until the block ends; its lease must be held.

    ``obey`` does a command or starts it, and is called for several at once. What it raises is told
    to the sender and never ends the run.

    Raises:
        OSError: the file system has no sockets, or the disk does not take one.
    """
    name = _socket_path(path)
    server = await asyncio.start_unix_server(partial(_hear, obey=obey), sock=_bound(name), limit=LONGEST_LINE)
    mine = name.stat().st_ino
    try:
        yield
    finally:
        server.close()
        # Whoever took the run over has put a socket of its own there.
        with suppress(OSError):
            if name.stat().st_ino == mine:
                name.unlink()


def tell(path: Path, command: Command) -> Heard | None:
    """What the owner of the run's file ``path`` says to a command; None where no process listens.

    Raises:
        StoreError: there is an owner and it does not answer.
    """
    try:
        with _short(_socket_path(path)) as name, socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_SECONDS)
            connection.connect(name)
            connection.sendall(command.model_dump_json().encode() + b"\n")
            return Heard.model_validate_json(connection.makefile("rb").readline(LONGEST_LINE))
    except (FileNotFoundError, ConnectionRefusedError):
        return None  # no socket, or one that a killed owner left
    except TimeoutError as error:
        raise StoreError(
            f"run {path.stem!r}: its process did not answer within {ANSWER_SECONDS:.0f} s; it may be "
            "suspended or very busy: try again, or end the process"
        ) from error
    except (OSError, ValidationError) as error:
        raise StoreError(f"run {path.stem!r}: its process broke off ({error}); try again") from error


def _socket_path(path: Path) -> Path:
    return path.with_suffix(".sock")


def _bound(path: Path) -> socket.socket:
    """A socket at that path, for its user alone."""
    path.unlink(missing_ok=True)  # the lease is ours: this one was left by an owner that was killed
    listener = socket.socket(socket.AF_UNIX)
    try:
        with _short(path) as name:
            listener.bind(name)
        path.chmod(0o600)  # nobody can connect before it listens
    except OSError:
        listener.close()
        raise
    return listener


@contextmanager
def _short(path: Path) -> Generator[str]:
    """An address of the path that is short enough for a socket: through a link where it is too long."""
    if len(os.fsencode(path)) <= LONGEST_NAME:
        yield str(path)
        return
    with tempfile.TemporaryDirectory(prefix="swarm-") as folder:
        link = Path(folder) / "runs"
        link.symlink_to(path.parent.resolve())
        yield str(link / path.name)


async def _hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, obey: Obey) -> None:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            try:
                line = await reader.readline()
            except ValueError:  # over the limit
                line = b""
            heard = await _obeyed(line, obey)
            writer.write(heard.model_dump_json().encode() + b"\n")
            await writer.drain()
    except (OSError, TimeoutError) as error:
        _log.info("a command was not answered: %r", error)
    finally:
        writer.close()


async def _obeyed(line: bytes, obey: Obey) -> Heard:
    try:
        command = COMMAND.validate_json(line)
    except ValidationError as error:
        return Heard(ok=False, text=f"no command: {error.errors()[0]['msg']}; both sides need one version")
    try:
        return await obey(command)
    except SwarmError as error:
        return Heard(ok=False, text=str(error))
    except Exception as error:  # noqa: BLE001  # a fault in doing a command must not end the run
        _log.exception("a command failed")
        return Heard(ok=False, text=f"it failed: {type(error).__name__}: {error}")
