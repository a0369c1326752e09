"""How far a run is: its counts, what is waited for, and how long it may still take."""

from __future__ import annotations

from collections import Counter

from swarm.view.state import ENDED, MOVING, RunState, StepState, is_inner

LEAST_ENDED = 3
"""Sub-agents that must have ended before their pace tells anything."""
NOTE_SECONDS = 30.0
"""How long a note is shown."""


def at_work(state: RunState) -> int:
    """How many sub-agents are at work, the run's own acts among them."""
    return sum(
        sum(step.stages[stage] for stage in MOVING) for step in state.steps.values() if step.result is None
    )


def asking(state: RunState) -> int:
    """How many requests are with the model."""
    return sum(agent.is_asking for step in state.steps.values() for agent in step.agents.values())


def slot_words(state: RunState) -> str:
    """The slots in use, and what stands in the server's queue: ``16/16 slots, 3 queued``."""
    if not state.slots or state.ended:
        return ""
    out = asking(state)
    queued = f", {out - state.slots} queued" if out > state.slots else ""
    return f"{min(out, state.slots)}/{state.slots} slots{queued}"


def waits(state: RunState) -> Counter[str]:
    """How many sub-agents wait for what."""
    found: Counter[str] = Counter()
    for step in state.steps.values():
        if step.result:
            continue
        for agent in step.agents.values():
            if agent.stage == "waiting":
                found[
                    agent.now.removeprefix("waits for ") if agent.now.startswith("waits") else "a turn"
                ] += 1
        if step.items:
            found["a slot"] += max(len(step.items) - len(step.agents), 0)
    return +found


def left_seconds(state: RunState, now: float) -> tuple[float, bool] | None:
    """About how long the plan's steps still take, and whether more may come; None where nothing tells.

    The pace of those that ended tells it, once there are some; before that, the forecast does.
    """
    if state.planned_at is None or state.ended:
        return None
    steps = [step for step in state.steps.values() if not is_inner(step.id)]
    is_open = any(step.each and not step.items and not step.result for step in steps)
    spent = max(state.worked(now) - state.planned_at, 0.0)
    ended, all_of_them = _ended(steps), sum(_units(step) for step in steps)
    if ended >= LEAST_ENDED and spent > 0:
        return spent * (all_of_them - ended) / ended, is_open
    if state.forecast is None:
        return None
    middle = (state.forecast.low_seconds + state.forecast.high_seconds) / 2
    return (middle - spent, is_open) if middle > spent else None


def _units(step: StepState) -> int:
    return max(step.size, 1)


def _ended(steps: list[StepState]) -> int:
    return sum(_units(step) if step.result else sum(step.stages[stage] for stage in ENDED) for step in steps)
