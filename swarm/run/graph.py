"""A run as a LangGraph graph: plan → execute → (replan → execute) → answer; its thread is the run."""

# pyright: reportUnknownMemberType=false
# langgraph's own annotations are not complete; mypy checks how it is called.
from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from swarm.run.conductor import Conductor

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import BaseCheckpointSaver


class Phase(TypedDict):
    """Where a run stands; everything else is in the journal."""

    phase: str


async def _plan(state: Phase, runtime: Runtime[Conductor]) -> Phase:
    await runtime.context.plan()
    return {"phase": "planned"}


async def _execute(state: Phase, runtime: Runtime[Conductor]) -> Phase:
    await runtime.context.execute()
    return {"phase": "replan" if runtime.context.wants_replan else "answer"}


async def _replan(state: Phase, runtime: Runtime[Conductor]) -> Phase:
    return {"phase": "execute" if await runtime.context.replan() else "answer"}


async def _answer(state: Phase, runtime: Runtime[Conductor]) -> Phase:
    await runtime.context.answer()
    return {"phase": "answered"}


def _after(state: Phase) -> str:
    return state["phase"]


async def conduct(conductor: Conductor, saver: BaseCheckpointSaver[int]) -> None:
    """Run a conductor's acts to the answer."""
    graph = StateGraph(Phase, context_schema=Conductor)
    graph.add_node("plan", _plan)
    graph.add_node("execute", _execute)
    graph.add_node("replan", _replan)
    graph.add_node("answer", _answer)
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "execute")
    graph.add_conditional_edges("execute", _after, ["replan", "answer"])
    graph.add_conditional_edges("replan", _after, ["execute", "answer"])
    graph.add_edge("answer", END)
    config: RunnableConfig = {"configurable": {"thread_id": conductor.work.journal.run.id}}
    await graph.compile(checkpointer=saver).ainvoke(
        {"phase": "new"}, config, context=conductor, durability="async"
    )
