"""The plan as a small model writes it: flat, with few choices, each held to what exists."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, JsonValue

from swarm.models.grammars.schemas import closed
from swarm.nouns.plan import Plan, Step

ID = "^[a-z][a-z_]{1,19}$"
COLUMN = "^[a-z][a-z_]{0,23}:(text|number|date)$"
MOST_STEPS = 8
MOST_COLUMNS = 8
_AS_EXAMPLE = re.compile(
    r"(?:\blike|\be\.g\.|\bsuch as|\bfor example|\bfor instance)[\s,:(\"'`]*$", re.IGNORECASE
)
"""What stands before a file that is named to show how names look."""
_FILE = re.compile(r"[\w./-]*\w\.(?:csv|tsv|json|jsonl|md|txt|html)\b", re.IGNORECASE)


class DraftStep(BaseModel):
    """One step as the model wrote it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    agent: str
    each: str = ""
    """A pattern of text files or the id of an earlier step; empty for a single agent."""
    needs: tuple[str, ...] = ()
    brief: str
    columns: tuple[str, ...] = ()
    """``name:type`` of each column of its table; empty for prose."""
    writes: str = ""


class Draft(BaseModel):
    """A plan as the model wrote it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    steps: tuple[DraftStep, ...]


def draft_schema(
    agents: Sequence[str], patterns: Sequence[str], files: Sequence[str]
) -> dict[str, JsonValue]:
    """JSON Schema of a draft, closed over the agents, file patterns and files to write that exist."""
    id: JsonValue = {"type": "string", "pattern": ID}
    each: JsonValue = {"anyOf": [{"enum": ["", *patterns]}, id]} if patterns else {"enum": [""]}
    properties: dict[str, JsonValue] = {
        "id": id,
        "agent": {"enum": list(agents)},
        "each": each,
        "needs": {"type": "array", "items": id, "maxItems": 5},
        "brief": {"type": "string", "minLength": 8, "maxLength": 400},
        "columns": {
            "type": "array",
            "items": {"type": "string", "pattern": COLUMN},
            "maxItems": MOST_COLUMNS,
        },
        "writes": {"enum": ["", *files]},
    }
    steps: JsonValue = {
        "type": "array",
        "items": closed(properties),
        "minItems": 1,
        "maxItems": MOST_STEPS,
    }
    return closed({"steps": steps})


def files_to_write(task: str, existing: Sequence[str]) -> list[str]:
    """Files that a task names and that are not there yet."""
    named = dict.fromkeys(
        found[0].removeprefix("./") for found in _FILE.finditer(task) if not is_example(task[: found.start()])
    )
    return [name for name in named if name not in existing and not name.startswith("/") and ".." not in name]


def is_example(before: str) -> bool:
    """Whether what stands before a name says that it only shows how names look."""
    return _AS_EXAMPLE.search(before) is not None


def to_plan(draft: Draft) -> Plan:
    """The draft as a plan, its columns as a JSON Schema.

    Raises:
        pydantic.ValidationError: a field that no step may have.
    """
    return Plan(steps=tuple(_to_step(step) for step in draft.steps))


def _to_step(step: DraftStep) -> Step:
    return Step(
        id=step.id,
        agent=step.agent,
        brief=step.brief,
        needs=step.needs,
        each=step.each or None,
        expects=table_schema(step.columns) if step.columns else None,
        writes=step.writes or None,
    )


def table_schema(columns: Sequence[str]) -> dict[str, JsonValue]:
    """The schema of a list of rows with these ``name:type`` columns, each of which may be null."""
    named = dict(column.split(":", 1) for column in columns)
    row = closed({name: _cell(kind) for name, kind in named.items()})
    return {"type": "array", "items": row, "maxItems": 200}


def _cell(kind: str) -> JsonValue:
    if kind == "number":
        return {"type": ["number", "null"]}
    if kind == "date":
        return {"type": ["string", "null"], "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
    return {"type": ["string", "null"]}


def draft_columns(schema: Mapping[str, JsonValue] | None) -> list[str]:
    """The ``name:type`` columns of a table schema: what ``table_schema`` was made from."""
    items = schema.get("items") if schema else None
    properties = items.get("properties") if isinstance(items, dict) else None
    return (
        [f"{name}:{_kind(cell)}" for name, cell in properties.items()] if isinstance(properties, dict) else []
    )


def _kind(cell: JsonValue) -> str:
    if not isinstance(cell, dict):
        return "text"
    branches = cell.get("anyOf")
    if isinstance(branches, list):
        kinds = {_kind(part) for part in branches if part != {"type": "null"}}
        return kinds.pop() if len(kinds) == 1 else "any"
    types = cell.get("type")
    is_number = "number" in types if isinstance(types, list) else types in ("number", "integer")
    return "date" if cell.get("format") == "date" else "number" if is_number else "text"
