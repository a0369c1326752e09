"""Which MCP servers a project has: its own files, ``.mcp.json``, the built-in ones, and its settings."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from swarm.errors import ProjectError, quoted, shortened
from swarm.project.folders import content_files, is_built_in, said
from swarm.project.mcp_json import read_mcp_json
from swarm.project.server_entry import ServerEntry
from swarm.project.settings import FILE, ServerSettings
from swarm.project.tool_files import first_paragraph, parse_python
from swarm.project.wording import near

WRITERS = {"files": ("--read-only", False), "database": ("--write", True)}
"""Built-in servers that may change things: the switch, and the value of ``write`` that adds it.
The workspace may be written unless that is refused; a database may not unless that is granted."""


CALLS = 64
"""Calls that a built-in server works on at once; of another only one that may change something."""


def find_servers(root: Path, workspace: Path, settings: dict[str, ServerSettings]) -> dict[str, ServerEntry]:
    """The servers that are on, by name.

    Raises:
        ProjectError: a ``.mcp.json`` that can't be read, two servers of one name, or settings
            for a server that does not exist.
    """
    files = content_files(root, "mcp_servers")
    entries = {stem: _of_file(stem, path, workspace) for stem, path in files.items()}
    for name, entry in read_mcp_json(root).items():
        if name in files and not is_built_in(files[name], "mcp_servers"):
            raise ProjectError(f"{files[name]} and {entry.origin} both define a server {name!r}; rename one")
        entries[name] = entry
    found = dict(entries)
    for name, section in settings.items():
        where = f"{said(root / FILE)}: [servers.{shortened(name)}]"
        base = _base(where, name, section, found)
        entries[name] = _with(base, section, where, root).model_copy(update={"name": name})
    return {name: entry for name, entry in sorted(entries.items()) if is_on(name, settings)}


def is_on(name: str, settings: dict[str, ServerSettings]) -> bool:
    """Whether a server of that name may be used."""
    return name not in settings or settings[name].enabled


def _of_file(name: str, path: Path, workspace: Path) -> ServerEntry:
    """The server of a file; one whose file is wrong is off, and the others work."""
    try:
        return _from_file(name, path, workspace)
    except ProjectError as error:
        problem = str(error).removeprefix(f"{path}").removeprefix(":").strip()
        line, _, rest = problem.partition(": ")
        problem = f"line {line}: {rest}" if line.isdecimal() else problem
        return ServerEntry(name=name, origin=path, cwd=workspace, problem=problem)


def _from_file(name: str, path: Path, workspace: Path) -> ServerEntry:
    # -P keeps a server called email.py from shadowing the standard library.
    args = ["-P", str(path)]
    parsed = parse_python(path)
    if is_built_in(path, "mcp_servers"):
        args += ["--root", str(workspace)]
    return ServerEntry(
        name=name,
        origin=path,
        description=first_paragraph(ast.get_docstring(parsed)),
        command=sys.executable,
        args=tuple(args),
        cwd=workspace,
        is_trusted=True,
        parallel=CALLS if is_built_in(path, "mcp_servers") else 1,
    )


def _base(where: str, name: str, section: ServerSettings, entries: dict[str, ServerEntry]) -> ServerEntry:
    source = section.server or name
    if source not in entries:
        raise ProjectError(f"{where}: there is no server {quoted(source)}; {near(source, list(entries))}")
    return entries[source]


def _with(entry: ServerEntry, section: ServerSettings, where: str, root: Path) -> ServerEntry:
    return entry.model_copy(
        update={
            "args": entry.args + _grants(entry, section, where) + section.args,
            "env": entry.env | section.env,
            "cwd": _cwd(root / section.cwd, where) if section.cwd else entry.cwd,
            "effects": entry.effects | section.effects,
            "effect": section.effect or entry.effect,
            "is_trusted": entry.is_trusted if section.trust is None else section.trust,
            "read_back": entry.read_back | section.read_back,
            "start_seconds": section.start_seconds or entry.start_seconds,
            "parallel": section.parallel or entry.parallel,
            "call_seconds": section.timeout_seconds or entry.call_seconds,
        }
    )


def _cwd(path: Path, where: str) -> Path:
    try:
        return path.resolve()
    except (OSError, ValueError) as error:
        raise ProjectError(f"{where} cwd: {quoted(str(path))} cannot be the name of a folder") from error


def _grants(entry: ServerEntry, section: ServerSettings, where: str) -> tuple[str, ...]:
    if section.write is None:
        return ()
    stem = entry.origin.stem
    if stem not in WRITERS or not is_built_in(entry.origin, "mcp_servers"):
        raise ProjectError(f"{where} write: only the built-in {' and '.join(WRITERS)} have it; use 'args'")
    switch, value = WRITERS[stem]
    return (switch,) if section.write is value else ()
