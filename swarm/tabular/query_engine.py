"""SQL over tables, in a DuckDB database in memory that can only answer questions.

DuckDB adds up no texts and knows no column by a misspelled name; what SQLite's dialect has and it has
not (``strftime``, ``LIKE`` without regard to case, ``total``) is added. A column of texts is one of
numbers here where the whole of it spells numbers. Files are read in place, just the columns that are used.
"""

from __future__ import annotations

import contextlib
import datetime
import decimal
import json
import math
import re
import tempfile
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import duckdb
from pydantic import JsonValue

from swarm.errors import ToolError
from swarm.nouns.tool import Row
from swarm.tabular.dialect import (
    CLOCK,
    DATE,
    DATETIME,
    PRINTF,
    TIME,
    WHOLE,
    check_functions,
    plain_name,
    rewritten,
)
from swarm.tabular.explain import column_names, explained
from swarm.tabular.file_source import load_file
from swarm.tabular.file_table import FileTable
from swarm.tabular.names import quoted, unique
from swarm.tabular.number_spelling import spelling_of
from swarm.tabular.statement import Statement, begins_with_numbers

SECONDS = 10.0
"""Time one statement may take, once its tables are there."""
READING_SECONDS = 300.0
"""Time the files of one statement may take to be read."""
MOST_ROWS = 100_000
MEMORY = "1GB"
SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": MEMORY,
    "threads": 2,
    "python_enable_replacements": False,
    # As SQLite sorts; the statements that models write mean this.
    "default_null_order": "nulls_first_on_asc_last_on_desc",
    "autoload_known_extensions": False,
    "autoinstall_known_extensions": False,
}
MOST_LETTERS = 50_000_000
_LONG = f"> {MOST_LETTERS} THEN error('too long a text') ELSE system.main"
DIALECT = (
    WHOLE,
    TIME,
    PRINTF,
    "strftime(form, time) AS system.main.strftime(swarm_time(time), CAST(form AS VARCHAR))",
    "julianday(time) AS CAST(system.main.julian(swarm_time(time)) AS DOUBLE)",
    DATE,
    DATETIME,
    *(f"{part}(time) AS system.main.{part}(swarm_time(time))" for part in ("year", "month", "day")),
    *CLOCK,
    "iif(is_so, one, other) AS CASE WHEN is_so THEN one ELSE other END",
    "total(number) AS CAST(coalesce(sum(number), 0) AS DOUBLE)",
    '"~~"(text, pattern) AS CAST(text AS VARCHAR) ILIKE pattern',
    '"!~~"(text, pattern) AS CAST(text AS VARCHAR) NOT ILIKE pattern',
    "substr(text, start) AS system.main.substr(CAST(text AS VARCHAR), start), "
    "(text, start, count) AS system.main.substr(CAST(text AS VARCHAR), start, count)",
    # Texts that an expression builds are not held by the limit of memory.
    f"repeat(text, times) AS CASE WHEN length(text) * times {_LONG}.repeat(text, times) END",
    f"lpad(text, width, filler) AS CASE WHEN width {_LONG}.lpad(text, width, filler) END",
    f"rpad(text, width, filler) AS CASE WHEN width {_LONG}.rpad(text, width, filler) END",
)
"""What statements for SQLite need, by the names they know."""

_BEGINS = re.compile(r"\W*(?:select|with|from|values)\b", re.IGNORECASE)

Cell = None | int | float | str


@dataclass(frozen=True)
class Column:
    """A column in memory: its SQL type and its values."""

    kind: str
    values: Sequence[Cell] = field(repr=False)


