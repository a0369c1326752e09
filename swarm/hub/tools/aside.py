"""What a tool's function prints goes to stderr: stdout has the answer, or the events as lines."""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TextIO, cast

_IS_TOOL: ContextVar[bool] = ContextVar("swarm_tool_prints", default=False)
"""Set within the call of a tool, in its task or thread and in all that copies its context."""
_LOCK = threading.Lock()


class _Parted:
    """A stdout that hands what a tool writes to stderr, and all else to the stdout that was there."""

    def __init__(self, stdout: TextIO) -> None:
        self.stdout = stdout
        self.calls = 1

    def write(self, text: str) -> int:
        return self._stream.write(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    @property
    def _stream(self) -> TextIO:
        return sys.stderr if _IS_TOOL.get() else self.stdout


@contextmanager
def printing_aside() -> Generator[None]:
    """Within the block, what this task or thread prints goes to stderr; others print as ever.

    What a child process writes on its own stdout is not caught.
    """
    parted = _enter()
    token = _IS_TOOL.set(True)
    try:
        yield
    finally:
        _IS_TOOL.reset(token)
        _leave(parted)


def _enter() -> _Parted:
    with _LOCK:
        now = cast("object", sys.stdout)
        if isinstance(now, _Parted):
            now.calls += 1
            return now
        parted = _Parted(sys.stdout)
        sys.stdout = cast("TextIO", parted)
        return parted


def _leave(parted: _Parted) -> None:
    with _LOCK:
        parted.calls -= 1
        # Whoever put another stdout in its place meanwhile keeps that.
        if not parted.calls and cast("object", sys.stdout) is parted:
            sys.stdout = parted.stdout
