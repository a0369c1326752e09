"""How the cells of a column spell their numbers. A type is given to a whole column, or not at all.

A column is one of numbers where all its cells are of one spelling, and where that spelling can be read
in two ways (``1,234``) at least one cell shows which is meant. Codes with leading zeros, versions,
mixtures and numbers with more digits than can be counted with stay the texts they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

MOST_DIGITS = 15
"""Significant digits that a binary number of 64 bits always gives back (IEEE 754)."""
VERSION = re.compile(
    r"(^|_)(v|ver|vers|versions?|release|rev|revision|section|chapter|clause|kapitel|abschnitt|build|firmware)(_|$)"
)
"""Names of columns whose ``1.10`` is no number."""
_BLANKS = "[ \u00a0\u202f]"
_APOSTROPHES = "['\u2019]"

Key = TypeVar("Key")


@dataclass(frozen=True)
class Spelling:
    """One way to spell numbers."""

    name: str
    cell: str
    """Matches a cell, in Python and in DuckDB (RE2) alike."""
    shown: str = ""
    """Matches a cell that can't be read otherwise; empty where none can."""
    groups: str = ""
    """Signs between the thousands."""
    comma: str = "."
    """The sign before the fraction."""
    is_whole: bool = False
    digits: int = 0
    """Of the fraction, where all have as many."""

    def read(self, cell: str) -> int | float:
        """The number that a cell spells."""
        for sign in self.groups:
            cell = cell.replace(sign, "")
        return int(cell) if self.is_whole else float(cell.replace(self.comma, "."))

    def sql(self, cell: str) -> str:
        """An expression that gives the number of a cell which matches."""
        for sign in self.groups:
            cell = f"replace({cell}, '{sign.replace(chr(39), chr(39) * 2)}', '')"
        if self.comma != ".":
            cell = f"replace({cell}, '{self.comma}', '.')"
        return f"CAST({cell} AS {self.kind})"

    @property
    def kind(self) -> str:
        """The type of its numbers in DuckDB."""
        return "BIGINT" if self.is_whole else "DOUBLE"

    def exact_sql(self, cell: str) -> str:
        """An expression whose text is the cell, where that is written as nearly all are; empty where none is known.

        A decimal number of 15 digits or less becomes the binary number that its text would become.
        """
        if self.is_whole:
            return f"TRY_CAST({cell} AS BIGINT)"
        return f"TRY_CAST({cell} AS DECIMAL({MOST_DIGITS}, {self.digits}))" if self.digits else ""


def _grouped(name: str, groups: str, sign: str, comma: str) -> Spelling:
    """Numbers with thousands: shown by two groups, or by a group and a fraction."""
    whole = rf"(?:0|[1-9]\d{{0,2}}(?:{sign}\d{{3}}){{1,3}}|[1-9]\d{{0,9}})"
    cell = rf"[+-]?{whole}(?:{re.escape(comma)}\d{{1,6}})?"
    fraction = rf"{re.escape(comma)}\d{{1,6}}"
    shown = rf"[+-]?[1-9]\d{{0,2}}(?:(?:{sign}\d{{3}})+{fraction}|(?:{sign}\d{{3}}){{2,}})"
    return Spelling(name, cell, shown, groups, comma)


WHOLE = Spelling("whole", r"-?[1-9]\d{0,17}|0", is_whole=True)
SHORT = Spelling("short", r"0|-?[1-9]\d{0,14}|-?(?:0|[1-9]\d{0,14})\.(?:\d{0,11}[1-9]|0)")
"""Each number as short as it can be, ``24.9``, as programs write them; ``5.0`` is one of theirs."""
PROGRAM = Spelling(
    "program",
    r"0|-?[1-9]\d{0,16}(?:\.\d{1,20})?(?:[eE][+-]\d{2,3})?|-?0\.\d{1,20}(?:[eE][+-]\d{2,3})?",
)
"""As programs write numbers of any size, ``1e-05``; checked by writing them back."""
COMMA = Spelling(
    "comma",
    r"[+-]?(?:0|[1-9]\d{0,2}(?:\.\d{3}){1,3}|[1-9]\d{0,9})(?:,\d{1,6})?",
    r"[+-]?(?:[1-9]\d{0,2}(?:\.\d{3})+,\d{1,6}|\d+,(?:\d{1,2}|\d{4,6})|0,\d+|[1-9]\d{0,2}(?:\.\d{3}){2,}|[1-9]\d{3,},\d{3})",
    ".",
    ",",
)
_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+")
THOUSANDS = (
    COMMA,
    _grouped("thousands", ",", ",", "."),
    replace(_grouped("blanks", " \u00a0\u202f", _BLANKS, ","), shown=rf".*\d{_BLANKS}\d{{3}}.*"),
    replace(_grouped("blanks and point", " \u00a0\u202f", _BLANKS, "."), shown=rf".*\d{_BLANKS}\d{{3}}.*"),
    replace(_grouped("apostrophes", "'\u2019", _APOSTROPHES, "."), shown=rf".*\d{_APOSTROPHES}\d{{3}}.*"),
)


