"""Role cards: Markdown files with YAML front matter, read and checked."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import ValidationError

from swarm.errors import ProjectError, quoted
from swarm.nouns.card import AgentCard
from swarm.project.folders import read_text, said
from swarm.project.front_matter import fields_of
from swarm.project.graph_files import read_graph_card
from swarm.project.wording import near, problems

FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
KEYS = sorted(set(AgentCard.model_fields) - {"name", "instructions", "graph", "added"})


def read_card(path: Path) -> AgentCard:
    """The card in a file; its name is the file's stem.

    Raises:
        ProjectError: no front matter, no YAML in it, or a key or value that means nothing.
    """
    text = read_text(path)
    match = FRONT_MATTER.match(text)
    if match is None:
        raise ProjectError(
            f"{said(path)}: no front matter; start the file with a --- block that holds 'description'"
        )
    fields = _front_matter(path, match.group(1))
    fields |= {"name": path.stem, "instructions": text[match.end() :].strip()}
    try:
        return AgentCard.model_validate(fields)
    except ValidationError as error:
        raise ProjectError(f"{said(path)}: {problems(error, AgentCard)}") from error


def _front_matter(path: Path, text: str) -> dict[str, object]:
    fields = fields_of(path, text)
    for key in fields:
        if key not in KEYS:
            raise ProjectError(f"{said(path)}: {quoted(key)} is no key of a card; {near(key, KEYS)}")
    return fields


def read_cards(files: dict[str, Path]) -> dict[str, AgentCard]:
    """The cards in these files, by name.

    Raises:
        ProjectError: one of them is bad.
    """
    return {
        name: read_graph_card(path) if path.suffix == ".py" else read_card(path)
        for name, path in files.items()
    }
