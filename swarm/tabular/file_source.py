"""Files with separated cells as a table of DuckDB: just the columns that are used, each with one type.

The types are those that the first rows show. Every cell is held against them while it is read; where
one does not fit, all of its column is looked at, and the table is made again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import duckdb

from swarm.errors import ToolError
from swarm.tabular import delimited
from swarm.tabular.encoding import encoding_of, scanned
from swarm.tabular.explain import broken_line
from swarm.tabular.file_table import FileTable
from swarm.tabular.names import quoted
from swarm.tabular.spelling import Spelling, candidates, condition, spelling_of

_BAD = re.compile(r"column (\d+) is of another type")


@dataclass(frozen=True)
class _Part:
    """One file, ready to be read by DuckDB."""

    name: str
    path: Path
    separator: str
    skipped: int
    width: int
    sample: tuple[tuple[str, ...], ...]
    rows: int | None
    """How many rows it must have; None where its lines do not tell."""

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
    parts = [_prepared(path, scratch / f"{number}.csv") for number, path in enumerate(table.paths())]
    plain = [column for column in table.description.columns if column != table.description.mark]
    used = [n for n, column in enumerate(plain) if words is None or column.casefold() in words] or [0]
    spelled = _first_guess(connection, parts, plain, used)
    for _ in range(len(used) + 1):
        try:
            _make(connection, name, table, parts, {n: (plain[n], spelled[n]) for n in used})
            break
        except duckdb.Error as error:
            bad = _BAD.search(str(error))
            if bad is None:
                raise ToolError(f"{_guilty(parts, str(error))}: {broken_line(str(error))}") from error
            column = int(bad[1])
            spelled[column] = _of_whole(connection, parts, column, plain[column])
    _check_counts(connection, name, parts)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _prepared(path: Path, copy: Path) -> _Part:
    """The file itself, or a copy as UTF-8 with even line ends."""
    try:
        dialect = delimited.sniffed(path)
        scan = scanned(path) if dialect.encoding in ("utf-8", "utf-8-sig") else None
        width, separator, skipped = len(dialect.header), dialect.separator, dialect.skipped
        if scan is None or not (scan.is_utf8 and scan.is_even) or scan.has_hollow or width == 1:
            name = encoding_of(path)
            if name != dialect.encoding:
                dialect = delimited.Dialect(name, separator, skipped, dialect.header, dialect.sample, False)
            delimited.rewritten(path, dialect, copy)
            scan, path, separator, skipped = scanned(copy), copy, ",", 0
    except (ToolError, OSError) as error:
        reason = str(error) if isinstance(error, ToolError) else f"it can't be read ({error.strerror})"
        raise ToolError(f"{path.name}: {reason}") from error
    rows = None if scan.is_quoted else scan.lines - skipped - 1
    return _Part(path.stem, path, separator, skipped, width, dialect.sample, rows)


def _first_guess(
    connection: duckdb.DuckDBPyConnection, parts: Sequence[_Part], plain: Sequence[str], used: Sequence[int]
) -> dict[int, Spelling | None]:
    """The spelling of each column by the first rows; a column that they do not tell is looked at whole."""
    found: dict[int, Spelling | None] = {}
    for n in used:
        cells = [row[n] for part in parts for row in part.sample]
        found[n] = spelling_of(cells, plain[n])
        if found[n] is None and _may_be_numbers(cells):
            found[n] = _of_whole(connection, parts, n, plain[n])
    return found


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
    parts: Sequence[_Part],
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
    return (
        f"CASE WHEN {cell} IS NULL THEN NULL WHEN {condition(spelling, cell)} THEN {spelling.sql(cell)} "
        f"ELSE error('column {n} is of another type') END"
    )


def _of_whole(
    connection: duckdb.DuckDBPyConnection, parts: Sequence[_Part], n: int, name: str
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
        f"bool_and({condition(one, 'cell')}), bool_or(regexp_full_match(cell, {_literal(one.shown or '.*')}))"
        for one in tried
    )
    row = connection.execute(f"SELECT {parted} FROM ({source}) WHERE cell IS NOT NULL").fetchone() or ()
    for number, spelling in enumerate(tried):
        if row[number * 2] and row[number * 2 + 1]:
            return spelling
    return None


def _guilty(parts: Sequence[_Part], reason: str) -> str:
    """The file that an error of DuckDB speaks of."""
    return next((part.path.name for part in parts if str(part.path) in reason), parts[0].path.name)


def _check_counts(connection: duckdb.DuckDBPyConnection, name: str, parts: Sequence[_Part]) -> None:
    """Holds the number of rows against that of the lines: a reader that lost some must not go on.

    Raises:
        ToolError: they differ.
    """
    if any(part.rows is None for part in parts):
        return
    row = connection.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()
    rows, lines = int(row[0]) if row else 0, sum(part.rows or 0 for part in parts)
    if rows > lines or (rows < lines and rows + _blank_lines(parts) != lines):
        raise ToolError(
            f"{parts[0].path.name}: {lines:,} lines were read as {rows:,} rows; save it anew as .csv"
        )


def _blank_lines(parts: Sequence[_Part]) -> int:
    """Lines without anything behind the line of names."""
    count = 0
    for part in parts:
        with part.path.open("rb") as file:
            for number, line in enumerate(file):
                count += number > part.skipped and not line.strip()
    return count
