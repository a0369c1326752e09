"""Rows of a DuckDB database file, which is only read."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import duckdb

from swarm.errors import ToolError


def duck_rows(path: Path, sql: str) -> tuple[list[str], list[tuple[object, ...]]]:
    """Names of the columns and the rows of one statement.

    Raises:
        ToolError: the file can't be read, or the statement fails.
    """
    try:
        with closing(duckdb.connect(str(path), read_only=True)) as connection:
            cursor = connection.execute(sql)
            return [str(name) for name, *_ in cursor.description or ()], cursor.fetchall()
    except duckdb.Error as error:
        raise ToolError(f"{path.name} can't be read: {str(error).splitlines()[0]}") from error
