"""What happens in a run, as one typed, versioned stream that is recorded and shown."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from swarm.nouns.commands import Decision
from swarm.nouns.limits import Usage
from swarm.nouns.plan import Plan
from swarm.nouns.result import Result, Status
from swarm.nouns.timing import Forecast, Speedup

ChangeKind = Literal["retry", "reword", "split", "reassign", "drop"]
"""What may become of a step that failed."""


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    seq: int = 0
    """Position in the run's stream, from 1; given when it is recorded."""
    at: float = 0.0
    """Wall-clock of the recording, seconds since 1970."""


class AgentEvent(_Event):
    """What happens to one sub-agent, in one attempt at one item of a step."""

    step: str
    item: int | None = None
    attempt: int = 1
    part: str = ""
    """Names a reader that a program of this sub-agent asked; empty for the sub-agent itself."""


class RunStarted(_Event):
    kind: Literal["run_started"] = "run_started"
    run: str
    task: str
    model: str
    slots: int = 0
    """Slots of its server; 0 where an older version recorded none."""
    digest: str = ""
    """Of the model, as its endpoint has it."""
    is_resumed: bool = False


class PlanMade(_Event):
    """The plan to be run; again when steps of it were changed."""

    kind: Literal["plan_made"] = "plan_made"
    plan: Plan
    origin: Literal["planner", "template", "given", "direct"] = "planner"
    note: str = ""
    """Why the template was taken, what was changed, or why no more than one agent works."""
    forecast: Forecast | None = None
    """None where nothing is known of the server's speed."""


class StepExpanded(_Event):
    """An ``each`` has become this many sub-agents."""

    kind: Literal["step_expanded"] = "step_expanded"
    step: str
    items: tuple[str, ...]
    """A short label for each item."""


class AgentWaiting(AgentEvent):
    """A sub-agent is ready and waits."""

    kind: Literal["agent_waiting"] = "agent_waiting"
    what: Literal["slot", "question", "retry"] = "slot"


class AgentStarted(AgentEvent):
    kind: Literal["agent_started"] = "agent_started"
    agent: str
    label: str = ""
    """The item, or the brief, in a few words."""


class ModelAsked(AgentEvent):
    """A request has left for the model."""

    kind: Literal["model_asked"] = "model_asked"
    turn: int


class ModelReplied(AgentEvent):
    """A reply was recorded. Not sent for replies that a resume takes from the journal."""

    kind: Literal["model_replied"] = "model_replied"
    turn: int
    usage: Usage
    action: str = ""
    """What the reply asks for, in a few words: a tool call, or ``result``."""


class ToolCalled(AgentEvent):
    kind: Literal["tool_called"] = "tool_called"
    turn: int
    tool: str
    summary: str
    """The arguments in a few words."""


class ToolReturned(AgentEvent):
    kind: Literal["tool_returned"] = "tool_returned"
    turn: int
    tool: str
    is_error: bool
    summary: str
    seconds: float


class QuestionAsked(AgentEvent):
    """A tool call was cut off, and a person must say what becomes of it."""

    kind: Literal["question_asked"] = "question_asked"
    number: int
    """Of the question, counted from 1 in the run."""
    text: str


class QuestionAnswered(_Event):
    """A person has said what becomes of a call in doubt."""

    kind: Literal["question_answered"] = "question_answered"
    number: int
    decision: Decision
    note: str = ""


class AgentEnded(AgentEvent):
    kind: Literal["agent_ended"] = "agent_ended"
    status: Status
    text: str
    """The result in one line, or the reason of the failure."""


class AgentDied(AgentEvent):
    """The worker of a sub-agent ended by a bug or was ended for its silence; what it recorded stands."""

    kind: Literal["agent_died"] = "agent_died"
    text: str
    goes_on: bool
    """Whether another worker goes on from its last recorded turn."""


class LoopBlocked(_Event):
    """Nothing in this process could run for a while: something blocked it, or it was halted."""

    kind: Literal["loop_blocked"] = "loop_blocked"
    seconds: float


class ServerChanged(_Event):
    """An MCP server is not, or again, as it should be."""

    kind: Literal["server_changed"] = "server_changed"
    server: str
    state: Literal["died", "silent", "restarted", "resting"]
    """``silent``: it answers nothing and is ended. ``resting``: it died too often and is left alone."""
    text: str = ""


class StepChanged(_Event):
    """A step that failed is to be done otherwise, or not at all."""

    kind: Literal["step_changed"] = "step_changed"
    step: str
    change: ChangeKind
    why: str
    """In the planner's words."""
    parts: tuple[str, ...] = ()
    """The steps that it was split into."""


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


class LimitReached(_Event):
    """A limit stands in the way of the next call; nothing is in flight, and the run asks for more."""

    kind: Literal["limit_reached"] = "limit_reached"
    limit: str
    """Field of ``Limits``."""
    used: float
    allowed: float
    enough: float
    """What to allow to go on for as long again."""
    text: str


class LimitRaised(_Event):
    """A person allowed more."""

    kind: Literal["limit_raised"] = "limit_raised"
    limit: str
    allowed: float


class RunEnded(_Event):
    kind: Literal["run_ended"] = "run_ended"
    status: Literal["done", "degraded", "failed", "paused", "stopped"]
    answer: str
    files: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """What the answer lacks, one sentence each."""
    usage: Usage = Usage()
    seconds: float = 0.0
    """Wall-clock while it was at work, over resumes."""
    steps: dict[str, Status] = {}
    """Where each step of the plan stands."""
    speedup: Speedup | None = None


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
    | QuestionAsked
    | QuestionAnswered
    | AgentEnded
    | AgentDied
    | LoopBlocked
    | ServerChanged
    | StepChanged
    | StepEnded
    | Notice
    | LimitReached
    | LimitRaised
    | RunEnded,
    Field(discriminator="kind"),
]

EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""Reads an event from JSON: ``EVENT.validate_json(line)``."""
