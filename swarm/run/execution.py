"""Running a plan without a barrier: a step starts the moment its needs are done.

Each step is a task that awaits the steps it waits for; a failure is a result, so it never cancels
a sibling. What was recorded before a crash is not done again: a step that failed walks through its
recorded attempts for the price of reading them, and has new ones where it is to be tried again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from pydantic import JsonValue

from swarm.agent.assignment import Assignment, label
from swarm.agent.name_spelling import alike
from swarm.engine.engine import Engine
from swarm.engine.watch import deaths, first_of
from swarm.errors import CallInDoubt, ModelUnavailable, ProjectError, ServerError, WorkerDied
from swarm.nouns.card import AgentCard
from swarm.nouns.events import StepEnded, StepExpanded
from swarm.nouns.plan import Plan, Step, Thread
from swarm.nouns.result import Result
from swarm.nouns.tool import ToolResult
from swarm.run.closing import close
from swarm.scheduler.path import depths
from swarm.survey import Survey, listed
from swarm.work.context import At, Work, one_line
from swarm.work.effects import act

Done = TypeVar("Done")


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
    rounds: Mapping[str, int] = field(default_factory=dict[str, int])
    """How often a step that failed has been given another try, with attempts of its own."""
    doubts: dict[int, str] = field(default_factory=dict[int, str])
    """The questions that stand in the way of a step, in words, by their numbers."""
    _at_work: Counter[str] = field(default_factory=Counter[str])
    """Pieces of work under way, by their steps."""
    _waiting: Counter[str] = field(default_factory=Counter[str])
    """Those of them that wait for a person."""

    async def run(self) -> dict[str, Result]:
        """The result of every step of the plan."""
        ended = {need: asyncio.Event() for step in self.plan.steps for need in step.waits_for}
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
            try:
                with deaths():
                    result = await self._run(step)
            except WorkerDied as death:
                result = Result.failed(str(death))
            self.results[step.id] = result
            self.work.journal.note_step(step.id, result)
            self.work.note(StepEnded(step=step.id, result=_brief(result)))
        if step.id in ended:
            ended[step.id].set()
        self._look_for_rest()

    async def _run(self, step: Step) -> Result:
        blocked = self._blocked(step)
        if blocked is not None:
            return blocked
        if step.joins:
            result = join(step, {part: self.results[part] for part in step.joins})
        elif step.each is None:
            result = await self._unless_in_doubt(step, partial(self._attempt, step, None, None))
        else:
            result = await self._run_each(step)
        if not result.is_usable:
            return result
        if lacks := self._lacks(step):
            reason = "; ".join(part for part in (result.reason, *lacks) if part)
            result = result.model_copy(update={"status": "degraded", "reason": reason})
        closing = partial(close, self.work, step, result, self.rounds.get(step.id, 0))
        return await self._unless_in_doubt(step, closing)

    def _lacks(self, step: Step) -> list[str]:
        """What a step that is done had to do without: it is no better than what it builds on."""
        needs = [need for need in step.waits_for if need not in step.joins]
        kinds = {
            "dropped": "it was done without {}, which was dropped",
            "degraded": "it builds on {}, which is degraded",
            "empty": "it builds on {}, which gave nothing",
        }
        found: dict[str, list[str]] = {}
        for need in needs:
            result = self.results[need]
            is_empty = result.is_empty and not result.is_checked
            found.setdefault("empty" if is_empty else result.status, []).append(need)
        return [words.format(", ".join(found[kind])) for kind, words in kinds.items() if kind in found]

    def _blocked(self, step: Step) -> Result | None:
        """What becomes of a step that can't be done for what it needs; None for one that can.

        A step that was dropped is no reason as long as there is anything else to work on.
        """
        lost = {
            need: self.results[need].status for need in step.waits_for if not self.results[need].is_usable
        }
        if waits := [need for need, status in lost.items() if status == "unfinished"]:
            return Result(status="unfinished", reason=f"it needs {', '.join(waits)}, which is unfinished")
        failed = [need for need, status in lost.items() if status != "dropped" and need not in step.joins]
        if failed:
            return Result(status="skipped", reason=f"it needs {', '.join(failed)}, which failed")
        if lost and not step.joins and (step.each_step in lost or len(lost) == len(step.waits_for)):
            return Result(status="skipped", reason=f"it needs {', '.join(lost)}, which was dropped")
        return None

    async def _run_each(self, step: Step) -> Result:
        try:
            found = await self._unless_in_doubt(step, partial(self._items, step))
        except (ProjectError, ServerError) as error:
            return Result.failed(str(error))
        if isinstance(found, Result):
            return found
        items, lacks = found
        self.work.note(StepExpanded(step=step.id, items=tuple(one_line(label(item), 60) for item in items)))
        pieces = [partial(self._attempt, step, number, item) for number, item in enumerate(items)]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._unless_in_doubt(step, piece)) for piece in pieces]
        parts = [(label(item), task.result()) for item, task in zip(items, tasks, strict=True)]
        waits = [f"{name}: {part.reason}" for name, part in parts if part.status == "unfinished"]
        if waits:
            reason = f"{len(waits)} of {len(parts)} are unfinished; {'; '.join(waits[:3])}"
            return Result(status="unfinished", reason=reason)
        return _without(combine(parts), lacks)

    async def _items(self, step: Step) -> tuple[list[JsonValue], str] | Result:
        """The items of a step, and which files are left out of them."""
        most, lacks = self.work.limits.items, ""
        data: JsonValue
        if step.each_step:
            before = self.results[step.each_step]
            if before.is_empty and before.is_checked:
                text = f"nothing to do: {step.each_step} has no rows, as its agent made sure"
                return Result(text=text, data=[], is_checked=True)
            data = before.data
        else:
            found = await self._glob(step)
            if found.is_error:
                return Result.failed(found.text)
            paths, lacks = listed(found)
            data = [*paths]
        if not isinstance(data, list) or not data:
            reason = f"there is nothing to do it for: {step.each!r} gave no list of items"
            return Result.failed(f"{reason}; {lacks}" if lacks else reason)
        if len(data) > most:
            return Result.failed(f"{step.each!r} gave {len(data)} items, over limits.items = {most}")
        return data, lacks

    async def _glob(self, step: Step) -> ToolResult:
        """The files of a step's pattern: those found first, or looked for again in each new round."""
        (tool,) = await self.work.box.tools(("files.glob",))
        thread = Thread(run=self.work.journal.run.id, step=step.id, attempt=0)
        found = ToolResult(text="")
        for round in range(self.rounds.get(step.id, 0) + 1):
            found = await act(self.work, At(thread, 2 * round), tool, {"pattern": step.each}, {})
            if listed(found)[0]:
                break
        return found

    async def _attempt(self, step: Step, item_number: int | None, item: JsonValue) -> Result:
        """The result of one sub-agent; after a failure it is tried again, told what went wrong."""
        result = Result.failed("")
        rounds = self.rounds.get(step.id, 0)
        for attempt in range(1, self.work.limits.attempts * (1 + rounds) + 1):
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
                return Result(status="unfinished", reason=str(error))
            if result.is_usable or result.status == "unfinished":
                break
            if assignment.is_programmed and attempt > rounds and not (result.votes and result.votes.winner):
                # A program that is given does the same each time, and others were written anew until some agree;
                # one that was chosen and met files that changed meanwhile is run over these.
                break
        return result

    async def _unless_in_doubt(self, step: Step, work: Callable[[], Awaitable[Done]]) -> Done | Result:
        """What the work gives; unfinished where a call in it is in doubt that nobody decides about.

        It waits for that as long as other work of the run is under way.
        """
        self._at_work[step.id] += 1
        try:
            while True:
                try:
                    return await work()
                except CallInDoubt as error:
                    if not await self._is_decided(step, error.question):
                        self.doubts[error.question] = str(error)
                        return Result(status="unfinished", reason=str(error))
        finally:
            self._at_work[step.id] -= 1
            self._look_for_rest()

    async def _is_decided(self, step: Step, number: int) -> bool:
        """Whether a person decided while others were at work."""
        ledger = self.work.journal.ledger
        woken = ledger.waiting[number] = asyncio.Event()
        self._waiting[step.id] += 1
        self._look_for_rest()
        try:
            # Whoever was shown the question may have decided before there was anything to wake.
            if (await ledger.question(number)).is_open:
                await woken.wait()
        finally:
            self._waiting[step.id] -= 1
            del ledger.waiting[number]
        return not (await ledger.question(number)).is_open

    def _look_for_rest(self) -> None:
        """Lets those go that wait for a person when no other work of the run is under way."""
        for step in self.plan.steps:
            is_blocked = any(need not in self.results for need in step.waits_for)
            is_waiting = 0 < self._at_work[step.id] == self._waiting[step.id]
            if not (step.id in self.results or is_blocked or is_waiting):
                return
        for woken in self.work.journal.ledger.waiting.values():
            woken.set()


