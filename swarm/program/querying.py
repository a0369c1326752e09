"""SQL for a program, over all tables at once: those of files, of databases, of earlier steps, and its own rows."""

from __future__ import annotations

import re
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from swarm.errors import ToolError
from swarm.program.overlay import Overlay, is_match, matching
from swarm.program.program_wire import Formed, Order
from swarm.program.query_mending import literal_underscore, with_names, with_one_value
from swarm.program.reading import text_in
from swarm.program.saving import Plain, plain
from swarm.program.shapes import dicts_of, items_of

if TYPE_CHECKING:
    from pydantic import JsonValue

Row = dict[str, Plain]

MOST_ROWS = 500_000
"""Of one table of a database."""
MOST_NAMED = 12
MOST_MENDED = 4
"""Columns of a query that are taken as the one value of their group."""
SAVED = (".csv", ".tsv", ".json", ".jsonl", ".ndjson")
"""Endings of table files that a program can write."""
_WORD = re.compile(r'"((?:[^"]|"")+)"|[`\[]([^`\]]+)[`\]]|(\w+)')


class Catalogue:
    """The tables that a program may query, read when a statement first names them.

    Of two tables with one name that of an earlier step comes before that of a file, and that before one of a
    database, which is called by its file's name as well.
    """

    def __init__(self, overlay: Overlay, order: Order) -> None:
        self._overlay = overlay
        self._order = order
        self._results = {name: rows for name, found in order.results.items() if (rows := _as_table(found))}
        self._patterns = {table["name"]: table["pattern"] for table in order.tables}
        self._formed = {table["name"]: table for table in order.formed}
        self._databases = order.databases
        self._scratch = Path(order.scratch)
        self._stored: dict[str, tuple[str, str]] | None = None
        self._called: dict[str, str] = {}
        """Databases of one table, by their names in small letters: whoever names one means that table."""
        self._broken: list[str] = []
        """Databases that can't be read, each with the reason."""
        self._rows: dict[str, Sequence[Row]] = {}

    def made_of(self, name: str) -> str:
        """The table that a file is part of, as a text of its form; empty where none is made of it."""
        from swarm.formed.table import FILES, LINES

        general = {FILES, LINES}
        return next(
            (
                table["name"]
                for table in self._formed.values()
                if table["form"] not in general and any(is_match(name, one) for one in table["patterns"])
            ),
            "",
        )

    def names(self) -> dict[str, str]:
        """All tables and where each lies."""
        stored = {name: base for name, (base, _) in self._places().items()}
        texts = {name: ", ".join(table["patterns"]) for name, table in self._formed.items()}
        earlier = dict.fromkeys(self._results, "an earlier step")
        return texts | stored | self._own() | self._patterns | earlier

    def select(self, query: str, given: Mapping[str, object]) -> list[Row]:
        """The rows of one SELECT; ``given`` are tables of the program's own, as lists of dicts.

        Raises:
            ValueError: it fails; says what there is.
        """
        query = self._mended(query)
        rows: dict[str, Sequence[Row]] = {name: _given(name, value) for name, value in given.items()}
        own = {name.casefold() for name in rows}
        words = {(marked or ticked or bare).casefold() for marked, ticked, bare in _WORD.findall(query)}
        known = self.names()
        for name in known:
            if name.casefold() in words and name.casefold() not in own:
                rows[name] = self._load(name)
        for called, name in self._called.items():
            if called in words and called not in own | {one.casefold() for one in known}:
                rows[called] = self._load(name)
        tables = cast("Mapping[str, Sequence[dict[str, JsonValue]]]", rows)
        from swarm.tabular.names import written

        try:
            return _selected(query, tables, MOST_MENDED if self._order.is_lenient else 0)
        except ToolError as error:
            lacking = [name for name in map(written, known) if name not in str(error)]
            more = f"\nMore tables: {', '.join(lacking[:MOST_NAMED])}" if lacking else ""
            broken = f"\nNot read: {'; '.join(self._broken)[:400]}" if self._broken else ""
            raise ValueError(f"{error}{more}{broken}") from error

    def size(self, name: str) -> int:
        """How many rows a table has, by its name.

        Raises:
            ValueError: it can't be read; says why.
        """
        return len(self._load(name))

    def rows(self, name: str) -> list[Row]:
        """The rows of a table file, or of a table by its name.

        Raises:
            ValueError: there is none, or it can't be read; says why.
        """
        if name in self.names():
            return [dict(row) for row in self._load(name)]
        path, inside = self._overlay.path_of(name), self._overlay.name_of(name)
        is_own = path.is_relative_to(self._overlay.written)
        return [
            dict(row) for row in _loaded(self._overlay.written if is_own else self._overlay.workspace, inside)
        ]

    def _mended(self, query: str) -> str:
        """The query of a program that a model wrote, with what it plainly means; a person's is taken as it is."""
        if not self._order.is_lenient:
            return query
        query = with_names(query, self._by_pattern)
        return literal_underscore(query) if self._order.has_underscore else query

    @property
    def _by_pattern(self) -> dict[str, str]:
        """Tables by the files that they are made of, where one alone is."""
        from swarm.formed.table import FILES, LINES

        pairs = [
            (table["patterns"][0], name)
            for name, table in self._formed.items()
            if len(table["patterns"]) == 1 and table["form"] not in {FILES, LINES}
        ]
        pairs += [(pattern, name) for name, pattern in self._patterns.items()]
        counted = Counter(pattern for pattern, _ in pairs)
        return {pattern: name for pattern, name in pairs if counted[pattern] == 1}

    def _load(self, name: str) -> Sequence[Row]:
        if name in self._results:
            return self._results[name]
        own = self._own()
        if name in own and name not in self._patterns:
            return _loaded(self._overlay.written, own[name])
        if name in self._formed and name not in self._patterns:
            if self._overlay.has_changes or name not in self._rows:
                rows = self._rows_of(self._formed[name])
                if self._overlay.has_changes:
                    return rows
                self._rows[name] = rows
            return self._rows[name]
        if name in self._patterns and self._overlay.has_changes:
            return self._merged(self._patterns[name])
        if name not in self._rows:
            if name in self._patterns:
                self._overlay.note_read(self._patterns[name])
                self._rows[name] = _loaded(self._overlay.workspace, self._patterns[name])
            else:
                self._rows[name] = self._stored_rows(name)
        return self._rows[name]

    def _rows_of(self, table: Formed) -> list[Row]:
        """The rows of a table that is made of texts, as they are now."""
        # Most programs need none of these, and they take longer to import than a program runs.
        from swarm.formed.plain_lines import entry
        from swarm.formed.table import FILES, rows_of

        paths = dict.fromkeys(path for pattern in table["patterns"] for path in self._there(pattern))
        if table["form"] == FILES:
            return [dict(entry(path, self._overlay.path_of(path))) for path in paths]
        return [dict(row) for row in rows_of(table["form"], [(path, self._text(path)) for path in paths])]

    def _there(self, pattern: str) -> list[str]:
        """The files of a pattern as they are now; none where the program itself has removed them all.

        Raises:
            FileNotFoundError: there are none, and the program has removed none.
        """
        try:
            return self._overlay.files(pattern)
        except FileNotFoundError:
            if not matching(sorted(self._overlay.removed), pattern):
                raise
            return []

    def _text(self, path: str) -> str:
        try:
            return text_in(self._overlay.path_of(path), path)
        except (ValueError, OSError):
            # A program that goes on all the same has not read it.
            self._overlay.forget_read(path)
            raise

    def _own(self) -> dict[str, str]:
        """Table files that the program itself has written, by the names that they would have."""
        names = (path.relative_to(self._overlay.written) for path in self._overlay.written.rglob("*"))
        return {
            re.sub(r"\W+", "_", path.stem).strip("_").lower(): path.as_posix()
            for path in names
            if path.suffix.lower() in SAVED
        }

    def _merged(self, pattern: str) -> Sequence[Row]:
        """The rows of the files of a pattern with what the program has written and removed of them."""
        self._overlay.note_read(pattern)
        path = pattern.partition("#")[0] if not (self._overlay.workspace / pattern).is_file() else pattern
        sign = re.escape("*")
        form = re.compile(re.escape(path).replace(sign, "[^/]*"), re.IGNORECASE)
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            for name in self._overlay.files("**/*"):
                if form.fullmatch(name):
                    target = Path(folder, name)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(self._overlay.path_of(name), target)
            return [dict(row) for row in _loaded(Path(folder), pattern)]

    def _places(self) -> dict[str, tuple[str, str]]:
        """The tables of the databases: each with its file and its name there."""
        if self._stored is None:
            found: dict[str, tuple[str, str]] = {}
            for base in self._databases:
                try:
                    tables = self._tables_in(base)
                except ValueError as error:
                    self._broken.append(str(error))
                    continue
                for table in tables:
                    taken = {name.casefold() for name in (*found, *self._patterns)}
                    found[_free_name(base, table, taken)] = base, table
                if len(tables) == 1:
                    self._called[re.sub(r"\W+", "_", PurePosixPath(base).stem).casefold()] = next(
                        reversed(found)
                    )
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
        from swarm.tabular.duck_file import duck_rows

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
        folder = Path(tempfile.mkdtemp(dir=self._scratch))
        for file in (path, *beside):
            shutil.copyfile(file, folder / file.name)
        return f"file:{quote(str(folder / path.name))}"


