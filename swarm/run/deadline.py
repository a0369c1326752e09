"""When a run is to rest: at a time of day, after a while, or because somebody says so."""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from swarm.clock.steady import boot_seconds
from swarm.errors import ProjectError, quoted
from swarm.nouns.limits import LONGEST_SECONDS

TICK_SECONDS = 5.0
"""How often the clock is looked at: it may have been set, or the machine may have slept."""

LONGEST_WORDS = 40
"""Characters of a time or a duration."""

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?:in)?)?(?:(\d+)s)?")


@dataclass(frozen=True)
class PauseAt:
    """A moment at which a run is to rest."""

    words: str
    """What is told when it has come: ``it is 06:30``."""
    left: Callable[[], float]
    """Seconds until then, looked up anew each time."""


def until(words: str, *, clock: Callable[[], float] = time.time) -> PauseAt:
    """The next time it is that time of day (``06:30``), or a date and time in ISO 8601.

    It follows the wall clock, also when that is set. ``clock`` gives seconds since 1970.

    Raises:
        ProjectError: it is no time, or in the past.
    """
    at = moment(words, datetime.fromtimestamp(clock()).astimezone()).timestamp()
    told = datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M")
    return PauseAt(f"it is {told}", lambda: at - clock())


def lasting(words: str, *, clock: Callable[[], float] = boot_seconds) -> PauseAt:
    """That long from now: ``8h``, ``90m``, ``1h30m``. The time that the machine sleeps counts.

    ``clock`` gives seconds that only ever grow.

    Raises:
        ProjectError: it is no duration.
    """
    ends = clock() + duration(words)
    return PauseAt(f"it has worked for {words}", lambda: ends - clock())


def duration(words: str) -> float:
    """Seconds of a duration such as ``90m``, ``8h`` or ``1h30m``.

    Raises:
        ProjectError: it is none.
    """
    parts = (
        _DURATION.fullmatch(words.strip().lower().replace(" ", "")) if len(words) < LONGEST_WORDS else None
    )
    days, hours, minutes, seconds = (int(part or 0) for part in parts.groups()) if parts else (0, 0, 0, 0)
    total = 86_400 * days + 3_600 * hours + 60 * minutes + seconds
    if not total:
        raise ProjectError(f"{quoted(words)} is no duration; write it as 90m, 8h or 1h30m")
    if total > LONGEST_SECONDS:
        raise ProjectError(
            f"{quoted(words)} is longer than a year; leave it out, and the run's limits end it"
        )
    return float(total)


def moment(words: str, now: datetime) -> datetime:
    """The next time of day, or the date and time, that the words mean; local where no zone is told.

    Raises:
        ProjectError: they mean none, or a time that is over.
    """
    try:
        if len(words) > LONGEST_WORDS:
            raise ValueError(words)
        if "-" not in words:
            at = datetime.strptime(words.strip(), "%H:%M").time()
            day = now.date() + timedelta(days=(now.hour, now.minute) >= (at.hour, at.minute))
            return datetime.combine(day, at)
        found = datetime.fromisoformat(words.strip())
    except ValueError as error:
        raise ProjectError(
            f"{quoted(words)} is no time; write it as 06:30, or with its date as 2026-11-23T06:30"
        ) from error
    ahead = (
        (found.astimezone() - now).total_seconds()
        if 1970 < found.year < 9999
        else math.copysign(math.inf, found.year - 1971)
    )
    if ahead <= 0:
        raise ProjectError(f"{quoted(words)} is over; name a time that is to come")
    if ahead > LONGEST_SECONDS:
        raise ProjectError(f"{quoted(words)} is more than a year ahead; name an earlier time")
    return found


class Pauses:
    """Whether a run is to rest, and why."""

    def __init__(self) -> None:
        self._reason = ""
        self._deadline: PauseAt | None = None
        self._news = asyncio.Event()

    def ask(self, reason: str) -> None:
        """Rest now."""
        self._reason = self._reason or reason
        self._news.set()

    def by(self, deadline: PauseAt) -> None:
        """Rest when that time comes."""
        self._deadline = deadline
        self._news.set()

    async def due(self, lead: Callable[[], float]) -> str:
        """Why to rest, once it is time; ``lead`` gives the seconds that calls in flight may still take."""
        while not self._reason:
            tick: float | None = None
            if self._deadline is not None:
                left = self._deadline.left() - lead()
                if left <= 0:
                    return self._deadline.words
                tick = min(left, TICK_SECONDS)
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(tick):
                    await self._news.wait()
        return self._reason


async def sleep_until(deadline: PauseAt) -> None:
    """Returns when the deadline has come."""
    pauses = Pauses()
    pauses.by(deadline)
    await pauses.due(lambda: 0.0)
