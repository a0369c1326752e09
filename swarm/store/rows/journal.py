"""The journal of a run: every reply, result and event as a row, and who may write them."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import JsonValue, TypeAdapter
from sqlalchemy import Connection

from swarm.clock.steady import steady_clock
from swarm.errors import StoreError
from swarm.nouns.events import Event, Notice
from swarm.nouns.limits import Limits, Usage
from swarm.nouns.messages import Message, Reply, Request
from swarm.nouns.plan import Plan, Thread
from swarm.nouns.result import Result
from swarm.store.file import runfile
from swarm.store.file.owner import Ownership, lease, make_folder
from swarm.store.rows import blobs, database
from swarm.store.rows.bodies import context_of, text_in, texts_in
from swarm.store.rows.index import Index, read_index
from swarm.store.rows.ledger import Ledger
from swarm.store.rows.records import RunRecord, RunStatus
from swarm.store.rows.tables import (
    ADD_BLOB,
    ADD_EVENT,
    ADD_REPLY,
    ADD_TEXT,
    SAVE_RESULT,
    SAVE_RUN,
    SAVE_STEP,
    THIN_CHECKPOINTS,
    THIN_WRITES,
    Insert,
    packed,
)
from swarm.store.rows.writer import Writer, driver_of

if TYPE_CHECKING:
    from swarm.store.rows.checkpoints import Saver

_MESSAGES = TypeAdapter(tuple[Message, ...])

ModelT = TypeVar("ModelT", Reply, Result)


class Journal:
    """The rows of one run. Open it with ``Journal.open``; one process owns it at a time.

    What a ``save`` method wrote is durable when it returns. Every method raises ``StoreError`` when
    the file fails, and so does each later one.
    """

    def __init__(self, writer: Writer, index: Index, clock: Callable[[], float], held: Ownership) -> None:
        self._writer = writer
        self._index = index
        self._lease = held
        self.clock = clock
        """Seconds since 1970, as its rows have them."""
        self.ledger = Ledger(writer, index, clock)
        """The tool calls of the run."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        path: Path,
        *,
        record: RunRecord | None = None,
        clock: Callable[[], float] | None = None,
        held: Ownership | None = None,
    ) -> AsyncGenerator[Journal]:
        """The journal in the file ``path``: a new one for ``record``, else the one that is there.

        ``clock`` gives seconds since 1970; ``held`` is the run's lease, where the caller has it already.

        Raises:
            RunBusy: another live process owns the run.
            StoreError: a file is there for a new run, or none for an old one; it is damaged, no
                run's, or written by a newer version; the disk does not take it.
        """
        if record is None:
            runfile.must_exist(path)
        else:
            _make_room(path)
        with lease(path) if held is None else nullcontext(held) as held:
            connect = partial(database.open_existing if record is None else database.create, path)
            async with Writer.open(path, connect) as writer:
                index = await writer.do(partial(_begin, writer, held, record))
                journal = cls(writer, index, clock or steady_clock(), held)
                for remark in await writer.do(database.remarks_on):
                    journal.note(Notice(text=remark))
                yield journal

    @property
    def run(self) -> RunRecord:
        """The run as it is recorded now."""
        return self._index.record

    @cached_property
    def saver(self) -> Saver:
        """LangGraph's checkpointer on the same file and writer; its thread id is ``str(thread)``."""
        return saver_on(self._writer, self._index.checkpointed)

    def check_owner(self) -> None:
        """Nothing, as long as the run is this process's; asked right before a call leaves.

        Raises:
            RunBusy: another process took the run over.
        """
        self._lease.check()

    def beating_with(self) -> AbstractContextManager[Callable[[], None]]:
        """Gives what the work calls as it comes round: the owner's only sign of life meanwhile."""
        return self._lease.beating_with()

    @property
    def transactions(self) -> int:
        """How many transactions were committed since it was opened."""
        return self._writer.transactions

    async def save_run(
        self,
        *,
        plan: Plan | None = None,
        status: RunStatus | None = None,
        limits: Limits | None = None,
        settings: dict[str, JsonValue] | None = None,
        places: tuple[str, str] | None = None,
    ) -> RunRecord:
        """Changes what is given of the run's record, and gives the record; ``places`` are its project
        and workspace."""
        given: dict[str, object] = {"plan": plan, "status": status, "limits": limits, "settings": settings}
        given["project"], given["workspace"] = places or (None, None)
        changes = {name: value for name, value in given.items() if value is not None}
        self._index.record = self._index.record.model_copy(update=changes)
        await self._writer.write(*_run_rows(self._index.record))
        return self._index.record

    def note(self, event: Event) -> Event:
        """Records an event and gives it with its place and time.

        It returns at once: the event is durable before any later write is, and within a moment.
        """
        self._index.last_event += 1
        noted = event.model_copy(update={"seq": self._index.last_event, "at": self.clock()})
        body, extra = packed(noted.model_dump_json())
        self._writer.post(*extra, (ADD_EVENT, {"seq": noted.seq, "body": body}))
        return noted

    async def events(self, after: int = 0, most: int = -1) -> list[str]:
        """The events after that place in the stream as JSON, in order; at ``most`` so many of them."""

        def read(connection: Connection) -> list[str]:
            rest = "WHERE seq > ? ORDER BY seq LIMIT ?"
            return texts_in(driver_of(connection), "events", rest=rest, values=(after, most))

        return await self._writer.do(read)

    async def reply(self, thread: Thread, turn: int) -> Reply | None:
        """The recorded reply to a turn, or None when there is none yet. It is found by its place: what a turn
        was asked may read otherwise now, as its tools, its card or a limit changed since (see ``question``)."""
        key = str(thread)
        if (key, turn) not in self._index.replies:
            return None
        return await self._read(Reply, "replies", thread=key, turn=turn)

    def question(self, thread: Thread, turn: int) -> str | None:
        """The digest of the question whose reply is recorded for a turn, or None when there is none."""
        return self._index.replies.get((str(thread), turn))

    def turns(self, thread: Thread) -> int:
        """The last turn of a thread up to which all replies are recorded; 0 for none."""
        key, turn = str(thread), 0
        while (key, turn + 1) in self._index.replies:
            turn += 1
        return turn

    async def note_reply(
        self, thread: Thread, turn: int, digest: str, reply: Reply, request: Request | None = None
    ) -> None:
        """Records the reply to a turn and what was new in its question, as ``note`` does: whatever the
        reply leads to is written after it.

        A reply that is recorded already stays as it is.
        """
        key = str(thread)
        if (key, turn) in self._index.replies:
            return
        kept, new = self._index.new_messages(key, request) if request else (0, ())
        question = _MESSAGES.dump_json(new).decode() if request else ""
        asked, asked_blob = packed(question) if not kept else ("", ())
        body, body_blob = packed(reply.model_dump_json())
        usage = _usage_of(reply)
        self._index.replies[key, turn] = digest
        self._index.usage += usage
        row: runfile.Row = {
            "thread": key,
            "turn": turn,
            "digest": digest,
            "body": body,
            "kept": kept,
            "asked": asked,
            "at": self.clock(),
            "prefilled_tokens": usage.prefilled_tokens,
            "cached_tokens": usage.cached_tokens,
            "written_tokens": usage.written_tokens,
            "model_calls": usage.model_calls,
            "model_seconds": usage.model_seconds,
        }
        whole = partial(_with_question, row, key, turn, question) if kept else row
        self._writer.post(*asked_blob, *body_blob, (ADD_REPLY, whole))

    async def flush(self) -> None:
        """Returns once all that was noted is durable."""
        await self._writer.write()

    def note_result(self, thread: Thread, result: Result) -> None:
        """Records what a sub-agent gave, as ``note`` does: the replies it follows from stand before it."""
        key = str(thread)
        body, extra = packed(result.model_dump_json())
        self._index.results.add(key)
        self._index.forget_question(key)
        self._writer.post(
            *extra,
            (SAVE_RESULT, {"thread": key, "body": body}),
            (THIN_CHECKPOINTS, {"thread": key}),
            (THIN_WRITES, {"thread": key}),
        )

    async def result(self, thread: Thread) -> Result | None:
        """What the sub-agent gave, or None while it has not ended."""
        key = str(thread)
        if key not in self._index.results:
            return None
        return await self._read(Result, "results", thread=key)

    def note_step(self, step: str, result: Result) -> None:
        """Records what a step gave, all its items together, as ``note`` does."""
        body, extra = packed(result.model_dump_json())
        self._writer.post(*extra, (SAVE_STEP, {"step": step, "body": body}))

    async def steps(self) -> dict[str, Result]:
        """What each ended step gave, in the order of their ends."""

        def read(connection: Connection) -> dict[str, str]:
            driver = driver_of(connection)
            names = driver.execute("SELECT step FROM steps ORDER BY rowid").fetchall()
            texts = texts_in(driver, "steps", rest="ORDER BY rowid")
            return {step: body for (step,), body in zip(names, texts, strict=True)}

        return {
            step: Result.model_validate_json(body) for step, body in (await self._writer.do(read)).items()
        }

    async def usage(self) -> Usage:
        """What the recorded replies and tool results cost together."""
        return self._index.usage + Usage(tool_calls=self._index.settled_calls)

    async def put_text(self, text: str) -> str:
        """Keeps a text and gives its handle, such as ``t-3f9a1c2b``; one text has one handle."""
        hash, blob = blobs.blob_of(text)
        handle = blobs.handle_for(hash, self._index.handles)
        if handle not in self._index.handles:
            self._index.handles[handle] = hash
            await self._writer.write((ADD_BLOB, blob), (ADD_TEXT, {"handle": handle, "hash": hash}))
        return handle

    async def _read(self, model: type[ModelT], table: str, **key: runfile.SqlValue) -> ModelT:
        def read(connection: Connection) -> str:
            return text_in(driver_of(connection), table, "body", **key)

        return model.model_validate_json(await self._writer.do(read))


