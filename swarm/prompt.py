"""The texts given to models: files in ``swarm/prompts/``, filled by name."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "prompts"


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
    filled = text(name)
    for key, value in values.items():
        if f"<<{key}>>" not in filled:
            raise KeyError(f"prompts/{name}.md has no <<{key}>>")
        filled = filled.replace(f"<<{key}>>", value)
    return filled.strip()
