"""The three content folders: where they are, which files they hold, and reading or importing one."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Literal

from swarm.errors import ProjectError

Kind = Literal["agents", "tools", "mcp_servers"]

SUFFIXES: dict[Kind, str] = {"agents": ".md", "tools": ".py", "mcp_servers": ".py"}
NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
"""A card, a file of tools or a server: short and lower case, so that ``server.tool`` reads well."""


def built_in_folder(kind: Kind) -> Path:
    """The folder of that kind that ships with the package.

    In a wheel it lies inside the package; in a source checkout it is the top-level folder itself.
    """
    package = Path(__file__).resolve().parents[1]
    shipped = package / "_builtin" / kind
    return shipped if shipped.is_dir() else package.parent / kind


def is_built_in(path: Path, kind: Kind) -> bool:
    """Whether a file is the one that ships with the package."""
    return path.resolve().parent == built_in_folder(kind).resolve()


def content_files(root: Path, kind: Kind) -> dict[str, Path]:
    """The files of that kind by their stems, sorted; the project's own shadow the built-in ones.

    Raises:
        ProjectError: a folder that cannot be read, or a file whose name is none.
    """
    found = _files_of(built_in_folder(kind), kind) | _files_of(root / kind, kind)
    return dict(sorted(found.items()))


def read_text(path: Path) -> str:
    """The text of a content file.

    Raises:
        ProjectError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProjectError(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8") from error
    except OSError as error:
        raise ProjectError(f"{path}: cannot be read ({error.strerror}); check the file") from error


def imported(path: Path, name: str, failure: str) -> ModuleType:
    """A user's Python file as the module of that name; ``failure`` says what it means when it does not run.

    Raises:
        ProjectError: it is none, or does not run.
    """
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ProjectError(f"{path}: cannot be imported; it must be a Python file")
    module = importlib.util.module_from_spec(spec)
    # Type hints and dataclasses look their module up by name.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # foreign code: whatever a file does when it is loaded
        del sys.modules[name]
        raise ProjectError(f"{path}: {failure}: {type(error).__name__}: {error}") from error
    return module


def _files_of(folder: Path, kind: Kind) -> dict[str, Path]:
    if not folder.exists():
        return {}
    try:
        files = [path for path in sorted(folder.iterdir()) if path.suffix == SUFFIXES[kind]]
    except OSError as error:
        raise ProjectError(f"{folder}: cannot be read ({error.strerror}); it must be a folder") from error
    # A dot file is an editor's lock or backup, not content.
    return {_checked_stem(path, kind): path for path in files if not path.name.startswith(".")}


def _checked_stem(path: Path, kind: Kind) -> str:
    if path.name == "__init__.py":
        raise ProjectError(f"{path}: {kind}/ is a folder of files, not a Python package; remove this file")
    if not NAME.fullmatch(path.stem):
        raise ProjectError(
            f"{path}: {path.stem!r} is no name; use lower-case letters, digits, '-' and '_', "
            "a letter first, 40 at most, or move the file elsewhere"
        )
    return path.stem
