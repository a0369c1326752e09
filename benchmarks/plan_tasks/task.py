"""Tasks for the planner, read from the YAML files beside this module, and what a plan for each must cover."""

from __future__ import annotations

import random
import re
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from swarm.nouns.plan import Plan
from swarm.planner.draft import Draft, DraftStep, to_plan

FOLDER = Path(__file__).parent
SEED = 7
TABLE_ENDINGS = (".csv", ".tsv", ".json")
_LINE = re.compile(r"(?P<id>\w+) (?P<agent>\w+)(?P<fields>(?: \w+=\S+)*) -- (?P<brief>.+)")

Form = Literal["table", "prose", "any"]


class Want(BaseModel):
    """One thing that a task asks for. Patterns are regular expressions, in any letter case."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str = ""
    """A file that some step must write; without one, the answer must hold what is wanted."""
    answer: bool = False
    acts: bool = False
    """Whether files must be moved or written by an agent that can."""
    sources: tuple[str, ...] = Field(alias="from")
    """What must be read for it: text files by pattern or name, table files likewise, tables of the
    database by name."""
    columns: tuple[str, ...] = ()
    """A table of it needs a column for each pattern."""
    says: tuple[str, ...] = ()
    """For each pattern, the brief or columns of the step or of one it builds on must match."""
    computed: bool = False
    """Whether a step that reaches all sources must query tables, because a model would miscount."""
    form: Form | None = None
    """What it must be; by default a table where the file's name says so."""
    is_direct: bool = False
    """Whether one agent with its tools may do it, however many files there are."""

    @property
    def must_be(self) -> Form:
        """What the result must be."""
        return self.form or ("table" if self.file.endswith(TABLE_ENDINGS) else "any")

    def __str__(self) -> str:
        return self.file or ("the act" if self.acts else "the answer")


class PlanTask(BaseModel):
    """A task in a user's words, what lies in its workspace, and a plan that covers it and one that does not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    task: str
    texts: dict[str, int] = {}
    """How many text files there are of each pattern; a name without a star is one file."""
    tables: dict[str, tuple[int, str]] = {}
    """For each pattern of table files how many there are, and their columns."""
    database: dict[str, dict[str, str]] = {}
    """The database file with the columns of its tables."""
    wants: tuple[Want, ...]
    good: tuple[str, ...]
    bad: tuple[str, ...]

    @property
    def good_plan(self) -> Plan:
        """A plan, made by hand, that covers the task."""
        return to_plan(draft_of(self.good))

    @property
    def bad_plan(self) -> Plan:
        """A plan, made by hand, that can run and leaves something out."""
        return to_plan(draft_of(self.bad))


@cache
def all_tasks() -> tuple[PlanTask, ...]:
    """Every task, in the order of the files."""
    tasks = TypeAdapter(list[PlanTask])
    return tuple(
        task
        for path in sorted(FOLDER.glob("*.yaml"))
        for task in tasks.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    )


def held_out() -> frozenset[str]:
    """Ids of the half of the tasks on whose plans no prompt or rule was ever tried before the end."""
    return frozenset(random.Random(SEED).sample(sorted(task.id for task in all_tasks()), 30))


def draft_of(lines: tuple[str, ...]) -> Draft:
    """A draft from its short form: ``id agent each=… needs=a,b cols=a,b:number writes=… -- brief``."""
    return Draft(steps=tuple(map(_step, lines)))


def _step(line: str) -> DraftStep:
    found = _LINE.fullmatch(line)
    if found is None:
        raise ValueError(f"not a step in short form: {line!r}")
    fields = dict(field.split("=", 1) for field in found["fields"].split())
    columns = [name if ":" in name else f"{name}:text" for name in _split(fields.get("cols", ""))]
    return DraftStep(
        id=found["id"],
        agent=found["agent"],
        brief=found["brief"],
        each=fields.get("each", ""),
        needs=_split(fields.get("needs", "")),
        columns=tuple(columns),
        writes=fields.get("writes", ""),
    )


def _split(names: str) -> tuple[str, ...]:
    return tuple(name for name in names.split(",") if name)
