"""What happens in a run, as one typed, versioned stream that is recorded and shown."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from swarm.limits import Usage
from swarm.plan import Plan
from swarm.result import Result, Status


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    seq: int = 0
    """Position in the run's stream, from 1; given when it is recorded."""
    at: float = 0.0
    """Wall-clock of the recording, seconds since 1970."""


class RunStarted(_Event):
    kind: Literal["run_started"] = "run_started"
    run: str
    task: str
    model: str
    is_resumed: bool = False


class PlanMade(_Event):
    """The plan to be run; again after each replan."""

    kind: Literal["plan_made"] = "plan_made"
    plan: Plan
    origin: Literal["planner", "template", "given", "direct"] = "planner"
    note: str = ""
    """Why the template was taken, or what the replan changed."""


class StepExpanded(_Event):
    """An ``each`` has become this many sub-agents."""

    kind: Literal["step_expanded"] = "step_expanded"
    step: str
    items: tuple[str, ...]
    """A short label for each item."""


class AgentWaiting(_Event):
    """A sub-agent is ready and waits."""

    kind: Literal["agent_waiting"] = "agent_waiting"
    step: str
    item: int | None = None
    attempt: int = 1
    what: Literal["slot", "question", "retry"] = "slot"


class AgentStarted(_Event):
    kind: Literal["agent_started"] = "agent_started"
    step: str
    item: int | None = None
    attempt: int = 1
    agent: str
    label: str = ""
    """The item, or the brief, in a few words."""


class ModelAsked(_Event):
    """A request has left for the model."""

    kind: Literal["model_asked"] = "model_asked"
    step: str
    item: int | None = None
    attempt: int = 1
    turn: int


class ModelReplied(_Event):
    """A reply was recorded. Not sent for replies that a resume takes from the journal."""

    kind: Literal["model_replied"] = "model_replied"
    step: str
    item: int | None = None
    attempt: int = 1
    turn: int
    usage: Usage
    action: str = ""
    """What the reply asks for, in a few words: a tool call, or ``result``."""


class ToolCalled(_Event):
    kind: Literal["tool_called"] = "tool_called"
    step: str
    item: int | None = None
    attempt: int = 1
    turn: int
    tool: str
    summary: str
    """The arguments in a few words."""


class ToolReturned(_Event):
    kind: Literal["tool_returned"] = "tool_returned"
    step: str
    item: int | None = None
    attempt: int = 1
    turn: int
    tool: str
    is_error: bool
    summary: str
    seconds: float


class AgentEnded(_Event):
    kind: Literal["agent_ended"] = "agent_ended"
    step: str
    item: int | None = None
    attempt: int = 1
    status: Status
    text: str
    """The result in one line, or the reason of the failure."""


class StepEnded(_Event):
    """A step has its final result, all its items together."""

    kind: Literal["step_ended"] = "step_ended"
    step: str
    result: Result


class Notice(_Event):
    """Something a person may want to know: a repair, a retry, a server that was restarted."""

    kind: Literal["notice"] = "notice"
    text: str
    step: str | None = None


class RunEnded(_Event):
    kind: Literal["run_ended"] = "run_ended"
    status: Literal["done", "degraded", "failed", "stopped"]
    answer: str
    files: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """What the answer lacks, one sentence each."""
    usage: Usage = Usage()
    seconds: float = 0.0


Event = Annotated[
    RunStarted
    | PlanMade
    | StepExpanded
    | AgentWaiting
    | AgentStarted
    | ModelAsked
    | ModelReplied
    | ToolCalled
    | ToolReturned
    | AgentEnded
    | StepEnded
    | Notice
    | RunEnded,
    Field(discriminator="kind"),
]

EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""Reads an event from JSON: ``EVENT.validate_json(line)``."""
