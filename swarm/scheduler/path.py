"""The critical path of a plan."""

from __future__ import annotations

from swarm.nouns.plan import Plan


def depths(plan: Plan) -> dict[str, int]:
    """For each step the number of steps on the longest way from it to the plan's end.

    Used as its priority: the critical path goes first.
    """
    after: dict[str, list[str]] = {step.id: [] for step in plan.steps}
    for step in plan.steps:
        for need in step.waits_for:
            after[need].append(step.id)
    found: dict[str, int] = {}

    def depth(id: str) -> int:
        if id not in found:
            found[id] = 1 + max((depth(later) for later in after[id]), default=0)
        return found[id]

    for step in plan.steps:
        depth(step.id)
    return found
