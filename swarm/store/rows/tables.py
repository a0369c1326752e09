"""The tables of a run's file and the statements that fill them.

A column of text that is JSON (``body``, ``asked``, ``call``, ``result``) holds it as ``blobs`` packs it.

Statements are compiled once from the tables and then run as plain SQL: an insert that goes through
SQLAlchemy's expression layer each time costs ten times as much (250 against 23 microseconds, measured).
"""

# No `from __future__ import annotations` here: SQLModel reads the annotations at run time.
import sqlite3
from collections.abc import Callable, Sequence
from functools import cache

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Index,
    RowMapping,
    Select,
    Table,
    UniqueConstraint,
    literal_column,
)
from sqlalchemy.dialects.sqlite import dialect, insert
from sqlalchemy.orm import registry
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlmodel import Field, SQLModel

from swarm.store.file import runfile
from swarm.store.file.runfile import Row
from swarm.store.file.sums import expression, with_checksum
from swarm.store.rows import blobs

Making = Callable[[sqlite3.Connection], Row]
Insert = tuple[str, Row | Making]
"""A statement and its row, or what makes the row (called in the writer's thread, on its connection)."""

_CLUSTERED = {"sqlite_with_rowid": False}
"""For narrow rows only: such a table keeps a quarter of a page of a row in place and gives the rest
whole pages (39 MB against 16 MB for replies and calls of 300 sub-agents, measured)."""


class StoreTable(SQLModel, registry=registry()):
    """What all tables share: a catalogue of their own, apart from tables of other programs.

    A table's name is its class's in small letters.
    """


class Runs(StoreTable, table=True):
    """The run itself: one row."""

    id: str = Field(primary_key=True)
    record: str
    """``RunRecord`` as JSON, or the name of a blob."""
    epoch: int = 0
    """Counts the owners the run has had; a writer of an older epoch is refused."""


class Events(StoreTable, table=True):
    """One event of the stream."""

    seq: int = Field(primary_key=True)
    body: str


class Replies(StoreTable, table=True):
    """A model's reply to one turn of a thread, and what was new in the question."""

    thread: str = Field(primary_key=True)
    turn: int = Field(primary_key=True)
    digest: str
    """``Request.digest()`` of the question."""
    body: str
    kept: int
    """How many leading messages of the question are those of the turn before."""
    asked: str
    """The messages after those, as a JSON list; empty where the question was not given. Where some were
    kept it is compressed with the turn before as its context."""
    at: float
    prefilled_tokens: int
    cached_tokens: int
    written_tokens: int
    model_calls: int
    model_seconds: float


class Calls(StoreTable, table=True):
    """A tool call: what it is, how far it came, and its result once there is one."""

    thread: str = Field(primary_key=True)
    turn: int = Field(primary_key=True)
    position: int = Field(primary_key=True)
    """Index of the call within its turn."""
    call: str = ""
    effect: str = ""
    intended_at: float | None = None
    result: str = ""
    ended_at: float | None = None
    state: str
    """``CallState``."""
    pin: str = ""
    """Which version of the tool it went to: no part of the key, so a new version hides no call."""
    before: str = ""
    """``Reading`` of what a verifiable call would change, as JSON; taken before it left."""
    sent_at: float | None = None


class Questions(StoreTable, table=True):
    """A call in doubt that a person must decide about, and the decision."""

    number: int = Field(primary_key=True)
    """Counts the questions of a run from 1."""
    thread: str
    turn: int
    position: int
    evidence: str
    asked_at: float
    decision: str = ""
    """``Decision``; empty while there is none."""
    note: str = ""
    answered_at: float | None = None


class Results(StoreTable, table=True):
    """What one sub-agent gave."""

    thread: str = Field(primary_key=True)
    body: str


class Steps(StoreTable, table=True):
    """What a step gave, all its items together."""

    step: str = Field(primary_key=True)
    body: str


class Blobs(StoreTable, table=True):
    """A large text, compressed, under the SHA-256 of what it was."""

    hash: str = Field(primary_key=True)
    data: bytes


class Texts(StoreTable, table=True):
    """A text that was put under a short handle."""

    handle: str = Field(primary_key=True)
    hash: str


class Checkpoints(StoreTable, table=True):
    """A LangGraph checkpoint, in the order of recording."""

    __table_args__ = (UniqueConstraint("thread", "ns", "id"), Index("checkpoints_of_graph_run", "graph_run"))
    seq: int | None = Field(default=None, primary_key=True)
    thread: str
    ns: str
    id: str
    parent: str | None
    graph_run: str | None
    """``run_id`` of its metadata."""
    kind: str
    body: bytes
    """Checkpoint and metadata, as the serializer writes them."""
    pinned: int = 0
    """1 for what no loop made (an input, an update, a fork): it and its parent are kept."""


