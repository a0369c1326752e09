"""Which form a task says that the dates of a file have, and what a candidate's file has instead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from swarm.formed.moment import date_in
from swarm.program.clauses import Clause, clauses, columns_of
from swarm.program.contents import Rows

ISO_DAY = "YYYY-MM-DD"
DATES = frozenset({"date", "day"})
"""What columns of dates are called; of the words of a phrase those that mean dates of any column."""
_PART = r"(?:YYYY|YY|MM|DD|hh|HH|mm|SS|ss)"
_FORM = re.compile(
    r"(?<![\w./-])`?(?P<form>(?=[^\n]{0,6}(?:YYYY|yyyy))(?:YYYY|yyyy|MM|mm|DD|dd)(?:[-./ ]?(?:YYYY|yyyy|YY|yy|MM|mm|DD|dd)){1,2}"
    r"(?:[ T_](?:HH|hh):?(?:MM|mm)(?::?(?:SS|ss))?)?)(?![\w/*-]|\.\w)",
)
_TIME = re.compile(r"(?P<between>[ T_])(?:HH|hh)(?P<minutes>:?)(?:MM|mm)(?P<seconds>(:?)(?:SS|ss))?$")
_CLOCK = (
    r"[T ]?\s*\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s?(?:[AaPp]\.?[Mm]\.?)?(?:Z|\s?[+-]\d{2}:?\d{2}|\sUTC)?"
)
_ANY_DATE = re.compile(
    rf"(?P<day>\d{{4}}([-/.])\d{{1,2}}\2\d{{1,2}}|\d{{1,2}}([-/.])\d{{1,2}}\3\d{{4}})(?P<clock>{_CLOCK})?"
)
_CLOCK_BEHIND = re.compile(rf"(?P<day>.*?\d)(?P<clock>{_CLOCK})")
_AS = re.compile(r"\b(?:as|in(?:\s+the)?\s+form(?:at)?|formatted|like)\s*`?$", re.IGNORECASE)
_NOT = re.compile(
    r"\b(?:from|between|not|than|instead\s+of|(?:from|of)\s+(?:the\s+)?form(?:at)?|begin\w*(?:\s+with)?)\s*`?$",
    re.IGNORECASE,
)
"""Before a form that dates have already, or that others are looked for by."""
LONGEST = 60
"""Characters of a cell that may be a date."""


@dataclass(frozen=True)
class DateForm:
    """A form of dates, as a task writes it: ``DD.MM.YYYY``."""

    name: str

    @property
    def has_time(self) -> bool:
        """Whether a time of day stands behind the day."""
        return _TIME.search(self.name) is not None

    @property
    def code(self) -> str:
        """The form as ``strftime`` has it."""
        time = _TIME.search(self.name)
        day = self.name[: time.start()] if time else self.name
        for part, code in (("YYYY", "%Y"), ("YY", "%y"), ("MM", "%m"), ("DD", "%d")):
            day = re.sub(part, code, day, flags=re.IGNORECASE)
        if time is None:
            return day
        seconds = f"{time[4]}%S" if time["seconds"] else ""
        return f"{day}{time['between']}%H{time['minutes']}%M{seconds}"

    @property
    def pattern(self) -> re.Pattern[str]:
        """What a date of this form looks like."""
        form = re.escape(self.code).replace("%Y", r"\d{4}")
        return re.compile(re.sub(r"%[ymdHMS]", r"\\d{2}", form))


def date_form_faults(file: str, rows: Rows, task: str, files: Sequence[str]) -> list[str]:
    """What is wrong with the form of the dates in a file, each in a sentence for whoever wrote the program."""
    columns = dict(zip(rows.columns, zip(*rows.cells, strict=True), strict=True)) if rows.cells else {}
    found: list[str] = []
    for column, form in _wanted(file, columns, task, files).items():
        texts = [cell.strip() for cell in columns[column] if isinstance(cell, str) and cell.strip()]
        if fault := _fault(form, texts, column):
            found.append(f"{file}: {fault}")
    return found


def _wanted(
    file: str, columns: Mapping[str, Sequence[JsonValue]], task: str, files: Sequence[str]
) -> dict[str, DateForm]:
    """The form of each column of dates, where the task says one and no other."""
    own: dict[str, set[str]] = {}
    general: set[str] = set()
    for clause in _said(file, task, files):
        form = clause.found["form"].upper()
        named = columns_of(clause.items, [*columns])
        if named:
            for name in named:
                own.setdefault(name, set()).add(form)
        elif all(item & DATES or not item for item in clause.items):
            general.add(form)
    dated = [name for name in columns if _words(name) & DATES]
    dated = dated or _only([name for name, cells in columns.items() if _is_of_dates(cells)])
    wanted = {**dict.fromkeys(dated, general), **own}
    return {name: DateForm(next(iter(forms))) for name, forms in wanted.items() if len(forms) == 1}


def _said(file: str, task: str, files: Sequence[str]) -> Iterator[Clause]:
    """Where the task says a form for the dates of a file that is to be written."""
    for clause in clauses(task, _FORM, files):
        before = clause.sentence[: clause.found.start()]
        if _NOT.search(before):
            continue
        if clause.file in ("", file) and (clause.is_wanted or _AS.search(before)):
            yield clause


def _words(name: str) -> set[str]:
    return {*re.findall(r"[a-z]+", name.lower())}


def _only(names: Sequence[str]) -> list[str]:
    return [*names] if len(names) == 1 else []


def _is_of_dates(cells: Sequence[JsonValue]) -> bool:
    texts = [cell for cell in cells if cell not in (None, "")]
    return bool(texts) and all(isinstance(cell, str) and _is_date(cell) for cell in texts)


def _is_date(text: str) -> bool:
    """Whether a text is a date of any form, with a time of day or without."""
    if len(text) > LONGEST:
        return False
    clock = _CLOCK_BEHIND.fullmatch(text)
    return bool(_ANY_DATE.fullmatch(text) or date_in(text) or (clock and date_in(clock["day"])))


def _fault(form: DateForm, texts: Sequence[str], column: str) -> str:
    other = [text for text in texts if not form.pattern.fullmatch(text) and _is_date(text)]
    if not other:
        return ""
    value = f"{column!r} holds {other[0]!r}"
    behind = [_CLOCK_BEHIND.fullmatch(text) for text in other]
    if not form.has_time and all(found and form.pattern.fullmatch(found["day"].strip()) for found in behind):
        day = next(found["day"].strip() for found in behind if found)
        cut = f"date({column})" if form.name == ISO_DAY else f"substr({column}, 1, {len(day)})"
        return f"{value}, with a time of day; the task asks for {form.name}: cut the time with {cut}"
    return f"{value}, and the task asks for {form.name}: {_way(form, column, other[0])}"


def _way(form: DateForm, column: str, value: str) -> str:
    """How a program gets from a date to the form that is wanted."""
    cell = f"row[{column!r}]"
    if form.name == ISO_DAY:
        return f"{cell} = date({cell}) gives it, for each row"
    if form.has_time or re.match(r"\d{4}-", value):
        return f"strftime({form.code!r}, x) in SQL gives it, with x as YYYY-MM-DD or with a time"
    return f"datetime.date.fromisoformat(date({cell})).strftime({form.code!r}) gives it, for each row"
