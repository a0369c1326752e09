"""The three content folders: where they are, which files they hold, and reading or importing one."""

from __future__ import annotations

import importlib.util
import os
import re
import stat
import sys
from pathlib import Path
from types import ModuleType
from typing import Literal

from swarm.errors import ProjectError, quoted, shortened

Kind = Literal["agents", "tools", "mcp_servers"]

SUFFIXES: dict[Kind, tuple[str, ...]] = {"agents": (".md", ".py"), "tools": (".py",), "mcp_servers": (".py",)}
NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
"""A card, a file of tools or a server: short and lower case, so that ``server.tool`` reads well."""
MOST_BYTES = 1_000_000
"""Size of a file that a person writes: a card, settings, an entry, tools, a plan has its own bound."""
MOST_OF_PATH = 160
"""Characters of a path that a message repeats."""

_KINDS = (
    (stat.S_ISDIR, "folder"),
    (stat.S_ISFIFO, "named pipe"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISCHR, "device"),
    (stat.S_ISBLK, "device"),
)


def built_in_folder(kind: Kind) -> Path:
    """The folder of that kind that ships with the package.

    In a wheel it lies inside the package; in a source checkout it is the top-level folder itself.
    """
    package = Path(__file__).resolve().parents[1]
    shipped = package / "_builtin" / kind
    return shipped if shipped.is_dir() else package.parent / kind


def is_built_in(path: Path, kind: Kind) -> bool:
    """Whether a file is the one that ships with the package."""
    try:
        return path.resolve().parent == built_in_folder(kind).resolve()
    except (OSError, RuntimeError):  # a link that leads into itself
        return False


def is_in_place_of_built_in(name: str, path: Path, kind: Kind) -> bool:
    """Whether what a file of a project defines by that name takes the place of one that ships."""
    return (built_in_folder(kind) / f"{name}.py").is_file() and not is_built_in(path, kind)


def content_files(root: Path, kind: Kind) -> dict[str, Path]:
    """The files of that kind by their stems, sorted; the project's own shadow the built-in ones.

    Raises:
        ProjectError: a folder that cannot be read, or a file whose name is none.
    """
    found = _files_of(built_in_folder(kind), kind) | _files_of(root / kind, kind)
    return dict(sorted(found.items()))


def read_text(path: Path, most_bytes: int = MOST_BYTES) -> str:
    """The text of a file that a person wrote: a regular one, of a size such files have.

    Raises:
        ProjectError: it cannot be read, is no regular file, is too large, or is not UTF-8.
    """
    try:
        content = _content(path, most_bytes)
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProjectError(
            f"{said(path)}: not UTF-8 at byte {error.start}; save the file as UTF-8"
        ) from error
    except OSError as error:
        raise ProjectError(f"{said(path)}: cannot be read ({error.strerror}); check the file") from error
    except ValueError as error:
        raise ProjectError(f"{said(path)}: a name with a NUL is none of a file; correct the name") from error


def read_optional(path: Path, most_bytes: int = MOST_BYTES) -> str | None:
    """The text of a file that need not be there; None without it. A link to nothing is an error.

    Raises:
        ProjectError: as ``read_text``.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ProjectError(f"{said(path)}: cannot be read ({error.strerror}); check the file") from error
    return read_text(path, most_bytes)


def is_regular(path: Path) -> bool:
    """Whether a regular file is there; False also for what can be no file's name."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def said(path: Path) -> str:
    """The path as a message names it: on one line, and cut where it is very long."""
    return shortened(str(path) if str(path).isprintable() else repr(str(path)), MOST_OF_PATH)


def current_folder() -> Path:
    """The current folder.

    Raises:
        ProjectError: it was removed.
    """
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise ProjectError("the current folder was removed; go to another one") from error


def check_folder(path: Path, what: str) -> Path:
    """The folder with all links followed; ``what`` says what is to be named.

    Raises:
        ProjectError: there is none of that name, or it has a name that nothing can be recorded under.
    """
    try:
        if not path.is_dir():
            raise ProjectError(f"{said(path)}: there is no such folder; name {what} or make the folder")
        found = path.resolve()
        str(found).encode()
    except UnicodeEncodeError as error:
        raise ProjectError(f"{said(path)}: the name of {what} is not UTF-8; rename the folder") from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it holds a NUL"
        raise ProjectError(f"{said(path)}: no folder can be called so ({why}); name {what}") from error
    return found


def _content(path: Path, most_bytes: int) -> bytes:
    """The bytes of a regular file. Nothing else is opened: a pipe would be waited for, a device act."""
    _check_regular(path, path.stat())
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        _check_regular(path, os.fstat(descriptor))
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise ProjectError(
            f"{said(path)}: larger than {most_bytes // 1000:,} kB, which such a file may have; make it smaller"
        )
    return content


def _check_regular(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = next((word for is_it, word in _KINDS if is_it(found.st_mode)), "special")
        raise ProjectError(f"{said(path)}: it is a {kind} and not a regular file; put a file of text there")


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
        why = shortened(f"{type(error).__name__}: {error}", 160)
        raise ProjectError(f"{said(path)}: {failure}: {why}") from error
    return module


def _files_of(folder: Path, kind: Kind) -> dict[str, Path]:
    try:
        files = [path for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES[kind]]
    except FileNotFoundError as error:
        if folder.is_symlink():
            raise ProjectError(f"{said(folder)}: a link to nothing; remove it or make the folder") from error
        return {}
    except OSError as error:
        raise ProjectError(
            f"{said(folder)}: cannot be read ({error.strerror}); it must be a folder"
        ) from error
    found: dict[str, Path] = {}
    for path in files:
        if path.name.startswith("."):
            continue  # an editor's lock or backup, not content
        stem = _checked_stem(path, kind)
        if stem in found:
            raise ProjectError(f"{said(path)} and {found[stem].name} have one name; rename one")
        found[stem] = path
    return found


def _checked_stem(path: Path, kind: Kind) -> str:
    if path.name == "__init__.py":
        raise ProjectError(f"{path}: {kind}/ is a folder of files, not a Python package; remove this file")
    if not NAME.fullmatch(path.stem):
        raise ProjectError(
            f"{said(path)}: {quoted(path.stem)} is no name; use lower-case letters, digits, '-' and '_', "
            "a letter first, 40 at most, or move the file elsewhere"
        )
    return path.stem
