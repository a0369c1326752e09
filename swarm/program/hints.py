"""What to do instead, where a program does by hand what a function is there for."""

from __future__ import annotations

import errno
import sqlite3

MODULES = {
    "pandas": "use table(name) for its rows and sql(query) for joins and sums",
    "numpy": "use sql(query), or Python's own sum, min and max",
    "openpyxl": "use table(name), which reads .xlsx",
    "requests": "there is no network; use read(name) or tool(name, …)",
}
NO_WRITING = frozenset((errno.EROFS, errno.EACCES, errno.EPERM, errno.EXDEV))


def hint(raised: BaseException) -> str:
    """What to do instead; empty where nothing is known."""
    match raised:
        case ModuleNotFoundError():
            name = (raised.name or "").partition(".")[0]
            return MODULES.get(name, "Python's standard library alone can be imported")
        case sqlite3.OperationalError():
            return "sql(query) reads the tables of all databases; nothing is written into one"
        case OSError() if raised.errno in NO_WRITING:
            return "files are written by save(name, data) and taken away by remove(name)"
        case MemoryError():
            return "hold less at once: sql(query) sums without holding all rows"
        case TypeError() if "unhashable type: 'dict'" in str(raised):
            return "rows are dicts; take a value of one, as row['name']"
        case _:
            return ""
