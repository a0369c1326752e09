"""Copying the beginning of a run's journal into a new run's file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, RowMapping, bindparam, delete, func, insert, literal, select, update

from swarm.errors import StoreError
from swarm.nouns.events import (
    AgentEnded,
    AgentEvent,
    Event,
    ModelAsked,
    ModelReplied,
    Notice,
    StepEnded,
    ToolCalled,
)
from swarm.store.file import runfile
from swarm.store.file.owner import lease
from swarm.store.rows import database
from swarm.store.rows.records import RunRecord
from swarm.store.rows.tables import (
    Calls,
    Channels,
    Checkpoints,
    Events,
    Questions,
    Replies,
    Results,
    Runs,
    Steps,
    StoreTable,
    Writes,
    table_of,
)
from swarm.store.rows.writer import Writer

Turn = tuple[str, int]
"""A thread without its run, and a turn of it."""


_PLACE = ("thread", "turn", "position")


@dataclass(frozen=True)
class Prefix:
    """What of a run's journal was there at one of its events."""

    event: int
    """The last event that is part of it."""
    at: float
    """When that one was recorded."""
    replies: frozenset[Turn]
    calls: dict[Turn, int]
    """How many calls of a turn had left."""
    results: frozenset[str]
    steps: frozenset[str]


def prefix_of(events: Iterable[Event], last: int) -> Prefix:
    """What was recorded up to the event number ``last``; order is that of the events, no clock's.

    A reply that no event tells of, because its process was killed right then, came with its question;
    a call comes with its result when it had left.
    """
    asked, replied, told = set[Turn](), set[Turn](), set[Turn]()
    calls: dict[Turn, int] = {}
    results, steps = set[str](), set[str]()
    at = 0.0
    for event in events:
        if isinstance(event, ModelReplied):
            told.add((place_of(event), event.turn))
        if event.seq > last:
            if isinstance(event, StepEnded):
                steps.discard(event.step)  # the row tells of the later end: this one is found again
            continue
        at = event.at
        match event:
            case ModelAsked():
                asked.add((place_of(event), event.turn))
            case ModelReplied():
                replied.add((place_of(event), event.turn))
            case ToolCalled():
                turn = place_of(event), event.turn
                calls[turn] = calls.get(turn, 0) + 1
            case AgentEnded():
                results.add(place_of(event))
            case StepEnded():
                steps.add(event.step)
            case _:
                pass
    kept = frozenset(replied | (asked - told))
    return Prefix(last, at, kept, calls, frozenset(results), frozenset(steps))


def place_of(event: AgentEvent) -> str:
    """The thread of an event, without its run."""
    step = f"{event.step}~{event.part}" if event.part else event.step
    return f"{step}/{'-' if event.item is None else event.item}/{event.attempt}"


async def copy_prefix(source: Path, target: Path, prefix: Prefix, record: RunRecord, note: str) -> None:
    """Makes the new run's file ``target`` for ``record``, with what ``prefix`` names of the run in ``source``.

    ``note`` becomes its last event. The file appears whole or not at all. Checkpoints are not copied:
    the journal is what a resume reads.

    Raises:
        StoreError: a file cannot be read or written.
    """
    part = target.with_suffix(".fork")
    with lease(target):
        try:
            runfile.copy_file(source, part)
            async with Writer.open(part, partial(database.open_existing, part)) as writer:
                await writer.do(partial(_cut, prefix=prefix, record=record, note=note))
            part.rename(target)
        except OSError as error:
            raise StoreError(f"{target}: {error.strerror}; make room and fork again") from error
        finally:
            for left in target.parent.glob(f"{part.name}*"):
                left.unlink(missing_ok=True)


def _cut(connection: Connection, *, prefix: Prefix, record: RunRecord, note: str) -> None:
    """Leaves the prefix in the file, under the id of the new run."""
    runs = table_of(Runs)
    old: str = connection.execute(select(runs.c.id)).scalar_one()
    start = len(old) + 1

    def turn(row: RowMapping) -> Turn:
        return row["thread"][start:], row["turn"]

    for model in (Checkpoints, Channels, Writes):
        connection.execute(delete(table_of(model)))
    _keep(connection, Replies, lambda row: turn(row) in prefix.replies)
    before = _before(connection)
    _keep(connection, Questions, lambda row: before[_place(row)] < prefix.calls.get(turn(row), 0))
    _keep(connection, Calls, lambda row: before[_place(row)] < prefix.calls.get(turn(row), 0))
    _keep(connection, Results, lambda row: row["thread"][start:] in prefix.results)
    _keep(connection, Steps, lambda row: row["step"] in prefix.steps)
    _keep(connection, Events, lambda row: row["seq"] <= prefix.event)
    last = Notice(seq=prefix.event + 1, at=prefix.at, text=note)
    connection.execute(insert(table_of(Events)).values(seq=last.seq, body=last.model_dump_json()))
    rename(connection, record)
    connection.execute(update(runs).values(epoch=0))


def _before(connection: Connection) -> Counter[tuple[object, ...]]:
    """By the place of a call, how many calls its turn had before it: places between may be empty."""
    calls = table_of(Calls)
    order = select(*(calls.c[name] for name in _PLACE)).order_by(*(calls.c[name] for name in _PLACE))
    counted, before = Counter[tuple[object, ...]](), Counter[tuple[object, ...]]()
    for row in connection.execute(order).mappings():
        before[_place(row)] = counted[_place(row)[:2]]
        counted[_place(row)[:2]] += 1
    return before


def _place(row: RowMapping) -> tuple[object, ...]:
    return tuple(row[name] for name in _PLACE)


def rename(connection: Connection, record: RunRecord) -> None:
    """Makes the run of a file that of a record, whose id the keys of its threads begin with from then on."""
    runs = table_of(Runs)
    old: str = connection.execute(select(runs.c.id)).scalar_one()
    for table in StoreTable.metadata.tables.values():
        if "thread" in table.c:
            moved = literal(record.id) + func.substr(table.c.thread, len(old) + 1)
            connection.execute(update(table).values(thread=moved))
    # A server knows the other run's key for such a call: under a new one it would take effect twice.
    calls = table_of(Calls)
    unsure = calls.c.state.in_(("sent", "in-doubt")) & (calls.c.effect == "keyed")
    connection.execute(update(calls).where(unsure).values(effect="irreversible"))
    # Plain, however long it is: the run packs it when it begins.
    connection.execute(update(runs).values(id=record.id, record=record.model_dump_json()))


def _keep(connection: Connection, model: type[StoreTable], wanted: Callable[[RowMapping], bool]) -> None:
    """Removes the rows of a table whose keys and places are not wanted."""
    table = table_of(model)
    keys = list(table.primary_key)
    told = [column for column in table.c if column.primary_key or column.name in _PLACE]
    gone = [row for row in connection.execute(select(*told)).mappings() if not wanted(row)]
    if gone:
        same = [key == bindparam(f"its_{key.name}") for key in keys]
        rows = [{f"its_{key.name}": row[key.name] for key in keys} for row in gone]
        connection.execute(delete(table).where(*same), rows)
