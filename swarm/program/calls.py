"""What a program asks of the run: readers for its texts, and tools."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from pydantic import JsonValue

from swarm.agent.assignment import Assignment
from swarm.errors import ProjectError, ServerError, SwarmError
from swarm.nouns.card import AgentCard
from swarm.nouns.plan import Step
from swarm.nouns.prompt import fill
from swarm.nouns.result import Result
from swarm.nouns.tool import Tool, ToolCall
from swarm.planner.draft import table_schema
from swarm.program.dialogue import CallRefused
from swarm.program.program_process import Wishes
from swarm.work.context import At, Work
from swarm.work.effects import act

Delegate = Callable[[Assignment], Awaitable[Result]]
"""What a sub-agent makes of an assignment."""

READER = "reader"
MOST_CHARACTERS = 6_000
"""Of a text that one reader is given; a longer one is read in parts."""
MOST_COLUMNS = 12
READERS_A_TEXT, FREE_READERS = 2, 20
"""That a candidate may ask for each text of the workspace, and beside: for parts of long ones."""
KINDS = {"number": "number", "float": "number", "int": "number", "integer": "number", "date": "date"}


class Readers:
    """The sub-agents that read texts for the programs of one assignment; the same question is asked once."""

    def __init__(self, assignment: Assignment, delegate: Delegate) -> None:
        self.assignment = assignment
        self._delegate = delegate
        self._locks: dict[str, asyncio.Lock] = {}

    async def rows(self, text: str, columns: Sequence[str]) -> tuple[list[JsonValue], list[str]]:
        """The rows that are found in a text, and what is doubtful about them.

        Raises:
            CallRefused: a reader failed.
        """
        named = [_column(column) for column in columns]
        brief = fill("reader_rows", columns=", ".join(column.partition(":")[0] for column in named))
        found: list[JsonValue] = []
        doubts: list[str] = []
        async with asyncio.TaskGroup() as group:
            parts = [group.create_task(self._read(part, brief, named)) for part in _parts(text)]
        for part in parts:
            result = part.result()
            if not result.is_usable:
                raise CallRefused(f"extract failed: {result.reason}")
            found += result.data if isinstance(result.data, list) else []
            doubts += [result.reason] if result.reason else []
        return found, doubts

    async def answer(self, text: str, question: str) -> tuple[JsonValue, list[str]]:
        """What is answered about a text, and what is doubtful about it.

        Raises:
            CallRefused: the reader failed, or the text is too long for one.
        """
        if len(text) > MOST_CHARACTERS:
            raise CallRefused(
                f"ask() reads at most {MOST_CHARACTERS:,} characters, and this text has {len(text):,}; give a part"
            )
        result = await self._read(text, fill("reader_answer", question=question), [])
        if not result.is_usable:
            raise CallRefused(f"ask failed: {result.reason}")
        return result.data, [result.reason] if result.reason else []

    async def _read(self, text: str, brief: str, columns: Sequence[str]) -> Result:
        digest = hashlib.sha256(json.dumps([text, brief, [*columns]]).encode()).hexdigest()[:12]
        result = Result.failed("")
        # Whoever asks the same meanwhile waits, and then finds the result recorded.
        async with self._locks.setdefault(digest, asyncio.Lock()):
            # What an earlier attempt at the step was told is not asked again, unless that failed.
            for attempt in range(1, self.assignment.thread.attempt + 1):
                result = await self._delegate(self._for(digest, text, brief, columns, attempt))
                if result.is_usable:
                    break
        return result

    def _for(self, digest: str, text: str, brief: str, columns: Sequence[str], attempt: int) -> Assignment:
        own = self.assignment
        step = Step(
            id=own.step.id,
            agent=READER,
            brief=brief.replace("{item}", "item"),
            expects=table_schema(columns) if columns else None,
        )
        thread = own.thread.model_copy(update={"part": digest, "attempt": attempt})
        card = AgentCard(name=READER, description="reads", instructions=fill("reader"))
        return replace(own, step=step, card=card, thread=thread, earlier={}, item=None, failure="", text=text)


class ProgramCalls:
    """Answers the calls of one run of one program."""

    def __init__(self, work: Work, at: At, card: AgentCard, readers: Readers, *, acts: bool) -> None:
        self.wishes = Wishes()
        self.doubts: list[str] = []
        self._work = work
        self._at = at
        self._card = card
        self._readers = readers
        self._acts = acts
        """Whether calls with an effect are made at once, and not once the program is chosen."""
        self.waited_seconds = 0.0
        """How long any of its calls was under way."""
        self._pending = 0
        self._since = 0.0
        self._asked = 0
        """Readers that were asked for."""
        self._recorded: list[ToolCall] | None = None
        self._taken: set[int] = set()
        self._placing = asyncio.Lock()

    async def serve(self, call: dict[str, JsonValue]) -> JsonValue:
        """The answer to one call.

        Raises:
            CallRefused: it can't be answered; says why.
        """
        self._since = self._since if self._pending else time.perf_counter()
        self._pending += 1
        try:
            return await self._served(call)
        finally:
            self._pending -= 1
            if not self._pending:
                self.waited_seconds += time.perf_counter() - self._since

    async def _served(self, call: dict[str, JsonValue]) -> JsonValue:
        match call.get("call"):
            case "extract":
                columns = call.get("columns")
                named = [str(one) for one in columns] if isinstance(columns, list) else []
                self._refuse_many(str(call.get("text")))
                if not 0 < len(named) <= MOST_COLUMNS:
                    raise CallRefused(f"extract() takes 1 to {MOST_COLUMNS} columns, not {len(named)}")
                return self._noted(await self._readers.rows(str(call.get("text")), named))
            case "ask":
                self._refuse_many(str(call.get("text")))
                return self._noted(
                    await self._readers.answer(str(call.get("text")), str(call.get("question")))
                )
            case "tool":
                args = call.get("args")
                return await self._tool(str(call.get("tool")), args if isinstance(args, dict) else {})
            case other:
                raise CallRefused(f"there is no function {other!r}")

    def _refuse_many(self, text: str) -> None:
        """Keeps a program that a model wrote from having each line read by a sub-agent, for hours.

        Raises:
            CallRefused: it has asked for more readers than there are texts for.
        """
        self._asked += len(_parts(text))
        most = READERS_A_TEXT * len(self._readers.assignment.survey.text_paths) + FREE_READERS
        if not self._acts and self._asked > most:
            raise CallRefused(
                f"over {most} readers for {len(self._readers.assignment.survey.text_paths)} texts: give each text as a "
                "whole, and take lines of one form apart yourself, or ask the table of them with sql()"
            )

    def _noted(self, found: tuple[JsonValue, list[str]] | tuple[list[JsonValue], list[str]]) -> JsonValue:
        self.doubts += found[1]
        return found[0]

    async def _tool(self, name: str, args: dict[str, JsonValue]) -> JsonValue:
        tool = await self._found(name)
        if tool.effect != "pure" and not self._acts:
            self.wishes.calls.append(ToolCall(tool=tool.full_name, args=args))
            return None
        at = await self._place(ToolCall(tool=tool.full_name, args=args))
        try:
            result = await act(self._work, at, tool, dict(args), {})
        except SwarmError as error:
            if not isinstance(error, ProjectError | ServerError):
                raise
            raise CallRefused(f"{name}: {error}") from error
        if result.is_error:
            raise CallRefused(f"{name}: {result.text}")
        return result.text if result.data is None else result.data

    async def _place(self, call: ToolCall) -> At:
        """Where a call is recorded: calls that a program makes side by side come in any order, so that a resume
        finds each by what it is."""
        async with self._placing:
            if self._recorded is None:
                self._recorded = []
                while known := await self._work.journal.ledger.called(self._of(len(self._recorded)).call):
                    self._recorded.append(known)
            same = (at for at, one in enumerate(self._recorded) if one == call and at not in self._taken)
            at = next(same, len(self._recorded))
            if at == len(self._recorded):
                self._recorded.append(call)
            self._taken.add(at)
        return self._of(at)

    def _of(self, number: int) -> At:
        # The run of the program itself stands at index 0.
        return replace(self._at, index=number + 1)

    async def _found(self, name: str) -> Tool:
        """The tool of that name among those of the card; a name without its server where one has it.

        Raises:
            CallRefused: there is none; names those there are.
        """
        try:
            tools = await self._work.box.tools(self._card.tools)
        except (ProjectError, ServerError) as error:
            raise CallRefused(str(error)) from error
        found = [tool for tool in tools if name == tool.full_name] or [
            tool for tool in tools if name == tool.name
        ]
        if len(found) != 1:
            known = ", ".join(tool.full_name for tool in found or tools) or "none"
            what = "more than one tool is called" if found else "there is no tool"
            raise CallRefused(f"{what} {name[:80]!r}; there are: {known}")
        return found[0]


def _parts(text: str) -> list[str]:
    """A text in parts that one reader can be given, cut between lines."""
    parts: list[str] = []
    for line in text.splitlines(keepends=True) or [text]:
        pieces = [line[at : at + MOST_CHARACTERS] for at in range(0, max(len(line), 1), MOST_CHARACTERS)]
        for piece in pieces:
            if parts and len(parts[-1]) + len(piece) <= MOST_CHARACTERS:
                parts[-1] += piece
            else:
                parts.append(piece)
    return parts


def _column(column: str) -> str:
    """``name:type`` with a type that there is."""
    name, _, kind = column.partition(":")
    return f"{'_'.join(name.split())}:{KINDS.get(kind.strip().casefold(), 'text')}"
