"""Whether a value that was asked for stands in an answer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from benchmarks.kinds.figure import Number, Rounded, is_number, plainly, readings
from benchmarks.kinds.kind import Aim, Fact

WORDS = [
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
]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]

_NUMBER = re.compile(
    r"(?<![\w.,/:])(?<!\w-)([-+\u2212]?)(?:[€$£] ?)?(\d+(?:[.,'\u00a0\u202f]\d+)*)(?![/:-]?\d)(?!(?:st|nd|rd|th)\b)"
)


def answer_faults(aim: Aim, answer: str) -> list[str]:
    """What an answer lacks or has too much, one sentence each."""
    lacking = [f"the answer lacks {shown(fact)!r}" for fact in aim.said if not says(answer, fact)]
    return lacking + [f"the answer names {name!r}" for name in aim.unsaid if says(answer, name)]


def says(answer: str, fact: Fact) -> bool:
    """Whether the answer has the value as a word, a number or a day of its own."""
    if isinstance(fact, date):
        return any(_has(answer, spelling) for spelling in spellings(fact))
    if isinstance(fact, str):
        return _has(answer, fact)
    return _says_number(answer, fact)


def shown(fact: Fact) -> str:
    """The value as it is written plainly."""
    if isinstance(fact, int | Decimal | Rounded):
        return plainly(fact)
    return fact.isoformat() if isinstance(fact, date) else fact


def spellings(day: date) -> Iterable[str]:
    """How a day may be written."""
    month = MONTHS[day.month - 1]
    yield day.isoformat()
    for name in (month, month[:3], f"{month[:3]}."):
        for number in (f"{day.day}", f"{day.day:02}", _ordinal(day.day)):
            yield f"{number} {name} {day.year}"
            yield f"{number} of {name} {day.year}"
            yield f"{number} {name}, {day.year}"
            yield f"{name} {number}, {day.year}"
            yield f"{name} {number} {day.year}"
    for mark in ".", "/", "-":
        yield f"{day.day:02}{mark}{day.month:02}{mark}{day.year}"
        yield f"{day.day}{mark}{day.month}{mark}{day.year}"
    yield f"{day.month:02}/{day.day:02}/{day.year}"
    yield f"{day.month}/{day.day}/{day.year}"
    yield f"{day.year}/{day.month:02}/{day.day:02}"


def _ordinal(number: int) -> str:
    ending = "th" if 10 < number < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _has(answer: str, words: str) -> bool:
    pattern = r"\s+".join(re.escape(word) for word in words.split())
    return re.search(rf"(?<![\w-]){pattern}(?![\w-])", answer, re.IGNORECASE) is not None


def _says_number(answer: str, right: Number) -> bool:
    for sign, digits in _NUMBER.findall(answer):
        if any(is_number(value, right) for value in readings(sign + digits)):
            return True
    return isinstance(right, int) and 0 <= right < len(WORDS) and _has(answer, WORDS[right])
