"""The rows behind the checkpointer: finding, copying and removing them. Knows nothing of LangGraph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, insert, select

from swarm.store.rows.tables import Channels, Checkpoints, StoreTable, Writes, rows_of, table_of

Typed = tuple[str, bytes]
"""A value as the serializer writes it: its kind and its bytes."""


class Place(NamedTuple):
    """Where the checkpoints of one graph are: its thread, and its namespace within it."""

    thread: str
    ns: str


@dataclass(frozen=True)
class Stored:
    """A checkpoint as it is stored, with what belongs to it."""

    place: Place
    id: str
    parent: str | None
    body: Typed
    channels: Sequence[tuple[str, str, Typed]] = ()
    """Channel, version and value; of the whole place, and so also of other versions."""
    writes: Sequence[tuple[str, str, Typed]] = ()
    """Task, channel and value, in the order they are applied in."""


@dataclass(frozen=True)
class Wanted:
    """Which checkpoints are looked for; None stands for any."""

    thread: str | None
    ns: str | None
    id: str | None
    before: str | None


INTERRUPT = "__interrupt__"
"""Channel of what a graph was interrupted with (``langgraph.types``)."""

Versions = Callable[[Stored], set[tuple[str, str]]]
"""Tells the channel versions that a stored checkpoint holds."""

_checkpoints = table_of(Checkpoints)
_channels = table_of(Channels)
_writes = table_of(Writes)


def find(connection: Connection, place: Place, id: str | None) -> Stored | None:
    """The checkpoint of that id, or the one recorded last."""
    found = _select(connection, Wanted(*place, id=id, before=None), limit=1)
    return _whole(connection, found[0]) if found else None


def search(connection: Connection, wanted: Wanted) -> list[Stored]:
    """The checkpoints that are wanted, the one recorded last first."""
    return [_whole(connection, stored) for stored in _select(connection, wanted)]


def places(connection: Connection, thread: str | None = None) -> list[Place]:
    """The places of a thread, or of all."""
    query = select(_checkpoints.c.thread, _checkpoints.c.ns).distinct()
    if thread is not None:
        query = query.where(_checkpoints.c.thread == thread)
    return [Place(*row) for row in connection.execute(query)]


def count(connection: Connection) -> int:
    """How many checkpoints there are."""
    return connection.execute(select(func.count()).select_from(_checkpoints)).scalar_one()


def delete_thread(connection: Connection, thread: str) -> None:
    """Removes all rows of a thread."""
    for table in (_checkpoints, _channels, _writes):
        connection.execute(delete(table).where(table.c.thread == thread))


def delete_graph_runs(connection: Connection, graph_runs: Sequence[str], versions: Versions) -> None:
    """Removes the checkpoints that these runs of a graph made, and what only they held."""
    mine = _checkpoints.c.graph_run.in_(graph_runs)
    query = select(_checkpoints.c.thread, _checkpoints.c.ns).where(mine).distinct()
    touched = [Place(*row) for row in connection.execute(query)]
    for place in touched:
        _remove(connection, place, mine, versions)


def prune(connection: Connection, place: Place, keep: int, versions: Versions) -> None:
    """Removes all but the last ``keep`` checkpoints of a place, and what only they held."""
    if which := _before_last(connection, place, keep):
        _remove(connection, place, and_(*which), versions)


def thin(connection: Connection, place: Place, keep: int, versions: Versions) -> None:
    """As ``prune``, but the first, those that were interrupted and the ends of forks are kept too."""
    if not (which := _before_last(connection, place, keep)):
        return
    here = _at(_checkpoints, place)
    first = select(func.min(_checkpoints.c.seq)).where(*here).scalar_subquery()
    forked = select(_checkpoints.c.parent).where(
        *here, _checkpoints.c.pinned == 1, _checkpoints.c.parent.is_not(None)
    )
    interrupted = select(_writes.c.checkpoint).where(*_at(_writes, place), _writes.c.channel == INTERRUPT)
    spared = (
        _checkpoints.c.pinned == 0,
        _checkpoints.c.seq > first,
        _checkpoints.c.id.not_in(forked.union(interrupted)),
    )
    _remove(connection, place, and_(*which, *spared), versions)


def _before_last(connection: Connection, place: Place, keep: int) -> tuple[ColumnElement[bool], ...]:
    """Tells the checkpoints before the last ``keep``; nothing when there are no more than these."""
    query = select(_checkpoints.c.seq).where(*_at(_checkpoints, place)).order_by(_checkpoints.c.seq.desc())
    oldest_kept = connection.execute(query.offset(keep - 1).limit(1)).scalar()
    return () if oldest_kept is None else (_checkpoints.c.seq < oldest_kept,)


def copy(connection: Connection, source: str, target: str) -> None:
    """Copies all rows of a thread to another, in their order."""
    for model in (Checkpoints, Channels, Writes):
        _copy_table(connection, model, source, target)


def _copy_table(connection: Connection, model: type[StoreTable], source: str, target: str) -> None:
    table = table_of(model)
    names = [column.name for column in table.columns if column.name != "seq"]
    order = table.c.seq if "seq" in table.c else table.c.thread
    query = select(table).where(table.c.thread == source).order_by(order)
    copies = [
        {**{name: row[name] for name in names}, "thread": target}
        for row in connection.execute(query).mappings()
    ]
    if copies:
        connection.execute(insert(table), copies)


def _select(connection: Connection, wanted: Wanted, limit: int | None = None) -> list[Stored]:
    columns = _checkpoints.c
    query = select(_checkpoints).order_by(columns.seq.desc()).limit(limit)
    for column, value in ((columns.thread, wanted.thread), (columns.ns, wanted.ns), (columns.id, wanted.id)):
        if value is not None:
            query = query.where(column == value)
    if wanted.before is not None:
        bound = select(columns.seq).where(columns.id == wanted.before)
        if wanted.thread is not None:
            bound = bound.where(columns.thread == wanted.thread)
        query = query.where(columns.seq < bound.scalar_subquery())
    return [
        Stored(Place(row["thread"], row["ns"]), row["id"], row["parent"], (row["kind"], row["body"]))
        for row in rows_of(connection, Checkpoints, query)
    ]


def _whole(connection: Connection, stored: Stored) -> Stored:
    channels = select(_channels).where(*_at(_channels, stored.place))
    # The order that writes_sort_key of langgraph.checkpoint.base asks for.
    writes = (
        select(_writes)
        .where(*_at(_writes, stored.place), _writes.c.checkpoint == stored.id)
        .order_by(_writes.c.path, _writes.c.task, _writes.c.position)
    )
    return Stored(
        stored.place,
        stored.id,
        stored.parent,
        stored.body,
        [
            (row["channel"], row["version"], (row["kind"], row["value"]))
            for row in rows_of(connection, Channels, channels)
        ],
        [
            (row["task"], row["channel"], (row["kind"], row["value"]))
            for row in rows_of(connection, Writes, writes)
        ],
    )


def _remove(connection: Connection, place: Place, which: ColumnElement[bool], versions: Versions) -> None:
    """Removes checkpoints of a place, their writes, and the channel values that no other one holds.

    Writes of a checkpoint that is not there yet stay: LangGraph records both at once.
    """
    gone = (*_at(_checkpoints, place), which)
    ids = list(connection.execute(select(_checkpoints.c.id).where(*gone)).scalars())
    connection.execute(delete(_writes).where(*_at(_writes, place), _writes.c.checkpoint.in_(ids)))
    connection.execute(delete(_checkpoints).where(*gone))
    names = select(_channels.c.channel, _channels.c.version).where(*_at(_channels, place))
    there = {(channel, version) for channel, version in connection.execute(names)}
    if there:
        kept = _select(connection, Wanted(*place, id=None, before=None))
        for channel, version in there - {held for stored in kept for held in versions(stored)}:
            one = (_channels.c.channel == channel, _channels.c.version == version)
            connection.execute(delete(_channels).where(*_at(_channels, place), *one))


def _at(table: Table, place: Place) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return table.c.thread == place.thread, table.c.ns == place.ns
