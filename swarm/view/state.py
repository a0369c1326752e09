"""What is known of a run from its events: a plain picture that every view draws its own way."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, assert_never

from swarm.nouns import events
from swarm.nouns.events import Event
from swarm.nouns.limits import Usage
from swarm.nouns.plan import Plan, Step
from swarm.nouns.result import Result, Status
from swarm.nouns.timing import Forecast

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
NOTES = 20
"""How many of the latest notes are kept."""


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
    did: str = ""
    """The tool call before, in a few words."""
    is_asking: bool = False
    """Whether a request of it is with the model."""
    why: str = ""
    """Why its attempt before failed."""
    needs_look: bool = False
    """Whether it waits because something went wrong, or for a person."""
    usage: Usage = field(default_factory=Usage)
    started_at: float | None = None
    """In seconds of work, as ``RunState.worked`` gives them."""
    ended_at: float | None = None

    @property
    def is_trouble(self) -> bool:
        """Whether a person would want to see it."""
        if self.stage in ENDED:
            return self.stage in {"failed", "degraded"}
        return self.needs_look or bool(self.why)


@dataclass
class StepState:
    """One step of the plan and its sub-agents by item (None for a step without ``each``)."""

    id: str
    agent: str
    waits_for: tuple[str, ...] = ()
    each: str | None = None
    writes: str | None = None
    items: tuple[str, ...] = ()
    """A label for each item, once the step has expanded."""
    agents: dict[int | None, AgentState] = field(default_factory=dict[int | None, AgentState])
    usage: Usage = field(default_factory=Usage)
    """What its sub-agents have used together."""
    result: Result | None = None
    started_at: float | None = None
    """In seconds of work, as ``RunState.worked`` gives them."""
    ended_at: float | None = None

    @property
    def size(self) -> int:
        """How many sub-agents it has, as far as that is known."""
        return max(len(self.items), len(self.agents))

    @property
    def left(self) -> int:
        """How many of them have not ended."""
        stages = self.stages
        return self.size - sum(stages[stage] for stage in ENDED)

    @property
    def stages(self) -> Counter[Stage]:
        """How many sub-agents are at each stage."""
        return Counter(agent.stage for agent in self.agents.values())


@dataclass(frozen=True)
class Note:
    """Something that was told, and when, in seconds of work."""

    words: str
    at: float


@dataclass
class WorkClock:
    """How long a run has worked: its sittings together, without waits for a person."""

    seconds: float = 0.0
    """Until the latest event."""
    _last_at: float | None = None
    _asks: bool = False

    def at(self, now: float) -> float:
        """Until now."""
        if self._last_at is None or self._asks:
            return self.seconds
        return self.seconds + max(0.0, now - self._last_at)

    def pass_to(self, event: Event) -> None:
        """Goes on to the time of an event."""
        if not isinstance(event, events.RunStarted):
            self.seconds = self.at(event.at)
        self._last_at = max(event.at, self._last_at or event.at)
        if isinstance(event, events.Notice | events.ServerChanged | events.LoopBlocked):
            return  # it may come while a person is asked
        self._asks = isinstance(event, events.LimitReached) or (
            isinstance(event, events.AgentWaiting) and event.what == "question" and is_inner(event.step)
        )


@dataclass
class RunState:
    """A run as its events tell it so far."""

    run: str = ""
    task: str = ""
    model: str = ""
    plan: Plan | None = None
    steps: dict[str, StepState] = field(default_factory=dict[str, StepState])
    """In the plan's order."""
    slots: int = 0
    """Of the model's server; 0 where it is not known."""
    forecast: Forecast | None = None
    usage: Usage = field(default_factory=Usage)
    notices: list[Note] = field(default_factory=list[Note])
    """What was told lately, the latest last."""
    questions: dict[int, str] = field(default_factory=dict[int, str])
    """Calls that wait for a person's decision."""
    reached: str = ""
    """The limit that a person is asked to raise."""
    planned_at: float | None = None
    """When the plan was there, in seconds of work."""
    ended: events.RunEnded | None = None
    _work: WorkClock = field(default_factory=WorkClock)

    def worked(self, now: float) -> float:
        """For how many seconds the run has worked: without pauses, and without waits for a person."""
        return self._work.seconds if self.ended else self._work.at(now)

    @property
    def last(self) -> float:
        """When the latest event was recorded, in seconds of work."""
        return self._work.seconds

    def apply(self, event: Event) -> None:
        """Takes one event in; events come in the order of their ``seq``."""
        self._work.pass_to(event)
        if not isinstance(event, events.Notice | events.ServerChanged | events.LoopBlocked):
            self.reached = ""
        if isinstance(event, Told):
            self._take_note(event)
            return
        match event:
            case events.RunStarted():
                self._start(event)
            case events.PlanMade():
                self._take_plan(event)
            case events.Notice():
                self._note(event.text)
            case events.RunEnded():
                self._end(event)
            case events.StepExpanded():
                self._expand(event)
            case events.StepEnded():
                step = self._step(event.step)
                step.result, step.ended_at = event.result, self.last
            case _:
                self._apply_to_agent(event)

    def _start(self, event: events.RunStarted) -> None:
        self.run, self.task, self.model, self.slots = event.run, event.task, event.model, event.slots
        self.ended = None
        self.notices.clear()
        for step in self.steps.values():
            _reopen(step)
        self._rest()

    def _rest(self) -> None:
        """Nothing is in flight; what was waits to be taken up again."""
        for step in self.steps.values():
            for agent in step.agents.values():
                if agent.stage not in ENDED:
                    agent.stage, agent.now, agent.is_asking = "waiting", "", False

    def _note(self, words: str) -> None:
        self.notices = [*self.notices[1 - NOTES :], Note(words, self.last)]

    def _take_note(self, event: Told) -> None:
        self._note(words_of(event))
        match event:
            case events.StepChanged():
                for step in self.steps.values():
                    _reopen(step)
            case events.QuestionAsked():
                self.questions[event.number] = event.text
            case events.QuestionAnswered():
                self.questions.pop(event.number, None)
            case events.LimitReached():
                self.reached = event.text
            case _:
                pass

    def _end(self, event: events.RunEnded) -> None:
        self.ended = event
        self.usage = event.usage
        self._end_inner()
        self._rest()
        for id, status in event.steps.items():
            step = self._step(id)
            step.result = step.result or Result(status=status)

    def _take_plan(self, event: events.PlanMade) -> None:
        self.plan = event.plan
        known = self.steps
        self.forecast = event.forecast or self.forecast
        self.planned_at = self.last if self.planned_at is None else self.planned_at
        self.steps = {step.id: _refreshed(known.get(step.id), step) for step in event.plan.steps}

    def _step(self, id: str) -> StepState:
        """The step of that id. The run's own work, like planning, has one too while it lasts."""
        if not is_inner(id) or id not in self.steps:
            self._end_inner()
        return self.steps.setdefault(id, StepState(id=id, agent=""))

    def _end_inner(self) -> None:
        """The run does its own work one act after the other, and says nothing of an act's end."""
        for id in [id for id in self.steps if is_inner(id)]:
            del self.steps[id]

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
        step.started_at = self.last if step.started_at is None else step.started_at
        if not event.part or event.part.startswith("g"):
            # What the readers of its programs do is part of its acting; its graph is itself.
            _move(agent, event, self.last)
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
            name = f"the server {event.server!r}"
            if event.text.startswith(name):
                return event.text  # It says what became of the server, and why.
            return f"{name} {how[event.state]}{f': {event.text}' if event.text else ''}"
        case events.StepChanged():
            parts = f" into {', '.join(event.parts)}" if event.parts else ""
            return f"{event.step}: {event.change}{parts}: {event.why}"


