"""A stream whose reader takes its time."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Generator
from dataclasses import dataclass
from typing import TextIO

import pytest

from swarm.view.outlet import MOST, ROOM, Outlet, is_free, room

pytestmark = pytest.mark.anyio


@dataclass
class Pipe:
    """A small pipe: what is written into it, and its other side."""

    outlet: Outlet
    ours: int

    def read(self) -> str:
        """All that is written until the stream has ended."""
        with os.fdopen(self.ours, "rb", closefd=False) as reader:
            return reader.read().decode()


@pytest.fixture
def stream() -> Generator[tuple[TextIO, int]]:
    ours, theirs = os.pipe()
    fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4_096)
    with os.fdopen(theirs, "w", encoding="utf-8") as written:
        yield written, ours


@pytest.fixture
def pipe(stream: tuple[TextIO, int]) -> Generator[Pipe]:
    made = Pipe(Outlet(stream[0]), stream[1])
    yield made
    made.outlet.end()
    os.close(made.ours)


def taken(pipe: Pipe, size: int) -> bytes:
    """So many bytes from the other side."""
    got = b""
    while len(got) < size:
        got += os.read(pipe.ours, size - len(got))
    return got


async def test_writing_waits_for_nobody_and_keeps_its_order(pipe: Pipe) -> None:
    lines = "".join(f"line {number}\n" for number in range(50_000))
    for line in lines.splitlines(keepends=True):
        pipe.outlet.write(line)
    assert not is_free(pipe.outlet)

    assert (await asyncio.to_thread(taken, pipe, len(lines))).decode() == lines
    assert await pipe.outlet.settled(lambda: is_free(pipe.outlet), lambda: 10.0)


async def test_whoever_can_wait_waits_for_room(pipe: Pipe) -> None:
    pipe.outlet.write("x" * (2 * ROOM))
    waiting = asyncio.create_task(room(pipe.outlet))
    await asyncio.sleep(0)
    assert not waiting.done()

    await asyncio.to_thread(taken, pipe, 2 * ROOM)
    async with asyncio.timeout(10):
        await waiting


async def test_what_nobody_reads_in_time_is_left_out_with_a_count(pipe: Pipe) -> None:
    pipe.outlet.write("x" * (MOST + 1))
    for _ in range(7):
        pipe.outlet.write("lost\n")
    await asyncio.to_thread(taken, pipe, MOST + 1)
    await pipe.outlet.settled(lambda: is_free(pipe.outlet), lambda: 10.0)
    pipe.outlet.write("found\n")

    told = "… 7 lines were left out here: nobody read them in time\nfound\n"
    assert (await asyncio.to_thread(taken, pipe, len(told.encode()))).decode() == told


async def test_nobody_reading_is_waited_for_as_long_as_patience_lasts(pipe: Pipe) -> None:
    pipe.outlet.write("x" * 10_000)

    assert not await pipe.outlet.settled(lambda: is_free(pipe.outlet), lambda: 0.0)
    # Given up for good: no second wait, and nothing more is kept.
    assert not await pipe.outlet.settled(lambda: is_free(pipe.outlet), lambda: 1_000.0)


async def test_a_reader_that_has_gone_is_an_error_of_the_next_write(stream: tuple[TextIO, int]) -> None:
    outlet = Outlet(stream[0])
    os.close(stream[1])
    outlet.write("to nobody\n")
    await outlet.settled(lambda: is_free(outlet), lambda: 10.0)

    with pytest.raises(BrokenPipeError):
        outlet.write("to nobody\n")
    outlet.end()


async def test_two_streams_beside_each_other_keep_the_order_of_both(stream: tuple[TextIO, int]) -> None:
    one = Outlet(stream[0])
    other = Outlet(stream[0], beside=one)
    for number in range(200):
        one.write(f"{number} one\n")
        other.write(f"{number} other\n")
    whole = "".join(f"{number} one\n{number} other\n" for number in range(200))

    assert (await asyncio.to_thread(taken, Pipe(one, stream[1]), len(whole))).decode() == whole
    one.end()
    os.close(stream[1])


async def test_a_plain_stream_has_room_and_is_free() -> None:
    class Plain:
        """Any other stream."""

    await room(Plain())
    assert is_free(Plain())
