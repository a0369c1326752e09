"""What one agent alone can reach: the servers and tools that a project adds and no card names."""

from __future__ import annotations

from collections.abc import Mapping

from swarm.nouns.card import AgentCard
from swarm.nouns.plan import Plan, Step
from swarm.planner.manner import concerns
from swarm.survey import Survey

GENERALIST = "generalist"


def alone(cards: Mapping[str, AgentCard]) -> list[str]:
    """Servers and files of tools that the generalist has and no other role, in its order."""
    card = cards.get(GENERALIST)
    others = {_source(tool) for name, other in cards.items() if name != GENERALIST for tool in other.tools}
    own = dict.fromkeys(_source(tool) for tool in card.tools) if card else {}
    return [name for name in own if name not in others]


def out_of_reach(plan: Plan, task: str, cards: Mapping[str, AgentCard], survey: Survey) -> str:
    """Why a plan is not of use, where its steps are given to roles that reach nothing of what the task is about;
    empty where that can't be said.

    A task that names nothing of the workspace is about what the servers have. A role without them can then query
    what earlier steps gave, or write it into a file; whatever else it said would be made up.
    """
    only = alone(cards)
    if not only or concerns(task, survey):
        return ""
    if all(_is_of_use(step, cards) for step in plan.steps):
        return ""
    return f"the task names nothing in the workspace, and {GENERALIST} alone has {', '.join(only)}"


def _is_of_use(step: Step, cards: Mapping[str, AgentCard]) -> bool:
    is_queried = cards[step.agent].tables == "queried" and step.expects is not None
    return step.agent == GENERALIST or (bool(step.waits_for) and (is_queried or step.writes is not None))


def _source(tool: str) -> str:
    return tool.partition(".")[0]
