"""Where each step of a run stands, read from its file, and whether the file accounts for every one."""

from __future__ import annotations

from pathlib import Path

from swarm.nouns.events import RunEnded, StepEnded
from swarm.nouns.result import Status
from swarm.store.shelf.reader import read_events, read_run, read_steps

CAME_TO_ITS_END = ("done", "degraded", "failed")
"""How a run stands that has nothing left to do."""


def read_stand(path: Path) -> dict[str, Status]:
    """Where each step of the plan stands, in the plan's order; no steps where there is no plan yet.

    Raises:
        StoreError: as for ``read_run``.
    """
    plan, results = read_run(path).plan, read_steps(path)
    steps = plan.steps if plan else ()
    return {step.id: results[step.id].status if step.id in results else "unfinished" for step in steps}


def unaccounted(path: Path) -> list[str]:
    """What does not add up in the file of a run that is not at work, a sentence each; empty when all does.

    Every step stands in exactly one state; in a run that came to its end none is unfinished, and
    its last word of each step and of all steps is what is recorded.

    Raises:
        StoreError: as for ``read_run``.
    """
    run, stand, events = read_run(path), read_stand(path), read_events(path)
    if run.status not in CAME_TO_ITS_END:
        return []
    found = [f"step {id} is unfinished" for id, status in stand.items() if status == "unfinished"]
    said = {event.step: event.result.status for event in events if isinstance(event, StepEnded)}
    found += [
        f"step {id} is recorded as {status}, and its last event says {said.get(id, 'nothing')}"
        for id, status in stand.items()
        if said.get(id) != status
    ]
    ended = [event for event in events if isinstance(event, RunEnded)]
    if not ended or ended[-1].steps != stand:
        found.append(f"the run's end says {ended[-1].steps if ended else 'nothing'}, recorded is {stand}")
    if run.status == "done" and set(stand.values()) != {"done"}:
        found.append(f"the run is done, and its steps are {stand}")
    return found
