"""What becomes of the steps that failed: the planner chooses one change for each, out of those that can be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from swarm.errors import ModelError, ModelUnavailable, PlanError
from swarm.models.grammars.schemas import closed
from swarm.nouns.events import ChangeKind, StepChanged
from swarm.nouns.messages import Message, Request
from swarm.nouns.plan import Plan, Step, Thread
from swarm.nouns.prompt import fill, text
from swarm.nouns.result import Result
from swarm.planner.check import problems
from swarm.planner.planner import Planning, examples
from swarm.work.context import At, Work, ask, one_line
from swarm.work.effects import deeds_of

CHANGE_TOKENS = 400
MOST_CHANGES = 8
"""Steps that are asked about in one round, the first in the plan's order; as many as a made plan may have."""
_BRIEF: JsonValue = {"type": "string", "minLength": 8, "maxLength": 400}


class Choice(BaseModel):
    """A change as the model chose it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    why: str = ""
    change: ChangeKind
    brief: str = ""
    agent: str = ""
    briefs: tuple[str, ...] = Field(default=(), max_length=4)


@dataclass(frozen=True)
class Changed:
    """A plan after a round of changes."""

    plan: Plan
    changes: tuple[StepChanged, ...]


async def replan(planning: Planning, plan: Plan, results: Mapping[str, Result], round: int) -> Changed:
    """The plan with the changes that the planner chose; a step for which it has none stays failed.

    Raises:
        ModelUnavailable: the model server is gone.
    """
    changes: list[StepChanged] = []
    for number, step in enumerate(_troubled(plan, results)[:MOST_CHANGES]):
        thread = Thread(run=planning.work.journal.run.id, step="_replan", item=number, attempt=round)
        gone = {change.step for change in changes if change.change == "drop"}
        told = await deeds_of(planning.work, step.id)
        made = await _StepReview(planning, plan, results, step, gone, told).ask(thread)
        if made is not None:
            plan = made.plan
            changes += made.changes
    return Changed(plan, tuple(changes))


def wants_change(plan: Plan, results: Mapping[str, Result]) -> bool:
    """Whether a step failed that a change may help."""
    return bool(_troubled(plan, results))


def _troubled(plan: Plan, results: Mapping[str, Result]) -> list[Step]:
    """The steps that failed themselves. A part of a step that has enough without it is let be, and a program that
    was given does the same whatever is said of it."""
    let_be = {part for step in plan.steps if results[step.id].is_usable for part in step.joins}
    return [
        step
        for step in plan.steps
        if results[step.id].status == "failed" and not (step.joins or step.program) and step.id not in let_be
    ]


@dataclass(frozen=True)
class _StepReview:
    """What is to become of one step."""

    planning: Planning
    plan: Plan
    results: Mapping[str, Result]
    step: Step
    gone: set[str]
    """Steps that are dropped in this round."""
    deeds: str = ""
    """What its attempts did that may have had an effect."""

    async def ask(self, thread: Thread) -> Changed | None:
        """The change that was chosen; None where the model gave none that can be, twice."""
        messages = [
            Message(role="system", content=self._rules()),
            *examples("replan_examples"),
            Message(role="user", content=self._case()),
        ]
        work = self.planning.work
        for turn in (1, 2):
            request = Request(
                messages=tuple(messages), output_schema=self._schema(), max_tokens=CHANGE_TOKENS
            )
            if turn == 1:
                thread = _free(work, thread, request)
            try:
                reply = await ask(work, At(thread, turn), request.within(work.limits))
            except ModelUnavailable:
                raise
            except ModelError:
                return None
            try:
                return self._apply(self._read(reply.text))
            except PlanError as error:
                said = f"That can't be: {'; '.join(error.problems)}. Choose again."
                messages += [
                    Message(role="assistant", content=reply.text),
                    Message(role="user", content=said),
                ]
        return None

    def _rules(self) -> str:
        team = "\n".join(f"- {card.name}: {card.description}" for card in self.planning.agents.values())
        lines = text("replan_changes").splitlines()
        offered = [line for line in lines if line.removeprefix("- ").partition(":")[0] in self._kinds]
        return fill("replan", team=team, changes="\n".join(offered))

    def _case(self) -> str:
        step, done = self.step, list[str]()
        for one in self.plan.steps:
            result = self.results[one.id]
            done += [f"{one.id}: {one_line(result.text, 120)}"] if result.is_usable else []
        waiting = [one.id for one in self.plan.steps if step.id in one.waits_for]
        return fill(
            "replan_step",
            task=self.planning.task,
            done="; ".join(done) or "none",
            step=step.id,
            agent=step.agent,
            waiting=", ".join(waiting) or "none",
            brief=step.brief,
            reason=one_line(self.results[step.id].reason, 400),
        ) + (f"\nIts attempts did this, which is not to be done again:\n{self.deeds}" if self.deeds else "")

    @property
    def _others(self) -> list[str]:
        return sorted(name for name in self.planning.agents if name != self.step.agent)

    @property
    def _kinds(self) -> dict[ChangeKind, dict[str, JsonValue]]:
        """The changes that can be, with what each is to tell."""
        step = self.step
        kinds: dict[ChangeKind, dict[str, JsonValue]] = {"retry": {}, "reword": {"brief": _BRIEF}}
        is_part = any(step.id in one.joins for one in self.plan.steps)
        is_list = step.expects is None or step.expects.get("type") == "array"
        # Parts with other briefs would make other calls, of which nothing tells whether they were made.
        if step.each is None and is_list and not is_part and not self.deeds:
            kinds["split"] = {"briefs": {"type": "array", "items": _BRIEF, "minItems": 2, "maxItems": 4}}
        if self._others:
            kinds["reassign"] = {"agent": {"enum": list[JsonValue](self._others)}}
        if _leaves_something(self.plan, self.gone | {step.id}):
            kinds["drop"] = {}
        return kinds

    def _schema(self) -> dict[str, JsonValue]:
        why: JsonValue = {"type": "string", "maxLength": 160}
        shapes: list[JsonValue] = []
        for kind, more in self._kinds.items():
            properties: dict[str, JsonValue] = {"why": why, "change": {"const": kind}, **more}
            shapes.append(closed(properties))
        return {"anyOf": shapes}

    def _read(self, reply: str) -> Choice:
        """The choice in a reply.

        Raises:
            PlanError: it is none of those offered.
        """
        try:
            choice = Choice.model_validate_json(reply)
        except ValidationError as error:
            first = error.errors()[0]
            raise PlanError([f"{'.'.join(map(str, first['loc']))}: {first['msg']}"]) from error
        if choice.change not in self._kinds:
            raise PlanError([f"{choice.change!r} can't be chosen; there are: {', '.join(self._kinds)}"])
        return choice

    def _apply(self, choice: Choice) -> Changed:
        """The plan with the change.

        Raises:
            PlanError: it can't run so, or nothing would be changed.
        """
        step, parts = self.step, tuple[Step, ...]()
        match choice.change:
            case "reword":
                step = step.model_copy(update={"brief": self._mended(choice.brief)})
            case "reassign":
                step = step.model_copy(update={"agent": choice.agent})
            case "split":
                parts = self._parts(choice.briefs)
                step = step.model_copy(update={"joins": tuple(part.id for part in parts), "needs": ()})
            case _:
                pass
        if choice.change in ("reword", "reassign") and step == self.step:
            raise PlanError([
                f"the {'brief' if choice.change == 'reword' else 'agent'} is the same as before"
            ])
        steps = [[*parts, step] if one.id == step.id else [one] for one in self.plan.steps]
        plan = Plan(steps=tuple(one for some in steps for one in some))
        if found := problems(plan, self.planning.agents, self.planning.survey):
            raise PlanError(found)
        names = tuple(part.id for part in parts)
        return Changed(
            plan,
            (StepChanged(step=step.id, change=choice.change, why=one_line(choice.why, 200), parts=names),),
        )

    def _mended(self, brief: str) -> str:
        """A brief that speaks of ``{item}`` just when there is an ``each``."""
        if self.step.each and "{item}" not in brief:
            return f"For {{item}}: {brief}"
        return brief if self.step.each else brief.replace("{item}", "the item")

    def _parts(self, briefs: tuple[str, ...]) -> tuple[Step, ...]:
        """The steps that do the work together, each with a part of it.

        Raises:
            PlanError: they are not several.
        """
        different = [self._mended(brief) for brief in dict.fromkeys(briefs) if brief.strip()]
        if len(different) < 2:
            raise PlanError(["a split needs the briefs of two smaller steps that differ"])
        taken, ids = {step.id for step in self.plan.steps}, list[str]()
        number = 0
        while len(ids) < len(different):
            number += 1
            if (id := f"{self.step.id[:36]}_{number}") not in taken:
                ids.append(id)
        return tuple(
            self.step.model_copy(update={"id": id, "brief": brief, "writes": None})
            for id, brief in zip(ids, different, strict=True)
        )


def _free(work: Work, thread: Thread, request: Request) -> Thread:
    """The thread of that question: a run that is resumed may have another step in the place of one it asked
    about, and its recorded choice is no choice for this."""
    while work.journal.question(thread, 1) not in (None, request.digest()):
        thread = thread.model_copy(update={"item": (thread.item or 0) + MOST_CHANGES})
    return thread


def _leaves_something(plan: Plan, gone: set[str]) -> bool:
    """Whether one of the last steps can still be done without these."""
    lost = set(gone)
    for _ in plan.steps:  # a plan's steps stand in any order
        lost |= {
            step.id
            for step in plan.steps
            if step.waits_for and (step.each_step in lost or set(step.waits_for) <= lost)
        }
    return any(step.id not in lost for step in plan.last_steps())
