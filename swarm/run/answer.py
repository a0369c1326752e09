"""The answer of a run: a few sentences by the model, held to the results, and the facts by code."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from pydantic import JsonValue

from swarm.nouns.events import LimitReached
from swarm.nouns.limits import Usage
from swarm.nouns.plan import Plan, Step
from swarm.nouns.result import Result
from swarm.run.saying import MOST_ROWS, AnswerDraft, judged_words, say
from swarm.run.typed import Form
from swarm.work.context import Work, one_line

Value = TypeVar("Value")
RunOutcome = Literal["done", "degraded", "failed", "paused", "stopped"]
MOST_CELLS = 40


@dataclass(frozen=True)
class Answer(Generic[Value]):
    """What a run came to."""

    run: str
    status: RunOutcome
    text: str
    """For people: the answer, its tables, the files, and what is missing."""
    value: Value | None
    """The typed answer, where one was asked for."""
    files: tuple[str, ...]
    """Files that were written, relative to the workspace."""
    missing: tuple[str, ...]
    """What the answer lacks, one sentence each; values of a typed answer that were not found are kept and
    named here."""
    usage: Usage
    reached: LimitReached | None = None
    """The limit that the run was paused at."""
    judged: tuple[str, ...] = ()
    """Places of the typed answer (``items[2].mood``) that the model judged and did not read: choices, truth
    values, fields marked as judged, and summaries in its own words."""


@dataclass(frozen=True)
class Composed:
    """An answer before it is recorded."""

    status: Literal["done", "degraded", "failed"]
    text: str
    data: JsonValue
    files: tuple[str, ...]
    missing: tuple[str, ...]
    value: object = None
    """The typed value, where one was asked for."""
    judged: tuple[str, ...] = ()


async def compose(
    work: Work, plan: Plan, results: Mapping[str, Result], form: Form | None, unmade: Sequence[str] = ()
) -> Composed:
    """The answer made of the results of a plan's last steps. ``unmade``: what else it lacks, in sentences."""
    missing = (*_missing(plan, results), *unmade)
    lasting = [step for step in plan.steps if _is_shown(step, plan) and results[step.id].is_usable]
    files = tuple(dict.fromkeys(file for step in plan.steps for file in results[step.id].files))
    if not lasting:
        return Composed(
            "failed", _facts("Nothing could be answered.", [], files, missing), None, files, missing
        )
    if form is None and len(lasting) == 1 and isinstance(results[lasting[0].id].data, str):
        said = AnswerDraft(str(results[lasting[0].id].data))
    elif form is None and len(lasting) == 1 and results[lasting[0].id].votes is not None:
        # A program's answer is said by code: a model would only tell it again, and may tell it wrongly.
        said = AnswerDraft(_by_program(results[lasting[0].id]))
    else:
        said = _by_code(lasting, results, form) or await say(
            work, work.journal.run.task, lasting, results, form
        )
    missing = (*missing, *said.missing)
    tables = [part for step in lasting if (part := _table(step, results[step.id]))]
    words = "\n\n".join(part for part in (said.text.strip(), judged_words(said.judged)) if part)
    status: Literal["done", "degraded"] = "degraded" if missing else "done"
    text = _facts(words, tables, files, missing)
    return Composed(status, text, said.data, files, missing, said.value, said.judged)


def _by_code(lasting: Sequence[Step], results: Mapping[str, Result], form: Form | None) -> AnswerDraft | None:
    """The typed value that a program gave as it was asked for: a model would only tell it again."""
    if form is None or len(lasting) != 1 or results[lasting[0].id].votes is None:
        return None
    result = results[lasting[0].id]
    try:
        return AnswerDraft(_by_program(result), result.data, form.value(result.data))
    except ValueError:
        return None


def _is_shown(step: Step, plan: Plan) -> bool:
    return step.writes is not None or step in plan.last_steps()


def _missing(plan: Plan, results: Mapping[str, Result]) -> tuple[str, ...]:
    lacking = [(step, results[step.id]) for step in plan.steps if results[step.id].status != "done"]
    return tuple(
        f"step {step.id} {result.status}: {one_line(result.reason, 300)}" for step, result in lacking
    )


def _table(step: Step, result: Result) -> str:
    rows = result.rows
    if not rows:
        return f"{step.id}: no rows" if rows is not None else ""
    names = list(dict.fromkeys(key for row in rows for key in row))
    head = [f"{step.id}:", f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]
    body = [f"| {' | '.join(_cell(row.get(name)) for name in names)} |" for row in rows[:MOST_ROWS]]
    more = [f"… {len(rows)} rows in all"] if len(rows) > MOST_ROWS else []
    return "\n".join(head + body + more)


def _by_program(result: Result) -> str:
    """What a program answered that is no text: its values by their names; nothing of a table, which is shown."""
    match result.data:
        case None | list() if result.data is None or result.rows:
            return ""
        case dict():
            return "\n".join(f"{name}: {_value(value)}" for name, value in result.data.items())
        case list():
            return ", ".join(map(_value, result.data))
        case _:
            return _value(result.data)


def _value(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cell(value: JsonValue) -> str:
    return one_line("" if value is None else str(value), MOST_CELLS)


def _facts(said: str, tables: list[str], files: tuple[str, ...], missing: tuple[str, ...]) -> str:
    parts = [said.strip(), *tables]
    if files:
        parts.append(f"Files: {', '.join(files)}")
    if missing:
        parts.append("Missing:\n" + "\n".join(f"- {lack}" for lack in missing))
    return "\n\n".join(parts)
