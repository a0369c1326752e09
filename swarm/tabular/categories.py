"""Columns that hold few words again and again: a state, a kind, a country. Whoever asks a table needs to know them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

MOST_VALUES, MOST_LETTERS = 8, 24
"""Of a category, that are told, and of one of its values."""
LEAST_ROWS = 12
"""From which on few values are a category and no chance."""
MOST_ROWS = 2_000
"""Rows that are looked at."""

Categories = Mapping[str, tuple[str, ...]]


def categories(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> dict[str, tuple[str, ...]]:
    """The values of those columns of texts that have few, in the order in which they come."""
    some = rows[:MOST_ROWS]
    if len(some) < LEAST_ROWS:
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for number, column in enumerate(columns):
        values = _few(row[number] for row in some)
        if values and 3 * len(values) <= len(some):
            found[column] = values
    return found


def together(parts: Sequence[Categories]) -> dict[str, tuple[str, ...]]:
    """The categories of files that make one table; a column is one where it is one in all of them."""
    first, *others = parts or ({},)
    common = [column for column in first if all(column in part for part in others)]
    merged = {column: _few(value for part in parts for value in part[column]) for column in common}
    return {column: values for column, values in merged.items() if values}


def _few(cells: Iterable[object]) -> tuple[str, ...]:
    """The different texts, as long as they are few and short; none where there is one that is not."""
    seen: dict[str, None] = {}
    for cell in cells:
        if cell is None or cell == "":  # an empty list is none
            continue
        if not isinstance(cell, str) or len(cell) > MOST_LETTERS or len(seen) > MOST_VALUES:
            return ()
        seen[cell] = None
    return tuple(seen) if 1 < len(seen) <= MOST_VALUES else ()
