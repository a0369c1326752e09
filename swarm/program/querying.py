"""SQL for a program, over all tables at once: those of files, of databases, of earlier steps, and its own rows."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from swarm.errors import ToolError
from swarm.program.overlay import Overlay
from swarm.program.saving import Plain, plain
from swarm.program.wire import Table

if TYPE_CHECKING:
    from pydantic import JsonValue

Row = dict[str, Plain]

MOST_ROWS = 500_000
"""Of one table of a database."""
MOST_NAMED = 12
_WORD = re.compile(r'"((?:[^"]|"")+)"|(\w+)')


class Catalogue:
    """The tables that a program may query, read when a statement first names them."""

    def __init__(
        self, overlay: Overlay, tables: Sequence[Table], databases: Sequence[str], scratch: Path
    ) -> None:
        self._overlay = overlay
        self._patterns = {table["name"]: table["pattern"] for table in tables}
        self._databases = databases
        self._scratch = scratch
        self._stored: dict[str, tuple[str, str]] | None = None
        self._rows: dict[str, Sequence[Row]] = {}

    def names(self) -> dict[str, str]:
        """All tables and where each lies."""
        return self._patterns | {name: base for name, (base, _) in self._places().items()}

    def select(self, query: str, given: Mapping[str, object]) -> list[Row]:
        """The rows of one SELECT; ``given`` are tables of the program's own, as lists of dicts.

        Raises:
            ValueError: it fails; says what there is.
        """
        rows: dict[str, Sequence[Row]] = {name: _given(name, value) for name, value in given.items()}
        words = {(quoted or bare).casefold() for quoted, bare in _WORD.findall(query)}
        for name in self.names():
            if name.casefold() in words and name not in rows:
                rows[name] = self._load(name)
        # What reads tables takes half a second to import; most programs read texts alone.
        from swarm.tabular.engine import selected
        from swarm.tabular.names import written

        try:
            return selected(query, cast("Mapping[str, Sequence[dict[str, JsonValue]]]", rows))[1]
        except ToolError as error:
            lacking = [name for name in map(written, self.names()) if name not in str(error)]
            more = f"\nMore tables: {', '.join(lacking[:MOST_NAMED])}" if lacking else ""
            raise ValueError(f"{error}{more}") from error

    def rows(self, name: str) -> list[Row]:
        """The rows of a table file, or of a table by its name.

        Raises:
            ValueError: there is none, or it can't be read; says why.
        """
        from swarm.tabular.files import loaded

        try:
            if name in self.names():
                return [dict(row) for row in self._load(name)]
            path = self._overlay.path_of(name)
            inside = self._overlay.name_of(name)
            folder = self._overlay.written if path.is_relative_to(self._overlay.written) else None
            return [dict(row) for row in loaded(folder or self._overlay.workspace, inside)]
        except ToolError as error:
            raise ValueError(str(error)) from error

    def _load(self, name: str) -> Sequence[Row]:
        if name not in self._rows:
            if name in self._patterns:
                self._rows[name] = self._loaded(self._patterns[name])
            else:
                self._rows[name] = self._stored_rows(name)
        return self._rows[name]

    def _loaded(self, pattern: str) -> Sequence[Row]:
        from swarm.tabular.files import loaded

        self._overlay.note_read(pattern)
        try:
            return loaded(self._overlay.workspace, pattern)
        except ToolError as error:
            raise ValueError(str(error)) from error

    def _places(self) -> dict[str, tuple[str, str]]:
        """The tables of the databases: each with its file and its name there."""
        if self._stored is None:
            found: dict[str, tuple[str, str]] = {}
            for base in self._databases:
                for table in self._tables_in(base):
                    name = (
                        table
                        if table not in found | self._patterns
                        else f"{PurePosixPath(base).stem}_{table}"
                    )
                    found[name] = base, table
            self._stored = found
        return self._stored

    def _tables_in(self, base: str) -> list[str]:
        sql = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        return [str(row["name"]) for row in self._query(base, f"{sql} ORDER BY name")]

    def _stored_rows(self, name: str) -> list[Row]:
        base, table = self._places()[name]
        self._overlay.note_read(base)
        quoted = table.replace('"', '""')
        rows = self._query(base, f'SELECT * FROM "{quoted}" LIMIT {MOST_ROWS + 1}')
        if len(rows) > MOST_ROWS:
            raise ValueError(
                f"{name} has over {MOST_ROWS:,} rows; ask its database with "
                'tool("database.query", sql="SELECT …") for the part that is wanted'
            )
        return rows

    def _query(self, base: str, sql: str) -> list[Row]:
        if base.lower().endswith((".duckdb", ".ddb")):
            return self._duck(base, sql)
        try:
            with closing(sqlite3.connect(self._readable(base), uri=True)) as connection:
                connection.row_factory = sqlite3.Row
                return [{key: _cell(row[key]) for key in row.keys()} for row in connection.execute(sql)]  # noqa: SIM118  # a Row is no dict
        except sqlite3.Error as error:
            raise ValueError(f"{base} can't be read: {error}") from error

    def _duck(self, base: str, sql: str) -> list[Row]:
        from swarm.tabular.stored import duck_rows

        try:
            names, rows = duck_rows(self._overlay.path_of(base), sql)
        except ToolError as error:
            raise ValueError(str(error)) from error
        return [dict(zip(names, map(_cell, row), strict=True)) for row in rows]

    def _readable(self, base: str) -> str:
        """The address to open. A database that somebody is writing to is copied, with what stands beside it;
        one at rest can't change, and says so, since it may lie where no lock can be made."""
        path = self._overlay.path_of(base)
        beside = [near for end in ("-wal", "-journal") if (near := path.with_name(path.name + end)).exists()]
        if not beside:
            return f"file:{quote(str(path))}?mode=ro&immutable=1"
        copy = self._scratch / path.name
        for file in (path, *beside):
            shutil.copyfile(file, copy.with_name(file.name))
        return f"file:{quote(str(copy))}"


def _cell(value: object) -> Plain:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    return plain(value)


def _given(name: str, value: object) -> list[Row]:
    rows = list(value) if isinstance(value, Iterable) and not isinstance(value, str | Mapping) else None
    if rows is None or not all(isinstance(row, Mapping) for row in rows):
        raise ValueError(f"sql(…, {name}=…) wants a list of dicts, one for each row")
    return [{str(key): plain(cell) for key, cell in row.items()} for row in rows]
