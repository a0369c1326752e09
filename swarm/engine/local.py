"""Sub-agents in this process, each on a slot of the model server that it keeps to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swarm.agent.assignment import Assignment, short_label
from swarm.errors import ProjectError, ToolError
from swarm.events import AgentEnded, AgentStarted, AgentWaiting
from swarm.result import Result
from swarm.scheduler.slots import Want
from swarm.work import name_of

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

    from swarm.agent.loop import Cursor
    from swarm.agent.session import Session
    from swarm.work import Work


class LocalEngine:
    """The engine of one run."""

    def __init__(self, work: Work) -> None:
        from swarm.agent.loop import agent_graph

        self._work = work
        self._graph: CompiledStateGraph[Cursor, Session, Cursor, Cursor] = agent_graph(work.journal.saver)

    async def run(self, assignment: Assignment, *, priority: int = 0) -> Result:
        """What one sub-agent makes of its assignment, recorded once it is final.

        Raises:
            ModelUnavailable: the model server is gone; nothing final is recorded.
        """
        thread = assignment.thread
        known = await self._work.journal.result(thread)
        if known is not None:
            return known
        card = assignment.card
        want = Want(
            kind=card.name, priority=priority, tier=card.tier, model=card.model, unlike=assignment.unlike
        )
        async with (
            self._work.budget.agent(name_of(thread)),
            self._work.leased(want, lambda: self._note_waiting(assignment)) as work,
        ):
            work.note(
                AgentStarted(
                    **thread.place,
                    agent=assignment.card.name,
                    label=short_label(assignment),
                )
            )
            result = await self._work_on(assignment, work)
        self._work.journal.note_result(thread, result)
        self._work.note(
            AgentEnded(
                **thread.place,
                status=result.status,
                text=result.reason or result.text,
            )
        )
        return result

    def _note_waiting(self, assignment: Assignment) -> None:
        thread = assignment.thread
        self._work.note(AgentWaiting(**thread.place))

    async def _work_on(self, assignment: Assignment, work: Work) -> Result:
        from swarm.agent.loop import work_on

        try:
            return await work_on(assignment, work, self._graph)
        except (ProjectError, ToolError) as error:
            return Result.failed(str(error))