def selected(sql: str, tables: Mapping[str, Sequence[Row]]) -> tuple[list[str], list[Row]]:
    """Names of the columns and the rows of one SELECT over the tables.

    Raises:
        ToolError: it is not one SELECT, it fails, it takes too long, or it makes values of texts; says what
            there is.
    """
    try:
        with _opened(any(isinstance(rows, FileTable) for rows in tables.values())) as (connection, scratch):
            statement, query = _read(connection, sql)
            _load(connection, statement, tables, scratch)
            _refuse_orders(connection, statement)
            with _in_time(connection, SECONDS):
                cursor = connection.execute(query)
                names = unique([plain_name(str(name)) for name, *_ in cursor.description or ()])
                found = cast("list[tuple[object, ...]]", cursor.fetchmany(MOST_ROWS + 1))
    except duckdb.ParserException as error:
        if not _BEGINS.match(sql):
            raise ToolError("only reading is possible here; write one SELECT") from error
        raise ToolError(explained(str(error), tables, SECONDS)) from error
    except duckdb.Error as error:
        raise ToolError(explained(str(error), tables, SECONDS)) from error
    if len(found) > MOST_ROWS:
        raise ToolError(f"over {MOST_ROWS} rows; select less, with WHERE or GROUP BY")
    kept = statement.unchanged({column for rows in tables.values() for column in column_names(rows)})
    exact = [_exact if name.casefold() in kept else _clean for name in names]
    return names, [
        {name: give(value) for name, give, value in zip(names, exact, values, strict=True)}
        for values in found
    ]


def rows_of(table: FileTable) -> Iterator[Row]:
    """All rows of a table in files.

    Raises:
        ToolError: a file changed, or a line of it is broken.
    """
    try:
        with _opened(has_files=True) as (connection, scratch):
            load_file(connection, "rows", table, None, scratch)
            cursor = connection.execute('FROM "rows"')
            while found := cast("list[tuple[object, ...]]", cursor.fetchmany(10_000)):
                for values in found:
                    yield dict(zip(table.description.columns, map(_exact, values), strict=True))
    except duckdb.Error as error:
        raise ToolError(explained(str(error), {}, READING_SECONDS)) from error


@contextlib.contextmanager
def _opened(has_files: bool) -> Generator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """A database in memory, and a folder for what it has no memory for, where it reads files."""
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(contextlib.closing(duckdb.connect(":memory:", config=SETTINGS)))
        # A statement that still runs would be waited for.
        stack.callback(connection.interrupt)
        scratch = (
            Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="swarm-table-")))
            if has_files
            else Path()
        )
        connection.execute("SET temp_directory = ?", [str(scratch / "spill") if has_files else ""])
        yield connection, scratch


def _read(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Statement, str]:
    """The syntax tree of the statement, and the statement as it is run."""
    text = sql.strip().removeprefix("```sql").strip("`").strip().rstrip(";").strip()
    statements = [one for one in duckdb.extract_statements(rewritten(text)) if one.query.strip(" ;\n\t")]
    if len(statements) != 1:
        raise ToolError("sql must be one SELECT; send each statement in its own call")
    if statements[0].type != duckdb.StatementType.SELECT:
        raise ToolError("only reading is possible here; write one SELECT")
    query = statements[0].query
    row = connection.execute("SELECT json_serialize_sql(?)", [query]).fetchone()
    statement = Statement.of(str(row[0]) if row else "{}")
    if statement.tree.get("error"):
        raise ToolError("only a plain SELECT is possible here; write one")
    check_functions(statement.nodes())
    if statement.tries():
        raise ToolError(
            "TRY_CAST leaves out, without a word, what is no number; use CAST, and WHERE for the rows that have numbers"
        )
    return statement, query


def _load(
    connection: duckdb.DuckDBPyConnection,
    statement: Statement,
    tables: Mapping[str, Sequence[Row]],
    scratch: Path,
) -> None:
    """Puts the tables that are used into the database, which from then on can only be read."""
    used, words = statement.tables(), statement.columns()
    for name, rows in tables.items():
        if name.casefold() not in used:
            continue
        if isinstance(rows, FileTable):
            with _in_time(connection, READING_SECONDS):
                load_file(connection, name, rows, words, scratch)
        else:
            _load_rows(connection, name, columns_of(rows))
    called = statement.functions()
    for macro in DIALECT:
        name = macro.partition("(")[0].strip('"')
        if name in called or macro == TIME:
            connection.execute(f"CREATE MACRO {macro}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


@contextlib.contextmanager
def _in_time(connection: duckdb.DuckDBPyConnection, seconds: float) -> Generator[None]:
    timer = threading.Timer(seconds, connection.interrupt)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _load_rows(connection: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, Column]) -> None:
    # A table needs a column; an empty result has none that is known.
    if not columns:
        connection.execute(f'CREATE TABLE {quoted(name)}("(empty)" VARCHAR)')
        return
    parts = ", ".join(f"unnest(?::{column.kind}[]) AS {quoted(key)}" for key, column in columns.items())
    values = [list(column.values) for column in columns.values()]
    connection.execute(f"CREATE TABLE {quoted(name)} AS SELECT {parts}", values)