def fixed(digits: int) -> Spelling:
    """All fractions of one length, as prices have them."""
    most = MOST_DIGITS - digits - 1
    return Spelling(
        "fixed", rf"0|-?[1-9]\d{{0,{most}}}(?:\.\d{{{digits}}})?|-?0\.\d{{{digits}}}", digits=digits
    )


def spelling_of(cells: Iterable[str | None], name: str = "") -> Spelling | None:
    """How a column spells its numbers; None where it is one of texts, or empty.

    ``name`` is the column's: versions are known by it.
    """
    texts = [cell for cell in cells if cell]
    if not texts:
        return None
    for spelling in candidates(texts, name):
        if is_spelled(spelling, texts):
            return spelling
    return None


def agreed(
    spellings: Mapping[Key, Spelling | None], cells: Mapping[Key, Iterable[str | None]]
) -> dict[Key, Spelling | None]:
    """The spellings of the columns of one file, which is of one country: where one has decimal commas, the
    points of another that stand before three digits each part thousands."""
    if COMMA not in spellings.values():
        return dict(spellings)
    return {
        key: COMMA if spelling and _is_pointed(spelling) and _parts_thousands(cells[key]) else spelling
        for key, spelling in spellings.items()
    }


def _is_pointed(spelling: Spelling) -> bool:
    return not spelling.is_whole and not spelling.groups and spelling.comma == "."


def _parts_thousands(cells: Iterable[str | None]) -> bool:
    there = [cell for cell in cells if cell]
    return all(_GROUPS.fullmatch(cell) for cell in there if "." in cell) and all(
        re.fullmatch(COMMA.cell, cell) for cell in there
    )


def candidates(texts: Sequence[str], name: str = "") -> list[Spelling]:
    """The spellings that may fit, in the order in which they are to be tried."""
    fractions = {len(text.partition(".")[2]) for text in texts[:10_000] if "." in text}
    has_zero = any("." in text and text.endswith("0") for text in texts[:10_000])
    found = [WHOLE]
    if not (has_zero and VERSION.search(name)):
        found.append(SHORT)
        if len(fractions) == 1 and 0 < (digits := fractions.pop()) <= MOST_DIGITS - 3:
            found.append(fixed(digits))
        found.append(PROGRAM)
    return [*found, *THOUSANDS]


def is_spelled(spelling: Spelling, texts: Sequence[str]) -> bool:
    """Whether all cells are of the spelling, and one shows it where that is needed."""
    matches = re.compile(spelling.cell).fullmatch
    if not all(matches(text) for text in texts):
        return False
    if spelling is PROGRAM and not all(_is_written_back(text) for text in texts):
        return False
    if spelling.is_whole or spelling is PROGRAM:
        return True
    if any(sum(map(str.isdigit, text.strip("-0."))) > MOST_DIGITS for text in texts):
        return False
    shows = re.compile(spelling.shown).fullmatch
    return not spelling.shown or any(shows(text) for text in texts)


def _is_written_back(text: str) -> bool:
    """Whether the number of the text is written as that text again, or as one that differs in form only."""
    mantissa = re.split("[eE]", text)[0]
    is_short = sum(map(str.isdigit, mantissa.lstrip("-0."))) <= MOST_DIGITS
    return repr(float(text)) == text or (is_short and (mantissa != text or "." not in text))


def pattern(spelling: Spelling, cell: str) -> str:
    """SQL: whether a cell has the form of the spelling, however many digits it has."""
    if spelling.is_whole:
        return f"CAST(TRY_CAST({cell} AS BIGINT) AS VARCHAR) = {cell}"
    form = spelling.cell.replace("'", "''")
    full = f"regexp_full_match({cell}, '{form}')"
    if not (exact := spelling.exact_sql(cell)):
        return full
    # Far quicker than the expression where the cell fits, as nearly all do.
    return f"(CAST({exact} AS VARCHAR) = {cell} OR {full})"


def condition(spelling: Spelling, cell: str) -> str:
    """SQL: whether a cell is of the spelling."""
    matches = pattern(spelling, cell)
    if spelling.is_whole:
        return matches
    digits = rf"length(regexp_replace({cell}, '^[-+0.]+|\D', '', 'g')) <= {MOST_DIGITS}"
    if spelling is PROGRAM:
        exact = f"CAST(TRY_CAST({cell} AS DOUBLE) AS VARCHAR) = {cell}"
        form = f"(contains(lower({cell}), 'e') OR NOT contains({cell}, '.'))"
        return f"({matches} AND ({exact} OR ({digits} AND {form})))"
    # A short text has not too many digits; looking is dearer than the pattern itself.
    return f"({matches} AND (length({cell}) <= {MOST_DIGITS} OR {digits}))"
