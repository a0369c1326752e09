"""What a model is told that is to write a program for a step, and the program in its reply."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from swarm.agent.assignment import Assignment
from swarm.agent.opening import columns
from swarm.messages import Message
from swarm.plan import Plan
from swarm.planner.draft import files_to_write
from swarm.planner.planner import examples
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
        if step.id not in {need for other in steps for need in other.waits_for} and step.each is None:
            others = {other.writes for other in steps if other.id != step.id}
            files += [name for name in files_to_write(task, survey.paths) if name not in others]
        return Promise(step, task, survey, tuple(dict.fromkeys(files)))

    def messages(self, window: int) -> tuple[Message, ...]:
        """The conversation that asks for one program, the same for all candidates."""
        tools = "".join(f"\n- {_tool_line(tool)}" for tool in self.tools)
        system = fill("program", instructions=self.assignment.card.instructions, tools=tools)
        last = Message(role="user", content=self._last(min(int(window * SHARE_OF_WINDOW), MOST_SAMPLES)))
        return (Message(role="system", content=system), *examples("program_examples"), last)

    def again(self, messages: tuple[Message, ...], faults: Sequence[str]) -> tuple[Message, ...]:
        """The conversation that asks anew, told why earlier programs were ruled out. They are not shown: a small
        model writes down again what it sees."""
        listed = "\n".join(f"- {one_line(fault, MOST_FAULT)}" for fault in dict.fromkeys(faults))
        last = messages[-1]
        return (*messages[:-1], Message(last.role, f"{last.content}\n{fill('program_again', faults=listed)}"))

    def _last(self, room: int) -> str:
        assignment = self.assignment
        earlier = [
            f"Result of {name}, which is a variable and a table: {_shown(name, result)}\n"
            for name, result in assignment.inputs.items()
        ]
        text = fill(
            "program_step",
            found=assignment.survey.samples(room),
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
            lines.append(f"To be saved: {', '.join(files)}")
        if assignment.failure:
            lines.append(f"An earlier attempt failed: {one_line(assignment.failure, MOST_SHOWN)}")
        return "\n".join(lines)


def program_in(reply: str) -> str:
    """The program in a reply: its longest code block, else all of it."""
    blocks: list[str] = _FENCE.findall(reply)
    return (max(blocks, key=len) if blocks else reply).strip("\n") + "\n"


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
