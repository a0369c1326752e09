"""Values as JSON can hold them, exactly, and tables as they are printed for a small window."""

from __future__ import annotations

import datetime
import decimal
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from mcp_types import CallToolResult, TextContent
from pydantic import JsonValue

from mcp_servers.database_parts.session import Found

SHOWN_CHARACTERS, CELL_CHARACTERS = 6_000, 200  # Of a printed table, about 2,000 tokens; of a value in it.
MOST_CHARACTERS = 2_000_000  # Of all values of an answer together.
MOST_WHOLE = 2**63  # From here on a whole number is a text: readers of JSON make a fraction of it.

Row = dict[str, JsonValue]


def plain(value: object) -> JsonValue:
    """A value as JSON holds it without loss: what no number can hold exactly is a text."""
    if value is None or isinstance(value, bool | str):
        return _sound(value) if isinstance(value, str) else value
    if isinstance(value, int):
        return value if -MOST_WHOLE <= value < MOST_WHOLE else str(value)
    if isinstance(value, float):
        return _fraction(value)
    if isinstance(value, decimal.Decimal):
        return _decimal(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        data = bytes(cast("bytes", value))
        return f"0x{data[:64].hex()}{f'… ({len(data)} bytes)' * (len(data) > 64)}"
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return json.dumps(_nested(cast("object", value)), ensure_ascii=False)
    return _sound(str(value))


def _sound(text: str) -> str:
    """A text that can be sent: half a character, as a broken text may hold, is shown as U+FFFD."""
    return text.encode("utf-8", "replace").decode() if re.search("[\ud800-\udfff]", text) else text


def _fraction(value: float) -> JsonValue:
    """A number without the noise of binary fractions, where it is short without it: 12480.5 it is.

    15 digits are what every double holds exactly; a sum is exact to about 13 of them.
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value.is_integer():
        return value
    short = f"{value:.13g}"
    digits = len(re.sub(r"e.*|\D", "", short).strip("0"))
    return float(short) if digits <= 10 else float(f"{value:.15g}")


def _decimal(value: decimal.Decimal) -> JsonValue:
    if not value.is_finite():
        return str(value)
    if value == value.to_integral_value():
        return plain(int(value))
    number = float(value)
    return number if decimal.Decimal(repr(number)) == value else format(value, "f")


def _nested(value: object) -> JsonValue:
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, object]", value)
        return {str(key): _nested(one) for key, one in pairs.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_nested(one) for one in cast("Iterable[object]", value)]
    return plain(value)


def literal(value: object) -> str:
    """A value as an example shows it."""
    shown = plain(value)
    if not isinstance(shown, str):
        return "NULL" if shown is None else _cell(shown)
    return repr(shown) if len(shown) <= 60 else f"{shown[:60]!r}…"


def _cell(value: JsonValue) -> str:
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)
    text = "" if value is None else re.sub(r"\s+", " ", str(value))
    return text if len(text) <= CELL_CHARACTERS else f"{text[:CELL_CHARACTERS]}…"


def unique(names: Iterable[str]) -> list[str]:
    """Column names, numbered where one comes twice: rows are objects."""
    taken: list[str] = []
    for name in names:
        wanted, number = name, 1
        while wanted in taken:
            number += 1
            wanted = f"{name}_{number}"
        taken.append(wanted)
    return taken


def counted(count: int) -> str:
    """How many rows, in words."""
    return f"{count} row{'s' * (count != 1)}"


def table(found: Found, columns: Sequence[str]) -> tuple[str, list[Row]]:
    """A result as a printed table and as rows, which end where they would be too large."""
    rows: list[Row] = []
    room = MOST_CHARACTERS
    for values in found.rows:
        if room < 0:
            break
        row = dict(zip(columns, map(plain, values), strict=True))
        room -= sum(len(value) for value in row.values() if isinstance(value, str))
        rows.append(row)
    more = found.has_more or len(rows) < len(found.rows)
    return _printed(columns, rows, more), rows


def _printed(columns: Sequence[str], rows: Sequence[Row], more: bool) -> str:
    if not rows:
        return f"{' | '.join(columns)}\n(0 rows)"
    lines = [" | ".join(_cell(value) for value in row.values()) for row in rows]
    shown = cut([" | ".join(columns), *lines], "rows")
    count = f"first {len(rows)} rows of more: use WHERE, GROUP BY or limit" if more else counted(len(rows))
    return f"{shown}\n({count})"


def cut(parts: Sequence[str], what: str, room: int = SHOWN_CHARACTERS) -> str:
    """As many parts as fit, at least one, and how many are left out."""
    kept = 0
    for part in parts:
        room -= len(part) + 1
        if room < 0 and kept:
            break
        kept += 1
    rest = [f"[{len(parts) - kept} more {what}]"] if kept < len(parts) else []
    return "\n".join([*parts[:kept], *rest])


def answer(text: str, rows: Sequence[JsonValue]) -> CallToolResult:
    """An answer of a tool: a text for the model, rows for the program."""
    return CallToolResult(content=[TextContent(text=text)], structured_content={"result": [*rows]})
