"""Whether a plan gains anything over one agent that does it all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from swarm.nouns.card import AgentCard
from swarm.nouns.plan import Plan, Step, is_pattern
from swarm.run.forecast import HIGH, Sizes, Speeds, forecast, sizes_of

MOST_FILES = 3
"""A small model loses its way in more."""
SHARE_OF_WINDOW = 0.25
"""What the files may take of the window, so that there is room to work with them."""


@dataclass(frozen=True)
class Ground:
    """What the choice is made from."""

    task: str
    cards: Mapping[str, AgentCard]
    workspace: Path
    window: int
    slots: int
    speeds: Speeds | None


def direct(plan: Plan, ground: Ground) -> tuple[Plan, str] | None:
    """The plan as one step and why, or None where the plan stays.

    It stays when any step gives a typed result, is queried or writes a file: such steps are what makes
    a small model's work right, and code joins them. What is left is a chain of one role, where nothing
    runs side by side and nothing is handed over but words; and a fan-out over a few small files that one
    agent has read no later than several.
    """
    if len({step.agent for step in plan.steps}) > 1 or any(_is_bound(step, ground) for step in plan.steps):
        return None
    if len(plan.steps) > 1 and _is_chain(plan):
        why = f"a chain of {len(plan.steps)} steps of one role gains nothing from several agents"
        return _one(plan, ground.task), why
    return _gathered(plan, ground)


def _is_bound(step: Step, ground: Ground) -> bool:
    return bool(step.expects or step.writes) or ground.cards[step.agent].tables == "queried"


def _is_chain(plan: Plan) -> bool:
    before = [(), *((step.id,) for step in plan.steps)]
    return all(
        step.each is None and step.needs == need for step, need in zip(plan.steps, before, strict=False)
    )


def _gathered(plan: Plan, ground: Ground) -> tuple[Plan, str] | None:
    """A fan-out over few files and the step that joins what it gave, as one step that reads them all."""
    first, rest = plan.steps[0], plan.steps[1:]
    if first.each is None or not is_pattern(first.each) or first.needs or ground.speeds is None:
        return None
    if len(rest) != 1 or rest[0].each or rest[0].needs != (first.id,):
        return None
    files = sorted(file for file in ground.workspace.glob(first.each) if file.is_file())
    sizes = sizes_of(plan, ground.workspace)
    whole = sum(sizes[first.id])
    if not 1 < len(files) <= MOST_FILES or whole / HIGH.bytes_per_token > SHARE_OF_WINDOW * ground.window:
        return None
    names = ", ".join(str(file.relative_to(ground.workspace)) for file in files)
    one = _one(plan, f"{ground.task} The files: {names}.")
    if _middle(plan, ground, sizes) < _middle(one, ground, {one.steps[0].id: [whole]}):
        return None
    return one, f"{len(files)} agents would take no less time than one that reads all {len(files)} files"


def _middle(plan: Plan, ground: Ground, sizes: Sizes) -> float:
    assert ground.speeds is not None
    expected = forecast(plan, ground.speeds, ground.slots, sizes)
    return (expected.low_seconds + expected.high_seconds) / 2


def _one(plan: Plan, brief: str) -> Plan:
    step = Step(id="task", agent=plan.steps[-1].agent, brief=brief.replace("{item}", "item"))
    return Plan(steps=(step,))
