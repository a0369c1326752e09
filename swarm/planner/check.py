"""What makes a plan impossible to run here, found before any tool is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from swarm.card import AgentCard
from swarm.plan import Plan, Step, is_pattern


def problems(plan: Plan, cards: Mapping[str, AgentCard], paths: Sequence[str] | None = None) -> list[str]:
    """One sentence for each thing that is wrong; empty when the plan can run.

    ``paths`` are the files of the workspace; without them patterns are not looked up.
    """
    found = plan.problems()
    writers: dict[str, str] = {}
    for step in plan.steps:
        found += _problems_of(step, plan, cards)
        if paths is not None and step.each and is_pattern(step.each) and not _matches(step.each, paths):
            found.append(f"step {step.id!r} is for each of {step.each!r}, which matches no file")
        if step.writes and (other := writers.setdefault(step.writes, step.id)) != step.id:
            found.append(f"steps {other!r} and {step.id!r} both write {step.writes!r}")
    return found


def _problems_of(step: Step, plan: Plan, cards: Mapping[str, AgentCard]) -> list[str]:
    found: list[str] = []
    if step.agent not in cards:
        found.append(f"step {step.id!r} asks for agent {step.agent!r}; there are: {', '.join(sorted(cards))}")
    if step.writes and (step.writes.startswith("/") or ".." in PurePosixPath(step.writes).parts):
        found.append(f"step {step.id!r} writes {step.writes!r}, which is outside the workspace")
    source = next((other for other in plan.steps if other.id == step.each_step), None)
    if source and source.expects and source.expects.get("type") != "array" and not source.each:
        found.append(f"step {step.id!r} is for each of {source.id!r}, whose result is no list")
    return found


def _matches(pattern: str, paths: Sequence[str]) -> bool:
    return any(PurePosixPath(path).match(pattern) for path in paths)
