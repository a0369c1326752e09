"""A table as a model reads it: its name and columns as SQL needs them, how many rows there are, and two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from swarm.nouns.tool import Row
from swarm.tabular.file_table import FileTable
from swarm.tabular.names import written

MOST_COLUMNS = 60
MOST_NAMED = 20


def signature(name: str, columns: Sequence[str], most: int = MOST_COLUMNS) -> str:
    """A table with its columns as they must be written, ``trips("order", total)``."""
    return f"{written(name)}({', '.join(cut([written(one) for one in columns], most, 'columns'))})"


def cut(parts: Sequence[str], most: int, what: str, names: Sequence[str] = ()) -> list[str]:
    """The first parts, and how many more there are, by name where few words name them."""
    if len(parts) <= most:
        return [*parts]
    left = len(parts) - most
    named = ", ".join(names[most : most + MOST_NAMED])
    return [
        *parts[:most],
        f"and {left} more {what}" + f" ({named}{', …' * (left > MOST_NAMED)})" * bool(named),
    ]


def sample(rows: Sequence[Row], most: int = 2) -> str:
    """The first rows as compact text."""
    return "; ".join(", ".join(str(value) for value in row.values()) for row in rows[:most])


def describe(name: str, rows: Sequence[Row], note: str = "") -> str:
    """A table as a model reads it: ``name(column TYPE, …)``, the number of rows and two of them."""
    if isinstance(rows, FileTable):
        known = rows.description
        kinds: Mapping[str, str] = known.kinds
        count, first = f"about {known.about_rows:,} rows", [dict(row) for row in known.first]
    else:
        columns = dict.fromkeys(key for row in rows for key in row)
        kinds = {column: _type_of(rows, column) for column in columns}
        count, first = f"{len(rows)} row{'s' * (len(rows) != 1)}", list(rows[:2])
    typed = ", ".join(f"{written(column)} {kind}" for column, kind in kinds.items())
    shown = f"; first: {sample(first)}" if first else ""
    return f"{written(name)}({typed}){note} -- {count}{shown}"


def _type_of(rows: Sequence[Row], column: str) -> str:
    values = [row.get(column) for row in rows if row.get(column) is not None]
    if values and all(isinstance(value, int | float) for value in values):
        return "NUMBER"
    return "TEXT"
