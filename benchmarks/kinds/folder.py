"""The folder of a task: how it is written, and what became of the files in it."""

from __future__ import annotations

import csv
import hashlib
import io
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

IGNORED = {".swarm", "__pycache__", ".git"}


def write_files(files: Mapping[str, str | bytes], folder: Path) -> None:
    """Writes the files of a task into a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def paths_of(folder: Path) -> list[str]:
    """The files of a folder, as paths with slashes, but for what programs keep for themselves."""
    paths = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return sorted(path.as_posix() for path in paths if not IGNORED & set(path.parts))


def snapshot(folder: Path) -> dict[str, str]:
    """A fingerprint of each file; that of a database is of what it holds."""
    return {name: _fingerprint(folder / name) for name in paths_of(folder)}


def _fingerprint(path: Path) -> str:
    content = path.read_bytes()
    if content.startswith(b"SQLite format 3\0"):
        content = "\n".join(_dump(path)).encode()
    return hashlib.sha256(content).hexdigest()


def _dump(path: Path) -> list[str]:
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            return list(connection.iterdump())
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        return [f"damaged: {error}", path.read_bytes().hex()]


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]], separator: str = ",") -> str:
    """A table as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def database(script: str, tables: Mapping[str, Iterable[Sequence[object]]]) -> bytes:
    """An SQLite file: what the script makes, and rows for its tables."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.executescript(script)
        for table, rows in tables.items():
            for row in rows:
                connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
        connection.commit()
        return connection.serialize()
    finally:
        connection.close()


def rows_of(path: Path, query: str) -> list[tuple[object, ...]]:
    """What a query finds in an SQLite file."""
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        return [tuple(row) for row in connection.execute(query)]
    finally:
        connection.close()
