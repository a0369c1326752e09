"""Logs as rows: one for each entry, with its time, its level, who wrote it, and what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from swarm.formed.access import access_of
from swarm.formed.layout import entry_of, layout_of
from swarm.formed.row import Row, Text, lines_of
from swarm.formed.stamp import LEVELS, stamp_of

DATED = 0.5
"""Share of the lines that begin with a time, from which on a text is a log; the others go on with an entry."""
LOGS = 0.8
"""Share of the texts that must be logs."""
COLUMNS = [
    "file",
    "line",
    "date",
    "time",
    "hour",
    "zone",
    "host",
    "user",
    "method",
    "path",
    "status",
    "bytes",
    "referrer",
    "agent",
    "level",
    "source",
    "pid",
    "thread",
    "text",
]
KEPT = frozenset({"file", "line", "date", "time", "hour", "text"})
_ANSI = re.compile(r"\x1b\[[\d;]*[A-Za-z]")
_GOES_ON = re.compile(r"\s|Caused by: |at \S+\(|\.\.\. \d+ more|Traceback \(most|[)}\]]\W*$")
_DIRECTIVE = re.compile(r"#[A-Z][\w-]*: ")
"""Heads that the Extended Log File Format of the W3C has between entries."""
_UNDATED = re.compile(
    rf"\[?(?P<level>{'|'.join(sorted(LEVELS)).upper()})(?:\]:?|:)\s*(?P<rest>.*)$", re.DOTALL
)
_DATE = re.compile(r"[\[(]?(?:\d{4}[-/]\d\d?[-/]\d\d?|\d\d?\.\d\d?\.\d{4})\b")


def is_log(texts: Sequence[Text]) -> bool:
    """Whether most of the texts are logs: most of their lines that stand at the margin begin with a time."""
    counts = [_counts(text) for _, text in texts]
    some = [(dated, lines) for dated, lines in counts if lines]
    logs = sum(dated >= DATED * lines and dated > 0 for dated, lines in some)
    return sum(dated for dated, _ in some) > 1 and logs >= LOGS * len(some)


def rows(texts: Sequence[Text]) -> list[Row]:
    """One row for each entry; lines without a time belong to the entry before them.

    Those before the first one of a file are a row without a time.
    """
    begun = [(path, number, line) for path, text in texts for number, line in _lines(text)]
    stamps = [None if access_of(line) else stamp_of(line) for _, _, line in begun]
    layout = layout_of([stamp for stamp in stamps if stamp])
    found: list[Row] = []
    said: list[list[str]] = []
    for (path, number, line), stamp in zip(begun, stamps, strict=True):
        row = access_of(line) if stamp is None else entry_of(stamp, layout)
        if row is None and found and found[-1]["file"] == path:
            row = _going_on(found[-1], said[-1], line)
        elif row is None:
            row = _undated(line) or {"text": line.strip()}
        if row is not None:
            found.append({"file": path, "line": number, **row})
            said.append([str(row.get("text") or "")])
    whole = [
        {**row, "text": "\n".join(parts) if len(parts) > 1 else row.get("text")}
        for row, parts in zip(found, said, strict=True)
    ]
    return _uniform(whole)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines_of(text), 1):
        plain = _ANSI.sub("", line) if "\x1b" in line else line
        if plain.strip() and not _DIRECTIVE.match(plain):
            yield number, plain


def _counts(text: str) -> tuple[int, int]:
    """How many lines begin with a time, and how many there are that could."""
    dated = lines = 0
    for _, line in _lines(text):
        is_entry = stamp_of(line) is not None or access_of(line) is not None
        dated += is_entry
        lines += is_entry or not _GOES_ON.match(line)
    return dated, lines


def _undated(line: str) -> Row | None:
    """An entry that has a level and no time, or begins with a date alone."""
    if found := _UNDATED.match(line):
        return {"level": found["level"], "text": found["rest"]}
    return {"text": line} if _DATE.match(line) else None


def _going_on(last: Row, said: list[str], line: str) -> Row | None:
    """Puts a line to the entry before it; gives it back as one of its own where it begins with a level.

    ``java.util.logging`` writes the level of an entry into its second line.
    """
    row = _undated(line)
    if row is None:
        said.append(line.strip())
    elif row.get("level") and last.get("time") and last.get("level") is None and len(said) == 1:
        last["level"] = row["level"]
        said.append(str(row["text"]))
    else:
        return row
    return None


def _uniform(found: list[Row]) -> list[Row]:
    """The rows with the same columns each: those that any of them has a value of."""
    zones = {row.get("zone") for row in found if row.get("time")}
    used = {name for row in found for name, cell in row.items() if cell not in {None, ""}}
    if len(zones) < 2:
        used.discard("zone")
    elif used:
        used.add("zone")
    is_web = any(row.get("status") is not None for row in found)
    kept = [name for name in COLUMNS if name in used or (name in KEPT and not (is_web and name == "text"))]
    return [
        {name: row.get(name) if row.get(name) != "" or name == "text" else None for name in kept}
        for row in found
    ]
