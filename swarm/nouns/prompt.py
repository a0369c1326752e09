"""The texts given to models: files in ``swarm/prompts/``, filled by name."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_PLACE = re.compile(r"<<(\w+)>>")
FOLDER = Path(__file__).parents[1] / "prompts"


def names() -> list[str]:
    """The names of all prompts."""
    return sorted(path.stem for path in FOLDER.glob("*.md"))


@cache
def text(name: str) -> str:
    """A prompt as it stands in its file."""
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8").strip()


def load() -> None:
    """Reads all prompts: a run that has no file descriptor left must not need one for the next."""
    for name in names():
        text(name)


def fill(name: str, **values: str) -> str:
    """A prompt with each ``<<key>>`` replaced; braces are left alone, since prompts show JSON.

    Raises:
        KeyError: a value that the prompt has no place for.
    """
    form = text(name)
    for key in values:
        if f"<<{key}>>" not in form:
            raise KeyError(f"prompts/{name}.md has no <<{key}>>")
    # In one go: what is filled in is no form, whatever signs it holds.
    return _PLACE.sub(lambda place: values.get(place[1], place[0]), form).strip()
