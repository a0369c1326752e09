"""A plan: the steps of a task and what each one needs. Pure data and its rules."""

from __future__ import annotations

import sys
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from typing import TypedDict

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from swarm.errors import PlanError, quoted

MOST_IN_CIRCLE = 7
"""Steps of a circle that are named."""

STEP_ID = r"^[a-z][a-z0-9_]{0,39}$"


class AgentPlace(TypedDict):
    """Where in a run a sub-agent belongs."""

    step: str
    item: int | None
    attempt: int
    part: str


class Thread(BaseModel):
    """One attempt of one sub-agent at one item of one step: the unit that is resumed.

    ``str(thread)`` is the thread id of its checkpoints and the key of its journal rows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str
    step: str
    item: int | None = None
    """Position in the list of the step's ``each``, from 0; None for a step without ``each``."""
    attempt: int = 1
    part: str = Field(default="", pattern=r"^[a-z0-9]*$")
    """Names a question that a program of this sub-agent asked; empty for the sub-agent itself."""

    def __str__(self) -> str:
        item = "-" if self.item is None else str(self.item)
        # One text for all of its rows in the index.
        step = f"{self.step}~{self.part}" if self.part else self.step
        return sys.intern(f"{self.run}/{step}/{item}/{self.attempt}")

    @property
    def place(self) -> AgentPlace:
        """Its place in its run, as events have it."""
        return {"step": self.step, "item": self.item, "attempt": self.attempt, "part": self.part}


class Step(BaseModel):
    """One piece of work for one agent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=STEP_ID)
    agent: str
    """Name of a role card."""
    brief: str = Field(pattern=r"\S")
    """What to do, in a sentence or two; ``{item}`` stands for the item of ``each``."""
    needs: tuple[str, ...] = ()
    """Steps whose results this one reads."""
    each: str | None = Field(default=None, min_length=1)
    """A step whose result is a list, or a pattern of files in the workspace (``notes/*.md``):
    one sub-agent per item."""
    joins: tuple[str, ...] = ()
    """Steps whose results together are this one's, which then has no agent: a step that was split."""
    expects: dict[str, JsonValue] | None = None
    """JSON Schema of the result of one sub-agent; None for a sentence of text."""
    writes: str | None = Field(default=None, min_length=1)
    """A file, relative to the workspace, that must exist and parse before the step is done."""
    program: str | None = Field(default=None, min_length=1)
    """A program that does the step, as a person or an earlier run wrote it; no model is asked for one."""

    @property
    def each_step(self) -> str | None:
        """The step that ``each`` names, or None when it names files or is absent."""
        return None if self.each is None or is_pattern(self.each) else self.each

    @property
    def waits_for(self) -> tuple[str, ...]:
        """Every step that must end before this one starts: ``needs``, ``each`` and ``joins``."""
        first = (self.each_step,) if self.each_step else ()
        return tuple(dict.fromkeys(first + self.needs + self.joins))


def is_pattern(each: str) -> bool:
    """Whether an ``each`` names files and not a step: step ids have no dot, slash or star."""
    return any(sign in each for sign in "./*?[")


class Plan(BaseModel):
    """All the work of a task as data; order, width, slots and models are the scheduler's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: tuple[Step, ...] = Field(min_length=1)

    def step(self, id: str) -> Step:
        """The step of that id.

        Raises:
            KeyError: no step has it.
        """
        for step in self.steps:
            if step.id == id:
                return step
        raise KeyError(id)

    def last_steps(self) -> tuple[Step, ...]:
        """The steps that no other step waits for: what the answer is made from."""
        waited = {need for step in self.steps for need in step.waits_for}
        return tuple(step for step in self.steps if step.id not in waited)

    def problems(self) -> list[str]:
        """What is wrong with the plan by itself, one sentence each; empty when it is sound."""
        ids = [step.id for step in self.steps]
        found = [f"two steps are called {id!r}" for id, count in Counter(ids).items() if count > 1]
        known = frozenset(ids)
        for step in self.steps:
            found += _problems_of(step, known)
        return found or _cycle(self.steps)

    def check(self) -> Plan:
        """The plan itself.

        Raises:
            PlanError: it cannot run; all its problems are named.
        """
        if problems := self.problems():
            raise PlanError(problems)
        return self


def _problems_of(step: Step, ids: frozenset[str]) -> list[str]:
    found = [
        f"step {step.id!r} needs {quoted(need)}, which is no step"
        for need in (*step.needs, *step.joins)
        if need not in ids
    ]
    if step.each_step and step.each_step not in ids:
        found.append(
            f"step {step.id!r} is for each of {quoted(step.each)}, which is no step and no file pattern"
        )
    if step.each and "{item}" not in step.brief:
        found.append(f"step {step.id!r} is for each of {quoted(step.each)} but its brief has no {{item}}")
    if not step.each and "{item}" in step.brief:
        found.append(f"step {step.id!r} has {{item}} in its brief but no each")
    return found


def _cycle(steps: tuple[Step, ...]) -> list[str]:
    try:
        TopologicalSorter({step.id: step.waits_for for step in steps}).prepare()
    except CycleError as error:
        return [f"steps wait for each other in a circle: {_circle(error.args[1])}"]
    return []


def _circle(ids: list[str]) -> str:
    """The steps of a circle, the middle of a long one left out."""
    shown = ids if len(ids) <= MOST_IN_CIRCLE else [*ids[: MOST_IN_CIRCLE - 2], "…", ids[-1]]
    return " → ".join(shown)
