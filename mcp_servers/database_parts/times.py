"""SQLite's functions of dates and times, made to say what they are given that is none.

Of their own they give NULL for ``05.01.2026``: a count over it is 0, and nothing says why.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import cache, partial

Value = None | int | float | str | bytes

TIME_AT = {"date": 0, "time": 0, "datetime": 0, "julianday": 0, "unixepoch": 0, "strftime": 1}
"""Which argument is the time (sqlite.org/lang_datefunc.html)."""


def install(connection: sqlite3.Connection, refuse: Callable[[str], None]) -> None:
    """Puts them in the place of SQLite's own."""
    for name in TIME_AT:
        connection.create_function(name, -1, partial(_told, refuse, name), deterministic=True)


@cache
def _clock() -> sqlite3.Connection:
    """A database of its own, in which the functions are still SQLite's."""
    return sqlite3.connect(":memory:", check_same_thread=False)


def _told(refuse: Callable[[str], None], name: str, *given: Value) -> Value:
    marks = ", ".join("?" * len(given))
    found: Value = _clock().execute(f"SELECT {name}({marks})", given).fetchone()[0]
    time = given[TIME_AT[name]] if len(given) > TIME_AT[name] else None
    if found is None and time not in (None, "") and None not in given:
        refuse(_why(name, time))
        raise ValueError(name)
    return found


def _why(name: str, time: Value) -> str:
    if isinstance(time, int | float):
        return f"{name}: {time!r} is no day that SQLite counts; of seconds since 1970 write {name}(…, 'unixepoch')"
    shown = time if isinstance(time, str) else "bytes"
    return (
        f"{name}: the text {shown[:60]!r} is no date (YYYY-MM-DD) or what follows it no change of one; take the parts "
        "with substr, or leave such rows out: WHERE … GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'"
    )
