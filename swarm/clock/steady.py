"""Clocks that nobody can set: what is decided by time is decided by these, never by the system's date."""

from __future__ import annotations

import time
from collections.abc import Callable

_BOOT: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boot_seconds() -> float:
    """Seconds since the machine started, those it slept included where the system counts them.

    All processes of the machine share this clock.
    """
    return time.clock_gettime(_BOOT)


def steady_clock() -> Callable[[], float]:
    """A clock that gives seconds since 1970 as they are now and then only ever runs on.

    Between two of its readings lies the time that passed, also when the system's clock was set
    meanwhile.
    """
    offset = time.time() - boot_seconds()
    return lambda: offset + boot_seconds()
