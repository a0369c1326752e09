"""What a caller is shown of folders and texts: cut to fit a small window, and said to be cut."""

from __future__ import annotations

import io
import posixpath
import time
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby

from mcp.server.mcpserver.exceptions import ToolError

from mcp_servers.files_parts.texts import STRAY, visible
from mcp_servers.files_parts.walk import Entry

LIST_LINES = 60  # A listing has to fit a small window beside everything else.
READ_CHARACTERS = 12_000  # About 3,000 tokens: less than half of an 8k window.
LINE_CHARACTERS = 1_000_000  # A longer line is read in pieces.


def tree(entries: Sequence[Entry]) -> Sequence[str]:
    """A listing of at most ``LIST_LINES`` lines: the more there is, the fewer files of a folder."""
    lines: list[str] = []
    for most in (LIST_LINES, 30, 20, 12, 8, 5, 3, 1, 0):
        lines = list(_tree_lines(entries, most))
        if len(lines) <= LIST_LINES:
            return lines
    kept = lines[: LIST_LINES - 1]
    return [*kept, f"[{len(lines) - len(kept)} more lines; list one of these folders]"]


def _tree_lines(entries: Sequence[Entry], most: int) -> Iterator[str]:
    for (folder, kind), group in groupby(entries, lambda entry: (entry.place.parts[:-1], entry.kind)):
        members = list(group)
        if kind != "file":
            note = "/" if kind == "folder" else f" ({kind})"
            yield from (f"{entry.place.shown}{note}" for entry in members)
            continue
        yield from (f"{entry.place.shown} {entry.size_bytes}" for entry in members[:most])
        if rest := members[most:]:
            suffixes = " ".join(sorted({posixpath.splitext(entry.place.parts[-1])[1] for entry in rest}))
            where = "/".join((*folder, "*"))
            yield f"[{len(rest)} more files ({suffixes}); glob {where!r} lists them]"


def lines_of(text: io.TextIOWrapper) -> Iterator[tuple[int, str]]:
    """The lines with their numbers, without their ends; a long one in pieces."""
    number = 1
    for line in iter(partial(text.readline, LINE_CHARACTERS), ""):
        yield number, line
        number += line.endswith(("\n", "\r"))


def excerpt(lines: Iterator[tuple[int, str]], start: int, most: int, until: float) -> list[str]:
    """Some lines of a text, and how to go on where it does not end there."""
    shown: list[str] = []
    strange: list[int] = []
    room, total, past = READ_CHARACTERS, 0, False
    for total, raw in lines:
        if total % 1_000 == 0 and time.monotonic() > until:
            past = True
            break
        past = past or (most > 0 and total >= start + most)
        if total < start or past:
            continue
        line = visible(raw).rstrip("\r\n")
        if len(line) > room:
            past = True
            if not shown:
                shown.append(f"{line[:room]}\n[line {total} is cut after {room} characters; use search]")
            continue
        shown.append(line)
        strange += [total] if STRAY.search(raw) else []
        room -= len(line) + 1
    if total == 0:
        return ["(empty file)"]
    if not shown:
        raise ToolError(f"the file has {total} lines; start={start} is past its end")
    last = start + len(shown) - 1
    if last < total:
        shown.append(f"[lines {start}-{last} of {total}; go on with start={last + 1}]")
    if strange:
        numbers = ", ".join(map(str, strange[:5])) + (" …" if len(strange) > 5 else "")
        shown.append(f"[bytes that are not of the text's encoding are shown as \\xNN: line {numbers}]")
    return shown


def cut(lines: Sequence[str], more: str) -> list[str]:
    """As many lines as fit a window, and how many there are."""
    room, shown = READ_CHARACTERS, list[str]()
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            return [*shown, f"[{len(shown)} of {len(lines)}; {more}]"]
        shown.append(line)
    return shown
