"""The time that a line of a log begins with, in the forms that real software writes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from swarm.formed.moment import MONTHS, date_in

MOST_CHARACTERS = 2_000
"""Of a line, that a form is looked for in; what follows is text."""
LEVELS = frozenset([
    "trace",
    "debug",
    "verbose",
    "info",
    "information",
    "notice",
    "note",
    "log",
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
    "emergency",
    "panic",
    "vrb",
    "dbg",
    "inf",
    "wrn",
    "ftl",
])
SEVERITIES = ("EMERG", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG")
"""The lower three bits of a priority (RFC 5424, 6.2.1)."""
_KLOG = {"I": "INFO", "W": "WARNING", "E": "ERROR", "F": "FATAL"}
_NAMED_ZONE = r"UTC|GMT|CES?T|MES?Z|[ECMP][SD]T|BST|IST|JST|MSK|WES?T|EES?T|AE[SD]T"
_CLOCK = (
    r"(?P<clock>(?:[01]?\d|2[0-3]):[0-5]\d(?P<seconds>:(?:[0-5]\d|60))?)"
    r"(?:[.](?P<point>\d{1,9})(?!\d)|,(?P<comma>\d{3}(?:\d{3}){0,2})(?![\d,;]))?(?!\d|:\d)"
    r"(?:\s?(?P<half>[AaPp]\.?[Mm]\b\.?))?"
    rf"(?P<zone>\s?(?:Z\b|(?:{_NAMED_ZONE})\b|[+-](?:0\d|1[0-4]):[0-5]\d\b|[+-](?:0\d|1[0-4])(?:00|15|30|45)\b)|[+-]\d\d\b)?"
)
_DATE = (
    r"(?P<date>\d{4}-\d{1,2}-\d{1,2}|\d{4}/\d{1,2}/\d{1,2}|\d{1,2}\.\d{1,2}\.\d{4}|\d{1,2}/\d{1,2}/\d{4}"
    r"|\d{1,2}[- /][A-Z][a-z]{2}[- /]\d{4})(?P<between>T|,?[ \t]\s?|:)"
)
_WORDS = r"(?P<weekday>[A-Z][a-z]{2},? )?(?P<month>[A-Z][a-z]{2}) +(?P<day>\d{1,2})(?:,? (?P<year>\d{4}))?,? "
_BEFORE = (
    r"(?:<(?P<pri>\d{1,3})>(?P<version>1 )?)?(?:[\[(<]?(?P<level>LEVEL)[\])>]?[ \t:|,-]{1,8})?"
    r"(?P<logfmt>(?:time|ts|timestamp)=\"?)?[\[(<]?"
).replace("LEVEL", f"(?i:{'|'.join(sorted(LEVELS, key=len, reverse=True))})")
_AFTER = r"(?P<last> \d{4}(?=\]|\s|$))?(?P<close>[\])>\"]?)(?=[\s|,;:/\[-]|$)[\s|:,;]*(?:-+(?:\s+|$))?(?P<rest>.*)$"
_FORMS = (
    re.compile(rf"{_BEFORE}{_DATE}{_CLOCK}{_AFTER}", re.DOTALL),
    re.compile(rf"{_BEFORE}{_WORDS}{_CLOCK}{_AFTER}", re.DOTALL),
    re.compile(rf"[\[(]?{_CLOCK}{_AFTER}", re.DOTALL),
)
"""ISO 8601 and its neighbours; months by name, as in RFC 3164 and ``ctime``; a time of day alone."""
_KLOG_LINE = re.compile(
    rf"(?P<letter>[IWEF])(?P<month>\d\d)(?P<day>\d\d) {_CLOCK} +(?P<pid>\d+) (?P<source>[\w./-]+:\d+)\] ?(?P<rest>.*)$",
    re.DOTALL,
)
"""Of Go's glog and Kubernetes."""


@dataclass(frozen=True)
class Stamp:
    """The beginning of a line of a log."""

    date: str | None
    time: str
    hour: int
    zone: str
    rest: str
    level: str | None = None
    source: str | None = None
    pid: int | None = None
    is_short: bool = False
    """Whether it is of RFC 3164, which names the host and the program behind the time."""
    is_numbered: bool = False
    """Whether it is of RFC 5424."""


def stamp_of(line: str) -> Stamp | None:
    """The time at the beginning of a line; None where there is none."""
    head, tail = line[:MOST_CHARACTERS], line[MOST_CHARACTERS:]
    if found := _KLOG_LINE.match(head):
        day = f"{found['month']}-{found['day']}"
        time, hour = _time(found)
        pid, source = int(found["pid"]), found["source"]
        return Stamp(day, time, hour, "", found["rest"] + tail, _KLOG[found["letter"]], source, pid)
    for form in _FORMS:
        if (found := form.match(head)) and (stamp := _stamp(found, found.groupdict(), tail)):
            return stamp
    return None


def _stamp(found: re.Match[str], said: dict[str, str | None], tail: str) -> Stamp | None:
    level, last = said.get("level"), said["last"]
    rest = found["rest"] + tail
    zone = (said["zone"] or "").strip()
    if zone[:1] in {"+", "-"} and not said["seconds"] and said.get("between") != "T":
        rest, zone = f"{zone} {rest}", ""  # A range of times, 10:00 -11:30, or a number.
    day = said.get("date")
    if last and not said.get("weekday"):
        rest, last = f"{last.strip()} {rest}", None
    if month := said.get("month"):
        day = _worded(month, said["day"] or "", said["year"] or last)
        if day is None:
            return None
    elif day:
        day = date_in(day.replace("/", "-")) or date_in(day) or day
    time, hour = _time(found)
    pri = said.get("pri")
    severity = SEVERITIES[int(pri) % 8] if pri else None
    return Stamp(
        date=day,
        time=time,
        hour=hour,
        zone=zone,
        rest=rest,
        level=level.upper() if level else severity,
        is_short=bool(month) and not said.get("weekday") and not said["half"],
        is_numbered=bool(said.get("version")),
    )


def _worded(month: str, day: str, year: str | None) -> str | None:
    if month.lower() not in MONTHS:
        return None
    if year:
        return date_in(f"{day} {month} {year.strip()}") or None
    return f"{MONTHS.index(month.lower()) + 1:02}-{int(day):02}"


def _time(found: re.Match[str]) -> tuple[str, int]:
    hour, _, rest = found["clock"].partition(":")
    half = (found["half"] or "").lower()[:1]
    number = int(hour)
    if half and number <= 12:
        number = number % 12 + (12 if half == "p" else 0)
    fraction = found["point"] or found["comma"]
    return f"{number:02}:{rest}" + (f".{fraction}" if fraction else ""), number
