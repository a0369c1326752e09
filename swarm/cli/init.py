"""``swarm init``: a small project to start from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from swarm.errors import ProjectError

TEMPLATE = Path(__file__).parent / "template"


def init(
    folder: Annotated[Path, typer.Argument(help="Where the project is made; the current folder.")] = Path(),
) -> None:
    """Make a small project to start from. No file that is there is overwritten."""
    made, kept = copy_template(folder)
    for path in made:
        sys.stdout.write(f"made {path}\n")
    for path in kept:
        sys.stdout.write(f"kept {path}, which was there\n")
    sys.stderr.write("next: `swarm list` shows what the project has, `swarm doctor` what is still missing\n")


def copy_template(folder: Path) -> tuple[list[Path], list[Path]]:
    """The files that were made, and those that were there before and are kept.

    Raises:
        ProjectError: the folder cannot be written.
    """
    made: list[Path] = []
    kept: list[Path] = []
    try:
        for source in _sources():
            # A name with a dot in front would act on this repository as well.
            relative = source.relative_to(TEMPLATE)
            target = folder / relative.with_name(relative.name.replace("dot-", ".", 1))
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                kept.append(target)
                continue
            with target.open("x", encoding="utf-8") as file:
                file.write(source.read_text(encoding="utf-8"))
            made.append(target)
    except OSError as error:
        raise ProjectError(
            f"{error.filename}: cannot be written ({error.strerror}); name another folder"
        ) from error
    return made, kept


def _sources() -> list[Path]:
    files = [path for path in TEMPLATE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return sorted(files)
