"""A clock that stands still: the same program over the same files gives the same, whenever it is run."""

from __future__ import annotations

import datetime as dates
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo


class _Moment:
    seconds = 0.0


class _AnyDate(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, date)


class _AnyTime(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime)


class FixedDate(date, metaclass=_AnyDate):
    """``datetime.date``, whose today is the one that the clock stands at."""

    @classmethod
    def today(cls) -> FixedDate:
        """The day that the clock stands at."""
        return cls.fromtimestamp(_Moment.seconds)


class FixedTime(datetime, metaclass=_AnyTime):
    """``datetime.datetime``, whose now is the one that the clock stands at."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> FixedTime:
        """The time that the clock stands at."""
        return cls.fromtimestamp(_Moment.seconds, tz)

    @classmethod
    def today(cls) -> FixedTime:
        """The local time that the clock stands at."""
        return cls.fromtimestamp(_Moment.seconds)

    @classmethod
    def utcnow(cls) -> FixedTime:
        """The time that the clock stands at, in UTC and without a zone."""
        return cls.fromtimestamp(_Moment.seconds, UTC).replace(tzinfo=None)


def stop(seconds: float) -> None:
    """Makes the clock of this process say one time, in seconds since 1970, whoever asks."""
    _Moment.seconds = seconds
    real = {name: getattr(time, name) for name in ("localtime", "gmtime", "ctime", "strftime", "asctime")}

    def of(name: str) -> Callable[[float | None], object]:
        def told(at: float | None = None) -> object:
            return real[name](seconds if at is None else at)

        return told

    def strftime(form: str, at: object = None) -> object:
        return real["strftime"](form, real["localtime"](seconds) if at is None else at)

    def asctime(at: object = None) -> object:
        return real["asctime"](real["localtime"](seconds) if at is None else at)

    told: dict[str, object] = {
        "time": lambda: seconds,
        "time_ns": lambda: int(seconds * 1_000_000_000),
        "strftime": strftime,
        "asctime": asctime,
        **{name: of(name) for name in ("localtime", "gmtime", "ctime")},
    }
    for name, value in told.items():
        setattr(time, name, value)
    for name, value in {"date": FixedDate, "datetime": FixedTime}.items():
        setattr(dates, name, value)
