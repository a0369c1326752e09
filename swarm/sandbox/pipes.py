"""Pipes between the loop and what it starts."""

from __future__ import annotations

import asyncio
import os
from contextlib import ExitStack
from io import FileIO
from typing import IO


def pipe(stack: ExitStack) -> tuple[FileIO, FileIO]:
    """Where to read and where to write; both are closed with the stack, or before."""
    reads, writes = os.pipe()
    return stack.enter_context(FileIO(reads, "r")), stack.enter_context(FileIO(writes, "w"))


def pipe_with(stack: ExitStack, content: bytes) -> FileIO:
    """A pipe to read the content from; it must fit into one, which holds 64 kB."""
    reads, writes = pipe(stack)
    with writes:
        writes.write(content)
    return reads


async def readable(fd: int) -> None:
    """Returns once there is something to read at the descriptor, its end included."""
    loop = asyncio.get_running_loop()
    seen: asyncio.Future[None] = loop.create_future()
    loop.add_reader(fd, lambda: None if seen.done() else seen.set_result(None))
    try:
        await seen
    finally:
        loop.remove_reader(fd)


async def read_line(fd: int, most: int) -> bytes:
    """All up to the end of a line, cut at ``most`` bytes; what there is where the other end is closed before."""
    text = b""
    while not text.endswith(b"\n") and len(text) < most:
        await readable(fd)
        if not (read := os.read(fd, most - len(text))):
            break
        text += read
    return text


async def read_all(fd: int, most: int) -> bytes:
    """All until the other end is closed, cut at ``most`` bytes."""
    text = b""
    while len(text) < most:
        await readable(fd)
        if not (read := os.read(fd, most - len(text))):
            break
        text += read
    return text


async def reader_of(file: IO[bytes]) -> tuple[asyncio.StreamReader, asyncio.BaseTransport]:
    """A stream of what comes through a pipe, and what to close; it takes no more than its buffer holds."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
    return reader, transport


async def writer_of(file: IO[bytes]) -> asyncio.StreamWriter:
    """A stream into a pipe."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_write_pipe(
        lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), file
    )
    return asyncio.StreamWriter(transport, protocol, None, loop)
