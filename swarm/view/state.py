"""What is known of a run from its events: a plain picture that every view draws its own way."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, assert_never

from swarm import events
from swarm.events import Event
from swarm.limits import Usage
from swarm.plan import Plan, Step
from swarm.result import Result, Status

AgentEvent = (
    events.AgentWaiting
    | events.AgentStarted
    | events.ModelAsked
    | events.ModelReplied
    | events.ToolCalled
    | events.ToolReturned
    | events.AgentDied
    | events.AgentEnded
)
Told = (
    events.LimitReached
    | events.LimitRaised
    | events.QuestionAsked
    | events.QuestionAnswered
    | events.LoopBlocked
    | events.ServerChanged
    | events.StepChanged
)
"""What is told in a line, and changes no sub-agent."""
Stage = Literal["waiting", "thinking", "acting"] | Status
ENDED: tuple[Stage, ...] = ("done", "degraded", "failed", "skipped", "dropped", "unfinished")
MOVING: tuple[Stage, ...] = ("thinking", "acting")


@dataclass
class AgentState:
    """One sub-agent: what it is at, and what it has used."""

    stage: Stage = "waiting"
    label: str = ""
    """Its item or brief in a few words."""
    now: str = ""
    """What it does or waits for; its result or reason once it has ended."""
    turn: int = 0
    attempt: int = 1
    usage: Usage = field(default_factory=Usage)
    started_at: float = 0.0
    ended_at: float = 0.0


@dataclass
class StepState:
    """One step of the plan and its sub-agents by item (None for a step without ``each``)."""

    id: str
    agent: str
    waits_for: tuple[str, ...] = ()
    each: str | None = None
    items: tuple[str, ...] = ()
    """A label for each item, once the step has expanded."""
    agents: dict[int | None, AgentState] = field(default_factory=dict[int | None, AgentState])
    usage: Usage = field(default_factory=Usage)
    """What its sub-agents have used together."""
    result: Result | None = None
    started_at: float = 0.0
    ended_at: float = 0.0

    @property
    def stages(self) -> Counter[Stage]:
        """How many sub-agents are at each stage."""
        return Counter(agent.stage for agent in self.agents.values())


@dataclass
class RunState:
    """A run as its events tell it so far."""

    run: str = ""
    task: str = ""
    model: str = ""
    plan: Plan | None = None
    steps: dict[str, StepState] = field(default_factory=dict[str, StepState])
    """In the plan's order."""
    usage: Usage = field(default_factory=Usage)
    notices: list[str] = field(default_factory=list[str])
    started_at: float = 0.0
    last_at: float = 0.0
    """When the latest event was recorded."""
    ended: events.RunEnded | None = None

    def apply(self, event: Event) -> None:
        """Takes one event in; events come in the order of their ``seq``."""
        self.started_at = self.started_at or event.at
        self.last_at = event.at
        if isinstance(event, Told):
            self._take_note(event)
            return
        match event:
            case events.RunStarted():
                self._start(event)
            case events.PlanMade():
                self._take_plan(event)
            case events.Notice():
                self.notices.append(event.text)
            case events.RunEnded():
                self._end(event)
            case events.StepExpanded():
                self._expand(event)
            case events.StepEnded():
                step = self._step(event.step)
                step.result, step.ended_at = event.result, event.at
            case _:
                self._apply_to_agent(event)

    def _start(self, event: events.RunStarted) -> None:
        self.run, self.task, self.model = event.run, event.task, event.model
        self.ended = None
        # What was in flight when the run was stopped waits to be taken up again.
        for step in self.steps.values():
            _reopen(step)
            for agent in step.agents.values():
                if agent.stage not in ENDED:
                    agent.stage, agent.now = "waiting", ""

    def _take_note(self, event: Told) -> None:
        self.notices.append(words_of(event))
        if isinstance(event, events.StepChanged):
            for step in self.steps.values():
                _reopen(step)

    def _end(self, event: events.RunEnded) -> None:
        self.ended = event
        self.usage = event.usage
        self._end_inner()
        for id, status in event.steps.items():
            step = self._step(id)
            step.result = step.result or Result(status=status)

    def _take_plan(self, event: events.PlanMade) -> None:
        self.plan = event.plan
        known = self.steps
        self.steps = {step.id: _refreshed(known.get(step.id), step) for step in event.plan.steps}

    def _step(self, id: str) -> StepState:
        """The step of that id. The run's own work, like planning, has one too while it lasts."""
        if is_inner(id) and id not in self.steps:
            self._end_inner()
        return self.steps.setdefault(id, StepState(id=id, agent=""))

    def _end_inner(self) -> None:
        """The run does its own work one act after the other, and says nothing of an act's end."""
        self.steps = {id: step for id, step in self.steps.items() if not is_inner(id)}

    def _expand(self, event: events.StepExpanded) -> None:
        step = self._step(event.step)
        step.items = event.items
        # Finding the items was the step's own work and no sub-agent's.
        step.agents.pop(None, None)

    def _apply_to_agent(self, event: AgentEvent) -> None:
        step = self._step(event.step)
        if step.items and event.item is None:
            return
        agent = step.agents.setdefault(event.item, AgentState())
        step.started_at = step.started_at or event.at
        _move(agent, event)
        if isinstance(event, events.ModelReplied):
            agent.usage += event.usage
            step.usage += event.usage
            self.usage += event.usage


