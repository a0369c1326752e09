"""The ledger of tool calls: what each is, how far it came, and what a person decided of those in doubt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from sqlalchemy import ColumnElement, Connection, and_, func, select

from swarm.errors import ProjectError, StoreError
from swarm.nouns.commands import Decision
from swarm.nouns.tool import SETTLED, CallState, Reading, ToolCall, ToolResult
from swarm.store.file import runfile
from swarm.store.rows import tables
from swarm.store.rows.bodies import text_in, text_of
from swarm.store.rows.doubts import questions
from swarm.store.rows.index import CallKey, Index
from swarm.store.rows.records import LedgerEntry, Question
from swarm.store.rows.tables import Calls, Insert, packed, rows_of, table_of
from swarm.store.rows.writer import Writer, driver_of


class Ledger:
    """The tool calls of one run, by thread, turn and index. It is a journal's ``ledger``.

    Every method raises ``StoreError`` when the run's file fails.
    """

    def __init__(self, writer: Writer, index: Index, clock: Callable[[], float]) -> None:
        self._writer = writer
        self._index = index
        self._clock = clock
        self.waiting: dict[int, asyncio.Event] = {}
        """Set when a question is decided, by its number; put there by whoever waits."""

    def state(self, key: CallKey) -> CallState | None:
        """How far a call came; None where it was never recorded."""
        return self._index.calls.get(key)

    async def result(self, key: CallKey) -> ToolResult | None:
        """What the call gave, or None when that was never recorded."""
        if self.state(key) not in SETTLED:
            return None
        row = _row_key(key)
        body = await self._writer.do(lambda it: text_in(driver_of(it), "calls", "result", **row))
        return ToolResult.model_validate_json(body)

    async def entry(self, key: CallKey, call: ToolCall) -> LedgerEntry | None:
        """The call as it was recorded before it left, or None when it was not.

        Raises:
            StoreError: another call is recorded there.
        """
        if self.state(key) is None:
            return None
        recorded = await self._writer.do(partial(_entry, key=key))
        if recorded is None:
            raise runfile.damaged(f"call {'/'.join(map(str, key))}")
        if recorded.call != call:
            raise StoreError(
                f"call {key[2]} in turn {key[1]} of {key[0]!r} is recorded as {recorded.call.tool!r} with "
                f"other arguments, now {call.tool!r}; start the task again"
            )
        return recorded

    async def called(self, key: CallKey) -> ToolCall | None:
        """The call that is recorded at a place, or None where none is."""
        recorded = None if self.state(key) is None else await self._writer.do(partial(_entry, key=key))
        return recorded.call if recorded else None

    async def left_of(self, run: str, step: str) -> list[tuple[CallKey, LedgerEntry]]:
        """The calls that left and did not fail, of all attempts at a step and its items; without what is done
        for it by code."""
        begins = f"{run}/{step}/"
        threads = {thread for thread, _, _ in self._index.calls if thread.startswith(begins)}
        threads = {thread for thread in threads if not thread.endswith("/0")}
        return await self._left_in(sorted(threads)) if threads else []

    async def left(self, key: CallKey) -> list[tuple[CallKey, LedgerEntry]]:
        """The calls that left and did not fail, of this attempt and of those before it, in their order.

        Nothing, without a query, for a first attempt in which no call was given up.
        """
        thread, turn, _ = key
        states = (self._index.calls.get((thread, earlier, 0)) for earlier in range(turn))
        if thread.endswith(("/0", "/1")) and "abandoned" not in states:
            return []
        place, _, attempt = thread.rpartition("/")
        numbers = range(min(1, int(attempt)), int(attempt) + 1)
        return await self._left_in([f"{place}/{number}" for number in numbers])

    async def left_of_graphs(
        self, run: str, step: str, item: str, attempt: int
    ) -> list[tuple[CallKey, LedgerEntry]]:
        """The calls that left and did not fail, of the graphs of this attempt at an item and of those before it."""
        begins = f"{run}/{step}~g"
        threads = {thread for thread, _, _ in self._index.calls if thread.startswith(begins)}
        meant = [
            one
            for one in sorted(threads)
            if (place := one.split("/"))[2] == item and int(place[3]) <= attempt
        ]
        return await self._left_in(meant) if meant else []

    async def _left_in(self, threads: list[str]) -> list[tuple[CallKey, LedgerEntry]]:
        calls = table_of(Calls).c
        is_done = calls.state.not_in(("intent", "failed"))
        which = and_(calls.thread.in_(threads), calls.call != "", is_done)
        return await self._writer.do(partial(_entries, which=which))

    def intend(self, key: CallKey, entry: LedgerEntry) -> None:
        """Records that a tool is about to be called. It need not be durable: see ``leave``."""
        if self.state(key) in (None, "intent"):
            self._index.calls[key] = "intent"
            self._writer.post(*self._intent(key, tables.ADD_INTENT, entry, "intent"))

    async def leave(self, key: CallKey, entry: LedgerEntry) -> None:
        """Records that the call leaves; it does so only after this returned: it is durable then."""
        row = self._intent(key, tables.MARK_SENT, entry, "sent", sent_at=self._clock())
        self._index.calls[key] = "sent"
        await self._writer.write(*row)

    async def settle(self, key: CallKey, result: ToolResult, state: CallState | None = None) -> None:
        """Records what a call gave; ``state`` where that is not told by the result."""
        settled: CallState = state or ("failed" if result.is_error and not result.took_effect else "done")
        body, extra = packed(result.model_dump_json())
        self._index.calls[key] = settled
        row = _row_key(key) | _NO_INTENT | {"result": body, "ended_at": self._clock(), "state": settled}
        await self._writer.write(*extra, (tables.ADD_TOOL_RESULT, row))

    async def ask(self, key: CallKey, evidence: str) -> Question:
        """Records that a person must decide about the call; gives the question, the same where it is open."""
        known = await self.question_of(key)
        if self.state(key) == "in-doubt" and known is not None and known.is_open:
            return known
        self._index.last_question += 1
        number = self._index.last_question
        self._index.calls[key] = "in-doubt"
        row = _row_key(key) | {"number": number, "evidence": evidence, "asked_at": self._clock()}
        await self._writer.write(
            (tables.SET_STATE, _row_key(key) | {"state": "in-doubt"}),
            (tables.ADD_QUESTION, row | {"decision": "", "note": "", "answered_at": None}),
        )
        return await self.question(number)

    async def decide(self, number: int, decision: Decision, note: str = "") -> Question:
        """Records what a person decided, and wakes whoever waits for it.

        Raises:
            ProjectError: there is no such question, or it is decided already.
        """
        question = await self.question(number)
        if question.decision is not None:
            raise ProjectError(f"question {number} is decided already: {question.decision}")
        row: runfile.Row = {"number": number, "decision": decision, "note": note}
        await self._writer.write((tables.SAVE_DECISION, row | {"answered_at": self._clock()}))
        if number in self.waiting:
            self.waiting[number].set()
        return await self.question(number)

    async def question(self, number: int) -> Question:
        """The question of that number.

        Raises:
            ProjectError: there is none.
        """
        for question in await self.questions():
            if question.number == number:
                return question
        raise ProjectError(f"there is no question {number}; `swarm questions` lists those there are")

    async def question_of(self, key: CallKey) -> Question | None:
        """The last question about a call, or None when there was none."""
        found = [one for one in await self.questions() if (one.thread, one.turn, one.index) == key]
        return found[-1] if found else None

    async def questions(self) -> list[Question]:
        """All questions, in the order they came up."""

        return await self._writer.do(lambda connection: questions(driver_of(connection)))

    def _intent(
        self, key: CallKey, statement: str, entry: LedgerEntry, state: CallState, **more: float
    ) -> tuple[Insert, ...]:
        body, extra = packed(entry.call.model_dump_json())
        row = _row_key(key) | {
            "call": body,
            "effect": entry.effect,
            "intended_at": self._clock(),
            "state": state,
            "pin": entry.pin,
            "before": entry.before.model_dump_json() if entry.before else "",
            "result": "",
            **more,
        }
        return *extra, (statement, row)


_NO_INTENT: runfile.Row = {"call": "", "effect": "", "intended_at": None, "pin": "", "before": ""}
"""What stands in a row whose result came without an intent."""


def _row_key(key: CallKey) -> runfile.Row:
    return {"thread": key[0], "turn": key[1], "position": key[2]}


def _entry(connection: Connection, key: CallKey) -> LedgerEntry | None:
    """The call of that place; None where only its result was recorded."""
    calls = table_of(Calls).c
    is_there = and_(calls.thread == key[0], calls.turn == key[1], calls.position == key[2])
    return next((entry for _, entry in _entries(connection, and_(is_there, calls.call != ""))), None)


def _entries(connection: Connection, which: ColumnElement[bool]) -> list[tuple[CallKey, LedgerEntry]]:
    """The calls that a condition is true of, by attempt, turn and index."""
    calls = table_of(Calls).c
    order = func.length(calls.thread), calls.thread, calls.turn, calls.position
    found: list[tuple[CallKey, LedgerEntry]] = []
    for row in rows_of(connection, Calls, select(*calls).where(which).order_by(*order)):
        entry = LedgerEntry(
            call=ToolCall.model_validate_json(text_of(driver_of(connection), row["call"])),
            effect=row["effect"],
            state=row["state"],
            pin=row["pin"],
            before=Reading.model_validate_json(row["before"]) if row["before"] else None,
            sent_at=row["sent_at"],
        )
        found.append(((row["thread"], row["turn"], row["position"]), entry))
    return found
