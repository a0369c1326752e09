"""Logs as rows: one for each entry, with its time, its level, who wrote it, and what it says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from swarm.formed.access import access_of
from swarm.formed.row import Row, Text, lines_of
from swarm.formed.stamp import LEVELS, MOST_CHARACTERS, Stamp, stamp_of

DATED = 0.5
"""Share of the lines that begin with a time, from which on a text is a log; the others go on with an entry."""
LOGS = 0.8
"""Share of the texts that must be logs."""
SHARE = 0.6
"""Of the entries that have a level or a source at a place, from which on it is one there."""
LOOKED = 1_000
"""Entries that the places are told from."""
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
_TOKEN = re.compile(r"\[[^\]]{0,80}\]|[^\s\[\]|]+|\S")
_SIGNS = re.compile(r"[\s|:\]]*(?:-+(?:\s+|$))?")
_FOREWORDS = 2
"""Words before the level: a thread, a process."""
_PLAIN = r"(?P<source>[^\W\d][\w./@#-]{0,79})(?:\[(?P<pid>\d+)\])?"
_THREAD = r"\[\s*(?P<thread>[^\]]{1,80}?)\s*\]"
_SOURCES = tuple(
    re.compile(form)
    for form in (
        rf"(?P<pid>\d+) --- (?:\[[^\]]{{0,80}}\] )?{_THREAD} (?P<source>\S+)\s*: ",
        rf"(?:{_THREAD}\s+)?(?P<source>[\w.$:/<>-]*[^\W\d][\w.$:/<>-]*)\s+-+\s+",
        rf"{_THREAD}\s+(?P<source>[\w$]+(?:\.[\w$]+)+):?\s+",
        r"(?P<source>[\w.$-]*[^\W\d][\w.$-]*)\|\s*",
        r"(?P<source>\S*[^\W\d]\S*)\t\s*",
        r"\[(?P<source>[^\]]{1,60})\]\s*[:|]?\s*",
        rf"{_PLAIN}:\s+",
    )
)
"""Who wrote an entry, behind its level: as Spring Boot, most loggers of Java and Python, Tomcat, NLog, zap, and
those write it that put a name in brackets or before a colon."""
_SYSLOG = re.compile(r"(?P<host>[\w.:-]{1,80}) (?P<source>[\w./@()+-]{1,80}?)(?:\[(?P<pid>\d+)\])?: ?")
_RFC5424 = re.compile(
    r"(?P<host>\S+) (?P<source>\S+) (?P<pid>\S+) (?P<id>\S+) (?P<data>-|(?:\[(?:[^\]\\]|\\.)*+\])+) ?(?:\ufeff)?"
)
_CONTAINER = re.compile(r"(?P<source>stdout|stderr) [FP] ")


@dataclass(frozen=True)
class _Layout:
    """Where the entries of a table have their parts: a word of a sentence is no level and no source."""

    is_syslog: bool
    levels: frozenset[int]
    source: re.Pattern[str] | None


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
    layout = _layout([stamp for stamp in stamps if stamp])
    found: list[Row] = []
    for (path, number, line), stamp in zip(begun, stamps, strict=True):
        row = access_of(line) if stamp is None else _entry(stamp, layout)
        last = found[-1] if found and found[-1]["file"] == path else None
        if row is None and last is None:
            row = _undated(line) or {"text": line.strip()}
        elif row is None and last is not None:
            row = _going_on(last, line)
        if row is not None:
            found.append({"file": path, "line": number, **row})
    return _uniform(found)


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


def _going_on(last: Row, line: str) -> Row | None:
    """Puts a line to the entry before it; gives it back as one of its own where it begins with a level.

    ``java.util.logging`` writes the level of an entry into its second line.
    """
    row = _undated(line)
    is_second = last.get("level") is None and "\n" not in str(last.get("text") or "")
    if row is None or (is_second and row.get("level") and last.get("time")):
        last["level"] = row["level"] if row is not None else last.get("level")
        said = row["text"] if row is not None else line.strip()
        last["text"] = f"{last.get('text') or ''}\n{said}"
        return None
    return row


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


def _layout(stamps: Sequence[Stamp]) -> _Layout:
    some = stamps[:LOOKED]
    is_syslog = _is_syslog(some)
    rests = [rest for stamp in some for _, rest in [_named(stamp, is_syslog=is_syslog)]]
    counted = Counter(at for rest in rests for at in _first_level(rest))
    levels = frozenset(at for at, count in counted.items() if count >= SHARE * len(some))
    tails = [_head(rest, levels)[2] for rest in rests]
    source = next(
        (form for form in _SOURCES if some and sum(map(bool, map(form.match, tails))) >= SHARE * len(some)),
        None,
    )
    return _Layout(is_syslog, levels, None if is_syslog else source)


def _is_syslog(stamps: Sequence[Stamp]) -> bool:
    found = [(stamp, _SYSLOG.match(stamp.rest)) for stamp in stamps]
    marked = sum(bool(match and (match["pid"] or stamp.is_short)) for stamp, match in found)
    return (
        bool(stamps) and marked >= len(stamps) / 3 and sum(bool(m) for _, m in found) >= SHARE * len(stamps)
    )


def _named(stamp: Stamp, *, is_syslog: bool) -> tuple[Row, str]:
    """Who wrote an entry as its format says before all else, and what follows."""
    form = _RFC5424 if stamp.is_numbered else _SYSLOG if is_syslog else _CONTAINER
    found = form.match(stamp.rest[:MOST_CHARACTERS])
    if found is None:
        return {}, stamp.rest
    said = found.groupdict()
    row: Row = {name: said.get(name) for name in ("host", "source") if said.get(name) not in {None, "-"}}
    if (pid := said.get("pid") or "").isdecimal():
        row["pid"] = int(pid)
    more = [one for one in (said.get("id"), said.get("data")) if one and one != "-"]
    return row, " ".join([*more, stamp.rest[found.end() :]])


def _word_of(token: str) -> tuple[str, str]:
    """The level that a token may be, and what stands with it in its brackets: ``[core:error]``, ``INFO/Main]``."""
    plain = token.strip("[]()<>|:,")
    for sign in ":/":
        before, found, behind = plain.partition(sign)
        if found and before.lower() in LEVELS:
            return before, behind
        if found and token.startswith("[") and behind.lower() in LEVELS:
            return behind, before
    return plain, ""


def _tokens(rest: str) -> list[re.Match[str]]:
    words = [one for one in _TOKEN.finditer(rest[:300]) if re.search(r"\w", one[0])]
    return words[: _FOREWORDS + 1]


def _first_level(rest: str) -> list[int]:
    return [at for at, one in enumerate(_tokens(rest)) if _word_of(one[0])[0].lower() in LEVELS][:1]


def _head(rest: str, levels: frozenset[int]) -> tuple[Row, list[str], str]:
    """The level of an entry, the words before it, and what follows."""
    if found := re.search(r"(?:^|\s)(?:level|lvl|severity)=\"?([A-Za-z]+)\"?(?=\s|$)", rest[:300]):
        return {"level": found[1].upper()}, [], rest
    tokens = _tokens(rest)
    for at, one in enumerate(tokens):
        word, other = _word_of(one[0])
        is_marked = one[0] != word or word.isupper()
        if word.lower() in LEVELS and (at in levels or (at == 0 and is_marked)):
            text = rest[one.end() :]
            row: Row = {"level": word.upper(), "source": other or None}
            return row, [before[0] for before in tokens[:at]], text[_end_of_signs(text) :]
    return {}, [], rest


def _end_of_signs(text: str) -> int:
    found = _SIGNS.match(text)
    return found.end() if found else 0


def _entry(stamp: Stamp, layout: _Layout) -> Row:
    named, rest = _named(stamp, is_syslog=layout.is_syslog)
    leveled, before, text = _head(rest, layout.levels)
    given: dict[str, Row] = {"forewords": _forewords(before), "named": named}
    row: Row = {
        "date": stamp.date,
        "time": stamp.time,
        "hour": stamp.hour,
        "zone": stamp.zone,
        "level": leveled.get("level") or stamp.level,
        "source": leveled.get("source") or stamp.source,
        "pid": stamp.pid,
    }
    behind = _behind(layout.source, text) if not given["forewords"].get("source") else None
    if behind is not None:
        text = text[behind.end() :]
        given["behind"] = _parts(behind.groupdict())
    for part in given.values():
        row |= {name: cell for name, cell in part.items() if row.get(name) is None}
    if row["source"] is None and row.get("thread"):
        row["source"], row["thread"] = row["thread"], None
    return {**row, "text": text}


def _behind(form: re.Pattern[str] | None, text: str) -> re.Match[str] | None:
    return form.match(text[:MOST_CHARACTERS]) if form else None


def _parts(said: Mapping[str, str | None]) -> Row:
    """The parts of a source; a name of digits alone is a process."""
    pid, source = said.get("pid"), said.get("source")
    if source and source.isdecimal():
        pid, source = source, None
    return {
        "pid": int(pid) if pid and len(pid) < 19 else None,
        "source": source,
        "thread": said.get("thread"),
    }


def _forewords(before: Sequence[str]) -> Row:
    """What stands before the level: a process, a thread in brackets, a name."""
    row: Row = {}
    for word in before:
        plain = word.strip("[]():")
        if plain.isdecimal() and len(plain) < 19:
            row.setdefault("pid", int(plain))
        elif word.startswith("["):
            row.setdefault("thread", plain.strip())
        else:
            row["source"] = f"{row['source']} {plain}" if row.get("source") else plain
    return row
