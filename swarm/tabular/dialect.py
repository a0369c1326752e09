"""What statements written for SQLite mean in DuckDB, where the same words stand for something else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from swarm.errors import ToolError

_HIDDEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/""", re.DOTALL)
_AS_FRACTION = re.compile(r"(?i)(\bAS\s+|::\s*)(?:REAL|FLOAT4?|NUMERIC|DECIMAL|DEC)\b(?!\s*\()")
_AS_WHOLE = re.compile(r"(?i)\s+AS\s+(?:INTEGER|INT|BIGINT)\s*(?=\))")
_DATE = re.compile(r"(?i)(?<![\w.])date(?=\s*\()")
_LIMIT = re.compile(r"(?i)\bLIMIT\s+(\d+)\s*,\s*(\d+)")
_CAST = re.compile(r"(?i)\bCAST\s*$")
WHOLE = (
    "swarm_whole(x) AS CASE WHEN typeof(x) LIKE '%INT' OR typeof(x) IN ('INTEGER', 'BOOLEAN') "
    "THEN CAST(x AS HUGEINT) ELSE CAST(trunc(CAST(x AS DOUBLE)) AS HUGEINT) END"
)
"""A whole number as SQLite makes it: what stands behind the point is cut off, where DuckDB rounds."""
TIME = (
    "swarm_time(time) AS CASE WHEN CAST(time AS VARCHAR) = 'now' "
    "THEN make_timestamp(epoch_us(now())) ELSE CAST(time AS TIMESTAMP) END"
)
"""A day or a time; ``now`` is a word of SQLite's, and is of UTC there as here."""
PRINTF = (
    "printf(form) AS system.main.printf(form), "
    "(form, one) AS CASE WHEN regexp_matches(form, '%[-+ 0-9.]*[feEgG]') "
    "THEN system.main.printf(form, CAST(one AS DOUBLE)) ELSE system.main.printf(form, one) END, "
    "(form, one, two) AS system.main.printf(form, one, two), "
    "(form, one, two, three) AS system.main.printf(form, one, two, three), "
    "(form, one, two, three, four) AS system.main.printf(form, one, two, three, four)"
)
"""A whole number is printed as a fraction where the form asks for one."""
_DAY = "system.main.strftime(swarm_time(time)"
DATE = f"swarm_date(time) AS {_DAY}, '%Y-%m-%d'), (time, step) AS {_DAY} + CAST(ltrim(step, '+') AS INTERVAL), '%Y-%m-%d')"
DATETIME = f"datetime(time) AS {_DAY}, '%Y-%m-%d %H:%M:%S')"
"""Days and times are texts, as the columns are with which they are compared."""
_MOMENT = (
    "CASE WHEN regexp_full_match(CAST(time AS VARCHAR), '\\d{1,2}:\\d{2}.*') "
    "THEN CAST('1970-01-01 ' || CAST(time AS VARCHAR) AS TIMESTAMP) ELSE swarm_time(time) END"
)
CLOCK = tuple(f"{part}(time) AS system.main.{part}({_MOMENT})" for part in ("hour", "minute", "second"))
"""Parts of times that are texts, with their day or without one."""
INSTEAD = {"max": "GREATEST", "min": "LEAST"}


def rewritten(query: str) -> str:
    """The statement with SQLite's types: a REAL has 64 bits, and a CAST to INTEGER cuts off."""
    hidden = _HIDDEN.sub(lambda found: "_" * len(found.group()), query)
    for found in reversed([*_DATE.finditer(hidden)]):
        query = f"{query[: found.start()]}swarm_date{query[found.end() :]}"
    hidden = _HIDDEN.sub(lambda found: "_" * len(found.group()), query)
    for found in reversed([*_AS_FRACTION.finditer(hidden)]):
        query = f"{query[: found.end(1)]}DOUBLE{query[found.end() :]}"
    hidden = _HIDDEN.sub(lambda found: "_" * len(found.group()), query)
    for found in reversed([*_LIMIT.finditer(hidden)]):
        query = f"{query[: found.start()]}LIMIT {found[2]} OFFSET {found[1]}{query[found.end() :]}"
    hidden = _HIDDEN.sub(lambda found: "_" * len(found.group()), query)
    while whole := _AS_WHOLE.search(hidden):
        query, hidden = (_without(text, whole, hidden) for text in (query, hidden))
    return query


def plain_name(name: str) -> str:
    """The name of a column as the statement had it."""
    return name.replace("swarm_", "") if "swarm_whole(" in name or "swarm_date(" in name else name


def _without(text: str, found: re.Match[str], hidden: str) -> str:
    """The text without the type that was found; a CAST becomes ``swarm_whole``."""
    start, depth = found.start(), 0
    while start > 0 and not (depth == 0 and hidden[start - 1] == "("):
        start -= 1
        depth += (hidden[start] == ")") - (hidden[start] == "(")
    cast = _CAST.search(hidden[: max(start - 1, 0)])
    if cast is None:  # no CAST but a column that is called so: quoted, it is looked at no more
        word = text[found.start() : found.end()].split()[-1]
        return f'{text[: found.start()]} AS "{word}"{text[found.end() :]}'
    return f"{text[: cast.start()]}swarm_whole{text[start - 1 : found.start()]}{text[found.end() :]}"


def check_functions(nodes: Iterator[Mapping[str, Any]]) -> None:
    """Refuses functions that would give something else than was meant.

    Raises:
        ToolError: there is one; says what to write in its place.
    """
    for node in nodes:
        name = str(node.get("function_name", "")).casefold()
        if name in INSTEAD and len(node.get("arguments") or node.get("children") or ()) > 1:
            raise ToolError(
                f"{name.upper()} takes one column here; the {'larger' if name == 'max' else 'smaller'} "
                f"of several values is {INSTEAD[name]}(one, other)"
            )
        if name == "format":
            raise ToolError("format() is another function here; write printf('%.2f', number), or ROUND")
