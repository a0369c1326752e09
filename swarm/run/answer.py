"""The answer of a run: a few sentences by the model, held to the results, and the facts by code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import pydantic
from pydantic import BaseModel, JsonValue, TypeAdapter

from swarm.agent.evasion import evasion
from swarm.agent.grounding import Source
from swarm.agent.turn import Give, TurnRules, parse
from swarm.errors import MalformedReply, ModelError
from swarm.events import LimitReached
from swarm.limits import Usage
from swarm.messages import Message, Request
from swarm.plan import Plan, Step, Thread
from swarm.prompt import fill
from swarm.result import Result
from swarm.scheduler.slots import Want
from swarm.work import At, Work, ask, one_line

Value = TypeVar("Value")
RunOutcome = Literal["done", "degraded", "failed", "paused", "stopped"]
MOST_ROWS = 20
MOST_CELLS = 40
ANSWER_TOKENS = 300
_JSON: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])


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
    """What the answer lacks, one sentence each."""
    usage: Usage
    reached: LimitReached | None = None
    """The limit that the run was paused at."""


@dataclass(frozen=True)
class Composed:
    """An answer before it is recorded."""

    status: Literal["done", "degraded", "failed"]
    text: str
    data: JsonValue
    files: tuple[str, ...]
    missing: tuple[str, ...]


async def compose(
    work: Work, task: str, plan: Plan, results: Mapping[str, Result], schema: Mapping[str, JsonValue] | None
) -> Composed:
    """The answer made of the results of a plan's last steps."""
    missing = _missing(plan, results)
    lasting = [step for step in plan.steps if _is_shown(step, plan) and results[step.id].is_usable]
    files = tuple(dict.fromkeys(file for step in plan.steps for file in results[step.id].files))
    if not lasting:
        return Composed(
            "failed", _facts("Nothing could be answered.", [], files, missing), None, files, missing
        )
    data: JsonValue = None
    if schema is None and len(lasting) == 1 and isinstance(results[lasting[0].id].data, str):
        said = str(results[lasting[0].id].data)
    else:
        said, data, lack = await _say(work, task, lasting, results, schema)
        missing = (*missing, *lack)
    tables = [part for step in lasting if (part := _table(step, results[step.id]))]
    status: Literal["done", "degraded"] = "degraded" if missing else "done"
    return Composed(status, _facts(said, tables, files, missing), data, files, missing)


def _is_shown(step: Step, plan: Plan) -> bool:
    return step.writes is not None or step in plan.last_steps()


def _missing(plan: Plan, results: Mapping[str, Result]) -> tuple[str, ...]:
    lacking = [(step, results[step.id]) for step in plan.steps if results[step.id].status != "done"]
    return tuple(
        f"step {step.id} {result.status}: {one_line(result.reason, 300)}" for step, result in lacking
    )


async def _say(
    work: Work,
    task: str,
    steps: list[Step],
    results: Mapping[str, Result],
    schema: Mapping[str, JsonValue] | None,
) -> tuple[str, JsonValue, tuple[str, ...]]:
    """The model's words or typed value, and what is missing of it."""
    shown = "\n\n".join(_shown(step, results[step.id]) for step in steps)
    rules = TurnRules((), dict(schema) if schema else {"type": "string", "minLength": 1}, may_give_up=False)
    prompt = fill("answer", task=task, results=shown)
    messages = [Message(role="user", content=prompt)]
    thread = Thread(run=work.journal.run.id, step="_answer")
    source = Source([prompt])
    for turn in (1, 2):
        request = Request(messages=tuple(messages), output_schema=rules.schema(), max_tokens=ANSWER_TOKENS)
        try:
            async with work.leased(Want(kind="_answer", tier="large")) as leased:
                reply = await ask(leased, At(thread, turn), request.within(work.limits))
        except ModelError as error:
            return _fallback(steps, results), None, (f"no answer in words: {error}",)
        try:
            given = parse(reply.text, rules)
        except MalformedReply as error:
            problem = str(error)
        else:
            data = given.data if isinstance(given, Give) else None
            invented = source.missing(data)
            if isinstance(data, str) and (evades := evasion(data, task)):
                problem = evades
            elif not invented:
                return (data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)), data, ()
            else:
                problem = fill("ungrounded", values=", ".join(invented[:6]))
        messages += [Message(role="assistant", content=reply.text), Message(role="user", content=problem)]
    lack = () if schema is None else (f"no typed answer: {problem}",)
    return _fallback(steps, results), None, lack


def _fallback(steps: list[Step], results: Mapping[str, Result]) -> str:
    """What code can say when the model can't: each result in its own words."""
    return "\n".join(f"{step.id}: {results[step.id].text}" for step in steps)


def _shown(step: Step, result: Result) -> str:
    rows = result.rows
    head = f"{step.id} ({step.brief})"
    if rows is None:
        return f"{head}:\n{result.data if isinstance(result.data, str) else result.text}"
    lines = ["; ".join(f"{key} {value}" for key, value in row.items()) for row in rows[:MOST_ROWS]]
    more = [f"… {len(rows)} rows in all"] if len(rows) > MOST_ROWS else []
    return f"{head}, {len(rows)} rows:\n" + "\n".join(lines + more)


def _table(step: Step, result: Result) -> str:
    rows = result.rows
    if not rows:
        return f"{step.id}: no rows" if rows is not None else ""
    names = list(dict.fromkeys(key for row in rows for key in row))
    head = [f"{step.id}:", f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]
    body = [f"| {' | '.join(_cell(row.get(name)) for name in names)} |" for row in rows[:MOST_ROWS]]
    more = [f"… {len(rows)} rows in all"] if len(rows) > MOST_ROWS else []
    return "\n".join(head + body + more)


def _cell(value: JsonValue) -> str:
    return one_line("" if value is None else str(value), MOST_CELLS)


def _facts(said: str, tables: list[str], files: tuple[str, ...], missing: tuple[str, ...]) -> str:
    parts = [said.strip(), *tables]
    if files:
        parts.append(f"Files: {', '.join(files)}")
    if missing:
        parts.append("Missing:\n" + "\n".join(f"- {lack}" for lack in missing))
    return "\n\n".join(parts)


def typed(answer_type: type[Value], data: JsonValue) -> Value | None:
    """The typed answer in recorded data, or None when there is none that fits."""
    if data is None:
        return None
    try:
        return TypeAdapter(answer_type).validate_python(data)
    except pydantic.ValidationError:
        return None


def answer_schema(answer_type: type[object] | None) -> dict[str, JsonValue] | None:
    """JSON Schema of a typed answer; None for prose."""
    if answer_type is None:
        return None
    schema = (
        answer_type.model_json_schema()
        if issubclass(answer_type, BaseModel)
        else (TypeAdapter(answer_type).json_schema())
    )
    return _JSON.validate_python(schema)
