"""A plan in words: one row for each step, as a person reads it before it runs."""

from __future__ import annotations

from rich.cells import cell_len

from swarm.nouns.plan import Plan, Step
from swarm.view.words import cut, one_line, printable

_LEAST_WORDS = 20
"""Columns that the words of a step have at least, beside what is behind them."""


def plan_rows(plan: Plan, *, width: int = 100) -> list[str]:
    """One row for each step: its id, its agent, what it is to do, what it waits for and what it writes.

    Where a row is too short the words give way, and then what is behind them has a row of its own.
    """
    ids = max(len(step.id) for step in plan.steps)
    agents = max(len(step.agent) for step in plan.steps)
    rows: list[str] = []
    for number, step in enumerate(plan.steps, start=1):
        rows += _rows(f"{number:>3}  {step.id:<{ids}}  {step.agent:<{agents}}  ", step, width)
    return rows


def file_rows(plan: Plan) -> list[str]:
    """One row for each file that the plan writes, whole at any length, with its columns where it is a table."""
    rows = [
        f"  {_whole(step.writes)}  (step {step.id}{_columns(step)})" for step in plan.steps if step.writes
    ]
    return [f"It writes {len(rows)} file{'' if len(rows) == 1 else 's'}:", *rows] if rows else []


def _rows(start: str, step: Step, width: int) -> list[str]:
    words, behind = one_line(_words(step), 4 * width), _behind(step)
    room = width - cell_len(start)
    beside = room - cell_len(behind) - 1
    if cell_len(words) <= beside or beside >= _LEAST_WORDS:
        return [cut(f"{start}{cut(words, beside)} {behind}".rstrip() if behind else f"{start}{words}", width)]
    rows = [cut(f"{start}{words}", width)]
    return [*rows, cut(f"     {behind}", width)] if behind else rows


def _words(step: Step) -> str:
    return f"for each of {step.each}: {step.brief}" if step.each else step.brief


def _behind(step: Step) -> str:
    needs = [f"[after {', '.join(step.needs)}]"] if step.needs else []
    writes = [f"[writes {_whole(step.writes)}]"] if step.writes else []
    return " ".join([*needs, *writes])


def _whole(name: str) -> str:
    """A name with nothing cut from it: signs that a terminal would obey are spelled out."""
    return name if printable(name) == name and "\n" not in name and "\t" not in name else ascii(name)


def _columns(step: Step) -> str:
    """The columns of the table that a step gives, where its schema names them."""
    items = (step.expects or {}).get("items")
    properties = items.get("properties") if isinstance(items, dict) else None
    return f": {one_line(', '.join(properties), 200)}" if isinstance(properties, dict) and properties else ""
