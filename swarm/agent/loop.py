"""The agent as a LangGraph graph: turn after turn, a thread of its own and a checkpoint each turn.

The graph's state is the number of the turn; the words are in the journal. A sub-agent that is
resumed walks its graph again from the start, and each turn that was recorded costs a read.
"""

# pyright: reportUnknownMemberType=false
# langgraph's own annotations are not complete; mypy checks how it is called.
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.channels import LastValue
from langgraph.pregel import Pregel
from langgraph.pregel._read import PregelNode  # what NodeBuilder builds; exported nowhere else, like the next
from langgraph.pregel._write import ChannelWrite, ChannelWriteEntry

from swarm.agent.opening import Opener
from swarm.agent.session import Session
from swarm.errors import ModelError, ModelUnavailable
from swarm.nouns.result import Result

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

    from swarm.agent.assignment import Assignment
    from swarm.work.context import Work

    AgentGraph = Pregel[Any, None, Any, Any]


class _Turn(Runnable[int, None]):
    """Asks the model what to do and does it, then writes the number of the turn that follows, if any.

    One node, not two: each costs as much as a tool call does. One that writes itself: a writer beside it
    would make LangGraph run both in tasks of their own, which cost each agent 8 kB.
    """

    def invoke(self, input: int, config: RunnableConfig | None = None, **kwargs: Any) -> None:
        """What LangChain demands of each ``Runnable``; nobody calls it, as a turn waits."""
        raise NotImplementedError("a turn can only be awaited")

    async def ainvoke(self, input: int, config: RunnableConfig | None = None, **kwargs: Any) -> None:
        """The turn of the session in the configuration."""
        assert config
        session: Session = config.get("configurable", {})["session"]
        await session.ask()
        if session.has_action:
            await session.act()
        if session.result is None:
            ChannelWrite.do_write(config, [ChannelWriteEntry("turn", session.turn)])


def agent_graph(saver: BaseCheckpointSaver[int]) -> AgentGraph:
    """The graph; one serves all agents of a run.

    Of one channel and one node that is woken by what it wrote, and ends when that is nothing: a graph of
    states has more channels, which cost each agent 5 kB.
    """
    return Pregel(
        nodes={"turn": PregelNode(channels="turn", triggers=["turn"], bound=_Turn())},
        channels={"turn": LastValue(int)},
        input_channels="turn",
        output_channels="turn",
        checkpointer=saver,
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
        "configurable": {"thread_id": str(assignment.thread), "session": session},
        "recursion_limit": turns + 8,
    }
    try:
        await graph.ainvoke(0, config, durability="async")
    except ModelUnavailable:
        raise
    except ModelError as error:
        return Result.failed(str(error))
    return session.result or Result.failed("the agent ended without a result")
