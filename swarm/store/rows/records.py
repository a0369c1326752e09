"""What a run's file tells, as plain data: the run, its threads, their turns and tool calls."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from swarm.nouns.commands import Decision
from swarm.nouns.limits import Limits
from swarm.nouns.messages import Message, Reply
from swarm.nouns.plan import Plan, Thread
from swarm.nouns.result import Result
from swarm.nouns.tool import CallState, EffectClass, Reading, ToolCall, ToolResult

IMPORTED = "imported"
"""Setting in a run's record: it was imported, and has not been resumed since."""

RunStatus = Literal["running", "done", "degraded", "failed", "paused", "stopped"]


class RunRecord(BaseModel):
    """A run: what was asked, where it works, how far it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    task: str
    project: str
    """Folder of the project."""
    workspace: str
    """Folder the run works in."""
    model: str
    created_at: float
    """Seconds since 1970."""
    status: RunStatus = "running"
    """``running`` also stands in the file of a run that was killed: ask ``owner_of`` too."""
    plan: Plan | None = None
    limits: Limits = Limits()
    settings: dict[str, JsonValue] = {}
    """What else the run must know to be resumed; its own affair."""


class TurnRecord(BaseModel):
    """One turn of a thread: what was asked and what the model said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    turn: int
    at: float
    """When the reply was recorded, seconds since 1970."""
    kept: int
    """How many leading messages of the question are those of the turn before."""
    asked: tuple[Message, ...]
    """The messages that came after those; empty where the question was not recorded."""
    reply: Reply


class CallRecord(BaseModel):
    """One tool call of a thread."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    turn: int
    index: int
    call: ToolCall | None
    """None where no intent was recorded."""
    effect: EffectClass | None
    result: ToolResult | None
    """None while it is under way, and for good when the run died meanwhile."""
    intended_at: float | None
    ended_at: float | None
    state: CallState
    pin: str = ""
    """Which version of the tool it went to."""
    sent_at: float | None = None


class LedgerEntry(BaseModel):
    """A call as the ledger has it, for whoever must decide what becomes of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    call: ToolCall
    effect: EffectClass
    state: CallState = "intent"
    pin: str = ""
    """Which version of the tool it goes to."""
    before: Reading | None = None
    """What a verifiable call would change, before it left."""
    sent_at: float | None = None


class Question(BaseModel):
    """A call in doubt that a person must decide about, with the evidence; and the decision."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    """Counts the questions of a run from 1."""
    thread: str
    turn: int
    index: int
    call: ToolCall
    effect: EffectClass
    pin: str
    sent_at: float | None
    """When the call left, seconds since 1970."""
    evidence: str
    """What was seen of it, for a person."""
    asked_at: float
    decision: Decision | None = None
    note: str = ""
    """What the person saw."""
    answered_at: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether nobody has decided yet."""
        return self.decision is None


class ThreadRecord(BaseModel):
    """What one sub-agent did in one attempt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    thread: Thread
    turns: tuple[TurnRecord, ...] = ()
    calls: tuple[CallRecord, ...] = ()
    result: Result | None = None
    """None while it is at work."""


def thread_of(key: str) -> Thread:
    """The thread whose ``str()`` is ``key``."""
    run, step, item, attempt = key.split("/")
    step, _, part = step.partition("~")
    number = None if item == "-" else int(item)
    return Thread(run=run, step=step, item=number, attempt=int(attempt), part=part)
