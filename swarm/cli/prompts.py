"""``swarm prompts``: what models are told, word for word."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

PROMPTS = Path(__file__).parents[1] / "prompts"


def prompts(
    name: Annotated[str | None, typer.Argument(help="One of them; all when left out.")] = None,
) -> None:
    """Print the prompts that models are given."""
    from swarm.errors import ProjectError

    files = {path.stem: path for path in sorted(PROMPTS.glob("*.md"))}
    if name is not None and name not in files:
        raise ProjectError(f"there is no prompt {name!r}; there are {', '.join(files)}")
    for stem, path in files.items():
        if name in {None, stem}:
            sys.stdout.write(f"== {stem}\n{path.read_text(encoding='utf-8').rstrip()}\n\n")
