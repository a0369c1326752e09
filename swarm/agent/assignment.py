"""What one sub-agent is given: its role, its step, its item, and what earlier steps found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from swarm.nouns.card import AgentCard
from swarm.nouns.plan import Step, Thread
from swarm.nouns.result import Result
from swarm.nouns.tool import Row
from swarm.survey import Survey
from swarm.work.context import one_line


@dataclass(frozen=True)
class Assignment:
    """One attempt at one item of one step."""

    task: str
    """What the person asked, in their words."""
    step: Step
    card: AgentCard
    thread: Thread
    survey: Survey
    earlier: Mapping[str, Result]
    """Results of the steps this one waits for."""
    item: JsonValue = None
    failure: str = ""
    """Why the attempt before this one failed."""
    text: str | None = None
    """A text to work on, given as it is; None where what to read is named."""
    unlike: str = ""
    """Family of the model that refused the attempt before, to be avoided where there is another."""

    @property
    def brief(self) -> str:
        """The step's brief with the item in its place."""
        return self.step.brief.replace("{item}", label(self.item))

    @property
    def is_programmed(self) -> bool:
        """Whether it is done by programs and not turn by turn."""
        return self.card.works == "program" or self.step.program is not None

    @property
    def is_queried(self) -> bool:
        """Whether the result is the rows of a query and not typed by the model."""
        return self.card.tables == "queried" and is_table(self.step.expects)

    @property
    def inputs(self) -> dict[str, Result]:
        """Results to work on: those needed, without the list this agent has one item of."""
        needs = [need for need in self.step.waits_for if need != self.step.each_step]
        return {need: self.earlier[need] for need in needs if self.earlier[need].is_usable}

    @property
    def missing(self) -> list[str]:
        """Steps it was to build on that were dropped."""
        return [need for need in self.step.needs if self.earlier[need].status == "dropped"]

    @property
    def input_rows(self) -> dict[str, list[Row]]:
        """The inputs that are tables."""
        return {name: rows for name, result in self.inputs.items() if (rows := result.rows) is not None}


def is_table(schema: Mapping[str, JsonValue] | None) -> bool:
    """Whether a result schema asks for a list of objects."""
    items = schema.get("items") if schema and schema.get("type") == "array" else None
    return isinstance(items, dict) and items.get("type") == "object"


def label(item: JsonValue) -> str:
    """An item as text: itself when it is text, else its values or its JSON."""
    if isinstance(item, str):
        return item
    if isinstance(item, dict):
        return ", ".join(f"{key} {value}" for key, value in item.items())
    return json.dumps(item, ensure_ascii=False)


def short_label(assignment: Assignment) -> str:
    """What the agent is about, for people."""
    return one_line(label(assignment.item) if assignment.step.each else assignment.brief, 80)
