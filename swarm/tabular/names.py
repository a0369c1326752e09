"""Names of columns and tables: made of what a file says, and written as SQL needs them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

RESERVED = frozenset([
    "add",
    "all",
    "alter",
    "analyse",
    "analyze",
    "and",
    "anti",
    "any",
    "array",
    "as",
    "asc",
    "asof",
    "asymmetric",
    "at",
    "authorization",
    "autoincrement",
    "between",
    "binary",
    "both",
    "by",
    "case",
    "cast",
    "check",
    "collate",
    "collation",
    "column",
    "commit",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "delete",
    "desc",
    "describe",
    "distinct",
    "do",
    "drop",
    "else",
    "end",
    "escape",
    "except",
    "exists",
    "false",
    "fetch",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "glob",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "index",
    "initially",
    "inner",
    "insert",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "lambda",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "nothing",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "pivot",
    "pivot_longer",
    "pivot_wider",
    "placing",
    "positional",
    "primary",
    "qualify",
    "raise",
    "references",
    "returning",
    "right",
    "select",
    "semi",
    "session_user",
    "set",
    "show",
    "similar",
    "some",
    "summarize",
    "symmetric",
    "table",
    "tablesample",
    "then",
    "to",
    "trailing",
    "transaction",
    "true",
    "union",
    "unique",
    "unpack",
    "unpivot",
    "update",
    "user",
    "using",
    "values",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
])
"""Words that SQLite, DuckDB or PostgreSQL keep for themselves; as a name each must stand in quotes."""


def quoted(name: str) -> str:
    """The name in double quotes, right in every statement."""
    return '"' + name.replace('"', '""') + '"'


def written(name: str) -> str:
    """The name as it must be written in a statement: quoted where it is no plain word."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name.casefold() not in RESERVED
    return name if plain else quoted(name)


def column_names(header: Sequence[str]) -> list[str]:
    """A plain name for each cell of a header: ``column_3`` where it has none, numbered where it comes twice."""
    plain = [re.sub(r"\W+", "_", cell).strip("_").lower() for cell in header]
    return unique([name or f"column_{number}" for number, name in enumerate(plain, start=1)])


def unique(names: Iterable[str]) -> list[str]:
    """The names, numbered where one comes twice; upper and lower case are one, as they are in SQL."""
    taken: dict[str, str] = {}
    for name in names:
        wanted, number = name, 1
        while wanted.casefold() in taken:
            number += 1
            wanted = f"{name}_{number}"
        taken[wanted.casefold()] = wanted
    return [*taken.values()]
