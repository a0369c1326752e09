"""What makes a plan impossible to run here, found before any tool is called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import PurePosixPath

from swarm.errors import listed, quoted
from swarm.nouns.card import AgentCard
from swarm.nouns.plan import Plan, Step, is_pattern
from swarm.planner.expects import schema_problem
from swarm.survey import Survey
from swarm.survey.kinds import is_text

PLANNER = "planner"
LONGEST_PART = 255
"""Bytes of one part of a path, as file systems have it (``NAME_MAX`` of limits.h)."""
LONGEST_PATH = 1_000
"""Bytes of a path in a workspace, well below ``PATH_MAX``."""
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
    steps = {step.id: step for step in plan.steps}
    team = sorted(name for name in cards if name != PLANNER)
    writers: dict[PurePosixPath, str] = {}
    for step in plan.steps:
        if step.agent not in team:
            near = get_close_matches(step.agent[:80], team, n=1)
            meant = f"did you mean {near[0]!r}? " if near else ""
            found.append(
                f"step {step.id!r} asks for agent {quoted(step.agent)}; {meant}there are: {listed(team, 12)}"
            )
        found += _problems_of(step, steps)
        if survey is not None and step.agent in cards:
            found += _lacking(step, steps, cards[step.agent], survey)
        if step.writes and (other := writers.setdefault(PurePosixPath(step.writes), step.id)) != step.id:
            found.append(f"steps {other!r} and {step.id!r} both write {quoted(step.writes)}")
    return found


def _problems_of(step: Step, steps: Mapping[str, Step]) -> Iterator[str]:
    if step.writes and (wrong := _wrong_file(step.writes)):
        yield f"step {step.id!r} writes {quoted(step.writes)}, {wrong}"
    if step.each and is_pattern(step.each) and (wrong := _wrong_path(step.each)):
        yield f"step {step.id!r} is for each of {quoted(step.each)}, which {wrong}"
    source = steps.get(step.each_step) if step.each_step else None
    # What a given program answers is not known before it has run.
    is_told = source is not None and not (source.each or (source.program and source.expects is None))
    if source and is_told and (source.expects or {}).get("type", "string") != "array":
        yield f"step {step.id!r} is for each of {source.id!r}, whose result is no list"
    if step.expects and (wrong := schema_problem(step.expects)):
        yield f"step {step.id!r} expects what {wrong}"


def _wrong_file(path: str) -> str:
    """Why no step can write a text to that path; empty where one can."""
    if wrong := _wrong_path(path):
        return f"which {wrong}"
    if path.endswith("/") or not PurePosixPath(path).name:
        return "which is no name of a file"
    if PurePosixPath(path).suffix.lower() in NOT_TEXT:
        return "but steps write texts: name a .csv, .json, .md or .txt file"
    return ""


def _wrong_path(path: str) -> str:
    """Why nothing in the workspace can have that path; empty where something can."""
    if path.startswith("/") or ".." in PurePosixPath(path).parts:
        return "is outside the workspace"
    if any(ord(sign) < 32 or ord(sign) == 127 or 0xD800 <= ord(sign) < 0xE000 for sign in path):
        return "holds a character that no name of a file may have"
    sizes = [len(part.encode()) for part in path.split("/")]
    if max(sizes) > LONGEST_PART or len(path.encode()) > LONGEST_PATH:
        return f"is too long: a name has {LONGEST_PART} bytes at most, a path {LONGEST_PATH:,}"
    return ""


def _lacking(step: Step, steps: Mapping[str, Step], card: AgentCard, survey: Survey) -> Iterator[str]:
    """What the step needs of the workspace and does not find there."""
    known = {group.pattern: group.paths for group in survey.texts}.get(step.each or "", ())
    files = known or [path for path in survey.paths if step.each and _fits(path, step.each)]
    if step.each and is_pattern(step.each) and not files and not survey.unlisted:
        yield f"step {step.id!r} is for each of {step.each!r}, which matches no file"
    if card.tables != "queried" or step.expects is None:
        return
    if any(map(is_text, files)) or not survey.text_paths.isdisjoint(files):
        yield f"step {step.id!r} reads {step.each!r}, but {card.name!r} only queries tables"
    elif not survey.has_tables and not any(_gives_rows(steps.get(need)) for need in step.waits_for):
        yield f"step {step.id!r} has no table to query: it needs a step that gives columns"


def _fits(path: str, pattern: str) -> bool:
    """Whether a path matches a pattern, also where its brackets stand for themselves."""
    return any(PurePosixPath(path).match(one) for one in (pattern, pattern.replace("[", "[[]")))


def _gives_rows(step: Step | None) -> bool:
    return step is not None and bool(step.each or step.expects)
