"""What can be seen to be wrong with a query before it runs, in the words of the tables that it is of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from swarm.nouns.prompt import fill
from swarm.nouns.tool import Row
from swarm.tabular.file_table import FileTable

_SHAPE = re.compile(
    r"^\s*SELECT\s+(?:DISTINCT\s+)?(.*?)\s+FROM\s.*?\sGROUP\s+BY\s+(.*?)(?:\s+(?:HAVING|ORDER|LIMIT)\s.*)?;?\s*$",
    re.IGNORECASE | re.DOTALL,
)
_ALIAS = re.compile(r"\s+AS\s+\S+$", re.IGNORECASE)
_COLUMN = re.compile(r"[\w.\"]+")


_TABLE = re.compile(r"\b(?:FROM|JOIN)\s+\"?(\w+)\"?", re.IGNORECASE)
_KEYWORDS = r"(?:ON|USING|JOIN|INNER|LEFT|RIGHT|FULL|CROSS|NATURAL|WHERE|GROUP|ORDER|LIMIT|HAVING|UNION)\b"


def faults(sql: str) -> str:
    """What is wrong with a query, in words for the model; empty when nothing is seen."""
    bare = bare_columns(sql)
    return fill("bare_columns", columns=", ".join(bare)) if bare else ""


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


def bare_columns(sql: str) -> list[str]:
    """Selected columns that a GROUP BY leaves undefined; none where the query is not of a simple form."""
    found = _SHAPE.match(sql)
    if (
        found is None
        or " JOIN " in sql.upper()
        or found.group(1).count("(") != found.group(1).count(")")
        or "SELECT" in sql[7:].upper()
    ):
        return []
    selected = [item.strip() for item in found.group(1).split(",")]
    aliases = {_last(item) for item in selected}
    grouped = {_last(name) for name in found.group(2).split(",")}
    plain = [_ALIAS.sub("", item) for item in selected]
    if (
        any(name.isdigit() for name in grouped)
        or "*" in plain
        or not grouped <= aliases | {_last(p) for p in plain}
    ):
        return []
    pairs = zip(selected, plain, strict=True)
    return [
        p
        for item, p in pairs
        if _COLUMN.fullmatch(p) and not p.isdigit() and not {_last(item), _last(p)} & grouped
    ]


def _last(name: str) -> str:
    """The column that an expression is named by: ``orders.total AS sum`` is ``sum``."""
    return name.split()[-1].split(".")[-1].strip('"').casefold() if name.split() else ""
