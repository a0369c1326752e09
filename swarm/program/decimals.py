"""How many decimals a task says that figures have, and the tables of a candidate with no more than these."""

from __future__ import annotations

import decimal
import re
from collections.abc import Mapping, Sequence
from typing import cast

from pydantic import JsonValue

from swarm.program.clauses import clauses, columns_of
from swarm.program.program_wire import Rounding
from swarm.program.saving import LINES, Plain, plain
from swarm.program.shapes import lists_of

_NUMBERS = {
    "no": 0,
    "zero": 0,
    "one": 1,
    "a single": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
}
_PARTS = {"cent": 2, "penny": 2, "tenth": 1, "hundredth": 2, "thousandth": 3}
_COINS = r"euros?|dollars?|pounds?|francs?|numbers?|integers?|percents?|per\s+cent"
_UNITS = rf"{_COINS}|hours?|minutes?|seconds?|days?|degrees?|kilomet(?:re|er)s?|met(?:re|er)s?|grams?|kilograms?|km|kg|units?"
_PHRASE = re.compile(
    rf"\b(?P<count>{'|'.join(_NUMBERS)}|\d)[\s-]+(?:decimal[\s-]+(?:places?|digits?|figures?|points?)\b"
    r"|(?:digits?|places?|figures?)\s+(?:after|behind|past)\s+the\s+(?:decimal\s+)?(?:point|comma)\b"
    r"|decimals\b|decimal\b(?!\s+(?:number|value|column|field))|dp\b)"
    r"|\bwithout\s+(?:any\s+)?(?P<none>decimals)\b"
    rf"|\bto\s+(?:the\s+)?(?:nearest\s+|full\s+|the\s+)*(?P<part>{'|'.join(_PARTS)})s?\b"
    rf"|\bto\s+the\s+nearest\s+(?:whole\s+|full\s+)?(?P<nearest>{_UNITS})\b"
    rf"|\b(?:in|to|as)\s+(?:whole|full)\s+(?P<coins>{_COINS})\b"
    rf"|\bround(?:ed)?\s+to\s+(?:whole|full)\s+(?P<units>{_UNITS})\b",
    re.IGNORECASE,
)
_OTHERWISE = re.compile(
    r"\b(?:round(?:ed|ing)?\s+(?:down|up)|down\s+to|truncat\w*|cut\s+off|floor\w*|ceil\w*|half[\s-]+(?:to[\s-]+)?even"
    r"|bankers?'?s?|unrounded|significant)\b",
    re.IGNORECASE,
)
"""Other ways to have fewer decimals than rounding half up."""
_NO_BOUND = re.compile(
    r"\b(?:at\s+least|more\s+than|less\s+than|fewer\s+than|or\s+more|not|never|instead\s+of|before|don't|up\s+to)\b[^,;]*$",
    re.IGNORECASE,
)
_DIGITS = 400
"""More than any float has before and behind its point."""


def roundings(task: str, files: Sequence[str]) -> list[Rounding]:
    """How many decimals the task says for figures in the files that it wants; each with what it says it of."""
    found: list[Rounding] = []
    for clause in clauses(task, _PHRASE, files):
        before = clause.sentence[: clause.found.start()]
        if _OTHERWISE.search(clause.sentence) or _NO_BOUND.search(before):
            continue
        items = [[*sorted(item)] for item in clause.items]
        found.append(Rounding(file=clause.file, places=_places(clause.found), items=items))
    return found


def _places(found: re.Match[str]) -> int:
    count, part = found["count"], found["part"]
    if count:
        return int(count) if count.isdigit() else _NUMBERS[" ".join(count.lower().split())]
    return _PARTS[part.lower()] if part else 0


Row = Mapping[str, Plain]


def rounded(rows: Sequence[Row], file: str, asked: Sequence[Rounding]) -> list[dict[str, Plain]] | None:
    """The rows of a file with no more decimals than are asked for; None where they have no more already."""
    columns = [*dict.fromkeys(name for row in rows for name in row)]
    places = _of_columns(rows, columns, [one for one in asked if one["file"] in ("", file)])
    found = [
        {name: _shortened(cell, places[name]) if name in places else cell for name, cell in row.items()}
        for row in rows
    ]
    return found if found != [*rows] else None


def answer_rounded(answer: JsonValue, task: str, files: Sequence[str]) -> JsonValue:
    """An answer of named figures, or rows of them, with no more decimals than the task says of what is in no file."""
    rows = answer if isinstance(answer, list) else [answer]
    if not all(isinstance(row, dict) for row in rows):
        return answer
    plain_rows = [
        {name: plain(cell) for name, cell in cast("dict[str, object]", row).items()} for row in rows
    ]
    found = cast("list[JsonValue] | None", rounded(plain_rows, "", roundings(task, files)))
    return answer if found is None else found if isinstance(answer, list) else found[0]


def lists_rounded(
    items: Sequence[object], file: str, columns: Sequence[str] | str | None, asked: Sequence[Rounding]
) -> list[list[object]] | None:
    """The same of rows that are lists, by the names that are given for their cells, else by the first of them."""
    lists = lists_of(items) if asked and not file.lower().endswith((".json", *LINES)) else None
    if not lists:
        return None
    names = columns.split(",") if isinstance(columns, str) else columns
    head = [str(name).strip() for name in names or lists[0]]
    body = lists if names else lists[1:]
    if len({*head}) < len(head) or any(len(row) != len(head) for row in body):
        return None
    rows = [dict(zip(head, map(plain, row), strict=True)) for row in body]
    found = rounded(rows, file, asked)
    if found is None:
        return None
    cells: list[list[object]] = [[*row.values()] for row in found]
    return [*lists[: len(lists) - len(body)], *cells]


def _of_columns(rows: Sequence[Row], columns: Sequence[str], asked: Sequence[Rounding]) -> dict[str, int]:
    """How many decimals each column has, where that is plain: what is said of a column goes before what is said of
    nothing in particular; what contradicts itself counts for nothing."""
    own: dict[str, set[int]] = {}
    general: set[int] = set()
    for one in asked:
        named = columns_of([frozenset(item) for item in one["items"]], columns)
        if not one["items"]:
            general.add(one["places"])
        elif not named and len(longer := _longer(rows, columns, one["places"])) == 1:
            named = longer
        for name in named:
            own.setdefault(name, set()).add(one["places"])
    wanted = {name: own.get(name, general) for name in columns}
    return {name: places.copy().pop() for name, places in wanted.items() if len(places) == 1}


def _longer(rows: Sequence[Row], columns: Sequence[str], places: int) -> list[str]:
    return [name for name in columns if any(_has_more(row.get(name), places) for row in rows)]


def _has_more(cell: Plain, places: int) -> bool:
    return (
        isinstance(cell, float) and not cell.is_integer() and -_exponent(decimal.Decimal(repr(cell))) > places
    )


def _exponent(number: decimal.Decimal) -> int:
    exponent = number.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _shortened(cell: Plain, places: int) -> Plain:
    """A float rounded half up, as the decimal number that it is written as; anything else as it is."""
    if not isinstance(cell, float) or not _has_more(cell, places):
        return cell
    with decimal.localcontext(prec=_DIGITS):
        found = decimal.Decimal(repr(cell)).quantize(
            decimal.Decimal(1).scaleb(-places), decimal.ROUND_HALF_UP
        )
    # There is no nought below nought.
    return (float(found) or 0.0) if places else int(found)
