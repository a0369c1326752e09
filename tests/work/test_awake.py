"""Deadlines of a process that was stopped for a while."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from swarm.clock.awake import Deadline

pytestmark = pytest.mark.anyio

WAITING = """
import asyncio, sys
from swarm.clock.awake import Deadline

async def main():
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with Deadline(3.0):
        print("waits", flush=True)
        print((await reader.readline()).decode().strip(), flush=True)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGSTOP")
async def test_time_in_which_the_process_was_stopped_does_not_count() -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WAITING, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdin
    assert child.stdout
    async with asyncio.timeout(60):
        assert await child.stdout.readline() == b"waits\n"
        os.kill(child.pid, signal.SIGSTOP)
        await asyncio.sleep(4.0)
        os.kill(child.pid, signal.SIGCONT)
        await asyncio.sleep(0.2)
        child.stdin.write(b"heard\n")
        assert await child.stdout.readline() == b"heard\n"
        await child.wait()


async def test_a_deadline_ends_its_block_and_says_so() -> None:
    deadline = Deadline(0.01)
    with pytest.raises(TimeoutError):
        async with deadline:
            await asyncio.Event().wait()
    assert deadline.is_over


async def test_a_deadline_can_be_moved_and_none_never_comes() -> None:
    async with Deadline(0.02) as deadline:
        deadline.allow(60.0)
        await asyncio.sleep(0.05)
    async with Deadline(None):
        await asyncio.sleep(0.01)
    assert not deadline.is_over
