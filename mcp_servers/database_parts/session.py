"""What every kind of database can be asked: the parts of a call that are not of one engine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import sqlalchemy

ONLY_READ = "this database is only read: write one SELECT"
NEVER_ALLOWED = "this reaches beyond the one database, or changes how it is kept, and is never allowed"

CALLS = "swarm_calls"
"""The table of a database that is written to: what each keyed call gave. Its row is written in the
transaction of the effect, so a call that is repeated after a crash has its effect once. It may be
emptied between runs."""


class Trouble(Exception):
    """Why something of a database could not be done, in words for the caller."""

    def __init__(
        self, reason: str, *, unknown: str = "", is_final: bool = False, needs_write: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unknown = unknown
        """The name that the database does not know; empty where that is not the trouble."""
        self.is_final = is_final
        """Whether nothing else of this database can be read either."""
        self.needs_write = needs_write
        """Whether it would be done where this database may be written."""


@dataclass(frozen=True)
class Source:
    """A database: what callers call it, and how it is reached."""

    name: str
    path: Path | None = None
    url: sqlalchemy.URL | None = None


@dataclass(frozen=True)
class Deadline:
    """When a call has to end; ``seconds`` is what it was given."""

    seconds: float
    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """The deadline of a call that begins now."""
        return cls(seconds, time.monotonic() + seconds)

    def left(self) -> float:
        """Seconds until then; never negative."""
        return max(0.0, self.at - time.monotonic())

    def share(self, parts: int) -> Deadline:
        """A nearer deadline, for the first of several that share what is left."""
        return Deadline(self.seconds, time.monotonic() + self.left() / max(1, parts))

    def stopped(self) -> str:
        """What a caller is told who ran into it."""
        return f"stopped after {self.seconds:g} s; ask for less, with WHERE or LIMIT"


@dataclass(frozen=True)
class Name:
    """A table: how it must be written in a statement, and the parts of its name."""

    written: str
    schema: str | None
    table: str
    note: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a table. ``parent`` is the ``table.column`` that its values are keys of."""

    name: str
    kind: str = ""
    is_text: bool = False
    is_key: bool = False
    parent: str = ""


@dataclass(frozen=True)
class Found:
    """What one statement gave: rows, or else how many it changed (None: the database does not say)."""

    columns: list[str] = field(default_factory=list[str])
    rows: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])
    has_more: bool = False
    changed: int | None = None


class Session(Protocol):
    """An open database for the time of one call; leaving it rolls back what was not committed.

    Every method raises ``Trouble``.
    """

    dialect: str
    deadline: Deadline
    quote: sqlalchemy.sql.compiler.IdentifierPreparer

    def names(self) -> list[Name]:
        """The tables and views, sorted; never the table of calls."""
        ...

    def columns(self, name: Name) -> list[Column]:
        """The columns of one of them."""
        ...

    def rows(self, sql: str, parameters: Sequence[str] = ()) -> list[tuple[object, ...]]:
        """All rows of a statement of our own; its parameters are marked ``?``."""
        ...

    def run(self, statement: str, limit: int) -> Found:
        """What a caller's statement gives, with as many rows as the limit."""
        ...

    def end(self, *, keep: bool) -> None:
        """Makes what was written durable, or takes it back."""
        ...
