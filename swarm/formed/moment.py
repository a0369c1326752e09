"""Dates in texts, as ISO 8601 writes them; what can be read in two ways is no date."""

from __future__ import annotations

import re
from datetime import date

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMES = (
    "january|february|march|april|may|june|july|august|september|october|november|december|"
    "januar|februar|märz|maerz|mai|juni|juli|oktober|dezember|"
    "janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre|"
    "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre"
)
_NUMBERS = {
    **{month: number for number, month in enumerate(MONTHS, 1)},
    "mär": 3,
    "mae": 3,
    "mai": 5,
    "okt": 10,
    "dez": 12,
    "fév": 2,
    "avr": 4,
    "aoû": 8,
    "déc": 12,
    "ene": 1,
    "abr": 4,
    "ago": 8,
    "dic": 12,
    "juin": 6,
    "juil": 7,
}
"""By the first letters of a month, in English, German, French and Spanish."""
_MONTH = rf"(?P<month>{_NAMES}|sept|{'|'.join(MONTHS)})(?![^\W\d_])\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?\.?"
_YEAR = r"(?P<year>\d{4})"
_WEEKDAY = (
    r"(?:(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|mon|tues?|wed|thur?s?|fri|sat|sun)\.?,?\s{1,9})?"
)
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"{_YEAR}-(?P<month>\d{{2}})-(?P<day>\d{{2}})",
        rf"{_YEAR}/(?P<month>\d{{1,2}})/(?P<day>\d{{1,2}})",
        rf"(?P<day>\d{{1,2}})\.\s?(?P<month>\d{{1,2}})\.\s?{_YEAR}",
        rf"{_WEEKDAY}{_DAY}(?:\s{{1,9}}of)?[\s-]{{1,9}}(?:de )?{_MONTH}(?:[\s,-]{{1,9}}| de ){_YEAR}",
        rf"{_WEEKDAY}{_MONTH}\s{{1,9}}{_DAY},?\s{{1,9}}{_YEAR}",
    )
)
"""ISO 8601, the same with strokes, with points in the order of most of Europe, and months by their names."""


def date_in(text: str) -> str:
    """The date that a text is, as ``YYYY-MM-DD``; empty where it is none."""
    text = text.strip()
    for form in _FORMS:
        if found := form.fullmatch(text):
            return _written(found)
    return ""


def first_date(text: str) -> str:
    """The first date that stands in a text, as ``YYYY-MM-DD``; empty where none does."""
    found = [
        one
        for form in _FORMS
        for one in re.finditer(rf"(?<![\w.-]){form.pattern}(?:(?!\w|[-/.]\d)|(?=T\d\d:))", text, re.I)
    ]
    dates = [_written(one) for one in sorted(found, key=lambda one: one.start())]
    return next(filter(None, dates), "")


def _written(found: re.Match[str]) -> str:
    month = found["month"].lower()
    number = int(month) if month.isdigit() else _NUMBERS.get(month[:4]) or _NUMBERS[month[:3]]
    try:
        return date(int(found["year"]), number, int(found["day"])).isoformat()
    except ValueError:
        return ""