class Channels(StoreTable, table=True):
    """The value of one version of one channel, stored once for all checkpoints that hold it."""

    thread: str = Field(primary_key=True)
    ns: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    kind: str
    value: bytes


class Writes(StoreTable, table=True):
    """What a task of a graph wrote after a checkpoint."""

    __table_args__ = _CLUSTERED
    thread: str = Field(primary_key=True)
    ns: str = Field(primary_key=True)
    checkpoint: str = Field(primary_key=True)
    task: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    path: str
    channel: str
    kind: str
    value: bytes


def table_of(model: type[StoreTable]) -> Table:
    """The table a model stands for."""
    return StoreTable.metadata.tables[model.__name__.lower()]


@cache
def definitions() -> tuple[str, ...]:
    """The statements that make all tables, with checksums, and their indexes."""
    made: list[str] = []
    for table in StoreTable.metadata.sorted_tables:
        columns = [column.name for column in table.columns]
        made.append(with_checksum(str(CreateTable(table).compile(dialect=dialect())), columns))
        made += [str(CreateIndex(index).compile(dialect=dialect())) for index in table.indexes]
    return tuple(made)


def rows_of(
    connection: Connection, model: type[StoreTable], query: Select[*tuple[object, ...]]
) -> Sequence[RowMapping]:
    """The rows of a table that a query gives, each as it was written.

    Raises:
        sqlite3.DatabaseError: a checksum does not hold.
    """
    rows = connection.execute(query.add_columns(_whole(table_of(model).name))).mappings().all()
    for row in rows:
        if not row["whole"]:
            raise runfile.damaged(f"a row of {table_of(model).name}")
    return rows


@cache
def _whole(table: str) -> ColumnElement[bool]:
    columns = [column.name for column in StoreTable.metadata.tables[table].columns]
    return literal_column(f"checksum IS {expression(columns)}", Boolean).label("whole")


def packed(body: str) -> tuple[blobs.Packed, tuple[Insert, ...]]:
    """What stands in a row for a text, and the rows to put beside it."""
    name, blob = blobs.pack(body)
    return name, () if blob is None else ((ADD_BLOB, blob),)


def _upsert(model: type[StoreTable], *columns: str, update: tuple[str, ...] = (), key: str = "") -> str:
    table = table_of(model)
    names = columns or tuple(column.name for column in table.columns)
    statement = insert(table).values(dict.fromkeys(names))
    keys = key.split() or [column.name for column in table.primary_key]
    if update:
        changes = {name: statement.excluded[name] for name in update}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=changes)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    return str(statement.compile(dialect=dialect(paramstyle="named")))


SAVE_RUN = _upsert(Runs, "id", "record", "epoch", update=("record",))
ADD_EVENT = _upsert(Events)
ADD_REPLY = _upsert(Replies)
_INTENT = ("thread", "turn", "position", "call", "effect", "intended_at", "state", "pin", "before", "result")
# In one transaction these may come in any order: only what is said last may set the state.
ADD_INTENT = _upsert(Calls, *_INTENT, update=("call", "effect", "intended_at", "pin", "before"))
MARK_SENT = _upsert(Calls, *_INTENT, "sent_at", update=("effect", "pin", "before", "state", "sent_at"))
ADD_TOOL_RESULT = _upsert(Calls, *_INTENT, "ended_at", update=("result", "ended_at", "state"))
SET_STATE = "UPDATE calls SET state = :state WHERE thread = :thread AND turn = :turn AND position = :position"
ADD_QUESTION = _upsert(Questions)
SAVE_DECISION = (
    "UPDATE questions SET decision = :decision, note = :note, answered_at = :answered_at"
    " WHERE number = :number"
)
SAVE_RESULT = _upsert(Results, update=("body",))
SAVE_STEP = _upsert(Steps, update=("body",))
ADD_BLOB = _upsert(Blobs)
ADD_TEXT = _upsert(Texts)
SAVE_CHECKPOINT = _upsert(
    Checkpoints,
    *("thread", "ns", "id", "parent", "graph_run", "kind", "body", "pinned"),
    update=("parent", "graph_run", "kind", "body", "pinned"),
    key="thread ns id",
)
SAVE_CHANNEL = _upsert(Channels, update=("kind", "value"))
ADD_WRITE = _upsert(Writes)
SAVE_WRITE = _upsert(Writes, update=("path", "channel", "kind", "value"))
THIN_CHECKPOINTS = (
    "DELETE FROM checkpoints WHERE thread = :thread AND pinned = 0"
    " AND seq < (SELECT max(seq) FROM checkpoints WHERE thread = :thread)"
)
"""For a thread that has ended: the journal has its result, and its graph never runs again."""
THIN_WRITES = (
    "DELETE FROM writes WHERE thread = :thread"
    " AND checkpoint NOT IN (SELECT id FROM checkpoints WHERE thread = :thread)"
)
