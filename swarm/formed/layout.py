"""Where the entries of a log have their parts: the level, who wrote them, a process, a thread."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from swarm.formed.row import Row
from swarm.formed.stamp import LEVELS, MOST_CHARACTERS, Stamp

SHARE = 0.6
"""Of the entries that have a level or a source at a place, from which on it is one there."""
BARE = 0.9
"""The same of levels that are words as any other: neither in capitals nor marked by a sign."""
LOOKED = 1_000
"""Entries that the places are told from."""
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
        rf"(?:{_THREAD}\s+)?(?!\d+\s)(?P<source>[\w.$:/<>-]{{1,80}})\s+-+\s+",
        rf"{_THREAD}\s+(?P<source>[\w$]{{1,80}}(?:\.[\w$]{{1,80}}){{1,20}}):?\s+",
        r"(?!\d+\|)(?P<source>[\w.$-]{1,80})\|\s*",
        r"(?!\d+\t)(?P<source>\S{1,80})\t\s*",
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
class Layout:
    """Where the entries of a table have their parts: a word of a sentence is no level and no source."""

    is_syslog: bool
    levels: frozenset[int]
    bare: frozenset[int]
    """Where any word that is a level is one."""
    source: re.Pattern[str] | None


def layout_of(stamps: Sequence[Stamp]) -> Layout:
    """Where most entries have their parts."""
    some = stamps[:LOOKED]
    is_syslog = _is_syslog(some)
    rests = [rest for stamp in some for _, rest in [_named(stamp, is_syslog=is_syslog)]]
    counted = Counter(at for rest in rests for at in _first_level(rest))
    levels = frozenset(at for at, count in counted.items() if count >= SHARE * len(some))
    bare = frozenset(at for at, count in counted.items() if count >= BARE * len(some) and not is_syslog)
    tails = [_head(rest, levels, bare)[2] for rest in rests]
    source = next(
        (form for form in _SOURCES if some and sum(map(bool, map(form.match, tails))) >= SHARE * len(some)),
        None,
    )
    return Layout(is_syslog, levels, bare, None if is_syslog else source)


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


def _head(rest: str, levels: frozenset[int], bare: frozenset[int]) -> tuple[Row, list[str], str]:
    """The level of an entry, the words before it, and what follows."""
    if found := re.search(r"(?:^|\s)(?:level|lvl|severity)=\"?([A-Za-z]+)\"?(?=\s|$)", rest[:300]):
        return {"level": found[1].upper()}, [], rest
    tokens = _tokens(rest)
    for at, one in enumerate(tokens):
        word, other = _word_of(one[0])
        is_marked = one[0] != word or word.isupper()
        if word.lower() in LEVELS and (at in bare or (is_marked and (at in levels or not at))):
            text = rest[one.end() :]
            row: Row = {"level": word.upper(), "source": other or None}
            return row, [before[0] for before in tokens[:at]], text[_end_of_signs(text) :]
    return {}, [], rest


def _end_of_signs(text: str) -> int:
    found = _SIGNS.match(text)
    return found.end() if found else 0


def entry_of(stamp: Stamp, layout: Layout) -> Row:
    """The row of an entry that begins with a time."""
    named, rest = _named(stamp, is_syslog=layout.is_syslog)
    leveled, before, text = _head(rest, layout.levels, layout.bare)
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