def _selected(query: str, tables: Mapping[str, Sequence[dict[str, JsonValue]]], mended: int) -> list[Row]:
    """The rows of a query, with so many columns that are not grouped by taken as the one value of their group."""
    # What reads tables takes half a second to import; most programs read texts alone.
    from swarm.tabular.query_engine import selected

    for _ in range(mended):
        try:
            return selected(query, tables)[1]
        except ToolError as error:
            if not (other := with_one_value(query, str(error))):
                raise
            query = other
    return selected(query, tables)[1]


def _loaded(folder: Path, pattern: str) -> Sequence[Row]:
    from swarm.tabular.files import loaded

    try:
        return loaded(folder, pattern)
    except ToolError as error:
        raise ValueError(str(error)) from error


def _free_name(base: str, table: str, taken: set[str]) -> str:
    """The name of a table of a database that no other table has."""
    path = PurePosixPath(base)
    longer = re.sub(r"\W+", "_", str(path.with_suffix("")))
    names = [table, f"{path.stem}_{table}", f"{longer}_{table}"]
    return next(
        (name for name in names if name.casefold() not in taken), f"{longer}_{path.suffix[1:]}_{table}"
    )


def _as_table(found: Plain) -> list[Row]:
    """A result as rows; none where it is no table."""
    rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    return rows if isinstance(found, list) and len(rows) == len(found) else []


def _cell(value: object) -> Plain:
    if isinstance(value, bytes | bytearray):
        return value.hex()
    return plain(value)


def _given(name: str, value: object) -> list[Row]:
    items = items_of(value)
    rows = None if items is None else dicts_of(items)
    if rows is None:
        raise ValueError(f"sql(…, {name}=…) wants a list of dicts, one for each row")
    return [{str(key): plain(cell) for key, cell in row.items()} for row in rows]
