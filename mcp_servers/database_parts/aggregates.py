"""SQLite's sums and casts, made exact: a text that is no number ends them with its reason.

Of its own SQLite adds 1.0 for the text '1,200.50', and casts it to that.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial

from mcp_servers.database_parts.numbers import Edit
from mcp_servers.database_parts.spelling import exact, no_number
from mcp_servers.database_parts.statement import Token, shape, tokens

Value = None | int | float | str | bytes
Refuse = Callable[[str], None]

LARGEST = 2**63


class _Sum:
    """SUM or AVG, also over a window: exact for whole numbers, compensated for others
    (Neumaier, ZAMM 54, 1974)."""

    def __init__(self, name: str, refuse: Refuse) -> None:
        self._name, self._refuse = name, refuse
        self._whole, self._fraction, self._lost = 0, 0.0, 0.0
        self._values = self._fractions = 0

    def step(self, value: Value) -> None:
        self._add(value, 1)

    def inverse(self, value: Value) -> None:
        self._add(value, -1)

    def value(self) -> int | float | None:
        if not self._values:
            return None
        if self._name == "AVG":
            return (self._whole + (self._fraction + self._lost)) / self._values
        if self._fractions:
            return self._whole + (self._fraction + self._lost)
        if not -LARGEST <= self._whole < LARGEST:
            raise self._refused("SUM: integer overflow; use TOTAL")
        return self._whole

    finalize = value

    def _add(self, value: Value, sign: int) -> None:
        if value is None:
            return
        number = value if isinstance(value, int | float) else self._number(value)
        self._values += sign
        if isinstance(number, int):
            self._whole += sign * number
            return
        self._fractions += sign
        total = self._fraction + sign * number
        bigger, smaller = (
            (self._fraction, sign * number)
            if abs(self._fraction) >= abs(number)
            else (sign * number, self._fraction)
        )
        lost = (bigger - total) + smaller
        self._fraction = total
        self._lost += lost if lost == lost else 0.0  # an infinite sum has no remainder

    def _number(self, value: str | bytes) -> int | float:
        text = value if isinstance(value, str) else value.decode("utf-8", "replace")
        number = exact(text)
        if number is None:
            raise self._refused(no_number(text, self._name))
        return number

    def _refused(self, reason: str) -> ValueError:
        self._refuse(reason)
        return ValueError(reason)


def install(connection: sqlite3.Connection, refuse: Refuse) -> None:
    """Adds the exact functions, which a statement is made to call instead of SQLite's own."""
    for name in ("SUM", "AVG"):
        connection.create_window_function(f"swarm_{name.lower()}", 1, partial(_Sum, name, refuse))
    connection.create_function("swarm_number", 2, partial(_number, refuse, False), deterministic=True)
    connection.create_function("swarm_code", 2, partial(_number, refuse, True), deterministic=True)
    connection.create_function("swarm_cast", 2, partial(_cast, refuse), deterministic=True)


def _number(refuse: Refuse, code: bool, value: Value, column: str) -> Value:
    """A text as the number that it is; ``column`` is what the caller wrote for it."""
    if not isinstance(value, str | bytes):
        return value
    text = value if isinstance(value, str) else value.decode("utf-8", "replace")
    number = exact(text, code=code)
    if number is None:
        refuse(no_number(text, f"{column[:60]} is taken for a number"))
        raise ValueError(text)
    return number


def _cast(refuse: Refuse, value: Value, kind: str) -> Value:
    """CAST to a number, of a text only where it is one, and to INTEGER only where that is whole."""
    if value is None:
        return None
    by = f"CAST AS {kind}"
    if isinstance(value, str | bytes):
        text = value if isinstance(value, str) else value.decode("utf-8", "replace")
        number = exact(text, code=True)
        is_lost = kind == "INTEGER" and isinstance(number, float) and not number.is_integer()
        if number is None or is_lost:
            hint = f"{by}: the text {text[:60]!r} is no whole number; use CAST AS REAL"
            refuse(hint if is_lost else no_number(text, by))
            raise ValueError(text)
        value = number
    if kind == "INTEGER":
        whole = int(value) if value == value and abs(value) < LARGEST else None
        if whole is None:
            refuse(f"{by}: {value!r} is too large for a whole number; use CAST AS REAL")
            raise ValueError(value)
        return whole
    if kind == "REAL":
        return float(value)
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value


def with_exact_casts(edit: Edit) -> Edit:
    """The statement with each CAST to a number as a call of ours, and what TOTAL adds as one."""
    parts = tokens(edit.sql, "sqlite")
    pairs = shape(parts).pairs
    replaced: dict[int, str] = {}
    for index, token in enumerate(parts[:-1]):
        end = pairs.get(index + 1)
        if end is None or parts[index + 1].text != "(":
            continue
        if token.word == "cast":
            by = _last_as(parts, index + 1, end)
            kind = _kind(" ".join(one.text for one in parts[by + 1 : end])) if by else ""
            if kind:
                replaced |= {index: "swarm_cast"} | dict.fromkeys(range(by, end), "") | {by: f", '{kind}'"}
        elif token.word == "total":
            # Of no rows TOTAL is 0.0: a function of ours is not asked then, so it has to stay SQLite's own.
            first = index + 2 if parts[index + 2].word == "distinct" else index + 1
            replaced |= {first: f"{parts[first].text} swarm_number(", end: ", 'TOTAL'))"}
    if not replaced:
        return edit
    out: list[str] = []
    at = 0
    for index, token in enumerate(parts):
        out += [edit.sql[at : token.start], replaced.get(index, token.text)]
        at = token.end
    return Edit("".join(out), is_changed=True)


def _last_as(parts: list[Token], opener: int, end: int) -> int:
    """The AS of a cast: the last one outside the brackets within."""
    found = depth = 0
    for index in range(opener + 1, end):
        depth += {"(": 1, ")": -1}.get(parts[index].text, 0)
        if depth == 0 and parts[index].word == "as":
            found = index
    return found


def _kind(declared: str) -> str:
    """The kind of number that SQLite casts to (sqlite.org/datatype3.html#determination_of_column_affinity)."""
    name = declared.upper()
    if "INT" in name:
        return "INTEGER"
    if any(part in name for part in ("CHAR", "CLOB", "TEXT", "BLOB")) or not name:
        return ""
    return "REAL" if any(part in name for part in ("REAL", "FLOA", "DOUB")) else "NUMERIC"