def columns_of(rows: Sequence[Row]) -> dict[str, Column]:
    """The columns of rows by name. Names that differ only in letter case are one, as they are in SQL.

    Raises:
        ToolError: a row has two values for one name.
    """
    spelled: dict[str, str] = {}
    for row in rows:
        for name in row:
            spelled.setdefault(name.casefold(), name)
    folded = [_folded(row) for row in rows]
    return {name: _column(name, [_cell(row.get(key)) for row in folded]) for key, name in spelled.items()}


def _folded(row: Row) -> Row:
    """The row by names in small letters."""
    found: Row = {}
    for name, value in row.items():
        key = name.casefold()
        if value is not None and found.get(key) is not None:
            raise ToolError(f"a row has two columns called {name[:80]!r} but for letter case; rename one")
        found[key] = found.get(key) if value is None else value
    return found


def _cell(value: JsonValue) -> Cell:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _column(name: str, values: list[Cell]) -> Column:
    """A column with its type: of numbers where all are numbers, or texts that spell them in one way."""
    there = [value for value in values if value is not None]
    texts = [value for value in there if isinstance(value, str)]
    if texts:
        spelling = spelling_of([str(value) for value in there], name)
        if spelling is None:
            return Column("VARCHAR", [None if value is None else _text(value) for value in values])
        values = [None if value is None or value == "" else spelling.read(str(value)) for value in values]
    numbers = [value for value in values if isinstance(value, int | float)]
    if any(isinstance(value, int) and abs(value) >= 10**38 for value in numbers):
        return Column("VARCHAR", [None if value is None else str(value) for value in values])
    if any(isinstance(value, float) for value in numbers):
        return Column("DOUBLE", [None if value is None else float(value) for value in values])
    is_long = any(abs(value) >= 2**63 for value in numbers)
    return Column("HUGEINT" if is_long else "BIGINT" if numbers else "VARCHAR", values)


def _text(value: Cell) -> str:
    return value if isinstance(value, str) else repr(value)


def _refuse_orders(connection: duckdb.DuckDBPyConnection, statement: Statement) -> None:
    """Refuses a statement that puts numbers in the order of letters, where a column holds them as texts.

    Raises:
        ToolError: it does.
    """
    if not statement.is_ordering():
        return
    known = connection.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE data_type = 'VARCHAR' AND NOT internal"
    ).fetchall()
    texts: dict[str, list[str]] = {}
    for table, column in known:
        texts.setdefault(table, []).append(column)
    while column := statement.ordered(texts):
        places = [(table, one) for table, names in texts.items() for one in names if one.casefold() == column]
        for table, one in places or [(t, c) for t, names in texts.items() for c in names]:
            some = f"SELECT DISTINCT {quoted(one)} FROM {quoted(table)} WHERE {quoted(one)} IS NOT NULL LIMIT 20000"
            values = [str(value) for (value,) in connection.execute(some).fetchall()]
            if begins_with_numbers(values):
                raise ToolError(_out_of_order(one, values))
            texts[table].remove(one)


def _out_of_order(column: str, values: Sequence[str]) -> str:
    shown = ", ".join(repr(value[:30]) for value in sorted(values)[:4])
    return (
        f"{column} holds texts ({shown}), which can't be ordered or compared as numbers or dates; "
        "select them without, or make numbers of them with CAST where all are numbers"
    )


def _clean(value: object) -> JsonValue:
    """A computed value without the noise of binary fractions.

    13 digits are what an added-up column is exact to: 12480.499999999998 is 12480.5.
    """
    found = _exact(value)
    return float(f"{found:.13g}") + 0.0 if isinstance(found, float) else found


def _exact(value: object) -> JsonValue:
    """A value as JSON holds it."""
    match value:
        case None | str():
            return value
        case int():
            return int(value)
        case float():
            return value if math.isfinite(value) else None
        case decimal.Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case datetime.datetime():
            return value.isoformat(sep=" ")
        case datetime.date() | datetime.time():
            return value.isoformat()
        case bytes():
            return value.decode("utf-8", "replace")
        case list() | dict() | tuple():
            return json.dumps(value, ensure_ascii=False, default=str)
        case _:
            return str(value)
