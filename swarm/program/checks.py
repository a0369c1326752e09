"""What code can tell of a program's outcome before it is compared with others: what rules it out, what speaks
against it. A check knows the step and what lies in the workspace, and no right answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath

from pydantic import JsonValue

from swarm.agent.opening import columns
from swarm.nouns.plan import Step
from swarm.planner.draft import draft_columns
from swarm.planner.task_columns import task_columns
from swarm.program.contents import Contents, Rows, contents, is_hollow
from swarm.program.date_forms import date_form_faults
from swarm.program.outcome import Outcome
from swarm.program.overlay import is_match, matching
from swarm.schemas.validator import problems
from swarm.survey import Survey
from swarm.survey.kinds import NOTE, PLAIN

NOTES = frozenset({PLAIN, NOTE})
_ASKS = re.compile(
    r"\?(?:\s|$)|\b(?:in (?:your|the) (?:reply|answer|response)|let me know|(?:tell|give) me|i need (?:its|the|to know)"
    r"|(?:say|state|tell|report|answer) (?:in )?(?:how|which|what|who|when|where|the number))\b",
    re.IGNORECASE,
)

_OBJECT = re.compile(
    r"(?:(?!\b(?:list|array|each|every|per|one|rows?|lines?|table)\b)[^.;?!\[]){0,80}?(?:\bobject\b|\{\s*\")",
    re.IGNORECASE,
)
"""How a task asks for one JSON object: by the word, or by showing one."""


@dataclass(frozen=True)
class Promise:
    """What a step must leave and may use."""

    step: Step
    task: str
    survey: Survey
    files: tuple[str, ...] = ()
    """Files that must be there."""
    is_last: bool = False
    """Whether the task is answered by what it gives."""


def faults(outcome: Outcome, promise: Promise) -> list[str]:
    """Why an outcome can't be the right one, each in a sentence for whoever wrote the program."""
    if outcome.error:
        return [outcome.error]
    if promise.step.program is not None:
        # Whoever wrote it knows what it is to do; what it promised to write is checked all the same.
        return [fault for name in promise.files if (fault := _file_fault(name, outcome, promise))]
    if not outcome.has_given:
        return ["the program came to its end without save() or answer()"]
    found = [fault for name in promise.files if (fault := _file_fault(name, outcome, promise))]
    found += _broken_files(outcome, promise)
    found += _date_faults(outcome, promise)
    found += _answer_faults(outcome, promise.step)
    if promise.is_last and not outcome.has_answer and not outcome.printed.strip() and asks(promise.task):
        found.append("the task asks a question, and answer() was not called")
    found += [f"{name} was not read" for name in _unread(outcome, promise)]
    found += _passed_over(outcome, promise)
    return found


def asks(task: str) -> bool:
    """Whether a task asks for an answer in words, beside any file."""
    return _ASKS.search(task) is not None


def asking_sentences(task: str) -> str:
    """The sentences of a task that ask for an answer in words; empty where none does."""
    sentences = re.split(r"(?<=[.?!])\s+", task)
    return " ".join(sentence for sentence in sentences if _ASKS.search(sentence)) if asks(task) else ""


def asks_object(name: str, task: str) -> bool:
    """Whether a task asks for one JSON object right behind a file's name."""
    named = re.search(rf"(?<![\w./-]){re.escape(name)}(?!\w)", task)
    return named is not None and _OBJECT.match(task, named.end()) is not None


def hollow(outcome: Outcome) -> list[str]:
    """Which parts of an outcome hold nothing, or nothing but zeros: right now and then, and wrong more often."""
    parts = [name for name, found in _said(outcome).items() if is_hollow(found)]
    if not outcome.files and not outcome.wishes and is_hollow(outcome.said):
        parts.append("the answer")
    return parts


def _said(outcome: Outcome) -> dict[str, Contents]:
    return {name: contents(name, left.text) for name, left in outcome.files.items() if left.text is not None}


def _file_fault(name: str, outcome: Outcome, promise: Promise) -> str:
    left = outcome.files.get(name)
    if left is None or left.content is None:
        others = ", ".join(outcome.files) or "no file"
        return f"{name} was not saved (saved: {others})"
    if left.text is None:
        return ""
    try:
        found = contents(name, left.text)
    except ValueError as error:
        return f"{name} does not parse: {error}"
    named = task_columns(name, promise.task) or (
        columns(promise.step.expects) if name == promise.step.writes else []
    )
    if isinstance(found, Rows) and (lacks := _lacking(named, found.columns)):
        return f"{name} lacks the columns {', '.join(lacks)}; it has {', '.join(found.columns)}"
    return ""


def _broken_files(outcome: Outcome, promise: Promise) -> list[str]:
    found: list[str] = []
    for name, left in outcome.files.items():
        if name in promise.files or left.text is None:
            continue
        try:
            contents(name, left.text)
        except ValueError as error:
            found.append(f"{name} does not parse: {error}")
    return found


def _date_faults(outcome: Outcome, promise: Promise) -> list[str]:
    """What is wrong with the dates of the tables that the task wants."""
    found: list[str] = []
    for name in promise.files:
        left = outcome.files.get(name)
        with suppress(ValueError):  # That it does not parse is told already.
            rows = contents(name, left.text) if left is not None and left.text is not None else None
            if isinstance(rows, Rows):
                found += date_form_faults(name, rows, promise.task, promise.files)
    return found


