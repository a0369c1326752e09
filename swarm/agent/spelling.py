"""Names as the text that was read writes them: small models write them large or small as they are used to, and a name
in other letters finds no partner in a table."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pydantic import JsonValue

_BEGINNING = re.compile(r"(?:^|[.!?\u2026])\W*$")
MOST_CHARS = 80
"""A longer text is a sentence, which may well begin with another letter than in the middle of another one."""


def as_read(data: JsonValue, texts: Iterable[str]) -> JsonValue:
    """The data with each text spelled as in what was read, where that has it in other letters only, and in one way."""
    return _spelled(data, "\n".join(texts))


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
