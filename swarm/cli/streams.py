"""Standard output and error while something runs: a reader that does not read never holds the work up."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import TextIO

from swarm.cli.output import TAKES_NO_MORE
from swarm.view.outlet import Outlet

PATIENCE_SECONDS = 600.0
"""How long nobody may read an answer, or events, before the process leaves them unread."""
NOTE_SECONDS = 2.0
"""The same for progress."""
STOP_SECONDS = 1.0
"""The same once a signal came: a stop has 5 s in all."""


@contextmanager
def unhurried() -> Generator[None]:
    """Has what is written to standard output and error meanwhile wait in threads for its readers."""
    before = sys.stdout, sys.stderr
    out = _outlet(sys.stdout, sys.__stdout__, None)
    beside = out if _is_same(*before) else None
    sys.stdout, sys.stderr = mine = out, _outlet(sys.stderr, sys.__stderr__, beside)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        for stream in mine:
            if isinstance(stream, Outlet):
                stream.end()


def _is_same(one: TextIO, other: TextIO) -> bool:
    """Whether both lead to the same terminal, pipe or file."""
    try:
        return os.path.sameopenfile(one.fileno(), other.fileno())
    except (OSError, ValueError):
        return False  # a stream that is no file


def _outlet(stream: TextIO, original: TextIO | None, beside: TextIO | None) -> TextIO:
    """The stream itself where it is none of the process's own: a test, or a caller, took its place."""
    if original is None or stream is not original:
        return stream
    stream.flush()
    return Outlet(stream, beside if isinstance(beside, Outlet) else None)  # type: ignore[return-value]  # it has of TextIO what is written with


async def settled(is_stopping: Callable[[], bool], *, is_long: bool = False) -> bool:
    """Waits for the readers of both streams; False where nobody read standard output. Of a reader that has gone it
    is told where what was written took long to make: ``swarm runs | head`` ends quietly."""
    out, err = sys.stdout, sys.stderr
    was_read = True
    if isinstance(out, Outlet):
        was_read = await out.settled(
            lambda: out.is_free, lambda: STOP_SECONDS if is_stopping() else PATIENCE_SECONDS
        )
        if out.problem:
            sys.stderr.write(f"swarm: {TAKES_NO_MORE} ({out.problem}); `swarm show` has the answer\n")
            was_read = False
        elif out.is_left and is_long:
            with suppress(BrokenPipeError):
                sys.stderr.write(
                    "swarm: whoever read standard output has gone; `swarm show` has the answer\n"
                )
            was_read = False
        elif not was_read and not is_stopping():
            sys.stderr.write("swarm: nobody read standard output; `swarm show` has the answer\n")
    if isinstance(err, Outlet):
        await err.settled(lambda: err.is_free, lambda: STOP_SECONDS if is_stopping() else NOTE_SECONDS)
    return was_read
