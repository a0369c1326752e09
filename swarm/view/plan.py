"""A plan in words: one row for each step, as a person reads it before it runs."""

from __future__ import annotations

from swarm.plan import Plan, Step
from swarm.view.words import cut, one_line


def plan_rows(plan: Plan, *, width: int = 100) -> list[str]:
    """One row for each step: its id, its agent, what it waits for and what it is to do."""
    ids = max(len(step.id) for step in plan.steps)
    agents = max(len(step.agent) for step in plan.steps)
    return [
        cut(f"{number:>3}  {step.id:<{ids}}  {step.agent:<{agents}}  {one_line(_words(step), width)}", width)
        for number, step in enumerate(plan.steps, start=1)
    ]


def _words(step: Step) -> str:
    each = f"for each of {step.each}: " if step.each else ""
    needs = f" [after {', '.join(step.needs)}]" if step.needs else ""
    writes = f" [writes {step.writes}]" if step.writes else ""
    return f"{each}{step.brief}{needs}{writes}"
