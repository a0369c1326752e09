"""The mailbox of a run at work: real sockets, short and long paths, and senders that misbehave."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from swarm.errors import ProjectError
from swarm.nouns.commands import Command, Heard, Pause, Stop
from swarm.store.file.mailbox import mailbox, tell

pytestmark = pytest.mark.anyio


async def obey(command: Command) -> Heard:
    return Heard(ok=True, text=f"heard {command.kind}")


async def fail(command: Command) -> Heard:
    raise ProjectError("it cannot be done") if isinstance(command, Pause) else ZeroDivisionError("a bug")


async def send(path: Path, command: Command) -> Heard | None:
    return await asyncio.to_thread(tell, path, command)


@pytest.mark.parametrize("depth", [0, 12])
async def test_a_command_is_answered_also_where_the_path_is_long(tmp_path: Path, depth: int) -> None:
    folder = tmp_path.joinpath(*["a-folder-of-22-letters"] * depth)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "run.db"

    async with mailbox(path, obey):
        assert await send(path, Pause()) == Heard(ok=True, text="heard pause")
        assert (folder / "run.sock").stat().st_mode & 0o777 == 0o600

    assert list(folder.iterdir()) == []
    assert await send(path, Pause()) is None


async def test_a_socket_that_a_killed_owner_left_is_no_obstacle(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "run.sock"))
    path = tmp_path / "run.db"
    assert await send(path, Stop()) is None

    async with mailbox(path, obey):
        assert await send(path, Stop()) == Heard(ok=True, text="heard stop")


async def test_an_owner_that_was_replaced_leaves_the_socket_of_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    async with AsyncExitStack() as later:
        async with mailbox(path, fail):
            await later.enter_async_context(mailbox(path, obey))
        assert await send(path, Pause()) == Heard(ok=True, text="heard pause")


async def test_what_is_no_command_is_answered_and_harms_nothing(tmp_path: Path) -> None:
    async with mailbox(tmp_path / "run.db", obey):
        for line in (b"no json\n", b'{"kind": "dance"}\n', b"\n", b"x" * 100_000 + b"\n"):
            reader, writer = await asyncio.open_unix_connection(tmp_path / "run.sock")
            writer.write(line)
            heard = Heard.model_validate_json(await reader.readline())
            assert not heard.ok
            writer.close()
        assert await send(tmp_path / "run.db", Pause()) == Heard(ok=True, text="heard pause")


async def test_a_fault_in_doing_a_command_is_told_and_harms_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    async with mailbox(path, fail):
        assert await send(path, Pause()) == Heard(ok=False, text="it cannot be done")
        assert await send(path, Stop()) == Heard(ok=False, text="it failed: ZeroDivisionError: a bug")
        assert await send(path, Pause()) == Heard(ok=False, text="it cannot be done")


async def test_an_error_of_the_run_comes_out_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="of the run"):
        async with mailbox(tmp_path / "run.db", obey):
            raise ProjectError("an error of the run")


async def test_senders_that_say_nothing_hold_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "run.db"
    silent = [socket.socket(socket.AF_UNIX) for _ in range(20)]
    async with asyncio.timeout(4), mailbox(path, obey):
        for connection in silent:
            connection.connect(str(tmp_path / "run.sock"))
        assert await send(path, Pause()) == Heard(ok=True, text="heard pause")
    for connection in silent:
        connection.close()
