"""Whether what an agent states stands in what it has read.

A small model copies a number from its own fancy as readily as from the page. So every number,
date and short text of a typed result is looked up in the texts its tools gave.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from swarm.formed.moment import MONTHS

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d.,'\u2019 \u00a0\u202f]*\d|\d")
_SEPARATOR = re.compile(r"[,.'\u2019\s\u00a0\u202f]")
_WORD = re.compile(r"[^\W_]+")
_ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_MINUS = re.compile(
    r"[-\u2212\u2013]\s?[^\w\s]?\d|\([^\w\s]?\d[\d.,]*\)|\b(?:minus|negative|below)\b", re.IGNORECASE
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_DAY_MONTH = re.compile(
    rf"\b(\d{{1,2}})(?:st|nd|rd|th)?\.?\s+(?:of\s+)?({'|'.join(MONTHS)})[a-z]*\b", re.IGNORECASE
)
_MONTH_DAY = re.compile(rf"\b({'|'.join(MONTHS)})[a-z]*\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?\b", re.IGNORECASE)
_NUMERIC_DAY = re.compile(r"(?<![\d.,])(\d{1,2})([./-])(\d{1,2})\2(?:\d{4}|\d{2})(?![\d,]|\.\d)")
_SPEAKS_OF_DAYS = re.compile(
    r"\b(?:to(?:day|night|morrow)|yesterday|(?:mon|tues|wednes|thurs|fri|satur|sun)days?|days?|weeks?|weekends?"
    r"|fortnight|months?|quarters?|years?|spring|summer|autumn|winter|january|february|march|april|may|june|july"
    r"|august|september|october|november|december)\b",
    re.IGNORECASE,
)
"""Words by which a day may be reckoned: "by Friday", "in two weeks", "in March"."""
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::00(?:\.0+)?)?(?:Z|[+-]\d{2}:?\d{2})?")
_PERCENT = re.compile(r"(\d[\d.,]*)\s*(?:%|percent\b|per cent\b)")
_UNITS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_WORDS_OF_NUMBERS = {
    **{word: float(number) for number, word in enumerate(_UNITS)},
    **{word: 20.0 + 10 * number for number, word in enumerate(_TENS)},
    "dozen": 12.0,
    "once": 1.0,
    "twice": 2.0,
    "hundred": 100.0,
    "thousand": 1_000.0,
}
GROUP = 3
SHARE_OF_WORDS = 0.6
"""A text counts as read when this share of its words stands in the source: models rephrase a
little (an article, a tense) where they invent a lot."""


class ReadTexts:
    """The texts an agent has read, indexed for looking values up."""

    def __init__(self, texts: Iterable[str]) -> None:
        joined = "\n".join(texts)
        self._words = {word.casefold() for word in _WORD.findall(joined)}
        self._numbers = {value for found in _NUMBER.findall(joined) for value in _readings(found)}
        self._numbers |= {
            round(value / 100, 6) for found in _PERCENT.findall(joined) for value in _readings(found)
        }
        self._numbers |= _spelled(joined)
        self._days = _days(joined)
        self._speaks_of_days = bool(_SPEAKS_OF_DAYS.search(joined))
        self._has_minus = bool(_MINUS.search(joined))

    def missing(self, data: JsonValue, schema: Mapping[str, JsonValue] | None = None) -> list[str]:
        """The values of a result that stand nowhere in the source, as text, each once; under its schema
        without what is judged and not read."""
        found = (leaf.value for leaf in leaves(data, schema) if not leaf.is_judged)
        return list(dict.fromkeys(str(value) for value in found if not self.has(value)))

    def has(self, value: JsonValue) -> bool:
        """Whether a value stands there, however it is written."""
        if value is None or isinstance(value, bool):
            return True
        if isinstance(value, int | float):
            is_signed = value >= 0 or self._has_minus
            return is_signed and round(abs(float(value)), 6) in self._numbers
        text = str(value)
        if (day := _DAY_OF_TIME.match(text.strip())) and (iso := _ISO.fullmatch(day.group(1))):
            return self._has_year(iso.group(1)) and self._has_day(int(iso.group(2)), int(iso.group(3)))
        if time := _TIME.fullmatch(text.strip()):
            return self._has_time(int(time.group(1)), time.group(2))
        words = [word.casefold() for word in _WORD.findall(text)]
        known = sum(word in self._words for word in words)
        return not words or known >= SHARE_OF_WORDS * len(words)

    def is_beyond_checking(self, value: JsonValue) -> bool:
        """Whether a value is a date, and no date is known of the texts: nothing speaks for it or against it."""
        return isinstance(value, str) and bool(_DAY_OF_TIME.match(value.strip())) and not self._days

    def _has_year(self, year: str) -> bool:
        """Whether the year may be meant: dates are often told without one, or with two digits of it."""
        years = {word for word in self._words if _YEAR.fullmatch(word)}
        return not years or year in years

    def _has_day(self, month: int, day: int) -> bool:
        """Whether the day is one of those that stand there; where none is known, whether it can come of the texts at
        all: by a number that may be it ("12. März"), or by words that speak of days."""
        if self._days:
            return (month, day) in self._days
        return self._speaks_of_days or float(day) in self._numbers

    def _has_time(self, hour: int, minute: str) -> bool:
        hours = {f"{hour:02}", str(hour), str(hour % 12 or 12)}
        hours |= {f"{one}{half}" for one in tuple(hours) for half in ("am", "pm", "h")}
        is_there = bool(hours & self._words)
        return is_there and (minute == "00" or any(minute + end in self._words for end in ("", "am", "pm")))


@dataclass(frozen=True)
class Leaf:
    """One value of a result, where it stands in it, and whether its schema says that it is judged."""

    place: str
    value: JsonValue
    is_judged: bool = False
    about: str = ""
    """What its schema says of it."""


Schema = Mapping[str, JsonValue]
_NO_SCHEMA: Schema = {}


def leaves(
    data: JsonValue,
    schema: Schema | None = None,
    root: Schema | None = None,
    place: str = "",
    judged: bool = False,
) -> Iterator[Leaf]:
    """The values of a result with their places, as ``items[2].price``.

    Judged is what the schema lists the values of, a truth value, and what is marked ``"judged": true``.
    """
    root = root or schema or {}
    schema = _branch(data, schema, root)
    judged = judged or schema.get("judged") is True or "enum" in schema or "const" in schema
    if isinstance(data, dict):
        properties, others = schema.get("properties"), schema.get("additionalProperties")
        known = properties if isinstance(properties, dict) else {}
        for name, value in data.items():
            inner = f"{place}.{name}" if place else name
            if name not in known and isinstance(others, dict):
                yield Leaf(inner, name, judged)
            yield from leaves(value, _dict(known.get(name, others)), root, inner, judged)
    elif isinstance(data, list):
        heads, items = schema.get("prefixItems"), _dict(schema.get("items"))
        each = [_dict(head) for head in heads] if isinstance(heads, list) else []
        for number, value in enumerate(data):
            wanted = each[number] if number < len(each) else items
            yield from leaves(value, wanted, root, f"{place}[{number}]", judged)
    else:
        yield Leaf(place, data, judged or isinstance(data, bool), str(schema.get("description", "")))


def _branch(data: JsonValue, schema: Schema | None, root: Schema) -> Schema:
    """The schema that a value stands under: references followed, and of alternatives the one it fits."""
    node: Schema = _NO_SCHEMA if schema is None else schema
    for _ in range(16):  # a reference may lead to itself
        reference = node.get("$ref")
        definitions = root.get("$defs")
        if isinstance(reference, str) and isinstance(definitions, dict):
            beside = {key: value for key, value in node.items() if key != "$ref"}
            node = {**(_dict(definitions.get(reference.rpartition("/")[2])) or {}), **beside}
            continue
        for key in ("anyOf", "oneOf", "allOf"):
            if isinstance(choices := node.get(key), list):
                beside = {name: value for name, value in node.items() if name != key}
                branches = [_branch(data, _dict(choice), root) for choice in choices]
                fitting = next((branch for branch in branches if _fits(data, branch)), _NO_SCHEMA)
                node = {**fitting, **beside}
                break
        else:
            return node
    return node


def _fits(data: JsonValue, schema: Schema) -> bool:
    """Whether a value is of the kind that a schema speaks of; no more than tells alternatives apart."""
    if isinstance(values := schema.get("enum"), list):
        return data in values
    if "const" in schema:
        return data == schema["const"]
    properties = schema.get("properties")
    if isinstance(data, dict) and isinstance(properties, dict):
        needed = schema.get("required")
        is_whole = all(name in data for name in needed) if isinstance(needed, list) else True
        consts = [
            data[name] == part["const"]
            for name, part in properties.items()
            if name in data and isinstance(part, dict) and "const" in part
        ]
        return is_whole and all(consts) and (data.keys() <= properties.keys() or not consts)
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    found = _KINDS.get(type(data))
    return kind is None or found in kinds or (found == "integer" and "number" in kinds)


_KINDS: dict[type, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
    list: "array",
    dict: "object",
}
_DAY_OF_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}.*)?$")


def _spelled(text: str) -> set[float]:
    """Numbers that are written in English words: ``seven``, ``twenty-five``."""
    found: set[float] = set()
    words = [word.casefold() for word in _WORD.findall(text)]
    for word, after in zip(words, [*words[1:], ""], strict=True):
        value = _WORDS_OF_NUMBERS.get(word)
        if value is None:
            continue
        found.add(value)
        next_value = _WORDS_OF_NUMBERS.get(after)
        if word in _TENS and next_value is not None and 0 < next_value < 10:
            found.add(value + next_value)
        if next_value in (100.0, 1_000.0):
            found.add(value * next_value)
    return found


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
    last = max(found.rfind("."), found.rfind(","))
    if last < 0:
        return {float(digits)}
    decimals = len(_SEPARATOR.sub("", found[last:]))
    # Only three digits can be a group of thousands: 12.50 is not 1250.
    whole = {float(digits)} if decimals == GROUP else set[float]()
    return whole | {round(float(digits) / 10**decimals, 6)}


def _days(text: str) -> set[tuple[int, int]]:
    days = {(int(month), int(day)) for _, month, day in _ISO.findall(text)}
    days |= {(_month(name), int(day)) for day, name in _DAY_MONTH.findall(text)}
    days |= {(_month(name), int(day)) for name, day in _MONTH_DAY.findall(text)}
    for first, _, second in _NUMERIC_DAY.findall(text):
        # 01/02/2026 is the first of February or the second of January.
        days |= {(int(first), int(second)), (int(second), int(first))}
    return days


def _month(name: str) -> int:
    return MONTHS.index(name[:3].casefold()) + 1


def _dict(value: JsonValue) -> Schema | None:
    return value if isinstance(value, dict) else None
