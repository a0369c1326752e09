"""Files with separated cells as a table of DuckDB: just the columns that are used, each with one type.

The types are those that the first rows show. Every cell is held against them while it is read; where
one does not fit, all of its column is looked at, and the table is made again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import duckdb

from swarm.errors import ToolError
from swarm.tabular import delimited
from swarm.tabular.encoding import ByteScan, encoding_of, scanned
from swarm.tabular.explain import broken_line
from swarm.tabular.file_table import FileTable
from swarm.tabular.names import quoted
from swarm.tabular.number_spelling import (
    MOST_DIGITS,
    Spelling,
    agreed,
    candidates,
    condition,
    pattern,
    spelling_of,
)

_BAD = re.compile(r"column (\d+) is of another type")


@dataclass(frozen=True)
class _ReadyFile:
    """One file, ready to be read by DuckDB."""

    name: str
    path: Path
    separator: str
    skipped: int
    width: int
    dialect: delimited.Dialect
    scan: Future[ByteScan] | None
    """A look at all of its bytes, made while DuckDB reads them; None where each line was read already."""

    def scanned(self) -> ByteScan | None:
        """What the look at its bytes showed.

        Raises:
            ToolError: it holds bytes of no text.
        """
        try:
            return self.scan.result() if self.scan else None
        except (ToolError, OSError) as error:
            raise _told(self.path, error) from error

    def rows(self) -> int | None:
        """How many rows it must have; None where its lines do not tell."""
        scan = self.scanned()
        return None if scan is None or scan.is_quoted else scan.lines - self.skipped - 1

    def sql(self) -> str:
        """A table function that gives its cells as texts, ``c0``, ``c1``, …."""
        columns = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(self.width))
        separator = self.separator.replace("'", "''")
        return (
            f"read_csv({_literal(str(self.path))}, auto_detect = false, header = true, delim = '{separator}', "
            f"quote = '\"', escape = '\"', skip = {self.skipped}, columns = {{{columns}}})"
        )


def load_file(
    connection: duckdb.DuckDBPyConnection, name: str, table: FileTable, words: set[str] | None, scratch: Path
) -> None:
    """Makes a table of DuckDB of those columns of the files that ``words`` name, of all where it is None.

    Raises:
        ToolError: a file changed or is no table; says which, where and why.
    """
    paths = table.paths()
    known = table.dialects or (None,) * len(paths)
    with ThreadPoolExecutor(1, "table-scan") as pool:
        parts = [_prepared(path, scratch / f"{n}.csv", known[n], pool) for n, path in enumerate(paths)]
        if not _is_read(connection, name, table, parts, words):
            # Lines without cells, line ends of two kinds, or another encoding further down: read one by one.
            parts = [
                part if part.path != path else _rewritten(path, scratch / f"{n}.csv", part.dialect)
                for n, (part, path) in enumerate(zip(parts, paths, strict=True))
            ]
            try:
                _read(connection, name, table, parts, words)
            except duckdb.Error as error:
                raise ToolError(f"{_guilty(parts, str(error))}: {broken_line(str(error))}") from error


def _is_read(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    table: FileTable,
    parts: Sequence[_ReadyFile],
    words: set[str] | None,
) -> bool:
    """Whether DuckDB reads the files as they are."""
    try:
        _read(connection, name, table, parts, words)
        is_text = all(scan.is_utf8 for part in parts if (scan := part.scanned()))
        return is_text and not _has_empty_rows(connection, name, table)
    except duckdb.Error as error:
        if "INTERRUPT" in str(error):
            raise
        return False


def _has_empty_rows(connection: duckdb.DuckDBPyConnection, name: str, table: FileTable) -> bool:
    """Whether a row has nothing in all columns that were read: its line may hold separators alone."""
    found = connection.execute("SELECT column_name FROM (DESCRIBE " + quoted(name) + ")").fetchall()
    columns = [str(column) for (column,) in found if column != table.description.mark]
    empty = " AND ".join(f"{quoted(column)} IS NULL" for column in columns)
    return connection.execute(f"SELECT 1 FROM {quoted(name)} WHERE {empty} LIMIT 1").fetchone() is not None


def _read(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    table: FileTable,
    parts: Sequence[_ReadyFile],
    words: set[str] | None,
) -> None:
    """Reads the columns, with the types that fit all of their cells."""
    plain = [column for column in table.description.columns if column != table.description.mark]
    used = [n for n, column in enumerate(plain) if words is None or column.casefold() in words] or [0]
    spelled = _first_guess(connection, parts, plain, used)
    for _ in range(len(used) + 1):
        try:
            _make(connection, name, table, parts, {n: (plain[n], spelled[n]) for n in used})
            _check_counts(connection, name, parts)
            return
        except duckdb.Error as error:
            bad = _BAD.search(str(error))
            if bad is None:
                raise
            column = int(bad[1])
            spelled[column] = _of_whole(connection, parts, column, plain[column])
    raise ToolError(f"{parts[0].name}: the types of its columns can't be told; save it anew as .csv")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _prepared(
    path: Path, copy: Path, known: delimited.Dialect | None, pool: ThreadPoolExecutor
) -> _ReadyFile:
    """The file itself, or a copy as UTF-8 where it is written otherwise, or has lines without cells."""
    try:
        dialect = known or delimited.sniffed(path)
        width = len(dialect.header)
        if dialect.encoding not in ("utf-8", "utf-8-sig") or dialect.has_bare_returns or width == 1:
            return _rewritten(path, copy, dialect)
    except (ToolError, OSError) as error:
        raise _told(path, error) from error
    scan = pool.submit(scanned, path)
    return _ReadyFile(path.name, path, dialect.separator, dialect.skipped, width, dialect, scan)


def _rewritten(path: Path, copy: Path, dialect: delimited.Dialect) -> _ReadyFile:
    """A copy of the file, every line of it read and checked one by one."""
    try:
        exact = replace(dialect, encoding=encoding_of(path))
        delimited.rewritten(path, exact, copy)
    except (ToolError, OSError) as error:
        raise _told(path, error) from error
    return _ReadyFile(path.name, copy, ",", 0, len(dialect.header), exact, None)


def _told(path: Path, error: ToolError | OSError) -> ToolError:
    reason = str(error) if isinstance(error, ToolError) else f"it can't be read ({error.strerror})"
    return ToolError(f"{path.name}: {reason}")


def _first_guess(
    connection: duckdb.DuckDBPyConnection,
    parts: Sequence[_ReadyFile],
    plain: Sequence[str],
    used: Sequence[int],
) -> dict[int, Spelling | None]:
    """The spelling of each column by the first rows; a column that they do not tell is looked at whole."""
    cells = {n: [row[n] for part in parts for row in part.dialect.sample] for n in range(len(plain))}
    # All columns are looked at: one that is not used may show how the file spells fractions.
    found = agreed({n: spelling_of(cells[n], plain[n]) for n in cells}, cells)
    for n in used:
        if found[n] is None and _may_be_numbers(cells[n]):
            found[n] = _of_whole(connection, parts, n, plain[n])
    return {n: found[n] for n in used}


def _may_be_numbers(cells: Sequence[str]) -> bool:
    """Whether the cells are none, or could be numbers if others showed how they are spelled."""
    return all(
        re.fullmatch(r"[-+]?\d[\d.,'\u2019\u00a0\u202f ]*(?:[eE][-+]?\d+)?", cell) for cell in cells if cell
    )


def _cell(n: int) -> str:
    return f"nullif(trim(c{n}), '')"


def _make(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    table: FileTable,
    parts: Sequence[_ReadyFile],
    columns: Mapping[int, tuple[str, Spelling | None]],
) -> None:
    selected = ", ".join(
        f"{_typed(n, spelling)} AS {quoted(column)}" for n, (column, spelling) in columns.items()
    )
    mark = table.description.mark
    files = [PurePosixPath(file.path).stem for file in table.description.files]
    marks = [f"{_literal(file)} AS {quoted(mark)}, " if mark else "" for file in files]
    sources = [f"SELECT {one}{selected} FROM {part.sql()}" for one, part in zip(marks, parts, strict=True)]
    connection.execute(f"CREATE OR REPLACE TABLE {quoted(name)} AS {' UNION ALL '.join(sources)}")


def _typed(n: int, spelling: Spelling | None) -> str:
    cell = _cell(n)
    if spelling is None:
        return cell
    exact = spelling.exact_sql(f"c{n}")
    plain = f"length(c{n}) <= {MOST_DIGITS} AND {pattern(spelling, f'c{n}')}"
    quick = (
        f"WHEN CAST({exact} AS VARCHAR) = c{n} THEN CAST({exact} AS {spelling.kind})"
        if exact
        else f"WHEN {plain} THEN {spelling.sql(f'c{n}')}"
    )
    return (
        f"CASE {quick} WHEN {cell} IS NULL THEN NULL "
        f"WHEN {condition(spelling, cell)} THEN {spelling.sql(cell)} "
        f"ELSE error('column {n} is of another type') END"
    )


def _of_whole(
    connection: duckdb.DuckDBPyConnection, parts: Sequence[_ReadyFile], n: int, name: str
) -> Spelling | None:
    """The spelling of a column by all of its cells."""
    source = " UNION ALL ".join(f"SELECT {_cell(n)} AS cell FROM {part.sql()}" for part in parts)
    fraction = "length(cell) - position('.' IN cell)"
    told = connection.execute(
        f"SELECT min({fraction}), max({fraction}), any_value(cell) FILTER (cell LIKE '%.%0') "
        f"FROM ({source}) WHERE contains(cell, '.')"
    ).fetchone()
    least, most, zero = told or (None, None, None)
    examples = [f"0.{'1' * int(digits)}" for digits in (least, most) if digits] + (
        [str(zero)] if zero else []
    )
    tried = candidates(examples if least == most else examples[:2] + examples[2:], name)
    parted = ", ".join(
        f"bool_and(coalesce({condition(one, 'cell')}, false)), bool_or(regexp_full_match(cell, {_literal(one.shown or '.*')}))"
        for one in tried
    )
    row = connection.execute(f"SELECT {parted} FROM ({source}) WHERE cell IS NOT NULL").fetchone() or ()
    for number, spelling in enumerate(tried):
        if row[number * 2] and row[number * 2 + 1]:
            return spelling
    return None


def _guilty(parts: Sequence[_ReadyFile], reason: str) -> str:
    """The file that an error of DuckDB speaks of."""
    return next((part.name for part in parts if str(part.path) in reason), parts[0].name)


def _check_counts(connection: duckdb.DuckDBPyConnection, name: str, parts: Sequence[_ReadyFile]) -> None:
    """Holds the number of rows against that of the lines: a reader that lost some must not go on.

    Raises:
        ToolError: they differ.
    """
    told = [part.rows() for part in parts]
    if None in told:
        return
    row = connection.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()
    rows, lines = int(row[0]) if row else 0, sum(count or 0 for count in told)
    if rows > lines or (rows < lines and rows + _blank_lines(parts) != lines):
        raise ToolError(f"{parts[0].name}: {lines:,} lines were read as {rows:,} rows; save it anew as .csv")


def _blank_lines(parts: Sequence[_ReadyFile]) -> int:
    """Lines without anything behind the line of names."""
    count = 0
    for part in parts:
        with part.path.open("rb") as file:
            for number, line in enumerate(file):
                count += number > part.skipped and not line.strip()
    return count
