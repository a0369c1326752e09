"""The agent as a LangGraph graph: turn after turn, a thread of its own and a checkpoint each turn.

The graph's state is the number of the turn; the words are in the journal. A sub-agent that is
resumed walks its graph again from the start, and each turn that was recorded costs a read.
"""

# pyright: reportUnknownMemberType=false
# langgraph's own annotations are not complete; mypy checks how it is called.
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph.channels import LastValue
from langgraph.pregel import NodeBuilder, Pregel
from langgraph.pregel._write import ChannelWriteEntry  # what NodeBuilder takes; exported nowhere else
from langgraph.runtime import get_runtime

from swarm.agent.opening import Opener
from swarm.agent.session import Session
from swarm.errors import ModelError, ModelUnavailable
from swarm.result import Result

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import BaseCheckpointSaver

    from swarm.agent.assignment import Assignment
    from swarm.work import Work

    AgentGraph = Pregel[Any, Session, Any, Any]


async def _turn(_: int) -> int | None:
    """Asks the model what to do and does it; the number of the turn that follows, if any.

    One node, not two: each costs as much as a tool call does.
    """
    session = get_runtime(Session).context
    await session.ask()
    if session.has_action:
        await session.act()
    return session.turn if session.result is None else None


def agent_graph(saver: BaseCheckpointSaver[int]) -> AgentGraph:
    """The graph; one serves all agents of a run.

    Of one channel and one node that is woken by what it wrote, and ends when that is nothing: a graph of
    states has more channels, which cost each agent 5 kB.
    """
    node = NodeBuilder().subscribe_only("turn").do(_turn).write_to(ChannelWriteEntry("turn", skip_none=True))
    return Pregel(
        nodes={"turn": node},
        channels={"turn": LastValue(int)},
        input_channels="turn",
        output_channels="turn",
        checkpointer=saver,
        context_schema=Session,
    )


async def work_on(assignment: Assignment, work: Work, graph: AgentGraph) -> Result:
    """What one sub-agent makes of its assignment; failures of the model are results with a reason.

    Raises:
        ModelUnavailable: the model server is gone.
        ProjectError: the card names a tool that is not there.
        ToolError: a tool's server did not start, or there is nothing to query.
    """
    opening = await Opener(work, assignment).open()
    session = Session(work, assignment, opening)
    turns = assignment.card.limits.turns or work.limits.turns
    config: RunnableConfig = {
        "configurable": {"thread_id": str(assignment.thread)},
        "recursion_limit": turns + 8,
    }
    try:
        await graph.ainvoke(0, config, context=session, durability="async")
    except ModelUnavailable:
        raise
    except ModelError as error:
        return Result.failed(str(error))
    return session.result or Result.failed("the agent ended without a result")
