"""What a step promised of its file, held against the file as it was written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import JsonValue

from swarm.agent.assignment import is_table
from swarm.agent.opening import columns
from swarm.nouns.plan import Step
from swarm.nouns.result import Result
from swarm.program.checks import asks_object
from swarm.program.contents import separated
from swarm.program.saving import LINES, SEPARATED

MOST_NAMED = 5


@dataclass(frozen=True)
class Broken:
    """How a file is not what was promised."""

    problem: str
    status: Literal["failed", "degraded"] = "failed"


@dataclass(frozen=True)
class _PromisedTable:
    columns: tuple[str, ...]
    rows: int


def broken(folder: Path, step: Step, result: Result, *, by_agent: bool, task: str = "") -> Broken | None:
    """What is wrong with the promised file of a step in a folder; None for nothing.

    ``task``: what the run is to do, which may say what the file is to hold.
    ``by_agent``: its agent wrote the file itself, and not code from the result.
    """
    assert step.writes is not None
    path = folder / step.writes
    try:
        text = path.read_text(encoding="utf-8-sig")
        found = _table(path.suffix.lower(), text)
    except FileNotFoundError:
        return Broken("was promised and is not there")
    except (OSError, ValueError, RecursionError) as error:
        return Broken(f"does not parse: {error}")
    if not text.strip():
        return Broken("is empty")
    if path.suffix.lower() == ".json" and (other := _other_form(text, step.writes, task)):
        return other
    if is_prose_file(path.name) and by_agent:
        return None
    wanted, rows = _wanted(step, result), result.rows
    if found is None:
        return Broken("holds no table, and one was promised") if _is_due(step, result, path) else None
    if rows is None and not is_table(step.expects):
        is_sentence = path.suffix.lower() in SEPARATED and not by_agent and not found.rows
        return Broken("holds a text and no table") if is_sentence else None
    return _other_columns(found, wanted) or _other_rows(found, rows)


def is_prose_file(name: str) -> bool:
    """Whether a file of that name is a text for people and holds no rows of its own form."""
    return PurePosixPath(name).suffix.lower() not in (*SEPARATED, *LINES, ".json")


def _other_form(text: str, name: str, task: str) -> Broken | None:
    """A list where the task asks for an object, right behind the file's name."""
    if asks_object(name, task) and isinstance(json.loads(text), list):
        return Broken("holds a list, and the task asks for an object")
    return None


def _is_due(step: Step, result: Result, path: Path) -> bool:
    """Whether the file must be a table: by its ending, or since rows were to be written into it."""
    is_rows = result.rows is not None or is_table(step.expects)
    return is_rows and not is_prose_file(path.name)


def _wanted(step: Step, result: Result) -> list[str]:
    """The columns that were promised: those the step expects, else those of its rows."""
    if named := columns(step.expects):
        return named
    return list(dict.fromkeys(name for row in result.rows or () for name in row))


def _other_columns(found: _PromisedTable, wanted: Sequence[str]) -> Broken | None:
    has = {name.strip().casefold() for name in found.columns}
    lacks = [name for name in wanted if name.strip().casefold() not in has]
    if lacks and (found.rows or found.columns):
        return Broken(f"lacks {_columns(lacks)}; it has {_listed(found.columns) or 'none'}")
    known = {name.strip().casefold() for name in wanted}
    more = [name for name in found.columns if name.strip().casefold() not in known]
    if more and wanted:
        return Broken(f"has {_columns(more)} that nobody asked for", "degraded")
    return None


def _other_rows(found: _PromisedTable, rows: Sequence[object] | None) -> Broken | None:
    if rows is None or found.rows == len(rows):
        return None
    return Broken(f"has {found.rows} rows, and its step gave {len(rows)}")


def _columns(names: Sequence[str]) -> str:
    return f"the column{'s' if len(names) > 1 else ''} {_listed(names)}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(repr(name[:40]) for name in names[:MOST_NAMED]) + more


def _table(ending: str, text: str) -> _PromisedTable | None:
    """The table that a text is; None where it is none.

    Raises:
        ValueError: it does not parse.
    """
    if ending in SEPARATED:
        found = separated(text, SEPARATED[ending])
        return _PromisedTable(found.columns, len(found.cells))
    if ending in LINES:
        return _of_rows([json.loads(line) for line in text.splitlines() if line.strip()])
    if ending == ".json":
        return _of_rows(json.loads(text)) if text.strip() else None
    return _markdown(text) if ending == ".md" else None


def _of_rows(data: JsonValue) -> _PromisedTable | None:
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        return None
    rows = [row for row in data if isinstance(row, dict)]
    return _PromisedTable(tuple(dict.fromkeys(name for row in rows for name in row)), len(rows))


def _markdown(text: str) -> _PromisedTable | None:
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("|")]
    if len(lines) < 2 or set(lines[1]) - set("|-: "):
        return None
    names = lines[0].replace("\\|", "\0").strip("|").split("|")
    return _PromisedTable(tuple(name.replace("\0", "|").strip() for name in names), len(lines) - 2)
