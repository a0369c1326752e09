"""What sub-agents work with: the model, the tools and the journal; and asking the model, recorded.

A model reply that was recorded is never asked for again, as no recorded tool call is made again (see
``swarm.work.effects``): a resumed sub-agent walks through its past for the price of reading it.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from swarm.errors import ModelError, ModelUnavailable, ToolError
from swarm.models.client.retry import Setback, hearing
from swarm.models.model import Model
from swarm.nouns.events import Event, ModelAsked, ModelReplied, Notice
from swarm.nouns.limits import Limits
from swarm.nouns.messages import Reply, Request
from swarm.nouns.plan import Thread
from swarm.nouns.tool import Row, ToolBox, ToolCall
from swarm.sandbox.confiner import SandboxSetting
from swarm.scheduler.slots import Lease, Slots, Want
from swarm.work.budget import Budget

if TYPE_CHECKING:
    from swarm.store.rows.index import CallKey
    from swarm.store.rows.journal import Journal


@dataclass
class Work:
    """Everything a sub-agent of one run may use."""

    journal: Journal
    model: Model
    slots: Slots
    box: ToolBox
    budget: Budget
    limits: Limits
    workspace: Path
    note: Callable[[Event], None]
    """Records an event and shows it."""
    programs: Path | None = None
    """Folder that takes the programs that did a step; None where none are kept."""
    sandbox: SandboxSetting = "auto"
    """How programs are confined."""
    has_database: bool = False
    """Whether the project names a database that is no file of the workspace."""
    texts: dict[str, str] = field(default_factory=dict[str, str])
    """Large tool results by handle, as far as this process has seen them."""
    changed: set[str] = field(default_factory=set[str])
    """Threads of which it was told that their prompt is no longer what it was."""
    lease: Lease | None = None
    """The slot that whoever has this works on; ``model`` is then its model."""

    @asynccontextmanager
    async def leased(self, want: Want, waits: Callable[[], None] | None = None) -> AsyncGenerator[Work]:
        """The same with a slot of a model server, the one it has if it has one.

        ``waits`` is called when none is free.
        """
        if self.lease is not None:
            yield self
            return
        want = replace(want, run=self.journal.run.id)
        async with self.slots.lease(want, waits=waits) as lease:
            yield replace(self, lease=lease, model=lease.model)

    def parked(self) -> AbstractAsyncContextManager[None]:
        """A wait for something that is not the model: a long one gives the slot to others meanwhile."""
        return self.lease.parked(self.lease.patience_seconds) if self.lease else nullcontext()


@dataclass
class CallDetails:
    """What a tool is told of the call beside its arguments."""

    workspace: Path
    key: str
    deadline_seconds: float
    rows: Mapping[str, Sequence[Row]]
    texts: Mapping[str, str]
    leave: Callable[[], Awaitable[None]]
    """Called right before the call leaves."""

    def tables(self) -> Mapping[str, Sequence[Row]]:
        """Earlier results that are tables, by name."""
        return self.rows

    def text_of(self, handle: str) -> str:
        """The whole text kept under a handle.

        Raises:
            ToolError: no result has it.
        """
        if handle not in self.texts:
            known = ", ".join(self.texts) or "none"
            raise ToolError(f"no text is kept as {handle!r}; known: {known}")
        return self.texts[handle]


@dataclass(frozen=True)
class At:
    """Where in a run something happens: the thread, its turn and the index of the call."""

    thread: Thread
    turn: int
    index: int = 0

    @property
    def key(self) -> str:
        """Names the place for ever."""
        return f"{self.thread}/{self.turn}/{self.index}"

    @property
    def call(self) -> CallKey:
        """The key of a call in the ledger."""
        return str(self.thread), self.turn, self.index


def _short(text: str) -> str:
    return one_line(text, 60)


def _told(setback: Setback, step: str) -> Notice:
    again = f"; it is asked again in {setback.pause_seconds:.1f} s" if setback.pause_seconds else ""
    return Notice(text=f"{setback.text}{again}", step=step)


async def ask(work: Work, at: At, request: Request, *, name_action: Callable[[str], str] = _short) -> Reply:
    """The model's recorded reply, asked for once.

    Raises:
        ModelError: the model gave no usable answer.
    """
    digest = request.digest()
    known = await work.journal.reply(at.thread, at.turn)
    if known is not None:
        if work.journal.question(at.thread, at.turn) != digest:
            _tell_change(work, at.thread)
        return known
    thread = at.thread
    waits = work.lease.leave if work.lease else None
    async with work.budget.asking(request, f"turn {at.turn} of {name_of(thread)}", waits) as count:
        work.note(ModelAsked(**thread.place, turn=at.turn))
        work.journal.check_owner()
        began = time.monotonic()
        try:
            with hearing(lambda setback: work.note(_told(setback, thread.step))):
                reply = await (work.lease or work.model).reply(request)
        except ModelUnavailable as error:
            # Whoever alone gets no reply, of a model that answers others meanwhile, has failed and need not wait.
            if work.budget.unanswered_seconds < (time.monotonic() - began) / 2:
                raise ModelError(str(error)) from error
            raise
        reply = reply.model_copy(update={"window": work.model.endpoint.window})
        await work.journal.note_reply(at.thread, at.turn, digest, reply, request)
        count(reply.usage)
        work.budget.spent += reply.counted
    work.note(
        ModelReplied(
            **thread.place,
            turn=at.turn,
            usage=reply.spent,
            action=name_action(reply.text),
        )
    )
    return reply


def _tell_change(work: Work, thread: Thread) -> None:
    """Notes, once, that a thread goes on under another prompt than its recorded turns had."""
    if str(thread) in work.changed:
        return
    work.changed.add(str(thread))
    later = work.journal.turns(thread) + 1
    why = "its card, a tool, a limit or this version changed"
    text = (
        f"the prompt of {name_of(thread)} changed ({why}): what is recorded stays, and from turn {later} on"
    )
    work.note(Notice(text=f"{text} the new one is used", step=thread.step))


def name_of(thread: Thread) -> str:
    """A sub-agent as people read it: ``actions[3]``."""
    return thread.step.lstrip("_") + ("" if thread.item is None else f"[{thread.item}]")


def summarize(call: ToolCall) -> str:
    """The arguments of a call in a few words."""
    values = (
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for value in call.args.values()
    )
    return one_line(", ".join(values), 80)


def one_line(text: str, width: int) -> str:
    """The text on one line of at most ``width`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"
