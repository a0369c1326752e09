"""Whether what an agent states stands in what it has read.

A small model copies a number from its own fancy as readily as from the page. So every number,
date and short text of a typed result is looked up in the texts its tools gave.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pydantic import JsonValue

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d.,'\u2019 \u00a0\u202f]*\d|\d")
_SEPARATOR = re.compile(r"[,.'\u2019\s\u00a0\u202f]")
_WORD = re.compile(r"[^\W_]+")
_ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY_MONTH = re.compile(
    rf"\b(\d{{1,2}})(?:st|nd|rd|th)?\.?\s+(?:of\s+)?({'|'.join(_MONTHS)})[a-z]*\b", re.IGNORECASE
)
_MONTH_DAY = re.compile(rf"\b({'|'.join(_MONTHS)})[a-z]*\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?\b", re.IGNORECASE)
SHARE_OF_WORDS = 0.6
"""A text counts as read when this share of its words stands in the source: models rephrase a
little (an article, a tense) where they invent a lot."""


class Source:
    """The texts an agent has read, indexed for looking values up."""

    def __init__(self, texts: Iterable[str]) -> None:
        joined = "\n".join(texts)
        self._words = {word.casefold() for word in _WORD.findall(joined)}
        self._numbers = {value for found in _NUMBER.findall(joined) for value in _readings(found)}
        self._days = _days(joined)

    def missing(self, data: JsonValue) -> list[str]:
        """The values of a result that stand nowhere in the source, as text, each once."""
        return list(dict.fromkeys(str(value) for value in _leaves(data) if not self._has(value)))

    def _has(self, value: JsonValue) -> bool:
        if value is None or isinstance(value, bool):
            return True
        if isinstance(value, int | float):
            return round(abs(float(value)), 6) in self._numbers
        text = str(value)
        if iso := _ISO.fullmatch(text.strip()):
            return self._has_day(int(iso.group(2)), int(iso.group(3)))
        words = [word.casefold() for word in _WORD.findall(text)]
        known = sum(word in self._words for word in words)
        return not words or known >= SHARE_OF_WORDS * len(words)

    def _has_day(self, month: int, day: int) -> bool:
        return not self._days or (month, day) in self._days


def _leaves(data: JsonValue) -> Iterable[JsonValue]:
    if isinstance(data, dict):
        for value in data.values():
            yield from _leaves(value)
    elif isinstance(data, list):
        for value in data:
            yield from _leaves(value)
    else:
        yield data


def _readings(found: str) -> set[float]:
    """What a written number can mean: ``1.234`` is one thousand and more, or one and a quarter."""
    readings: set[float] = set()
    for part in (found, *found.split()):
        readings |= _values(part)
    return readings


def _values(found: str) -> set[float]:
    digits = _SEPARATOR.sub("", found).lstrip("+-")
    if not digits.isdigit():
        return set()
    values = {float(digits)}
    last = max(found.rfind("."), found.rfind(","))
    if last >= 0:
        decimals = len(_SEPARATOR.sub("", found[last:]))
        values.add(round(float(digits) / 10**decimals, 6))
    return values


def _days(text: str) -> set[tuple[int, int]]:
    days = {(int(month), int(day)) for _, month, day in _ISO.findall(text)}
    days |= {(_month(name), int(day)) for day, name in _DAY_MONTH.findall(text)}
    days |= {(_month(name), int(day)) for name, day in _MONTH_DAY.findall(text)}
    return days


def _month(name: str) -> int:
    return _MONTHS.index(name[:3].casefold()) + 1


def without_choices(data: JsonValue, schema: Mapping[str, JsonValue] | None) -> JsonValue:
    """The data without the fields whose schema lists their values: a choice is judged, not read."""
    if schema is None or "enum" in schema or "const" in schema:
        return None if schema else data
    items, properties = schema.get("items"), schema.get("properties")
    if isinstance(data, list) and isinstance(items, dict):
        return [without_choices(item, items) for item in data]
    if isinstance(data, dict) and isinstance(properties, dict):
        return {name: without_choices(value, _dict(properties.get(name))) for name, value in data.items()}
    return data


def _dict(value: JsonValue) -> Mapping[str, JsonValue] | None:
    return value if isinstance(value, dict) else None
