"""Reading and writing the texts of rows, which stand in the row or in a blob beside it."""

from __future__ import annotations

from functools import partial

from sqlalchemy import ColumnElement, Connection, select

from swarm.store import blobs, runfile
from swarm.store.runfile import Row
from swarm.store.tables import ADD_BLOB, Blobs, Insert, StoreTable, rows_of, table_of


def packed(body: str) -> tuple[blobs.Packed, tuple[Insert, ...]]:
    """What stands in the row, and the rows to put beside it."""
    name, blob = blobs.pack(body)
    return name, () if blob is None else ((ADD_BLOB, blob),)


def unpacked(connection: Connection, body: blobs.Packed) -> str:
    """The text that a row holds or names."""
    return blobs.unpack(body, partial(blob_data, connection))


def blob_data(connection: Connection, hash: str) -> bytes:
    """The data of the blob of that hash.

    Raises:
        sqlite3.DatabaseError: it is not there, or damaged.
    """
    table = table_of(Blobs)
    rows = rows_of(connection, Blobs, select(table.c.data).where(table.c.hash == hash))
    if not rows:
        raise runfile.damaged(f"text {hash!r}")
    data: bytes = rows[0]["data"]
    return data


def read_body(connection: Connection, *, table: type[StoreTable], key: Row, column: str = "body") -> str:
    """The text in a column of the row that has these values.

    Raises:
        sqlite3.DatabaseError: it is not there, or damaged.
    """
    columns = table_of(table).c
    wanted: list[ColumnElement[bool]] = [columns[name] == value for name, value in key.items()]
    rows = rows_of(connection, table, select(columns[column]).where(*wanted))
    if not rows:
        raise runfile.damaged(f"row {'/'.join(map(str, key.values()))} of {table_of(table).name}")
    return unpacked(connection, rows[0][column])
