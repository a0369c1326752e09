"""Logs as rows: one for each entry, with its time, its level, who wrote it, and what it says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from swarm.formed.moment import MONTHS, date_in
from swarm.formed.row import Row, Text

DATED = 0.5
"""Share of the lines that begin with a time, from which on a text is a log; the others go on with an entry."""
LEVELS = frozenset([
    "trace",
    "debug",
    "verbose",
    "info",
    "information",
    "notice",
    "warn",
    "warning",
    "error",
    "err",
    "severe",
    "critical",
    "crit",
    "fatal",
    "alert",
    "emerg",
    "panic",
])
_CLOCK = r"(?P<clock>\d{2}:\d{2}(?::\d{2})?)(?:[.,]\d+)?(?:\s?(?:Z|UTC|[+-]\d{2}:?\d{2}))?"
_STAMP = re.compile(
    rf"^[\[(<]?(?:(?P<date>\d{{4}}[-/]\d{{1,2}}[-/]\d{{1,2}}|\d{{1,2}}\.\d{{1,2}}\.\d{{4}})[T ,]\s?{_CLOCK}"
    rf"|(?P<short>[A-Z][a-z]{{2}}\s+\d{{1,2}})\s{_CLOCK.replace('clock', 'second')})[\])>]?[ \t:|-]*(?P<rest>.*)$"
)
"""ISO 8601 and its neighbours, dates with points, and those of RFC 3164 (``Sep  9 05:00:05``), which have no year."""
_ACCESS = re.compile(
    r'^(?P<host>\S+) \S+ (?P<user>\S+) \[(?P<time>[^\]]+)\] "(?:(?P<method>[A-Z]+) (?P<path>\S+)[^"]*|[^"]*)" '
    r'(?P<status>\d{3}) (?P<bytes>\d+|-)(?: "(?P<referrer>[^"]*)" "(?P<agent>[^"]*)")?'
)
"""The Common and the Combined Log Format of web servers."""
_LEVEL = re.compile(r"^[\[(<|\s]*(?P<level>[A-Za-z]+)[\])>|:]*(?=\s|$|:)\s*[-|:]*\s*")
_SOURCE = re.compile(r"^(?:\[(?P<marked>[^\]]{1,60})\]|(?P<plain>[\w./@-]{1,60}(?:\[\d+\])?):)(?=\s)[\s:|-]*")
_FOREWORDS = 2
"""Words before the level: a host, a process."""


def is_log(texts: Sequence[Text]) -> bool:
    """Whether most lines of the texts begin with a time."""
    lines = [line for _, text in texts for line in text.splitlines() if line.strip()]
    dated = sum(_is_entry(line) for line in lines)
    return dated > 1 and dated >= DATED * len(lines)


def rows(texts: Sequence[Text]) -> list[Row]:
    """One row for each entry; lines without a time belong to the entry before them."""
    found = [row for path, text in texts for row in _entries(path, text)]
    empty = [name for name in (found[0] if found else ()) if all(row.get(name) is None for row in found)]
    return [{name: cell for name, cell in row.items() if name not in empty} for row in found]


def _is_entry(line: str) -> bool:
    return _STAMP.match(line) is not None or _ACCESS.match(line) is not None


def _entries(path: str, text: str) -> list[Row]:
    found: list[Row] = []
    for number, line in enumerate(text.splitlines(), 1):
        row = _access(line) or _entry(line)
        if row is not None:
            found.append({"file": path, "line": number, **row})
        elif found and line.strip():
            found[-1]["text"] = f"{found[-1].get('text') or ''}\n{line.strip()}"
    return found


def _entry(line: str) -> Row | None:
    stamp = _STAMP.match(line)
    if stamp is None:
        return None
    clock = stamp["clock"] or stamp["second"]
    level, source, text = _head(stamp["rest"])
    return {
        **_time(_date(stamp["date"], stamp["short"]), clock),
        "level": level,
        "source": source,
        "text": text,
    }


def _time(day: str | None, clock: str) -> Row:
    return {"date": day, "time": clock, "hour": int(clock[:2])}


def _date(whole: str | None, short: str | None) -> str | None:
    if whole:
        return date_in(whole.replace("/", "-")) or date_in(whole) or whole
    if short:
        month, day = short.split()
        return f"{MONTHS.index(month.lower()) + 1:02}-{int(day):02}" if month.lower() in MONTHS else short
    return None


def _head(rest: str) -> tuple[str | None, str | None, str]:
    """The level, who wrote it, and what is said."""
    before: list[str] = []
    text = rest
    for _ in range(_FOREWORDS + 1):
        found = _LEVEL.match(text)
        if found and found["level"].lower() in LEVELS:
            text = text[found.end() :]
            source, text = _source(text)
            return found["level"].upper(), source or " ".join(before).strip("[]:") or None, text
        word, _, more = text.partition(" ")
        if not more:
            break
        before.append(word)
        text = more.lstrip(" |-")
    source, text = _source(rest)
    return None, source, text


def _source(text: str) -> tuple[str | None, str]:
    found = _SOURCE.match(text)
    return (found["marked"] or found["plain"], text[found.end() :]) if found else (None, text)


def _access(line: str) -> Row | None:
    found = _ACCESS.match(line)
    if found is None:
        return None
    try:
        moment = datetime.strptime(found["time"], "%d/%b/%Y:%H:%M:%S %z")
    except ValueError:
        return None
    return {
        **_time(moment.date().isoformat(), f"{moment:%H:%M:%S}"),
        "host": found["host"],
        "method": found["method"],
        "path": found["path"],
        "status": int(found["status"]),
        "bytes": int(found["bytes"]) if found["bytes"] != "-" else 0,
        "agent": found["agent"],
    }
