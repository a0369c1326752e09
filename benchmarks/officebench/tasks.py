"""The tasks of the set, as they lie in a checkout of it, and the sample that is asked."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import JsonValue

TOLD = (
    "Today is {date} ({weekday}), {time}. You work for {username}. "
    "Files lie in the folder data, and new ones belong there.\n\n{task}"
)
"""What the set's own harness tells its models of the person, the day and the folder, before the task."""

Check = dict[str, JsonValue]


@dataclass(frozen=True)
class Task:
    """A task, the files that it begins with, and how the files at its end are judged."""

    id: str
    """As ``2-31/0``."""
    user: str
    text: str
    """The task alone."""
    told: str
    """With the person, the day and the folder."""
    checks: tuple[Check, ...]
    """Each a function of the set by its name, and its arguments."""
    testbed: Path
    """May be missing: then there are no files."""
    reference: Path
    """Files that results are compared with."""

    @property
    def apps(self) -> int:
        """How many apps it takes, as the set counts them."""
        return int(self.id.partition("-")[0])


def tasks(data: Path) -> list[Task]:
    """All tasks of a checkout, in order.

    Raises:
        SystemExit: there are none.
    """
    paths = sorted(data.glob("tasks/*/subtasks/*.json"), key=_place)
    if not paths:
        raise SystemExit(
            f"--data {str(data)!r} holds no tasks/*/subtasks/*.json; name a checkout of OfficeBench"
        )
    return [_task(path) for path in paths]


def _place(path: Path) -> tuple[int, ...]:
    apps, _, number = path.parent.parent.name.partition("-")
    return int(apps), int(number), int(path.stem)


def _task(path: Path) -> Task:
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    folder = path.parent.parent
    return Task(
        id=f"{folder.name}/{path.stem}",
        user=told["username"],
        text=told["task"],
        told=TOLD.format_map(told),
        checks=tuple(told["evaluation"]),
        testbed=folder / "testbed",
        reference=folder / "reference",
    )


def sample(among: Sequence[Task], count: int, seed: int) -> list[Task]:
    """So many tasks drawn by chance, as near as can be the same number of those with one, two and three apps."""
    chance = random.Random(seed)
    left = {apps: [task for task in among if task.apps == apps] for apps in (1, 2, 3)}
    drawn: list[Task] = []
    for own in left.values():
        chance.shuffle(own)
    while len(drawn) < count and any(left.values()):
        for own in left.values():
            if own and len(drawn) < count:
                drawn.append(own.pop())
    places = {task.id: place for place, task in enumerate(among)}
    return sorted(drawn, key=lambda task: places[task.id])
