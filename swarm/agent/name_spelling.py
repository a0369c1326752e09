"""Names as the text that was read writes them: small models write them large or small as they are used to, and a name
in other letters finds no partner in a table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from pydantic import JsonValue

from swarm.nouns.tool import Row

_BEGINNING = re.compile(r"(?:^|[.!?\u2026])\W*$")
_NAME = re.compile(r"[^\W\d_]{4,}(?:[ -][^\W\d_]+)*")
"""A word of some letters, or several: of a shorter one, as of a unit (``mW``), and of a code their size may tell."""
MOST_CHARS = 80
"""A longer text is a sentence, which may well begin with another letter than in the middle of another one."""


def as_read(data: JsonValue, texts: Iterable[str]) -> JsonValue:
    """The data with each text spelled as in what was read, where that has it in other letters only, and in one way."""
    return _spelled(data, "\n".join(texts))


def alike(rows: Sequence[Row]) -> list[Row]:
    """The rows with names that differ in the size of letters alone spelled as most rows of the column have them:
    each reader has another text, and what is one name there would be several groups."""
    ways: dict[tuple[str, str], Counter[str]] = {}
    for row in rows:
        for column, value in row.items():
            if isinstance(value, str) and _NAME.fullmatch(value):
                ways.setdefault((column, value.casefold()), Counter())[value] += 1
    usual = {key: found.most_common(1)[0][0] for key, found in ways.items() if len(found) > 1}
    return [
        {
            column: usual.get((column, value.casefold()), value) if isinstance(value, str) else value
            for column, value in row.items()
        }
        for row in rows
    ]


def _spelled(data: JsonValue, read: str) -> JsonValue:
    if isinstance(data, list):
        return [_spelled(part, read) for part in data]
    if isinstance(data, dict):
        return {name: _spelled(part, read) for name, part in data.items()}
    return _name(data, read) if isinstance(data, str) and 1 < len(data) <= MOST_CHARS else data


def _name(name: str, read: str) -> str:
    places = re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", read, re.IGNORECASE)
    found = {place[0] for place in places if not (place[0][0].isupper() and _begins(read, place.start()))}
    return found.pop() if len(found) == 1 else name


def _begins(read: str, at: int) -> bool:
    """Whether a sentence or a line begins there, which gives any word a capital."""
    return _BEGINNING.search(read[read.rfind("\n", 0, at) + 1 : at]) is not None
