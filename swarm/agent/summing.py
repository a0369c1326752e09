"""Advice for a query that gave many rows where one was asked for, in the words of its tables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from swarm.nouns.prompt import fill
from swarm.nouns.tool import Row
from swarm.tabular.file_table import FileTable

_TABLE = re.compile(r"\b(?:FROM|JOIN)\s+\"?(\w+)\"?", re.IGNORECASE)
_KEYWORDS = r"(?:ON|USING|JOIN|INNER|LEFT|RIGHT|FULL|CROSS|NATURAL|WHERE|GROUP|ORDER|LIMIT|HAVING|UNION)\b"


def summed_first(sql: str, tables: Mapping[str, Sequence[Row]], keys: list[str]) -> str:
    """Advice for a query whose rows share ``keys``: where a table has many rows for one, sum it first."""
    for name in dict.fromkeys(_TABLE.findall(sql)):
        rows = tables.get(name, ())
        if isinstance(rows, FileTable):
            continue  # to look at all of its rows takes longer than the advice is worth
        shared = [key for key in keys if rows and key in rows[0]]
        numbers = [column for column in (rows[0] if rows else ()) if _is_number(column, rows)]
        if shared and numbers and len({tuple(row.get(key) for key in shared) for row in rows}) < len(rows):
            return fill("summed_first", table=name, query=_with_sums(sql, name, shared, numbers))
    return fill("grouped", columns=", ".join(keys))


def _with_sums(sql: str, table: str, keys: list[str], numbers: list[str]) -> str:
    """The query with the table's sums in the table's place."""
    sums = ", ".join(f"SUM({column}) AS {column}" for column in numbers)
    by = ", ".join(keys)

    def replace(found: re.Match[str]) -> str:
        alias = found.group(2) or table
        return f"{found.group(1)} (SELECT {by}, {sums} FROM {table} GROUP BY {by}) AS {alias}"

    used = rf'\b(FROM|JOIN)\s+"?{re.escape(table)}"?(?:\s+(?:AS\s+)?(?!{_KEYWORDS})(\w+))?'
    return re.sub(used, replace, sql, flags=re.IGNORECASE)


def _is_number(column: str, rows: Sequence[Row]) -> bool:
    values = [row.get(column) for row in rows if row.get(column) is not None]
    return bool(values) and all(isinstance(value, int | float) for value in values)