def is_inner(id: str) -> bool:
    """Whether a step is the run's own work (planning, answering) and none of the plan's."""
    return id.startswith("_")


def words_of(event: Told) -> str:
    """What happened to the run, in a line."""
    match event:
        case events.LimitReached() | events.QuestionAsked():
            return event.text
        case events.LimitRaised():
            return f"limits.{event.limit} is {event.allowed:,.0f} now"
        case events.QuestionAnswered():
            note = f" ({event.note})" if event.note else ""
            return f"question {event.number} is answered: {event.decision}{note}"
        case events.LoopBlocked():
            return f"nothing in this process could run for {event.seconds:.0f} s: blocked or halted"
        case events.ServerChanged():
            how = {"died": "died", "silent": "answers nothing", "restarted": "runs again", "resting": "rests"}
            return f"the server {event.server!r} {how[event.state]}{f': {event.text}' if event.text else ''}"
        case events.StepChanged():
            parts = f" into {', '.join(event.parts)}" if event.parts else ""
            return f"{event.step}: {event.change}{parts}: {event.why}"


def _refreshed(known: StepState | None, step: Step) -> StepState:
    state = known or StepState(id=step.id, agent=step.agent)
    _reopen(state)
    state.agent, state.waits_for, state.each = step.agent, step.waits_for, step.each
    return state


def _reopen(step: StepState) -> None:
    """What is not done yet will be looked at again."""
    if step.result and not step.result.is_usable and step.result.status != "dropped":
        step.result = None


def _move(agent: AgentState, event: AgentEvent) -> None:
    agent.attempt = event.attempt
    match event:
        case events.AgentWaiting():
            what = {"slot": "a slot", "question": "your answer", "retry": "another try"}[event.what]
            agent.stage, agent.now = "waiting", f"waits for {what}"
        case events.AgentStarted():
            agent.stage, agent.label, agent.now = "thinking", event.label, ""
            agent.started_at = agent.started_at or event.at
        case events.ModelAsked():
            agent.stage, agent.turn, agent.now = "thinking", event.turn, ""
        case events.ModelReplied():
            agent.now = event.action
        case events.ToolCalled():
            agent.stage, agent.now = "acting", f"{event.tool} {event.summary}".strip()
        case events.ToolReturned():
            agent.stage, agent.now = (
                "thinking",
                f"{event.tool} failed: {event.summary}" if event.is_error else "",
            )
        case events.AgentDied():
            agent.stage, agent.now = "waiting", f"its worker died: {event.text}"
        case events.AgentEnded():
            agent.stage, agent.now, agent.ended_at = event.status, event.text, event.at
        case _:
            assert_never(event)
