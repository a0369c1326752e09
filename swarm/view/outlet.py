"""A stream whose reader may take its time: what is written waits for it in a thread, and nobody else does."""

from __future__ import annotations

import asyncio
import errno
import io
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

PIECE = 4_096
"""Bytes written at once, so that a slow reader is seen to read."""
ROOM = 64 * 1_024
"""Bytes that may wait before whoever can wait does."""
MOST = 4 * 1_024 * 1_024
"""Bytes that may wait before whoever cannot wait is passed over, and counted."""
LOOK_SECONDS = 0.02


class _Waiting:
    """What waits to be written, in its order, and the thread that writes it."""

    def __init__(self) -> None:
        self.more = threading.Condition()
        self.pieces: deque[tuple[Outlet, bytes]] = deque()
        self.is_ended = False
        threading.Thread(target=self._write_on, name="swarm output", daemon=True).start()

    def _write_on(self) -> None:
        while (one := self._next()) is not None:
            outlet, piece = one
            outlet.pass_on(piece)

    def _next(self) -> tuple[Outlet, bytes] | None:
        with self.more:
            while not self.pieces and not self.is_ended:
                self.more.wait()
            return self.pieces.popleft() if self.pieces else None


class Outlet(io.TextIOBase):
    """Takes the place of a stream of this process. Writing to it never blocks.

    What is written to it and to the one ``beside`` it leaves in the order in which it was written: they
    may be the same terminal.
    """

    def __init__(self, stream: TextIO, beside: Outlet | None = None) -> None:
        self._stream = stream
        self._line: _Waiting = beside._line if beside else _Waiting()
        self._waiting = 0
        self._taken = 0
        self._lines_left_out = 0
        self._errno = 0
        self._is_given_up = False
        self._tell: Callable[[], object] = lambda: None

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a plain attribute there
        """Of the stream."""
        return self._stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]  # a plain attribute there
        """Of the stream: what becomes of what it cannot hold."""
        return self._stream.errors

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Of the stream."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str, /) -> int:
        """Puts the text in the row.

        Raises:
            OSError: whoever read has gone, or the disk took no more.
        """
        data = text.encode(self.encoding, self.errors or "strict")
        with self._line.more:
            if self._errno:
                raise OSError(self._errno, os.strerror(self._errno))
            if self._is_given_up or self._waiting > MOST:
                self._lines_left_out += text.count("\n")
                return len(text)
            if self._lines_left_out:
                note = f"… {self._lines_left_out} lines were left out here: nobody read them in time\n"
                data, self._lines_left_out = note.encode(self.encoding, "replace") + data, 0
            pieces = (data[start : start + PIECE] for start in range(0, len(data), PIECE))
            self._line.pieces.extend((self, piece) for piece in pieces)
            self._waiting += len(data)
            self._line.more.notify()
        return len(text)

    @property
    def problem(self) -> str:
        """Why nothing more can be written, in words; empty where it can, or where whoever read has gone."""
        return os.strerror(self._errno) if self._errno not in (0, errno.EPIPE) else ""

    @property
    def is_left(self) -> bool:
        """Whether whoever read it has gone."""
        return self._errno == errno.EPIPE

    @property
    def is_free(self) -> bool:
        """Whether all that was written has left."""
        return not self._waiting

    async def room(self) -> None:
        """Waits until so little waits that more may be written.

        Raises:
            OSError: whoever read has gone.
        """
        while self._waiting > ROOM and not self._errno and not self._is_given_up:
            await self._moved()

    async def settled(self, is_done: Callable[[], bool], patience: Callable[[], float]) -> bool:
        """Waits until ``is_done``; gives up, for good, where nobody read for so many seconds."""
        taken, since = self._taken, time.monotonic()
        while not is_done() and not self._errno:
            if self._taken != taken:
                taken, since = self._taken, time.monotonic()
            elif self._is_given_up or time.monotonic() - since > patience():
                self._is_given_up = True
                return False
            await self._moved()
        return True

    async def _moved(self) -> None:
        """Returns once something was read, or a moment later."""
        loop, moved = asyncio.get_running_loop(), asyncio.Event()
        self._tell = lambda: loop.call_soon_threadsafe(moved.set)
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await moved.wait()

    def end(self) -> None:
        """Nothing more is written: the thread ends once all has left."""
        with self._line.more:
            self._line.is_ended = True
            self._line.more.notify()

    def pass_on(self, piece: bytes) -> None:
        """Writes a piece, however long that takes; leaves it where nobody reads any more."""
        try:
            if not self._errno and not self._is_given_up:
                self._put(piece)
        except OSError as error:
            # A terminal that was closed has nobody to tell; the run ends in its own good order.
            if error.errno != errno.EIO:
                self._errno = error.errno or errno.EIO
        with self._line.more:
            self._waiting -= len(piece)
            self._taken += len(piece)
        with suppress(RuntimeError):  # the loop has ended
            self._tell()

    def _put(self, piece: bytes) -> None:
        while piece:
            try:
                piece = piece[os.write(self._stream.fileno(), piece) :]
            except BlockingIOError:  # somebody else made the file non-blocking
                time.sleep(LOOK_SECONDS)


async def room(stream: object) -> None:
    """Waits until a stream takes more, where it can tell."""
    if isinstance(stream, Outlet):
        await stream.room()


def is_free(stream: object) -> bool:
    """Whether all that was written to the stream has left, as far as it can tell."""
    return not isinstance(stream, Outlet) or stream.is_free
