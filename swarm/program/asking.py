"""What a model is told that is to write a program for a step, and the program in its reply."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from keyword import iskeyword
from pathlib import PurePosixPath

from swarm.agent.assignment import Assignment
from swarm.agent.opening import columns
from swarm.messages import Message
from swarm.models.model import ServerKind
from swarm.plan import Plan
from swarm.planner.draft import files_to_write
from swarm.planner.planner import examples
from swarm.planner.task_columns import task_columns
from swarm.program.checks import Promise
from swarm.prompt import fill
from swarm.result import Result
from swarm.survey import describe
from swarm.tool import Tool
from swarm.work import one_line

SHARE_OF_WINDOW = 0.3
MOST_SAMPLES = 900
"""Tokens of what is shown of the workspace."""
MOST_SHOWN = 400
MOST_FAULT = 400
QUERY, PROGRAM = "query", "program"
"""Ways to do a step: by asking tables, by any program."""
TABLES = (".csv", ".tsv", ".json", ".jsonl", ".md")
CONTINUES = frozenset({"llamacpp", "ollama"})
"""Kinds of servers that go on with a last message of the model's own."""
_OPENED = re.compile(r"\s*(?:[^\n`]{0,80}\n\s*)?```\w")
_FENCE = re.compile(r"```[\w+-]*[ \t]*\n(.*?)(?:\n[ \t]*```|\Z)", re.DOTALL)


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

    def ways(self, window: int) -> tuple[Asked, ...]:
        """The conversations, one for each way to do the step: by a query, whose beginning is given, where the task is
        about tables; and by any program."""
        query = self._query(window)
        own = [Asked(query, QUERY, self._begun)] if query else []
        return (*own, Asked(self.messages(window), PROGRAM))

    def _query(self, window: int) -> tuple[Message, ...]:
        """The conversation that asks for a program over tables; empty where the task is about none."""
        schema = self.assignment.survey.declared(self._room(window), self._about)
        earlier = [
            describe(name, result.rows)
            for name, result in self.assignment.inputs.items()
            if result.rows is not None
        ]
        if not (schema or earlier):
            return ()
        found = "\n".join(filter(None, [schema, *(f"Table of an earlier step: {one}" for one in earlier)]))
        text = fill("program_step", found=found, earlier="", task=self.assignment.task, step=self._step())
        system = fill("query", instructions=self.assignment.card.instructions)
        last = Message(role="user", content=text.rstrip())
        return (Message(role="system", content=system), *examples("query_examples"), last)

    @staticmethod
    def _room(window: int) -> int:
        return min(int(window * SHARE_OF_WINDOW), MOST_SAMPLES)

    @property
    def _about(self) -> str:
        return f"{self.assignment.task}\n{self.assignment.brief}"

    @property
    def _begun(self) -> str:
        """How a program begins that asks tables first."""
        table = next((name for name in self.promise.files if PurePosixPath(name).suffix in TABLES), "rows")
        name = re.sub(r"\W+", "_", PurePosixPath(table).stem).strip("_").lower()
        name = name if name.isidentifier() and not iskeyword(name) else "rows"
        return f'```python\n{name} = sql("""\n    SELECT'

    def _last(self, room: int) -> str:
        assignment = self.assignment
        earlier = [
            f"Result of {name}, which is a variable and a table: {_shown(name, result)}\n"
            for name, result in assignment.inputs.items()
        ]
        text = fill(
            "program_step",
            found=assignment.survey.samples(room, self._about),
            earlier="".join(earlier),
            task=assignment.task,
            step=self._step(),
        )
        return text.rstrip()

    def _step(self) -> str:
        assignment = self.assignment
        lines = (
            []
            if _letters(assignment.brief) == _letters(assignment.task)
            else [f"Your step of it: {assignment.brief}"]
        )
        if wanted := columns(assignment.step.expects):
            lines.append(f"answer(rows) must give a list of dicts with: {', '.join(wanted)}")
        if files := self.promise.files:
            lines.append(f"To be saved: {'; '.join(_with_columns(name, assignment.task) for name in files)}")
        if assignment.failure:
            lines.append(f"An earlier attempt failed: {one_line(assignment.failure, MOST_SHOWN)}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Asked:
    """A conversation, the way that it asks for, and how its last message begins the program."""

    messages: tuple[Message, ...]
    way: str
    begun: str = ""

    def told(self, faults: Sequence[str]) -> Asked:
        """The conversation that tells why earlier programs were ruled out. They are not shown: a small model writes
        down again what it sees."""
        if not faults:
            return self
        listed = "\n".join(f"- {one_line(fault, MOST_FAULT)}" for fault in dict.fromkeys(faults))
        return replace(self, messages=_with(self.messages, fill("program_again", faults=listed)))

    def program(self, reply: str) -> str:
        """The program that a reply gives; one that begins anew is taken as it is."""
        return program_in(reply if not self.begun or _OPENED.match(reply) else self.begun + reply)

    def of_kind(self, kind: ServerKind) -> Asked:
        """The conversation as a server of that kind takes it: with the beginning as a message of the model's own,
        on which it goes on, else asked for in words."""
        if not self.begun:
            return self
        if kind in CONTINUES:
            return replace(self, messages=(*self.messages, Message(role="assistant", content=self.begun)))
        return Asked(_with(self.messages, f"Begin with:\n{self.begun}"), self.way)


def _with(messages: tuple[Message, ...], text: str) -> tuple[Message, ...]:
    last = messages[-1]
    return (*messages[:-1], Message(last.role, f"{last.content}\n{text}"))


def program_in(reply: str) -> str:
    """The program in a reply: its longest code block, else all of it."""
    blocks: list[str] = _FENCE.findall(reply)
    return (max(blocks, key=len) if blocks else reply).strip("\n") + "\n"


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
