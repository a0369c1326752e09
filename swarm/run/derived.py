"""Numbers that follow from what was read without standing there: counts of it, and sums."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations

from pydantic import JsonValue

from swarm.nouns.tool import Row

_LINE = re.compile(r"[^\n]+")
_SENTENCE = re.compile(r"[^.!?\n]+(?:[.,](?=\d)[^.!?\n]+)*")
_PARTED = re.compile(r"\s*(?:,\s*and\s+|,\s*or\s+|[,;]|\band\b|\bor\b|&)\s*")
_NUMBER = re.compile(
    r"(?<![\w.,-])\d+(?:[.,\u2019' ]\d{3})*(?:[.,]\d+)?(?![\w-]|[.,]\d)|(?<=[$€£])\d[\d.,]*\d"
)
_SUM_WORDS = re.compile(
    r"\b(?:totals?|sums?|together|altogether|overall|in all|combined|added up|gesamt\w*|summe|insgesamt|zusammen)\b"
)
_COUNT_WORDS = re.compile(r"\bhow (?:many|much|often)\b|\bnumber of\b|\bcount|\b(?:wie ?viele?|anzahl)\b")
MOST_NUMBERS = 400
"""Of one text: sums over more say nothing."""


class Derived:
    """The numbers that counting and adding up makes of tables and texts."""

    def __init__(self, tables: Iterable[Sequence[Row]], texts: Iterable[str]) -> None:
        self._counts: set[float] = set()
        self._sums: set[float] = set()
        for rows in tables:
            self._counts.update(_counts(rows))
            self._sums.update(_sums(rows))
        for text in texts:
            self._counts.update(_counts_of_text(text))
            self._sums.update(_sums_of_text(text))

    def has(self, value: JsonValue, answer: JsonValue, asked: str) -> bool:
        """Whether a number follows; also from the answer that it stands in: how long its lists are, what they add
        up to. ``asked`` is what says whether a sum is wanted: where none is, a model that adds up is wrong."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        wanted = round(abs(float(value)), 2)
        if not wanted and not _COUNT_WORDS.search(asked.casefold().replace("_", " ")):
            # Every table has something that it has none of, so nought would follow from anything.
            return False
        if wanted in self._counts or wanted in set(_within(answer, _counts)):
            return True
        is_asked = _SUM_WORDS.search(asked.casefold().replace("_", " ")) is not None
        return is_asked and (wanted in self._sums or wanted in set(_within(answer, _sums)))


def _counts(rows: Sequence[Row]) -> Iterator[float]:
    yield float(len(rows))
    for name in _names(rows):
        values = [row.get(name) for row in rows if row.get(name) is not None]
        often = Counter(str(value).strip().casefold() for value in values)
        yield from (float(len(values)), float(len(rows) - len(values)), float(len(often)))
        yield from (float(times) for times in often.values())


def _sums(rows: Sequence[Row]) -> Iterator[float]:
    names = _names(rows)
    numeric = [name for name in names if any(_is_number(row.get(name)) for row in rows)]
    for name in numeric:
        yield _sum(row.get(name) for row in rows)
        for other in names:
            groups: dict[str, list[JsonValue]] = {}
            for row in rows:
                groups.setdefault(str(row.get(other)).casefold(), []).append(row.get(name))
            yield from (_sum(group) for group in groups.values())
    for one, other in combinations(numeric, 2):
        yield _sum(_product(row.get(one), row.get(other)) for row in rows)


def _product(one: JsonValue, other: JsonValue) -> JsonValue:
    is_both = isinstance(one, int | float) and isinstance(other, int | float)
    return one * other if is_both else None  # type: ignore[operator]  # both are numbers


def _names(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _sum(values: Iterable[JsonValue]) -> float:
    return round(sum(float(value) for value in values if isinstance(value, int | float)), 2)


def _counts_of_text(text: str) -> Iterator[float]:
    """How many things its sentences list, and how many lines and points of a list it has."""
    lines = [line for line in _LINE.findall(text) if line.strip()]
    points = [line for line in lines if re.match(r"\s*(?:[-*•]|\d+[.)])\s", line)]
    yield from (float(len(lines)), float(len(points)))
    for sentence in (*lines, *_SENTENCE.findall(text)):
        listed = [part for part in _PARTED.split(sentence.rpartition(":")[2]) if part.strip()]
        if len(listed) > 1:
            yield float(len(listed))


def _sums_of_text(text: str) -> Iterator[float]:
    pieces = [text, *_LINE.findall(text), *_SENTENCE.findall(text)]
    for piece in dict.fromkeys(pieces):
        found = [_plain(number) for number in _NUMBER.findall(piece)[:MOST_NUMBERS]]
        if len(found) > 1:
            yield round(sum(found), 2)
    yield from _sums_by_unit(text)


def _sums_by_unit(text: str) -> Iterator[float]:
    """What amounts in the same unit add up to: ``10 euros … 15 euros``, ``€10 … €15``."""
    by_unit: dict[str, list[float]] = {}
    for before, number, after in re.findall(r"([$€£])?\s?(\d[\d.,]*\d|\d)\s?([$€£%]|[A-Za-z]{1,12})?", text):
        by_unit.setdefault((before or after).casefold().rstrip("s"), []).append(_plain(number))
    yield from (round(sum(found), 2) for unit, found in by_unit.items() if unit and len(found) > 1)


def _plain(number: str) -> float:
    """The likeliest value of a written number: one separator before other than three digits is decimal."""
    signs = [sign for sign in number if not sign.isdigit()]
    whole, sign, rest = number.rpartition(signs[-1]) if signs else (number, "", "")
    is_decimal = sign in (".", ",") and (len(rest) != 3 or signs.count(sign) == 1 < len(signs))
    digits = re.sub(r"\D", "", whole)
    return float(f"{digits or 0}.{rest}") if is_decimal else float(digits + rest)


def _within(answer: JsonValue, made: Callable[[Sequence[Row]], Iterable[float]]) -> Iterator[float]:
    """What is made of the lists within an answer: how long they are, or what their numbers add up to."""
    if isinstance(answer, list):
        rows: list[Row] = [item if isinstance(item, dict) else {"": item} for item in answer]
        yield from made(rows)
    inner = answer.values() if isinstance(answer, dict) else answer if isinstance(answer, list) else []
    for part in inner:
        yield from _within(part, made)