def _brief(result: Result) -> Result:
    """The result without its data, which the journal has already."""
    return result.model_copy(update={"data": None})


def _without(result: Result, lacks: str) -> Result:
    """The result, degraded where it lacks something."""
    if not lacks or not result.is_usable:
        return result
    reason = "; ".join(part for part in (f"left out: {lacks}", result.reason) if part)
    return result.model_copy(update={"status": "degraded", "reason": reason})


def join(step: Step, parts: Mapping[str, Result]) -> Result:
    """The results of the steps that a step was split into as its own: their rows, or their texts in order."""
    whole = combine(list(parts.items()))
    if step.expects is not None or not whole.is_usable:
        return whole
    said = "\n\n".join(str(part.data or part.text) for part in parts.values() if part.is_usable)
    return whole.model_copy(update={"data": said, "text": one_line(said, 200)})


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
    rows = [row for row in data if isinstance(row, dict)]
    if len(rows) == len(data):
        data = [*alike(rows)]
    return Result(
        status="degraded" if lacking else "done",
        text=f"{len(data)} rows from {len(usable)} of {len(parts)}",
        data=data,
        files=tuple(dict.fromkeys(file for _, part in usable for file in part.files)),
        evidence=tuple(proof for _, part in usable for proof in part.evidence[:1]),
        reason="; ".join(lacking[:20]),
        is_checked=all(part.is_checked or not part.is_empty for _, part in usable),
    )