def _make_room(path: Path) -> None:
    if path.exists():
        raise StoreError(f"{path}: a run is there already; resume it, or start one under another id")
    try:
        make_folder(path.parent)
    except OSError as error:
        raise StoreError(f"{path.parent}: {error.strerror}; make the project's folder writable") from error


def saver_on(writer: Writer, checkpointed: set[str]) -> Saver:
    """LangGraph's checkpointer on a writer; ``checkpointed`` are the threads that have checkpoints."""
    # Read by langgraph when it is imported: without it, a row of a checkpoint may name any function
    # to be called when it is read.
    os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"
    # What it says of each class that it makes no object of: docs/graphs.md says it once.
    logging.getLogger("langgraph.checkpoint.serde.jsonplus").setLevel(logging.ERROR)
    from swarm.store.rows.checkpoints import Saver

    return Saver(writer, checkpointed)


def _begin(writer: Writer, held: Ownership, record: RunRecord | None, connection: Connection) -> Index:
    """Takes the file over, in its first transaction."""
    if record is not None:
        for statement, row in _run_rows(record):
            driver = driver_of(connection)
            driver.execute(statement, row(driver) if callable(row) else row)
    epoch = database.take_epoch(connection)
    # Asked with the file locked: whoever lost the lease while it froze must end no epoch but its own.
    held.check()
    held.note_epoch(epoch)
    writer.guard(database.in_epoch(epoch))
    body = text_in(driver_of(connection), "runs", "record")
    return read_index(connection, RunRecord.model_validate_json(body))


def _run_rows(record: RunRecord) -> tuple[Insert, ...]:
    body, extra = packed(record.model_dump_json())
    return *extra, (SAVE_RUN, {"id": record.id, "record": body, "epoch": 0})


def _with_question(
    row: runfile.Row, thread: str, turn: int, question: str, driver: sqlite3.Connection
) -> runfile.Row:
    return row | {"asked": blobs.compress_in(context_of(driver, thread, turn), question)}


def _usage_of(reply: Reply) -> Usage:
    """What the reply took; a reply is one model call at least, and its tools are counted by their results."""
    usage = reply.usage
    own = usage.model_copy(update={"model_calls": max(1, usage.model_calls), "tool_calls": 0})
    return own + reply.counted
