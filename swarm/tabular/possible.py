"""Which files of a folder may hold tables, in order, and why others are not looked at."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from swarm.errors import ToolError
from swarm.tabular.endings import BOOKS, DELIMITED, IGNORED, JSON, OTHERS, PAGES

MOST_FILES = 2_000
READ = (*DELIMITED, *JSON, *BOOKS)
NOT_READ = "this kind of file is not read; save it as .csv or .xlsx"


class Unread(BaseModel):
    """A table file that cannot be used, and why."""

    model_config = ConfigDict(frozen=True)

    pattern: str
    unread: str


def candidates(
    workspace: Path, unread: list[Unread], is_wanted: Callable[[str], bool] = bool, *, is_whole: bool = True
) -> Iterator[str]:
    """Regular files that may hold a table, in order of their paths; hidden folders are left out, and those of
    installed packages where not the whole is wanted.

    The bound on their number counts those that are wanted: nothing that is wanted is left out in silence.
    """
    tables = pages = 0
    for path in _walked(workspace, unread, is_whole=is_whole):
        inside = path.relative_to(workspace).as_posix()
        kind = path.name.lower()
        if not is_wanted(inside) or not kind.endswith((*READ, *PAGES, *OTHERS)):
            continue
        if kind.endswith(PAGES):
            # Pages seldom hold tables: many of them hide no table file.
            pages += 1
            if pages == MOST_FILES + 1:
                unread.append(Unread(pattern=_printable(inside), unread=_too_many("pages")))
            if pages <= MOST_FILES and not _irregular(path):
                yield inside
            continue
        reason = NOT_READ if kind.endswith(OTHERS) else _irregular(path)
        tables += not reason
        if tables > MOST_FILES:
            reason = _too_many("table files")
        if reason:
            unread.append(Unread(pattern=_printable(inside), unread=reason))
        else:
            yield inside
        if tables > MOST_FILES:
            return


def _too_many(what: str) -> str:
    return f"there are more than {MOST_FILES:,} {what}; this one and those after it are not looked at"


def _walked(workspace: Path, unread: list[Unread], *, is_whole: bool) -> list[Path]:
    def refused(error: OSError) -> None:
        if Path(error.filename) == workspace:
            raise ToolError(f"the workspace can't be read: {error.strerror}") from error
        place = Path(error.filename).relative_to(workspace).as_posix()
        unread.append(Unread(pattern=f"{_printable(place)}/", unread=f"it can't be read ({error.strerror})"))

    paths: list[Path] = []
    for folder, inner, names in os.walk(workspace, onerror=refused):
        hidden = {name for name in inner if name.startswith(".") or (not is_whole and name in IGNORED)}
        odd = [name for name in inner if name.lower().endswith(READ) and name not in hidden]
        inner[:] = [name for name in inner if name not in hidden]
        paths += [Path(folder, name) for name in (*names, *odd) if not name.startswith(".")]
    return sorted(paths)


def _irregular(path: Path) -> str:
    """Why a path is no file to read; empty where it is one."""
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        return f"it can't be read ({error.strerror})"
    try:
        path.name.encode()
    except UnicodeEncodeError:
        return "its name is no valid text; give it another"
    if stat.S_ISLNK(mode):
        return "it is a link; put the file itself there"
    if stat.S_ISDIR(mode):
        return "it is a folder"
    return "" if stat.S_ISREG(mode) else "it is no regular file"


def _printable(path: str) -> str:
    return path.encode("utf-8", "replace").decode()
