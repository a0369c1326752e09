"""What makes a plan impossible to run here, found before any tool is called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import PurePosixPath

import jsonschema

from swarm.card import AgentCard
from swarm.plan import Plan, Step, is_pattern
from swarm.survey import TEXT_ENDINGS, Survey

PLANNER = "planner"
NOT_TEXT = frozenset([
    ".pdf",
    ".doc",
    ".docx",
    ".odt",
    ".rtf",
    ".xls",
    ".xlsx",
    ".xlsm",
    ".ods",
    ".ppt",
    ".pptx",
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".webp",
    ".bmp",
    ".tif",
    ".tiff",
    ".mp3",
    ".wav",
    ".mp4",
    ".zip",
    ".gz",
    ".tar",
    ".7z",
    ".parquet",
    ".feather",
    ".db",
    ".sqlite",
    ".sqlite3",
    ".pkl",
    ".exe",
])
"""Endings of files that no text makes: written as one they would open nowhere."""


def problems(plan: Plan, cards: Mapping[str, AgentCard], survey: Survey | None = None) -> list[str]:
    """One sentence for each thing that is wrong; empty when the plan can run.

    ``survey`` tells what the workspace holds; without it patterns and tables are not looked up.
    """
    found = plan.problems()
    writers: dict[PurePosixPath, str] = {}
    for step in plan.steps:
        found += _problems_of(step, plan, cards)
        if survey is not None and step.agent in cards:
            found += _lacking(step, plan, cards[step.agent], survey)
        if step.writes and (other := writers.setdefault(PurePosixPath(step.writes), step.id)) != step.id:
            found.append(f"steps {other!r} and {step.id!r} both write {step.writes!r}")
    return found


def _problems_of(step: Step, plan: Plan, cards: Mapping[str, AgentCard]) -> Iterator[str]:
    team = sorted(name for name in cards if name != PLANNER)
    if step.agent not in team:
        meant = get_close_matches(step.agent, team, n=1)
        likely = f"did you mean {meant[0]!r}? " if meant else ""
        yield f"step {step.id!r} asks for agent {step.agent!r}; {likely}there are: {', '.join(team)}"
    if step.writes and (step.writes.startswith("/") or ".." in PurePosixPath(step.writes).parts):
        yield f"step {step.id!r} writes {step.writes!r}, which is outside the workspace"
    elif step.writes and (step.writes.endswith("/") or not PurePosixPath(step.writes).name):
        yield f"step {step.id!r} writes {step.writes!r}, which is no name of a file"
    elif step.writes and PurePosixPath(step.writes).suffix.lower() in NOT_TEXT:
        yield (
            f"step {step.id!r} writes {step.writes!r}, but steps write texts: name a .csv, .json, .md or .txt file"
        )
    source = next((other for other in plan.steps if other.id == step.each_step), None)
    if source and not source.each and (source.expects or {}).get("type", "string") != "array":
        yield f"step {step.id!r} is for each of {source.id!r}, whose result is no list"
    try:
        jsonschema.Draft202012Validator.check_schema(step.expects or {})
    except jsonschema.SchemaError as error:
        yield f"step {step.id!r} expects what is no JSON Schema: {error.message}"


def _lacking(step: Step, plan: Plan, card: AgentCard, survey: Survey) -> Iterator[str]:
    """What the step needs of the workspace and does not find there."""
    files = [path for path in survey.paths if step.each and PurePosixPath(path).match(step.each)]
    if step.each and is_pattern(step.each) and not files:
        yield f"step {step.id!r} is for each of {step.each!r}, which matches no file"
    if card.tables != "queried" or step.expects is None:
        return
    if any(path.endswith(TEXT_ENDINGS) for path in files):
        yield f"step {step.id!r} reads {step.each!r}, but {card.name!r} only queries tables"
    elif not survey.has_tables and not any(_gives_rows(plan, need) for need in step.waits_for):
        yield f"step {step.id!r} has no table to query: it needs a step that gives columns"


def _gives_rows(plan: Plan, id: str) -> bool:
    return any(step.id == id and (step.each or step.expects) for step in plan.steps)
