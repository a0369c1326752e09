"""Where a file of a caller lies: below one folder, and nowhere else."""

from __future__ import annotations

from pathlib import Path

from mcp.server.mcpserver.exceptions import ToolError


def inside(root: Path, path: str) -> Path:
    """The place below the folder that a path names.

    Raises:
        ToolError: it leads outside.
    """
    place = (root / path.strip()).resolve()
    if not place.is_relative_to(root.resolve()) or "\0" in path:
        raise ToolError(f"{path[:80]!r} leads outside the workspace; use a path below it")
    return place


def existing(root: Path, path: str) -> Path:
    """The place of a file that is there.

    Raises:
        ToolError: it is not.
    """
    place = inside(root, path)
    if not place.is_file():
        raise ToolError(f"there is no file {path[:80]!r}; name one that exists")
    return place


def writable(root: Path, path: str, *endings: str) -> Path:
    """The place for a file of one of these endings; its folder is made.

    Raises:
        ToolError: its name has another ending.
    """
    place = inside(root, path)
    if place.suffix.lower() not in endings:
        raise ToolError(f"{path[:80]!r} must end in {' or '.join(endings)}; give such a name")
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def name_of(user: str) -> str:
    """The name of a person as their files have it: without what stands behind an @.

    Raises:
        ToolError: it is none.
    """
    name = user.strip().partition("@")[0]
    if not name or "/" in name or name.startswith("."):
        raise ToolError(f"{user[:80]!r} is no name of one person; give one, such as 'Bob'")
    return name


def own(folder: Path, name: str) -> Path:
    """What a folder has by a name, in any letter case; the name itself where it has none."""
    wanted = name.casefold()
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return next((path for path in found if path.name.casefold() == wanted), folder / name)
