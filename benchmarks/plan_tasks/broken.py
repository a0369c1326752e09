"""Plans that cannot run: some broken by hand, and good ones broken at random with fixed seeds."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import cache
from typing import cast

import yaml
from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from benchmarks.plan_tasks.task import FOLDER, PlanTask
from benchmarks.plan_tasks.workspace import survey_of
from swarm.nouns.card import AgentCard
from swarm.nouns.plan import Plan
from swarm.planner.check import problems
from swarm.survey import Survey, TableGroup, TextGroup

Steps = list[dict[str, JsonValue]]
Break = Callable[[Steps, random.Random], Steps]

LETTERS = TextGroup(pattern="letters/*.txt", paths=("letters/a.txt", "letters/b.txt"))
TEXTS = Survey(paths=LETTERS.paths, texts=(LETTERS,))
HERE = TEXTS.model_copy(
    update={
        "paths": (*LETTERS.paths, "sales.csv", "shop.db"),
        "tables": (TableGroup(name="sales", pattern="sales.csv", columns=("city", "amount")),),
        "database": "orders(id INTEGER)",
        "database_tables": (TableGroup(name="orders", pattern="shop.db", columns=("id",)),),
    }
)


class BrokenPlan(BaseModel):
    """A plan broken by hand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    why: str
    plan: JsonValue
    tables: bool = True

    @property
    def survey(self) -> Survey:
        """The workspace that it is for."""
        return HERE if self.tables else TEXTS


@cache
def broken_by_hand() -> tuple[BrokenPlan, ...]:
    """Every plan of ``broken/plans.yaml``."""
    text = (FOLDER / "broken" / "plans.yaml").read_text(encoding="utf-8")
    return tuple(TypeAdapter(list[BrokenPlan]).validate_python(yaml.safe_load(text)))


def broken_at_random(task: PlanTask) -> list[tuple[str, JsonValue, Survey]]:
    """The task's good plan, broken in each way that it can be: the way, the plan and its workspace."""
    survey = survey_of(task)
    found: list[tuple[str, JsonValue, Survey]] = []
    for way, break_ in BREAKS.items():
        steps = cast(Steps, task.good_plan.model_dump(mode="json")["steps"])
        broken = break_(steps, random.Random(f"{task.id} {way}"))
        if broken:
            found.append((way, cast(JsonValue, {"steps": broken}), survey))
    return found


def is_rejected(plan: JsonValue, survey: Survey, cards: Mapping[str, AgentCard]) -> bool:
    """Whether a plan is refused before anything of it is run."""
    try:
        return bool(problems(Plan.model_validate(plan), cards, survey))
    except ValidationError:
        return True


def _unknown_need(steps: Steps, by: random.Random) -> Steps:
    return _with(steps, by, needs=["nothing"])


def _unknown_agent(steps: Steps, by: random.Random) -> Steps:
    return _with(steps, by, agent="intern")


def _no_brief(steps: Steps, by: random.Random) -> Steps:
    return _with(steps, by, brief="")


def _stray_item(steps: Steps, by: random.Random) -> Steps:
    alone = [step for step in steps if not step["each"]]
    return _with(alone, by, brief="Do {item}.") and steps


def _lost_item(steps: Steps, by: random.Random) -> Steps:
    wide = [step for step in steps if step["each"]]
    return _with(wide, by, brief="Do it.") and steps


def _no_files(steps: Steps, by: random.Random) -> Steps:
    wide = [step for step in steps if step["each"]]
    return _with(wide, by, each="nowhere/*.md") and steps


def _same_id(steps: Steps, by: random.Random) -> Steps:
    return [*steps, dict(by.choice(steps))]


def _circle(steps: Steps, by: random.Random) -> Steps:
    last = steps[-1]
    needed = [step for step in steps if step["id"] in cast(list[str], last["needs"])]
    return _with(needed or [last], by, needs=[last["id"]]) and steps


def _outside(steps: Steps, by: random.Random) -> Steps:
    return _with(steps, by, writes="../out.csv")


def _same_file(steps: Steps, by: random.Random) -> Steps:
    writing = [step for step in steps if step["writes"]]
    again = {**by.choice(writing), "id": "again"} if writing else {}
    return [*steps, again] if again else []


BREAKS: Mapping[str, Break] = {
    "a need that is no step": _unknown_need,
    "an agent that is not there": _unknown_agent,
    "an empty brief": _no_brief,
    "an item without an each": _stray_item,
    "an each without an item": _lost_item,
    "a pattern that matches nothing": _no_files,
    "two steps of one id": _same_id,
    "steps in a circle": _circle,
    "a file outside the workspace": _outside,
    "two steps that write one file": _same_file,
}


def _with(steps: Steps, by: random.Random, **fields: JsonValue) -> Steps:
    """The steps with the fields of one of them changed in place; none where there is none to change."""
    if steps:
        by.choice(steps).update(fields)
    return steps
