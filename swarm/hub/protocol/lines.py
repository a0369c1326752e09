"""Messages as the SDK reads them from a transport, and the lines of a pipe that they are made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

import anyio
from mcp.shared.message import SessionMessage

MESSAGE_BYTES = 8_000_000
"""Longest message that is read; a longer one is dropped, and its call ends with an error."""


class Lines:
    """Cuts bytes into lines in linear time. A line over the limit gives its two ends only."""

    def __init__(self, limit: int = MESSAGE_BYTES) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[tuple[bytes, bool]]:
        """The lines that end in this chunk, each with whether it is whole."""
        *ends, rest = chunk.split(b"\n")
        lines: list[tuple[bytes, bool]] = []
        for end in ends:
            self._add(end)
            lines.append((b"".join(self._parts), self._size <= self._limit))
            self._parts, self._size = [], 0
        self._add(rest)
        return lines

    def _add(self, part: bytes) -> None:
        self._parts.append(part)
        self._size += len(part)
        if self._size > self._limit:
            # The id of a message stands in its first or its last bytes.
            whole = b"".join(self._parts)
            self._parts = [whole[:200], whole[-200:]]


class Messages(ABC):
    """A stream of messages as the SDK reads one, made of ``receive`` alone."""

    @abstractmethod
    async def receive(self) -> SessionMessage | Exception:
        """The next message.

        Raises:
            anyio.EndOfStream: there will be none.
        """

    async def aclose(self) -> None:
        """Ends the stream, where it is not ended otherwise."""
        return

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        await self.aclose()
