"""What a plan leaves out of its task, as far as rules can tell: sources, figures and names it never mentions.

It is a hint for one more turn of the planner and never a reason to refuse a plan.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from swarm.nouns.plan import Plan
from swarm.planner.draft import draft_columns
from swarm.survey import Survey

MOST_NAMES = 3
"""More words in capitals than this are no names: the task is in a language that writes nouns so."""
_NUMBER = re.compile(r"(?<![\w./-])-?\d+(?:[.,]\d+)?(?![\w/-])")
_QUOTED = re.compile(r"[«\"“]([^»\"”]{3,60})[»\"”]")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{3,}\b")
_OPERATIONS = {
    "counts": (r"\bhow (?:many|often)\b", r"count|number|how (?:many|often)|\bsum"),
    "sums up": (r"\b(?:total|sum) of\b|\badd up\b", r"\bsum|total|\badd"),
    "gives the average": (r"\baverage\b", r"average|avg|mean"),
    "gives the percentage": (r"\bpercent(?:age)?\b", r"percent|share"),
    "sorts": (
        r"\b(?:sorted|ordered) by\b|\balphabetical\b|\b\w+est first\b",
        r"sort|order|alphabet|est first",
    ),
}
"""What a task may ask to be done with its facts, and the words of a step that does it."""
_WORD = re.compile(r"\w+")
_QUESTION = re.compile(r"\?|\b(?:tell|say|give me|let me know)\b", re.IGNORECASE)


def omissions(plan: Plan, task: str, survey: Survey) -> list[str]:
    """One sentence for each thing that the task names and no step does; often empty."""
    said = " ".join(f"{step.brief} {step.each or ''}" for step in plan.steps)
    found = [f"no step uses {name}" for name in _sources(task, survey) if not _is_used(name, plan, survey)]
    found += [f"no step says {one!r}" for one in _literals(task) if not _is_in(one, said)]
    found += [f"no step {done}" for done in _undone(plan, task)] + _unused(plan, task)
    # A name alone is often no condition: «our club collects its fee in January».
    names = [name for name in _names(task, survey) if found and not _is_in(name, said)]
    return found + [f"no step says {name!r}" for name in names]


def _is_used(source: str, plan: Plan, survey: Survey) -> bool:
    """Whether a step names the source, or just the database that it is a table of."""
    stored = {group.name: group.pattern for group in survey.database_tables}
    for step in plan.steps:
        said = f"{step.brief} {step.each or ''}"
        is_whole = stored.get(source, "\n") in said and not any(_is_in(name, said) for name in stored)
        if is_whole or _is_in(source, said):
            return True
    return False


def _sources(task: str, survey: Survey) -> list[str]:
    """Tables and folders of texts that the task names, by the word to name them with."""
    folders = [
        f"{PurePosixPath(group.pattern).parent}/" if len(group.paths) > 1 else group.pattern
        for group in survey.texts
    ]
    tables = [group.name for group in survey.database_tables if _is_in(group.name, task)]
    tables += [group.name for group in survey.tables if group.pattern in task]
    return [*(folder for folder in folders if folder in task), *tables]


def _literals(task: str) -> list[str]:
    return list(dict.fromkeys([*_QUOTED.findall(task), *_NUMBER.findall(task)]))


def _names(task: str, survey: Survey) -> list[str]:
    known = " ".join((*survey.paths, *(group.name for group in survey.database_tables))).casefold()
    names = [name for name in dict.fromkeys(_NAME.findall(task)) if name.casefold() not in known]
    return names if len(names) <= MOST_NAMES else []


def _is_in(name: str, text: str) -> bool:
    if not name.replace("_", "").isalnum():
        return name.casefold() in text.casefold()
    return name.casefold() in {word.casefold() for word in _WORD.findall(text)}


def _undone(plan: Plan, task: str) -> list[str]:
    said = " ".join(f"{step.brief} {' '.join(draft_columns(step.expects))}" for step in plan.steps)
    said = re.sub(r":(?:text|number|date)\b", "", said)
    return [
        done
        for done, (asked, does) in _OPERATIONS.items()
        if re.search(asked, task, re.IGNORECASE) and not re.search(does, said, re.IGNORECASE)
    ]


def _unused(plan: Plan, task: str) -> list[str]:
    """Results that nobody uses, where only files are asked for."""
    if _QUESTION.search(task) or not any(step.writes for step in plan.steps):
        return []
    return [f"no step uses the result of {step.id}" for step in plan.last_steps() if step.writes is None]
