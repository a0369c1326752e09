"""What a model is told that is to write a program for a step, and the program in its reply."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from swarm.agent.assignment import Assignment
from swarm.agent.opening import columns
from swarm.nouns.messages import Message
from swarm.nouns.plan import Plan
from swarm.nouns.prompt import fill
from swarm.nouns.result import Result
from swarm.nouns.tool import Tool
from swarm.planner.draft import files_to_write
from swarm.planner.planner import examples
from swarm.planner.task_columns import task_columns
from swarm.program.aggregates import aggregates_for
from swarm.program.asked import PROGRAM, Asked
from swarm.program.checks import Promise, fields
from swarm.program.selecting import SelectContext, Selects, selects
from swarm.program.table_schema import TableSchema
from swarm.survey import describe
from swarm.work.context import one_line

SHARE_OF_WINDOW = 0.3
MOST_SAMPLES = 900
"""Tokens of what is shown of the workspace."""
MOST_SHOWN = 400


@dataclass(frozen=True)
class Writing:
    """A step that programs are wanted for."""

    assignment: Assignment
    plan: Plan | None
    tools: Sequence[Tool]
    """Those that a program may call."""

    @property
    def promise(self) -> Promise:
        """What the step must leave: the file that it writes; of a last step all files that the task names and no
        other step writes."""
        step, task, survey = self.assignment.step, self.assignment.task, self.assignment.survey
        files = [step.writes] if step.writes else []
        steps = self.plan.steps if self.plan else (step,)
        is_last = step.id not in {need for other in steps for need in other.waits_for} and step.each is None
        if is_last:
            others = {other.writes for other in steps if other.id != step.id}
            files += [name for name in files_to_write(task, survey.paths) if name not in others]
        return Promise(step, task, survey, tuple(dict.fromkeys(files)), is_last=is_last)

    def messages(self, window: int) -> tuple[Message, ...]:
        """The conversation that asks for one program, the same for all candidates."""
        tools = "".join(f"\n- {_tool_line(tool)}" for tool in self.tools)
        system = fill("program", instructions=self.assignment.card.instructions, tools=tools)
        last = Message(role="user", content=self._last(self._room(window)))
        return (Message(role="system", content=system), *examples("program_examples"), last)

    def ways(self, window: int, schema: TableSchema) -> tuple[Asked | Selects, ...]:
        """The ways to do the step: by SELECTs, in two prompts, where there are tables and SELECTs give
        all that it promises; and by any program."""
        assignment = self.assignment
        question = SelectContext(
            instructions=assignment.card.instructions,
            notes=assignment.survey.notes(self.about),
            task=assignment.task,
            step="\n".join([*self._own(), *self._failed()]),
            room=self._room(window),
        )
        # What a SELECT gives changes nothing: a step whose agent has tools that do may be about these.
        is_asked = self.promise.files or not any(tool.effect != "pure" for tool in self.tools)
        by_select = selects(schema, self.promise, question) if is_asked else []
        # A result without a doubt needs a SELECT and another program that agree: these two are asked for first.
        return (*by_select[:1], Asked(self.messages(window), PROGRAM), *by_select[1:])

    @property
    def tables(self) -> list[str]:
        """The tables that the step is about, by their names: those of earlier steps, and those that lie there."""
        earlier = [name for name, result in self.assignment.inputs.items() if result.rows]
        return [*dict.fromkeys([*earlier, *self.assignment.survey.meant(self.about)])]

    @staticmethod
    def _room(window: int) -> int:
        return min(int(window * SHARE_OF_WINDOW), MOST_SAMPLES)

    @property
    def about(self) -> str:
        """What the step is about, in words: the task, and its own part of it."""
        return f"{self.assignment.task}\n{self.assignment.brief}"

    def _last(self, room: int) -> str:
        assignment = self.assignment
        earlier = [
            f"Result of {name}, which is a variable and a table: {_shown(name, result)}\n"
            for name, result in assignment.inputs.items()
        ]
        text = fill(
            "program_step",
            found="\n".join([assignment.survey.samples(room, self.about), *aggregates_for(self.about)]),
            earlier="".join(earlier),
            task=assignment.task,
            step=self._step(),
        )
        return text.rstrip()

    def _step(self) -> str:
        lines = self._own()
        expects = self.assignment.step.expects
        if wanted := fields(expects):
            given = "(rows) must give a list of dicts" if columns(expects) else "({…}) must give a dict"
            lines.append(f"answer{given} with: {', '.join(wanted)}")
        if files := self.promise.files:
            lines.append(
                f"To be saved: {'; '.join(_with_columns(name, self.assignment.task) for name in files)}"
            )
        return "\n".join([*lines, *self._failed()])

    def _own(self) -> list[str]:
        """What the step is of the task, where it is not all of it."""
        brief = self.assignment.brief
        is_all = _letters(brief) == _letters(self.assignment.task)
        return [] if is_all else [f"Your step of it: {brief}"]

    def _failed(self) -> list[str]:
        failure = self.assignment.failure
        return [f"An earlier attempt failed: {one_line(failure, MOST_SHOWN)}"] if failure else []


def _with_columns(name: str, task: str) -> str:
    named = task_columns(name, task)
    return f"{name} with the columns {', '.join(named)}" if named else name


def _letters(text: str) -> str:
    return re.sub(r"\W+", " ", text).strip()


def _tool_line(tool: Tool) -> str:
    properties = tool.input_schema.get("properties")
    names = ", ".join(properties) if isinstance(properties, dict) else ""
    return f"{tool.full_name}({names}): {one_line(tool.description, 120)}"


def _shown(name: str, result: Result) -> str:
    rows = result.rows
    if rows is not None:
        return describe(name, rows)
    said = json.dumps(result.data, ensure_ascii=False) if result.data is not None else result.text
    return one_line(said, MOST_SHOWN)
