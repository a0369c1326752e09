"""What is put right in a draft by rule, without asking the model again.

Each rule mends one fault that small models make often and that has one right mending; whatever
has none is left for the checks to name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from swarm.card import AgentCard
from swarm.planner.draft import Draft, DraftStep
from swarm.survey import Survey

_WORD = re.compile(r"[a-z]+")
_CLAUSE = re.compile(r"[.;?!]\s|\n")
_ITEM = "{item}"


@dataclass(frozen=True)
class Ground:
    """What a draft is tidied against."""

    task: str
    survey: Survey
    cards: Mapping[str, AgentCard]


def tidy(draft: Draft, ground: Ground) -> Draft:
    """The draft with its common faults mended."""
    steps = _unique(draft.steps)
    rules: Sequence[Callable[[tuple[DraftStep, ...], Ground], tuple[DraftStep, ...]]] = (
        _known_needs,
        _items,
        _table_agents,
        _one_writer_a_file,
        _files_for_the_step_that_has_their_columns,
    )
    for rule in rules:
        steps = rule(steps, ground)
    return Draft(steps=steps)


def _unique(steps: tuple[DraftStep, ...]) -> tuple[DraftStep, ...]:
    """A second step of the same id gets a number."""
    seen: dict[str, int] = {}
    unique: list[DraftStep] = []
    for step in steps:
        times = seen[step.id] = seen.get(step.id, 0) + 1
        unique.append(step if times == 1 else step.model_copy(update={"id": f"{step.id}_{times}"}))
    return tuple(unique)


def _known_needs(steps: tuple[DraftStep, ...], ground: Ground) -> tuple[DraftStep, ...]:
    """A need that names no earlier step is dropped: tables and files are no steps."""
    earlier: list[str] = []
    tidied: list[DraftStep] = []
    for step in steps:
        needs = tuple(dict.fromkeys(need for need in step.needs if need in earlier))
        each = step.each if step.each in (*ground.survey.patterns, *earlier) else ""
        tidied.append(step.model_copy(update={"needs": needs, "each": each}))
        earlier.append(step.id)
    return tuple(tidied)


def _items(steps: tuple[DraftStep, ...], ground: Ground) -> tuple[DraftStep, ...]:
    """A brief speaks of ``{item}`` just when there is an ``each``."""
    return tuple(_item(step, ground) for step in steps)


def _item(step: DraftStep, ground: Ground) -> DraftStep:
    if step.each and _ITEM not in step.brief:
        return step.model_copy(update={"brief": f"For {_ITEM}: {step.brief}"})
    if not step.each and _ITEM in step.brief:
        names = [table.name for table in (*ground.survey.tables, *ground.survey.database_tables)]
        known = step.id if step.id in names else ", ".join(step.needs) or "what is there"
        return step.model_copy(update={"brief": step.brief.replace(_ITEM, known)})
    return step


def _table_agents(steps: tuple[DraftStep, ...], ground: Ground) -> tuple[DraftStep, ...]:
    """A table that is made from tables goes to an agent that queries them.

    A table is typed by a model only when it reads texts: files of an ``each``, or text files
    that the brief names.
    """
    querying = next((name for name, card in ground.cards.items() if card.tables == "queried"), None)
    if querying is None:
        return steps
    return tuple(
        step.model_copy(update={"agent": querying}) if _is_from_tables(step, steps, ground) else step
        for step in steps
    )


def _is_from_tables(step: DraftStep, steps: tuple[DraftStep, ...], ground: Ground) -> bool:
    if not step.columns or step.each:
        return False
    if any(path in step.brief for group in ground.survey.texts for path in group.paths):
        return False
    tables = {other.id for other in steps if other.columns}
    has_tables = bool(ground.survey.tables or ground.survey.database_tables)
    return any(need in tables for need in step.needs) or (has_tables and not step.needs)


def _one_writer_a_file(steps: tuple[DraftStep, ...], ground: Ground) -> tuple[DraftStep, ...]:
    """Of several steps that write one file the last one does."""
    last = {step.writes: step.id for step in steps if step.writes}
    return tuple(
        step if not step.writes or last[step.writes] == step.id else step.model_copy(update={"writes": ""})
        for step in steps
    )


def _files_for_the_step_that_has_their_columns(
    steps: tuple[DraftStep, ...], ground: Ground
) -> tuple[DraftStep, ...]:
    """A file goes to the table whose columns the task names beside it.

    «… in actions.csv with owner, action and due date. Who owes most?»: not to the count of actions.
    """
    for step in steps:
        if not step.writes or not step.columns:
            continue
        said = _words_beside(step.writes, ground.task)
        free = [other for other in steps if other.columns and other.writes in ("", step.writes)]
        best = max(free, key=lambda other: (_share(other, said), other.id == step.id))
        if best.id != step.id and _share(best, said) > _share(step, said):
            steps = tuple(_moved(other, step, best) for other in steps)
    return steps


def _moved(other: DraftStep, source: DraftStep, target: DraftStep) -> DraftStep:
    if other.id == target.id:
        return other.model_copy(update={"writes": source.writes})
    return other.model_copy(update={"writes": ""}) if other.id == source.id else other


def _words_beside(file: str, task: str) -> set[str]:
    clause = next((part for part in _CLAUSE.split(task) if file in part), task)
    return {_stem(word) for word in _WORD.findall(clause.casefold())}


def _share(step: DraftStep, said: set[str]) -> float:
    """How many of the step's column words the clause has, less those it has not."""
    words = {_stem(word) for column in step.columns for word in _WORD.findall(column.split(":")[0])}
    return len(words & said) - 0.5 * len(words - said)


def _stem(word: str) -> str:
    return word.rstrip("s")
