"""Dates in texts, as ISO 8601 writes them; what can be read in two ways is no date."""

from __future__ import annotations

import re
from datetime import date

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?P<month>{'|'.join(MONTHS)})[a-z]*\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?\.?"
_YEAR = r"(?P<year>\d{4})"
_WEEKDAY = r"(?:(?:mon|tues?|wednes|thurs?|fri|satur|sun)(?:day)?,?\s+)?"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"{_YEAR}-(?P<month>\d{{2}})-(?P<day>\d{{2}})",
        rf"{_YEAR}/(?P<month>\d{{1,2}})/(?P<day>\d{{1,2}})",
        rf"(?P<day>\d{{1,2}})\.\s?(?P<month>\d{{1,2}})\.\s?{_YEAR}",
        rf"{_WEEKDAY}{_DAY}(?:\s+of)?[\s-]+{_MONTH}[\s,-]+{_YEAR}",
        rf"{_WEEKDAY}{_MONTH}\s+{_DAY},?\s+{_YEAR}",
    )
)
"""ISO 8601, the same with strokes, with points in the order of most of Europe, and months by their English names."""


def date_in(text: str) -> str:
    """The date that a text is, as ``YYYY-MM-DD``; empty where it is none."""
    text = text.strip()
    for form in _FORMS:
        if found := form.fullmatch(text):
            return _written(found)
    return ""


def first_date(text: str) -> str:
    """The first date that stands in a text, as ``YYYY-MM-DD``; empty where none does."""
    found = [one for form in _FORMS for one in re.finditer(rf"(?<![\w.-]){form.pattern}(?!\w)", text, re.I)]
    dates = [_written(one) for one in sorted(found, key=lambda one: one.start())]
    return next(filter(None, dates), "")


def _written(found: re.Match[str]) -> str:
    month = found["month"].lower()
    number = int(month) if month.isdigit() else MONTHS.index(month[:3]) + 1
    try:
        return date(int(found["year"]), number, int(found["day"])).isoformat()
    except ValueError:
        return ""
