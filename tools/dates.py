"""The native tool for reckoning with dates as people write them; today is not among them, so that
the same question always has the same answer."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import date, timedelta

from swarm import ToolError, ToolResult, tool

MOST_CHARACTERS = 300
MOST_UNITS = 100_000
"""Days, weeks, months or years that may be added at once."""

MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_name) if name}
WEEKDAYS = [*calendar.day_name]
MONTH = "(?:" + "|".join(f"{name[:3]}(?:{name[3:]})?" if name[3:] else name for name in MONTHS) + "|sept)"
WEEKDAY = "(?:" + "|".join(f"{name[:3].lower()}[a-z]*" for name in WEEKDAYS) + ")"
WRITTEN = re.compile(
    rf"(?:\b(?P<weekday>{WEEKDAY})\.?,?\s+(?:the\s+)?)?(?:"
    r"(?<!\d)(?P<iso>\d{4}[-/.]\d{1,2}[-/.]\d{1,2})(?!\d)"
    r"|(?<!\d)(?P<numeric>\d{1,2}(?P<sign>[-/.])\d{1,2}(?P=sign)\d{4})(?!\d)"
    rf"|\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[-\s]+(?:of\s+)?(?P<month>{MONTH})\b\.?,?[-\s]*(?P<year>\d{{4}})?(?!\d)"
    rf"|\b(?P<month2>{MONTH})\.?\s+(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?(?!\d),?(?:\s*(?P<year2>\d{{4}}))?(?!\d))"
)
"""A date with its parts; by the time it is matched the text is in lower case."""
SPAN = re.compile(r"([+-]?)\s*(\d+)\s*((?:work|working |business )?day|week|month|year)s?")
EXAMPLES = (
    "write e.g. '2026-03-01 + 45 days', '2026-05-01 - 2026-03-12', 'weekday 2026-03-02' or '12 March 2026'"
)


@tool(effect="pure")
def dates(expression: str) -> ToolResult:
    """Reckon with dates: 2026-03-01 + 45 days, 2026-05-01 - 2026-03-12, weekday 12 March 2026; gives ISO dates."""
    if len(expression) > MOST_CHARACTERS or "@" in expression:
        raise ToolError(f"cannot read {expression[:80]!r}; {EXAMPLES}")
    text = re.sub(r"[\u2212\u2013]", "-", expression.lower())
    found = [_date(match) for match in WRITTEN.finditer(text)]
    form = re.sub(r"\s+", " ", WRITTEN.sub("@", text)).strip(" ?.=")
    try:
        for pattern, answer in FORMS:
            if re.fullmatch(pattern, form):
                return answer(form, found)
    except OverflowError:
        raise ToolError(f"{expression!r} leads out of the years 1 to 9999") from None
    if re.search(r"\b(today|now|tomorrow|yesterday)\b", form):
        raise ToolError("today is not known here; write the date itself, like 2026-03-12")
    raise ToolError(f"cannot read {expression!r}; {EXAMPLES}")


def _date(match: re.Match[str]) -> date:
    """The day that a text names.

    Raises:
        ToolError: there is no such day, it is not clear which, or it is another weekday.
    """
    written = match[0].strip(" ,")
    if match["iso"]:
        year, month, day = (int(part) for part in re.split(r"[-/.]", match["iso"]))
    elif match["numeric"]:
        day, month, year = _ordered(match["numeric"], match["sign"])
    else:
        if not (match["year"] or match["year2"]):
            raise ToolError(f"{written!r} has no year; write it with one, like '12 March 2026'")
        day, year = int(match["day"] or match["day2"]), int(match["year"] or match["year2"])
        name = match["month"] or match["month2"]
        month = next(number for known, number in MONTHS.items() if known.startswith(name[:3]))
    try:
        found = date(year, month, day)
    except ValueError as error:
        raise ToolError(f"{written!r} is no date: {error}") from None
    weekday = WEEKDAYS[found.weekday()]
    if match["weekday"] and not weekday.lower().startswith(match["weekday"][:3]):
        raise ToolError(f"{written!r} does not agree: {found} is a {weekday}")
    return found


def _ordered(numeric: str, sign: str) -> tuple[int, int, int]:
    """Day, month and year of a date in figures, where only one order can be meant."""
    first, second, year = (int(part) for part in numeric.split(sign))
    if sign == "." or first > 12 or first == second:
        return first, second, year
    if second > 12:
        return second, first, year
    raise ToolError(
        f"{numeric!r} can be two days; write {year}-{second:02}-{first:02} or {year}-{first:02}-{second:02}"
    )


def _day(_: str, found: list[date]) -> ToolResult:
    return ToolResult(text=f"{found[0]} ({WEEKDAYS[found[0].weekday()]})", data=found[0].isoformat())


def _weekday(_: str, found: list[date]) -> ToolResult:
    name = WEEKDAYS[found[0].weekday()]
    return ToolResult(text=name, data=name)


def _later(form: str, found: list[date]) -> ToolResult:
    """A date and what is added to it, in the order it is written."""
    day = found[0]
    is_before = bool(re.search(r"\bbefore @", form))
    for sign, number, unit in SPAN.findall(form):
        if int(number) > MOST_UNITS:
            raise ToolError(f"{number} {unit}s are too many; at most {MOST_UNITS}")
        count = -int(number) if is_before or sign == "-" else int(number)
        day = _moved(day, count, unit)
    return _day(form, [day])


def _moved(day: date, count: int, unit: str) -> date:
    if unit in {"day", "week"}:
        return day + timedelta(days=count * (7 if unit == "week" else 1))
    if unit not in {"month", "year"}:
        return _workdays(day, count)
    months = day.year * 12 + day.month - 1 + count * (12 if unit == "year" else 1)
    year, month = months // 12, months % 12 + 1
    if not 1 <= year <= 9999:
        raise OverflowError
    # The last day where a month is shorter: a month after 31 January is 28 or 29 February.
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _workdays(day: date, count: int) -> date:
    """So many days later (or earlier) that are neither Saturday nor Sunday."""
    step = timedelta(days=1 if count > 0 else -1)
    while count:
        day += step
        if day.weekday() < 5:
            count -= 1 if count > 0 else -1
    return day


def _between(form: str, found: list[date]) -> ToolResult:
    first, second = found
    days = (first - second).days if re.fullmatch(r"@ ?- ?@.*", form) else (second - first).days
    if form.endswith(("week", "weeks")):
        weeks = days / 7
        return ToolResult(text=f"{weeks:.10g} weeks", data=weeks)
    return ToolResult(text=f"{days} day{'s' * (abs(days) != 1)}", data=days)


def _compared(form: str, found: list[date]) -> ToolResult:
    sign = form.strip("@ ").removeprefix("is ").strip("@ ")
    first, second = found
    if sign in {"<=", ">="}:
        is_true = first <= second if sign == "<=" else first >= second
    elif sign in {"<", "before", "earlier than"}:
        is_true = first < second
    elif sign in {">", "after", "later than"}:
        is_true = first > second
    else:
        is_true = first == second
    return ToolResult(text=str(is_true).lower(), data=is_true)


FORMS: list[tuple[str, Callable[[str, list[date]], ToolResult]]] = [
    (r"@", _day),
    (r"((what|which) )?(week)?day (is |of |on )?@|@ (in )?weekday", _weekday),
    (rf"@( ?{SPAN.pattern.replace('?)', ')', 1)})+", _later),
    (rf"{SPAN.pattern} (after|before|from) @", _later),
    (
        r"@ ?- ?@( in (day|week)s?)?|((days|weeks) )?(between|from)? ?@ (and|to|until) @( in (day|week)s?)?",
        _between,
    ),
    (r"(is )?@ ?(<=?|>=?|==?|(is )?(before|after|earlier than|later than)) ?@", _compared),
]
"""What may be written, with ``@`` for each date, and how it is answered."""
