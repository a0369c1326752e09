"""Running a plan without a barrier: a step starts the moment its needs are done.

Each step is a task that awaits the steps it waits for; a failure is a result, so it never cancels
a sibling. What was recorded before a crash is not done again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from pydantic import JsonValue

from swarm.agent.assignment import Assignment, label
from swarm.card import AgentCard
from swarm.engine.engine import Engine
from swarm.errors import ModelUnavailable, ProjectError, ServerError
from swarm.events import StepEnded, StepExpanded
from swarm.plan import Plan, Step, Thread
from swarm.result import Result
from swarm.run.closing import close
from swarm.scheduler.path import depths
from swarm.survey import Survey
from swarm.work import At, Work, act, one_line


@dataclass
class Execution:
    """One plan being run. ``results`` holds what is done and grows to hold every step."""

    work: Work
    engine: Engine
    task: str
    plan: Plan
    cards: Mapping[str, AgentCard]
    survey: Survey
    results: dict[str, Result] = field(default_factory=dict[str, Result])
    unfinished: set[str] = field(default_factory=set[str])
    """Steps that failed only because the model server was gone: a resume does them again."""

    async def run(self) -> dict[str, Result]:
        """The result of every step of the plan."""
        ended = {step.id: asyncio.Event() for step in self.plan.steps}
        self._depths = depths(self.plan)
        try:
            async with asyncio.TaskGroup() as group:
                for step in self.plan.steps:
                    group.create_task(self._run_when_ready(step, ended), name=f"step {step.id}")
        except ExceptionGroup as errors:
            raise first_of(errors) from errors
        return self.results

    async def _run_when_ready(self, step: Step, ended: Mapping[str, asyncio.Event]) -> None:
        for need in step.waits_for:
            await ended[need].wait()
        if step.id not in self.results:
            result = await self._run(step)
            self.results[step.id] = result
            if step.id not in self.unfinished:
                self.work.journal.note_step(step.id, result)
            self.work.note(StepEnded(step=step.id, result=_brief(result)))
        ended[step.id].set()

    async def _run(self, step: Step) -> Result:
        lost = [need for need in step.waits_for if not self.results[need].is_usable]
        if lost:
            if any(need in self.unfinished for need in lost):
                self.unfinished.add(step.id)
            return Result.failed(f"it needs {', '.join(lost)}, which failed")
        if step.each is None:
            result = await self._attempt(step, None, None)
        else:
            result = await self._run_each(step)
        return await close(self.work, step, result) if result.is_usable else result

    async def _run_each(self, step: Step) -> Result:
        try:
            items = await self._items(step)
        except (ProjectError, ServerError) as error:
            return Result.failed(str(error))
        if isinstance(items, Result):
            return items
        self.work.note(StepExpanded(step=step.id, items=tuple(one_line(label(item), 60) for item in items)))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._attempt(step, n, item)) for n, item in enumerate(items)]
        return combine([(label(item), task.result()) for item, task in zip(items, tasks, strict=True)])

    async def _items(self, step: Step) -> list[JsonValue] | Result:
        most = self.work.limits.items
        if step.each_step:
            data = self.results[step.each_step].data
        else:
            (tool,) = await self.work.box.tools(("files.glob",))
            at = At(Thread(run=self.work.journal.run.id, step=step.id, attempt=0), 0)
            found = await act(self.work, at, tool, {"pattern": step.each}, {})
            if found.is_error:
                return Result.failed(found.text)
            data = found.data
        if not isinstance(data, list) or not data:
            return Result.failed(f"there is nothing to do it for: {step.each!r} gave no list of items")
        if len(data) > most:
            return Result.failed(f"{step.each!r} gave {len(data)} items, over limits.items = {most}")
        return data

    async def _attempt(self, step: Step, item_number: int | None, item: JsonValue) -> Result:
        """The result of one sub-agent; after a failure it is tried again, told what went wrong."""
        result = Result.failed("")
        for attempt in range(1, self.work.limits.attempts + 1):
            thread = Thread(run=self.work.journal.run.id, step=step.id, item=item_number, attempt=attempt)
            assignment = Assignment(
                task=self.task,
                step=step,
                card=self.cards[step.agent],
                thread=thread,
                survey=self.survey,
                earlier=self.results,
                item=item,
                failure=result.reason,
                unlike=result.refused_by,
            )
            try:
                result = await self.engine.run(assignment, priority=self._depths[step.id])
            except ModelUnavailable as error:
                self.unfinished.add(step.id)
                return Result.failed(str(error))
            if result.is_usable:
                break
        return result


def first_of(errors: ExceptionGroup[Exception]) -> Exception:
    """The first error of nested groups."""
    error = errors.exceptions[0]
    return first_of(cast(ExceptionGroup[Exception], error)) if isinstance(error, ExceptionGroup) else error


def _brief(result: Result) -> Result:
    """The result without its data, which the journal has already."""
    return result.model_copy(update={"data": None})


def combine(parts: list[tuple[str, Result]]) -> Result:
    """The results of all items of a step as one: tables joined, other values as a table by item."""
    usable = [(name, part) for name, part in parts if part.is_usable]
    lacking = [f"{name}: {part.reason}" for name, part in parts if part.reason]
    if not usable:
        return Result.failed(f"none of {len(parts)} could be done; {'; '.join(lacking[:3])}")
    data: list[JsonValue] = []
    for name, part in usable:
        if isinstance(part.data, list):
            data += part.data
        else:
            data.append({"item": name, "result": part.data if part.data is not None else part.text})
    return Result(
        status="degraded" if lacking else "done",
        text=f"{len(data)} rows from {len(usable)} of {len(parts)}",
        data=data,
        files=tuple(dict.fromkeys(file for _, part in usable for file in part.files)),
        evidence=tuple(proof for _, part in usable for proof in part.evidence[:1]),
        reason="; ".join(lacking[:20]),
    )
