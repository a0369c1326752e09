"""Role cards: Markdown files with YAML front matter, read and checked."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from swarm.card import AgentCard
from swarm.errors import ProjectError
from swarm.project.folders import read_text
from swarm.project.wording import near, problems

FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
KEYS = sorted(set(AgentCard.model_fields) - {"name", "instructions"})
_MAPPING = TypeAdapter(dict[str, object])


def read_card(path: Path) -> AgentCard:
    """The card in a file; its name is the file's stem.

    Raises:
        ProjectError: no front matter, no YAML in it, or a key or value that means nothing.
    """
    text = read_text(path)
    match = FRONT_MATTER.match(text)
    if match is None:
        raise ProjectError(
            f"{path}: no front matter; start the file with a --- block that holds 'description'"
        )
    fields = _front_matter(path, match.group(1))
    fields |= {"name": path.stem, "instructions": text[match.end() :].strip()}
    try:
        return AgentCard.model_validate(fields)
    except ValidationError as error:
        raise ProjectError(f"{path}: {problems(error, AgentCard)}") from error


def _front_matter(path: Path, text: str) -> dict[str, object]:
    try:
        fields = _MAPPING.validate_python(yaml.safe_load(text) or {})
    except yaml.YAMLError as error:
        raise ProjectError(
            f"{path}: {_place(error)}the front matter is no valid YAML; check its quoting"
        ) from error
    except ValidationError as error:
        raise ProjectError(f"{path}: the front matter must be 'key: value' lines") from error
    for key in fields:
        if key not in KEYS:
            raise ProjectError(f"{path}: {key!r} is no key of a card; {near(key, KEYS)}")
    return fields


def _place(error: yaml.YAMLError) -> str:
    # The mark counts from 0 below the first --- line, a person from 1 with it.
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    return f"line {mark.line + 2}: " if mark else ""


def read_cards(files: dict[str, Path]) -> dict[str, AgentCard]:
    """The cards in these files, by name.

    Raises:
        ProjectError: one of them is bad.
    """
    return {name: read_card(path) for name, path in files.items()}
