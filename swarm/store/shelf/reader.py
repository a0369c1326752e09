"""Reading a run's file from another process, while its owner writes or after it died.

Only SQLite from the standard library, and read-only: a reader never checkpoints the owner's log and
loads nothing heavy.
"""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path

from pydantic import TypeAdapter

from swarm.errors import StoreError
from swarm.nouns.events import EVENT, Event
from swarm.nouns.messages import Message, Reply
from swarm.nouns.result import Result
from swarm.nouns.tool import CallState, ToolCall, ToolResult
from swarm.store.file.inspection import reading
from swarm.store.rows.bodies import context_of, kept_text, text_of, texts_in
from swarm.store.rows.doubts import questions
from swarm.store.rows.records import CallRecord, Question, RunRecord, ThreadRecord, TurnRecord, thread_of

_Only = tuple[str, dict[str, str]]
"""A condition in SQL, and its values."""
_MESSAGES = TypeAdapter(tuple[Message, ...])


def read_run(path: Path) -> RunRecord:
    """The run's record.

    Raises:
        StoreError: no such file, or it is damaged, no run's, or newer than this program.
    """
    with reading(path, "runs") as connection:
        row = connection.execute("SELECT record FROM runs").fetchone()
        if row is None:
            raise StoreError(f"{path}: it holds no run: its creation was cut short; remove it")
        return RunRecord.model_validate_json(text_of(connection, row["record"]))


def read_events(path: Path, after: int = 0) -> list[Event]:
    """The events after that place in the stream, in order.

    Raises:
        StoreError: as for ``read_run``.
    """
    with reading(path, *(() if after else ("events",))) as connection:
        texts = texts_in(connection, "events", rest="WHERE seq > ? ORDER BY seq", values=(after,))
        return [EVENT.validate_json(text) for text in texts]


def read_steps(path: Path) -> dict[str, Result]:
    """What each ended step gave, in the order of their ends.

    Raises:
        StoreError: as for ``read_run``.
    """
    with reading(path, "steps") as connection:
        rows = connection.execute("SELECT step, body FROM steps ORDER BY rowid")
        return {row["step"]: Result.model_validate_json(text_of(connection, row["body"])) for row in rows}


def read_threads(path: Path, step: str | None = None) -> list[ThreadRecord]:
    """What each sub-agent did, or each of one step: its turns, tool calls and result, in the order of their
    first turns.

    Raises:
        StoreError: as for ``read_run``.
    """
    with reading(path, "replies", "calls", "results") as connection:
        whole, part = ("", "") if step is None else (f"/{step}/", f"/{step}~")
        only = "WHERE instr(thread, :whole) OR instr(thread, :part)", {"whole": whole, "part": part}
        turns = _turns(connection, only)
        calls = _calls(connection, only)
        rows = connection.execute(f"SELECT thread, body FROM results {only[0]} ORDER BY rowid", only[1])
        results = {
            row["thread"]: Result.model_validate_json(text_of(connection, row["body"])) for row in rows
        }
    return [
        ThreadRecord(
            thread=thread_of(key),
            turns=tuple(turns.get(key, ())),
            calls=tuple(calls.get(key, ())),
            result=results.get(key),
        )
        for key in {**turns, **calls, **results}
    ]


def count_calls(path: Path) -> dict[CallState, int]:
    """How many tool calls came how far.

    Raises:
        StoreError: as for ``read_run``.
    """
    query = "SELECT state, count(*) FROM calls NOT INDEXED GROUP BY state ORDER BY min(rowid)"
    with reading(path, "calls") as connection:
        return dict(map(tuple, connection.execute(query)))


def read_questions(path: Path) -> list[Question]:
    """The calls in doubt that a person had to decide about, those decided too, in their order.

    Raises:
        StoreError: as for ``read_run``.
    """
    with reading(path, "calls", "questions") as connection:
        return questions(connection)


def read_text(path: Path, handle: str) -> str:
    """The text behind a handle.

    Raises:
        StoreError: no text has it; else as for ``read_run``.
    """
    with reading(path, "texts") as connection:
        row = connection.execute("SELECT hash FROM texts NOT INDEXED WHERE handle = ?", (handle,)).fetchone()
        if row is None:
            raise StoreError(f"no text has the handle {handle!r} in run {path.stem!r}")
        return kept_text(connection, row["hash"])


def _turns(connection: sqlite3.Connection, only: _Only) -> dict[str, list[TurnRecord]]:
    turns: dict[str, list[TurnRecord]] = {}
    for row in connection.execute(f"SELECT * FROM replies {only[0]} ORDER BY rowid", only[1]):
        asked = text_of(
            connection,
            row["asked"],
            partial(context_of, connection, row["thread"], row["turn"]),
        )
        record = TurnRecord(
            turn=row["turn"],
            at=row["at"],
            kept=row["kept"],
            asked=_MESSAGES.validate_json(asked) if asked else (),
            reply=Reply.model_validate_json(text_of(connection, row["body"])),
        )
        turns.setdefault(row["thread"], []).append(record)
    return turns


def _calls(connection: sqlite3.Connection, only: _Only) -> dict[str, list[CallRecord]]:
    calls: dict[str, list[CallRecord]] = {}
    query = f"SELECT * FROM calls NOT INDEXED {only[0]} ORDER BY thread, turn, position"
    for row in connection.execute(query, only[1]):
        call, result = text_of(connection, row["call"]), text_of(connection, row["result"])
        record = CallRecord(
            turn=row["turn"],
            index=row["position"],
            call=ToolCall.model_validate_json(call) if call else None,
            effect=row["effect"] or None,
            result=ToolResult.model_validate_json(result) if result else None,
            intended_at=row["intended_at"],
            ended_at=row["ended_at"],
            state=row["state"],
            pin=row["pin"],
            sent_at=row["sent_at"],
        )
        calls.setdefault(row["thread"], []).append(record)
    return calls