def _lacking(wanted: Sequence[str], there: Sequence[str]) -> list[str]:
    known = {_plain(name) for name in there}
    return [name for name in wanted if _plain(name) not in known]


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _answer_faults(outcome: Outcome, step: Step) -> list[str]:
    if step.expects is None:
        return []
    if not outcome.has_answer:
        given = "{…}" if "properties" in step.expects else "rows"
        return [f"answer({given}) was not called with the result"] if not outcome.files else []
    first = next(problems(step.expects, fitted(outcome.answer, step.expects)), None)
    return [f"the answer is not what the step gives: {first.message[:200]}"] if first else []


def fields(schema: Mapping[str, JsonValue] | None) -> list[str]:
    """Names of the values that an answer under this schema has: as one object, or in each row of a table."""
    properties = schema.get("properties") if schema else None
    return list(properties) if isinstance(properties, dict) else columns(schema)


def fitted(answer: JsonValue, schema: Mapping[str, JsonValue]) -> JsonValue:
    """An answer with just the names that a schema has, whatever letters they are written in; one row is an object
    where that is wanted."""
    if "properties" in schema:
        one = fitted(answer if isinstance(answer, list) else [answer], {"items": dict(schema)})
        return one[0] if isinstance(one, list) and len(one) == 1 else answer
    wanted = columns(schema)
    if not wanted or not isinstance(answer, list) or not all(isinstance(row, dict) for row in answer):
        return answer
    rows = [{_plain(key): cell for key, cell in row.items()} for row in answer if isinstance(row, dict)]
    if not all(_plain(name) in row for row in rows for name in wanted):
        return answer
    kinds = dict(zip(wanted, (column.rpartition(":")[2] for column in draft_columns(schema)), strict=True))
    return [{name: _cell(row[_plain(name)], kinds[name]) for name in wanted} for row in rows]


def _cell(value: JsonValue, kind: str) -> JsonValue:
    """A cell under its column's type: a number that is spelled as a text is one, and a text of none is none."""
    if kind in ("text", "date"):
        return value if value is None or isinstance(value, str) else f"{value}"
    if kind != "number" or not isinstance(value, str):
        return value
    text = value.strip()
    if not text:
        return None
    return float(text) if re.fullmatch(r"[-+]?\d+(?:\.\d+)?", text) else value


def _unread(outcome: Outcome, promise: Promise) -> list[str]:
    """The files that the step names as whole words, lie there, and were not opened."""
    said = (
        promise.step.brief if promise.step.brief in promise.task else f"{promise.step.brief}\n{promise.task}"
    )
    read = set(outcome.read)
    named = [path for path in promise.survey.paths if path not in promise.files and _is_named(path, said)]
    groups = {group.pattern: group for group in (*promise.survey.tables, *promise.survey.database_tables)}
    # A text that is shown whole to whoever writes the program need not be opened by it.
    shown = {
        group.first
        for group in promise.survey.groups
        if group.files == 1 and group.is_whole and group.lines and not group.hidden and group.kind in NOTES
    }
    named = [path for path in named if path not in shown]
    through = {pattern for pattern in read if pattern in groups}
    return [path for path in named if path not in read and not any(_is_of(path, one) for one in through)]


def _passed_over(outcome: Outcome, promise: Promise) -> list[str]:
    """Folders that the task names, of whose files the program looked at some and left others of the same kind out."""
    paths, found = promise.survey.paths, list[str]()
    for folder in _folders_named(paths, promise.task):
        inside = [path for path in paths if path.startswith(f"{folder}/")]
        seen = {path for pattern in outcome.listed for path in matching(inside, pattern)}
        kinds = {PurePosixPath(path).suffix for path in seen}
        left = [path for path in inside if path not in seen and PurePosixPath(path).suffix in kinds]
        if left:
            found.append(
                f"{len(left)} of the {len(inside)} files of {folder} were left out, as {left[0]}; "
                f"files({folder!r}) names all of them"
            )
    return found


def half_read(outcome: Outcome, survey: Survey) -> str:
    """What speaks against an outcome whose program looked for files and then read some of one kind and not the
    others: right where it searched for one, and a cut where it was to read all. Empty where nothing does."""
    looked = {path for pattern in outcome.listed for path in matching(survey.paths, pattern)}
    read = {path for path in looked if any(_is_of(path, name) for name in outcome.read)}
    kinds = {PurePosixPath(path).suffix for path in read}
    left = sorted(path for path in looked - read if PurePosixPath(path).suffix in kinds)
    if not left:
        return ""
    return f"{len(read)} of {len(read) + len(left)} files that it looked for were read, and not {left[0]}"


def unread_beside(outcome: Outcome, survey: Survey) -> list[str]:
    """What could not be read, and lies where the program read other files: a result made of these lacks it."""
    folders = {str(PurePosixPath(name).parent) for name in outcome.read}
    places = [line.partition(": ") for line in survey.unread]
    return [
        f"{place} could not be read: {why}"
        for place, _, why in places
        if place not in outcome.read and str(PurePosixPath(place).parent) in folders and place in survey.paths
    ]


def _folders_named(paths: Sequence[str], said: str) -> list[str]:
    """The folders that are named, without those that hold another one that is."""
    folders = {str(parent) for path in paths for parent in PurePosixPath(path).parents} - {"."}
    named = [folder for folder in folders if _is_named(folder, said)]
    return sorted(folder for folder in named if not any(one.startswith(f"{folder}/") for one in named))


def _is_named(path: str, said: str) -> bool:
    names = {path, PurePosixPath(path).name}
    return any(re.search(rf"(?<![\w/.-]){re.escape(name)}(?![\w/-])", said) for name in names)


def _is_of(path: str, pattern: str) -> bool:
    return path == pattern or is_match(path, pattern)
