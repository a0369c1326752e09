"""A table as it is looked at to find what it has to do with others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

Value = str | int | float | bool | None
Cells = Mapping[str, object]
LEAST_NUMBERS = 0.7
"""Share of the filled cells that must be numbers, where a few words stand between them."""
MOST_WORDS = 3
"""Different words that may stand in a column of numbers."""
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)?")


@dataclass(frozen=True)
class ColumnValues:
    """The values of a column, one for each row; None where there is none."""

    name: str
    values: tuple[Value, ...]

    @cached_property
    def filled(self) -> tuple[Value, ...]:
        """Those that are there."""
        return tuple(value for value in self.values if value is not None and value != "")

    @cached_property
    def distinct(self) -> frozenset[Value]:
        """The different ones of those that are there."""
        return frozenset(self.filled)

    @cached_property
    def is_number(self) -> bool:
        """Whether all that are there are numbers."""
        return bool(self.filled) and all(
            isinstance(value, int | float) and not isinstance(value, bool) for value in self.filled
        )

    @property
    def is_measure(self) -> bool:
        """Whether they are measured or counted: numbers of which some are no whole ones."""
        return self.is_number and any(isinstance(value, float) for value in self.filled)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The few words that stand between numbers, as ``ERR`` or ``n/a``; none where it is no such column."""
        if self.is_number or not all(isinstance(value, str) for value in self.filled):
            return ()
        others = [value for value in self.filled if not _NUMBER.fullmatch(str(value))]
        different = dict.fromkeys(str(value) for value in others)
        has_few = 0 < len(different) <= MOST_WORDS and len(others) <= (1 - LEAST_NUMBERS) * len(self.filled)
        return tuple(different) if has_few else ()

    @property
    def has_comma(self) -> bool:
        """Whether its numbers are written with a decimal comma."""
        return any("," in str(value) for value in self.filled)


class Relation:
    """A table: its name and its columns."""

    def __init__(self, name: str, rows: Sequence[Cells]) -> None:
        self.name = name
        self.rows = rows
        names = dict.fromkeys(str(key) for row in rows for key in row)
        self.columns = {one: ColumnValues(one, tuple(_value(row.get(one)) for row in rows)) for one in names}

    def keys(self, columns: Sequence[str]) -> list[tuple[Value, ...]]:
        """What stands in some columns, row by row."""
        return list(zip(*(self.columns[one].values for one in columns), strict=True))

    def is_key(self, columns: Sequence[str]) -> bool:
        """Whether each row has its own values there."""
        keys = self.keys(columns)
        is_whole = all(value is not None and value != "" for key in keys for value in key)
        return bool(keys) and is_whole and len({*keys}) == len(keys)


def _value(cell: object) -> Value:
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    if isinstance(cell, str):
        return cell.strip()
    return cell if cell is None or isinstance(cell, int | float) else str(cell)
