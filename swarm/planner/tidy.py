"""What is put right in a draft by rule, without asking the model again.

Each rule mends one fault that small models make often and that has one right mending; whatever
has none is left for the checks to name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from swarm.nouns.card import AgentCard
from swarm.planner.draft import Draft, DraftStep, files_to_write
from swarm.planner.task_columns import task_columns
from swarm.survey import Survey

_WORD = re.compile(r"[a-z]+(?:_[a-z0-9]+)*")
_ITEM = "{item}"
TABLE_FILES = (".csv", ".tsv", ".json", ".jsonl")
DATE_WORDS = {"date", "due", "deadline"}
_ACT = re.compile(
    r"\brename\b|\bmove (?:it|them|each|every|the files?|\{item\})|\binto (?:\w+ )?folders?\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Draftable:
    """What a draft is tidied against."""

    task: str
    survey: Survey
    cards: Mapping[str, AgentCard]


def tidy(draft: Draft, ground: Draftable) -> Draft:
    """The draft with its common faults mended."""
    steps = _unique(draft.steps)
    rules: Sequence[Callable[[tuple[DraftStep, ...], Draftable], tuple[DraftStep, ...]]] = (
        _known_needs,
        _acts_on_files,
        _one_reading_of_a_text,
        _one_text_alone,
        _lists_to_expand,
        _needs_that_are_named,
        _texts_that_are_named,
        _items,
        _text_agents,
        _tables_for_table_files,
        _table_agents,
        _one_writer_a_file,
        _a_writer_for_every_file,
        _files_for_the_step_that_has_their_columns,
        _columns_that_the_task_names,
        _date_columns,
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


def _known_needs(steps: tuple[DraftStep, ...], ground: Draftable) -> tuple[DraftStep, ...]:
    """A need that names no earlier step is dropped: tables and files are no steps."""
    earlier: list[str] = []
    tidied: list[DraftStep] = []
    for step in steps:
        needs = tuple(dict.fromkeys(need for need in step.needs if need in earlier))
        each = step.each if step.each in (*ground.survey.patterns, *earlier) else ""
        tidied.append(step.model_copy(update={"needs": needs, "each": each}))
        earlier.append(step.id)
    return tuple(tidied)


def _acts_on_files(steps: tuple[DraftStep, ...], ground: Draftable) -> tuple[DraftStep, ...]:
    """Renaming and moving go, whole, to the agent that has a tool for it; one with a file open has none."""
    mover = next((name for name, card in ground.cards.items() if "files.move" in card.tools), None)
    whole = {"agent": mover, "each": "", "columns": (), "brief": ground.task.replace(_ITEM, "item")}
    return tuple(
        step.model_copy(update=whole)
        if mover and _ACT.search(step.brief) and (step.agent != mover or step.each)
        else step
        for step in steps
    )


def _one_reading_of_a_text(steps: tuple[DraftStep, ...], ground: Draftable) -> tuple[DraftStep, ...]:
    """Steps that take different facts of the same files are one step: a text is read once.

    Steps of the same columns stay apart: they differ in what they are looking for.
    """
    firsts: dict[tuple[str, str], DraftStep] = {}
    names: dict[str, str] = {}
    for step in steps:
        if step.each in ground.survey.patterns and step.columns and not step.needs:
            first = firsts.setdefault((step.each, step.agent), step)
            if first is step or set(step.columns) - set(first.columns):
                firsts[step.each, step.agent] = step if first is step else _and(first, step)
                names[step.id] = first.id
    merged = {step.id: step for step in firsts.values()}
    kept = [merged.get(step.id, step) for step in steps if names.get(step.id, step.id) == step.id]
    return tuple(_renamed(step, names) for step in kept)


def _and(first: DraftStep, second: DraftStep) -> DraftStep:
    columns = dict.fromkeys((*first.columns, *second.columns))
    brief = f"{first.brief} {second.brief}"
    return first.model_copy(
        update={"columns": tuple(columns), "brief": brief, "writes": first.writes or second.writes}
    )


def _renamed(step: DraftStep, names: Mapping[str, str]) -> DraftStep:
    needs = tuple(dict.fromkeys(names.get(need, need) for need in step.needs))
    return step.model_copy(update={"needs": needs, "each": names.get(step.each, step.each)})


def _one_text_alone(steps: tuple[DraftStep, ...], ground: Draftable) -> tuple[DraftStep, ...]:
    """Prose about one file is no list of one: it is written by one agent, which the brief tells the file."""
    return tuple(
        step.model_copy(update={"each": "", "brief": step.brief.replace(_ITEM, step.each)})
        if step.each in ground.survey.paths and not step.columns
        else step
        for step in steps
    )


def _lists_to_expand(steps: tuple[DraftStep, ...], ground: Draftable) -> tuple[DraftStep, ...]:
    """A step for each of a result that is no list just needs that result."""
    lists = {step.id for step in steps if step.each or step.columns}
    return tuple(
        step
        if not step.each or step.each in (*ground.survey.patterns, *lists)
        else step.model_copy(update={"each": "", "needs": (*step.needs, step.each)})
        for step in steps
    )


def _texts_that_are_named(steps: tuple[DraftStep, ...], ground: Draftable) -> tuple[DraftStep, ...]:
    """Texts that a step names by folder and no step reads are read: by an agent for each of them.

    A table is then that step's; prose gets a step before it that reads.
    """
    tidied: list[DraftStep] = []
    read = {step.each for step in steps}
    for step in steps:
        group = None if step.each or step.needs else _folder_named(step, ground)
        reader = _reader(ground)
        if group is None or reader is None or group in read:
            tidied.append(step)
        elif step.columns:
            tidied.append(step.model_copy(update={"each": group}))
        else:
            id = next(name for name in ("texts", "texts_read") if name not in {one.id for one in steps})
            brief = f"Read {_ITEM} and give what matters of it for this: {step.brief}"
            tidied.append(DraftStep(id=id, agent=reader, each=group, brief=brief))
            tidied.append(step.model_copy(update={"needs": (id,)}))
        read |= {group} if group else set()
    return tuple(tidied)


def _folder_named(step: DraftStep, ground: Draftable) -> str | None:
    """The pattern of several texts whose folder the brief names, or the task where it has no other."""
    if any(path in step.brief for path in ground.survey.paths):
        return None
    groups = [group for group in ground.survey.texts if len(group.paths) > 1]
    is_only_source = len(ground.survey.texts) == 1 and not ground.survey.has_tables
    said = f"{step.brief} {ground.task if is_only_source else ''}"
    return next((group.pattern for group in groups if _folder(group.pattern) in said), None)


def _folder(pattern: str) -> str:
    return f"{PurePosixPath(pattern).parent}/"


def _reader(ground: Draftable) -> str | None:
    """The agent for texts: it reads files, and neither writes them nor just queries tables."""
    return next(
        (
            name
            for name, card in ground.cards.items()
            if "files.read" in card.tools and "files.write" not in card.tools and card.tables != "queried"
        ),
        None,
    )


def _text_agents(steps: tuple[DraftStep, ...], ground: Draftable) -> tuple[DraftStep, ...]:
    """Texts are not given to an agent that only queries."""
    reader = _reader(ground)
    return tuple(
        step.model_copy(update={"agent": reader})
        if reader and step.each in ground.survey.patterns and _is_querying(step, ground)
        else step
        for step in steps
    )


def _is_querying(step: DraftStep, ground: Draftable) -> bool:
    card = ground.cards.get(step.agent)
    return card is not None and card.tables == "queried"


def _tables_for_table_files(steps: tuple[DraftStep, ...], ground: Draftable) -> tuple[DraftStep, ...]:
    """A step that writes a table file gives a table: the columns listed for it, or those it builds on."""
    known: dict[str, tuple[str, ...]] = {}
    tidied: list[DraftStep] = []
    for step in steps:
        drafted = [column for need in step.needs for column in known.get(need, ())]
        if step.writes.endswith(TABLE_FILES) and not step.columns and drafted:
            names = task_columns(step.writes, ground.task)
            listed = [f"{name}:{_type_of(name, drafted)}" for name in names]
            columns = tuple(listed or dict.fromkeys(drafted))
            step = step.model_copy(update={"columns": columns})
        known[step.id] = step.columns
        tidied.append(step)
    return tuple(tidied)


def _needs_that_are_named(steps: tuple[DraftStep, ...], ground: Draftable) -> tuple[DraftStep, ...]:
    """A step that speaks of an earlier step needs it; one that has nothing to work on needs the last table."""
    has_tables = bool(ground.survey.tables or ground.survey.database_tables)
    tidied: list[DraftStep] = []
    for step in steps:
        said = set(_WORD.findall(step.brief.casefold()))
        named = [other.id for other in tidied if other.id in said and other.columns]
        needs = tuple(dict.fromkeys((*step.needs, *named)))
        tables = [other.id for other in tidied if other.columns]
        if not needs and not has_tables and not step.each and step.columns and tables:
            needs = (tables[-1],)
        tidied.append(step.model_copy(update={"needs": needs if step.each not in needs else step.needs}))
    return tuple(tidied)


def _items(steps: tuple[DraftStep, ...], ground: Draftable) -> tuple[DraftStep, ...]:
    """A brief speaks of ``{item}`` just when there is an ``each``."""
    return tuple(_item(step, ground) for step in steps)


def _item(step: DraftStep, ground: Draftable) -> DraftStep:
    if step.each and _ITEM not in step.brief:
        return step.model_copy(update={"brief": f"For {_ITEM}: {step.brief}"})
    if not step.each and _ITEM in step.brief:
        known = ", ".join(step.needs) or _likely_table(step, ground.survey)
        return step.model_copy(update={"brief": step.brief.replace(_ITEM, known)})
    return step


def _likely_table(step: DraftStep, survey: Survey) -> str:
    """The table that a step without one must mean: of its name, else with most of its columns."""
    tables = (*survey.tables, *survey.database_tables)
    wanted = {column.split(":")[0] for column in step.columns}
    best = max(tables, key=lambda t: (t.name == step.id, len(wanted & set(t.columns))), default=None)
    return best.name if best else "what is there"


def _table_agents(steps: tuple[DraftStep, ...], ground: Draftable) -> tuple[DraftStep, ...]:
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


def _is_from_tables(step: DraftStep, steps: tuple[DraftStep, ...], ground: Draftable) -> bool:
    if not step.columns or step.each:
        return False
    if any(path in step.brief for group in ground.survey.texts for path in group.paths):
        return False
    tables = {other.id for other in steps if other.columns}
    has_tables = bool(ground.survey.tables or ground.survey.database_tables)
    return any(need in tables for need in step.needs) or (has_tables and not step.needs)


def _one_writer_a_file(steps: tuple[DraftStep, ...], ground: Draftable) -> tuple[DraftStep, ...]:
    """Of several steps that write one file the last one does."""
    last = {step.writes: step.id for step in steps if step.writes}
    return tuple(
        step if not step.writes or last[step.writes] == step.id else step.model_copy(update={"writes": ""})
        for step in steps
    )


def _a_writer_for_every_file(steps: tuple[DraftStep, ...], ground: Draftable) -> tuple[DraftStep, ...]:
    """A file that the task asks for and no step writes is written by the last step that can."""
    for file in files_to_write(ground.task, ground.survey.paths):
        free = [
            step for step in steps if not step.writes and bool(step.columns) == file.endswith(TABLE_FILES)
        ]
        if any(step.writes == file for step in steps) or not free:
            continue
        writer = _owner_of_file(free[-1].model_copy(update={"writes": file}), free, ground.task)
        steps = tuple(
            step.model_copy(update={"writes": file}) if step.id == writer.id else step for step in steps
        )
    return steps


def _files_for_the_step_that_has_their_columns(
    steps: tuple[DraftStep, ...], ground: Draftable
) -> tuple[DraftStep, ...]:
    """A file that the task names goes to the table whose columns the task names beside it.

    «… in actions.csv with owner, action and due date. Who owes most?»: not to the count of actions. A file
    that the draft alone names stays where the draft has it.
    """
    named = files_to_write(ground.task, ())
    for step in steps:
        if step.writes in named and step.columns:
            free = [other for other in steps if other.columns and other.writes in ("", step.writes)]
            best = _owner_of_file(step, free, ground.task)
            steps = tuple(_moved(other, step, best) for other in steps) if best.id != step.id else steps
    return steps


def _owner_of_file(step: DraftStep, free: list[DraftStep], task: str) -> DraftStep:
    """The table that a file is for: one with most of the columns listed, else the one that is called as the file
    is, else the last one."""
    listed = task_columns(step.writes, task)
    if not listed:
        words = _words(PurePosixPath(step.writes).stem.casefold())
        called = [other for other in free if words & _words(other.id)]
        return step if step.id in [other.id for other in called] else (called or free)[-1]
    covered = {other.id: sum(_is_like(name, other) for name in listed) for other in free}
    best = max(free, key=lambda other: covered[other.id])
    is_clear = covered[best.id] > covered[step.id] and 2 * covered[best.id] > len(listed)
    return best if is_clear else step


def _is_like(name: str, step: DraftStep) -> bool:
    """Whether a column of the step shares a word with the name."""
    return bool(_words(name) & {word for column in step.columns for word in _words(column.split(":")[0])})


def _words(name: str) -> set[str]:
    return {word.rstrip("s") for word in re.findall(r"[a-z]+", name)}


def _columns_that_the_task_names(steps: tuple[DraftStep, ...], ground: Draftable) -> tuple[DraftStep, ...]:
    """A file has the columns that the task lists for it: «… to out.csv with name, total and city»."""
    drafted = [column for step in reversed(steps) for column in step.columns]
    return tuple(_with_columns(step, task_columns(step.writes, ground.task), drafted) for step in steps)


def _with_columns(step: DraftStep, names: list[str], drafted: Sequence[str]) -> DraftStep:
    if not step.columns or len(names) < 2:
        return step
    known = (*step.columns, *drafted)
    return step.model_copy(update={"columns": tuple(f"{name}:{_type_of(name, known)}" for name in names)})


def _type_of(name: str, drafted: Sequence[str]) -> str:
    """The type that the draft gives a column of this name, or of a name with a word in common."""
    named = [column.split(":", 1) for column in drafted]
    exact = [kind for other, kind in named if other == name]
    alike = [kind for other, kind in named if _words(other) & _words(name)]
    return (*exact, *alike, "text")[0]


def _date_columns(steps: tuple[DraftStep, ...], ground: Draftable) -> tuple[DraftStep, ...]:
    """A column that is called a date is one."""
    return tuple(
        step.model_copy(update={"columns": tuple(_as_date(column) for column in step.columns)})
        for step in steps
    )


def _as_date(column: str) -> str:
    name, kind = column.split(":", 1)
    return f"{name}:date" if _words(name) & DATE_WORDS else f"{name}:{kind}"


def _moved(other: DraftStep, source: DraftStep, target: DraftStep) -> DraftStep:
    if other.id == target.id:
        return other.model_copy(update={"writes": source.writes})
    return other.model_copy(update={"writes": ""}) if other.id == source.id else other
