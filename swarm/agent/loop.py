"""The agent as a LangGraph graph: turn after turn, a thread of its own and a checkpoint each turn.

The graph's state is a cursor (turn and status); the words are in the journal. A sub-agent that is
resumed walks its graph again from the start, and each turn that was recorded costs a read.
"""

# pyright: reportUnknownMemberType=false
# langgraph's own annotations are not complete; mypy checks how it is called.
from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command

from swarm.agent.opening import Opener
from swarm.agent.session import Session
from swarm.errors import ModelError, ModelUnavailable
from swarm.result import Result

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.graph.state import CompiledStateGraph

    from swarm.agent.assignment import Assignment
    from swarm.work import Work


class Cursor(TypedDict):
    """Where an agent stands."""

    turn: int
    status: Literal["working", "done"]


_Next = Literal["turn", "__end__"]
"""The nodes of the graph; the last is LangGraph's name of the end."""


async def _turn(state: Cursor, runtime: Runtime[Session]) -> Command[_Next]:
    """Asks the model what to do and does it. One node, not two: each costs as much as a tool call does."""
    session = runtime.context
    await session.ask()
    if session.has_action:
        await session.act()
    # A command costs a third of what a conditional edge does.
    if session.result is not None:
        return Command(update={"turn": session.turn, "status": "done"}, goto="__end__")
    return Command(update={"turn": session.turn, "status": "working"}, goto="turn")


def agent_graph(saver: BaseCheckpointSaver[int]) -> CompiledStateGraph[Cursor, Session, Cursor, Cursor]:
    """The compiled graph; one serves all agents of a run."""
    graph = StateGraph(Cursor, context_schema=Session)
    graph.add_node("turn", _turn)
    graph.add_edge(START, "turn")
    return graph.compile(checkpointer=saver)


async def work_on(
    assignment: Assignment,
    work: Work,
    graph: CompiledStateGraph[Cursor, Session, Cursor, Cursor],
) -> Result:
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
        await graph.ainvoke({"turn": 0, "status": "working"}, config, context=session, durability="async")
    except ModelUnavailable:
        raise
    except ModelError as error:
        return Result.failed(str(error))
    return session.result or Result.failed("the agent ended without a result")
