"""Sub-agents in this process, each on a slot of the model server that it keeps to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm.agent.assignment import Assignment, short_label
from swarm.agent.loop import work_on
from swarm.engine.watch import Watch, deaths, first_of
from swarm.errors import ProjectError, ToolError, WorkerDied
from swarm.nouns.events import AgentDied, AgentEnded, AgentStarted, AgentWaiting
from swarm.nouns.result import Result
from swarm.scheduler.slots import Want
from swarm.work.context import name_of

if TYPE_CHECKING:
    from swarm.work.context import Work


class LocalEngine:
    """The engine of one run."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._watch = Watch(work.note, work.budget)

    async def watch(self) -> None:
        """Looks after the sub-agents until it is cancelled.

        Raises:
            LimitExceeded: nothing has moved for ``limits.stall_seconds``.
        """
        await self._watch.run()

    async def run(self, assignment: Assignment, *, priority: int = 0) -> Result:
        """What one sub-agent makes of its assignment, recorded once it is final.

        Raises:
            ModelUnavailable: the model server is gone; nothing final is recorded.
        """
        thread = assignment.thread
        known = await self._work.journal.result(thread)
        if known is not None:
            return known
        async with self._work.budget.agent(name_of(thread)):
            result = await self._outlive(assignment, priority)
        self._work.journal.note_result(thread, result)
        self._work.note(AgentEnded(**thread.place, status=result.status, text=result.reason or result.text))
        return result

    async def _outlive(self, assignment: Assignment, priority: int) -> Result:
        """What a worker makes of the assignment; where it dies, another goes on from its last recorded turn."""
        thread, workers = assignment.thread, self._work.limits.attempts
        said = ""
        for left in reversed(range(workers)):
            try:
                with deaths():
                    async with self._watch.over(thread):
                        return await self._live(assignment, priority)
            except WorkerDied as death:
                said = str(death)
                self._work.note(AgentDied(**thread.place, text=said, goes_on=left > 0))
        return Result.failed(f"its worker died{f' {workers} times' if workers > 1 else ''}: {said}")

    async def _live(self, assignment: Assignment, priority: int) -> Result:
        card, thread = assignment.card, assignment.thread
        if assignment.is_programmed:
            # Each candidate takes a slot of its own, and so does each reader: whoever waits for them has none.
            label = short_label(assignment)
            self._work.note(AgentStarted(**thread.place, agent=card.name, label=label))
            return await self._by_program(assignment)
        want = Want(
            kind=card.name, priority=priority, tier=card.tier, model=card.model, unlike=assignment.unlike
        )
        async with self._work.leased(want, lambda: self._work.note(AgentWaiting(**thread.place))) as work:
            work.note(AgentStarted(**thread.place, agent=card.name, label=short_label(assignment)))
            try:
                return await self._by_turns(assignment, work)
            except (ProjectError, ToolError) as error:
                return Result.failed(str(error))

    async def _by_turns(self, assignment: Assignment, work: Work) -> Result:
        if not assignment.card.graph:
            return await work_on(assignment, work)
        from swarm.graphs.graph_agent import work_on_graph

        return await work_on_graph(assignment, work)

    async def _by_program(self, assignment: Assignment) -> Result:
        from swarm.program.candidates import Programming

        try:
            return await Programming(self._work, assignment, self.run).result()
        except (ProjectError, ToolError) as error:
            return Result.failed(str(error))
        except ExceptionGroup as errors:
            # Candidates and readers work side by side: what stops one of them stops the step.
            first = first_of(errors)
            if isinstance(first, ProjectError | ToolError):
                return Result.failed(str(first))
            raise first from errors