def _refreshed(known: StepState | None, step: Step) -> StepState:
    state = known or StepState(id=step.id, agent=step.agent)
    _reopen(state)
    state.agent, state.waits_for, state.each, state.writes = (
        step.agent,
        step.waits_for,
        step.each,
        step.writes,
    )
    return state


def _reopen(step: StepState) -> None:
    """What is not done yet will be looked at again."""
    if step.result and not step.result.is_usable and step.result.status != "dropped":
        step.result = None


def _move(agent: AgentState, event: AgentEvent, now: float) -> None:
    if event.attempt > agent.attempt and agent.stage == "failed":
        agent.why = agent.now
    agent.attempt, agent.needs_look = event.attempt, False
    match event:
        case events.AgentWaiting():
            what = {"slot": "a slot", "question": "your answer", "retry": "another try"}[event.what]
            agent.stage, agent.now = "waiting", f"waits for {what}"
            agent.needs_look = event.what != "slot"
        case events.AgentStarted():
            agent.stage, agent.label, agent.now = "thinking", event.label, ""
            agent.started_at = now if agent.started_at is None else agent.started_at
            agent.turn, agent.did, agent.ended_at = 0, "", None
        case events.ModelAsked():
            agent.stage, agent.turn, agent.now, agent.is_asking = "thinking", event.turn, "", True
        case events.ModelReplied():
            agent.now, agent.is_asking = event.action, False
        case events.ToolCalled():
            agent.stage, agent.now = "acting", f"{event.tool} {event.summary}".strip()
            agent.did = agent.now
        case events.ToolReturned():
            _take_back(agent, event)
        case events.AgentDied():
            agent.stage, agent.now, agent.is_asking = "waiting", f"its worker died: {event.text}", False
            agent.needs_look = True
        case events.AgentEnded():
            agent.stage, agent.now, agent.ended_at = event.status, event.text, now
            agent.is_asking = False
        case _:
            assert_never(event)


def _take_back(agent: AgentState, event: events.ToolReturned) -> None:
    agent.stage, agent.now = "thinking", ""
    if event.is_error:
        agent.now = agent.did = f"{event.tool} failed: {event.summary}"
