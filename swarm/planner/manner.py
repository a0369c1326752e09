"""Whether a task is done by one program, or needs a plan: by what it has to read, which code can see.

A program can take apart what is written in one form: logs, settings, source code, lines of fields; and it asks tables.
Prose must be read; that is a plan's work, with one sub-agent for each text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from pydantic import JsonValue

from swarm.nouns.card import AgentCard
from swarm.nouns.plan import Plan, Step
from swarm.survey import FileGroup, Survey
from swarm.survey.kinds import DOCUMENTS, MAIL, MAILBOX, NOTE, PAGE, PLAIN
from swarm.survey.overview import has_word, is_about

PROSE = frozenset({PLAIN, NOTE, MAIL, MAILBOX, PAGE, *DOCUMENTS})
"""Kinds of texts that may be prose; the others are written in a form that programs read."""
PROGRAM = "program"
"""Id of the one step."""
SHARE_OF_PROSE = 0.5
"""Of the words of a text that stand in sentences, from which on it is prose."""
SENTENCE_WORDS = 4
"""A line of so many words that holds a sentence, or is an item of a list, says something in words."""
_SAYS = re.compile(r"[.!?][)\"'\u201d]*(?:\s|$)|\u2026$|^[-*+\u2022]\s")
_WORDS = re.compile(r"[A-Za-z\u00c0-\u024f']{2,}")


def by_program(
    task: str,
    survey: Survey,
    cards: Mapping[str, AgentCard],
    expects: dict[str, JsonValue] | None = None,
) -> Plan | None:
    """The plan of one program; None where the task needs another one. ``expects``: what its answer must be."""
    card = next((card for card in cards.values() if card.works == "program"), None)
    if card is None:
        return None
    # A task that names no text that lies here is about tables, or about something that nothing here tells of.
    if any(_must_be_read(group) for group in _texts_named(task, survey)) or not concerns(task, survey):
        return None
    brief = task.replace("{item}", "item")
    return Plan(steps=(Step(id=PROGRAM, agent=card.name, brief=brief, expects=expects),))


def concerns(task: str, survey: Survey) -> bool:
    """Whether a task names texts that lie in the workspace, or is about tables that do."""
    tables = (*survey.tables, *survey.database_tables)
    return bool(_texts_named(task, survey)) or any(is_about(survey, task, table) for table in tables)


def is_by_program(plan: Plan) -> bool:
    """Whether a plan is that of one program."""
    return [step.id for step in plan.steps] == [PROGRAM]


def _texts_named(task: str, survey: Survey) -> list[FileGroup]:
    return [group for group in survey.groups if group.is_text and _is_named(group, task)]


def _is_named(group: FileGroup, task: str) -> bool:
    """Whether a task names texts: by a folder, by the file, or by its name without an ending."""
    folders = [str(parent) for parent in PurePosixPath(group.first).parents if str(parent) != "."]
    return any(has_word(task, name) for name in (*folders, group.first, PurePosixPath(group.first).name))


def _must_be_read(group: FileGroup) -> bool:
    """Whether texts are prose. One text alone that is shown whole need not be read again by anybody."""
    return group.kind in PROSE and is_prose(group.lines) and not (group.files == 1 and group.is_whole)


def is_prose(lines: Sequence[str]) -> bool:
    """Whether most of what the lines say is said in sentences."""
    words = [len(_WORDS.findall(line)) for line in lines]
    said = sum(
        count
        for count, line in zip(words, lines, strict=True)
        if count >= SENTENCE_WORDS and _SAYS.search(line.strip())
    )
    return said > 0 and said >= SHARE_OF_PROSE * sum(words)
