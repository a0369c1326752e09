"""Why a statement failed, in words for a model: what is unknown, what was meant, and what there is."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence

from swarm.nouns.tool import Row
from swarm.tabular.file_table import FileTable
from swarm.tabular.names import written

DATES = "; dates with strftime('%Y-%m', column), joining texts with ||"
_UNKNOWN_COLUMN = re.compile(
    r'[Cc]olumn(?: with name)? "?([^"\n]+?)"? (?:not found|was not found|does not exist)|does not have a column named "([^"]+)"'
)
_LACKING = re.compile(r'(?:Table|Values list) "([^"]+)" does not have a column named "([^"]+)"')
_UNKNOWN_TABLE = re.compile(r"Table with name (.+?) does not exist")
_UNKNOWN_FUNCTION = re.compile(r"Function with name \"?(\w+)\"? does not exist")
_NO_MATCH = re.compile(r"(?:types|function call) ['\"]([^'\"(]+)\(([^)]*)\)")
_LINE = re.compile(r"CSV Error on Line: (\d+)")
_WIDTHS = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")


def explained(reason: str, tables: Mapping[str, Sequence[Row]], seconds: float) -> str:
    """The reason DuckDB gave, made short, with what there is instead."""
    if "INTERRUPT" in reason:
        return f"stopped after {seconds:g} s; join on a condition, or select less"
    if "Out of Memory" in reason or "too long a text" in reason:
        return "it needs too much memory; select less, or join on a condition"
    if "Permission Error" in reason or "disabled by configuration" in reason:
        return "only the tables can be read here; write one SELECT over them"
    if _LINE.search(reason):
        return broken_line(reason)
    names = {name: column_names(rows) for name, rows in tables.items()}
    shown = [f"{written(n)}({', '.join(map(written, names[n]))}) -- {count(tables[n])}" for n in names]
    return "\n".join([_said(reason, names), "The tables are:" if shown else "There are no tables.", *shown])


def broken_line(reason: str) -> str:
    """What is wrong with a line of a file, of DuckDB's many words about it."""
    number = _LINE.search(reason)
    line = f"line {number[1]}" if number else "a line"
    if widths := _WIDTHS.search(reason):
        return f"{line} has {widths[2]} cells, the line of names has {widths[1]}"
    if "unterminated quote" in reason:
        return f"{line}: a quote is never closed, or text stands behind it"
    if "Maximum line size" in reason or "maximum line size" in reason:
        return f"{line} has over 2 MB"
    return f"{line}: {_first_line(reason)}"


def count(rows: Sequence[Row]) -> str:
    """The number of rows of a table, in words."""
    if isinstance(rows, FileTable):
        return f"about {rows.description.about_rows:,} rows"
    return f"{len(rows)} row{'s' * (len(rows) != 1)}"


def column_names(rows: Sequence[Row]) -> list[str]:
    """Names of the columns of a table, those that differ in letter case alone once."""
    if isinstance(rows, FileTable):
        return [*rows.description.columns]
    spelled: dict[str, str] = {}
    for row in rows:
        for name in row:
            spelled.setdefault(name.casefold(), name)
    return [*spelled.values()]


def _said(reason: str, names: Mapping[str, Sequence[str]]) -> str:
    columns = [column for of_table in names.values() for column in of_table]
    if unknown := _UNKNOWN_TABLE.search(reason):
        return f"no such table: {unknown[1]}{_meant(unknown[1], [*names])}"
    if lacking := _LACKING.search(reason):
        return _lacks(lacking[1], lacking[2], names)
    if unknown := _UNKNOWN_COLUMN.search(reason):
        name = unknown[1] or unknown[2]
        return f"no such column: {name}{_meant(name, columns) or _as_text(name)}"
    if unknown := _UNKNOWN_FUNCTION.search(reason):
        return f"no such function: {unknown[1]}{DATES}"
    if wrong := _NO_MATCH.search(reason):
        return _wrong_types(wrong[1].strip(), wrong[2])
    if "Cannot compare values" in reason or "Cannot mix values" in reason:
        return (
            f"{_first_line(reason)}: a text is no number; write a number that stands for a text in 'quotes', "
            "or CAST the texts where all are numbers"
        )
    if "Could not convert string" in reason:
        return f"{_first_line(reason)}: not all of its texts are numbers or dates; leave the others out with WHERE"
    if "Parser Error" in reason:
        return f"{_first_line(reason)}; names that are words of SQL stand in double quotes, as shown"
    return _first_line(reason)


def _lacks(table: str, column: str, names: Mapping[str, Sequence[str]]) -> str:
    """A column that one table of several has not: which table that is, what it has, and where the column is."""
    has = next((of for name, of in names.items() if name.casefold() == table.casefold()), None)
    others = [name for name, of in names.items() if column.casefold() in [one.casefold() for one in of]]
    if others:
        return f"no such column: {table}.{column}; {column} is a column of {', '.join(others[:3])}"
    columns = has if has is not None else [one for of in names.values() for one in of]
    return f"no such column: {table}.{column}{_meant(column, columns)}"


def _wrong_types(function: str, types: str) -> str:
    if "VARCHAR" in types or "STRING" in types:
        what = {"+": "adding", "-": "subtracting", "*": "multiplying", "/": "dividing"}.get(
            function, function
        )
        return (
            f"{what} works on numbers, and this column holds texts: not all of its cells are numbers of one "
            "spelling; use COUNT(*), or CAST(replace(…) AS DOUBLE) where each of them is one"
        )
    return f"{function}({types}) can't be computed; CAST the values to what it takes{DATES}"


def _meant(unknown: str, known: Sequence[str]) -> str:
    last = unknown.split(".")[-1]
    near = difflib.get_close_matches(last, [name for name in known if name != last], 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _as_text(name: str) -> str:
    return f"; if {name!r} is a text, write it in single quotes" if "." not in name else ""


def _first_line(reason: str) -> str:
    line = reason.strip().splitlines()[0]
    return re.sub(r"^(?:\w+ )*Error: ", "", line)[:200]
