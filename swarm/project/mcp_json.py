"""``.mcp.json``: server entries as other MCP clients write them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from swarm.errors import ProjectError
from swarm.project.folders import read_optional
from swarm.project.nesting import check_json
from swarm.project.server_entry import ServerEntry, Transport
from swarm.project.wording import problems

FILE = ".mcp.json"
MOST_JSON_BYTES = 4_000_000
"""Room for 10,000 servers."""
VARIABLE = re.compile(r"\$\{(?:env:)?([^}:]+)(?::-([^}]*))?\}")
"""``${VAR}`` and ``${VAR:-default}`` as Claude Code writes them, ``${env:VAR}`` as VS Code does."""
FOLDER_VARIABLES = ("workspaceFolder", "CLAUDE_PROJECT_DIR")


class _Entry(BaseModel):
    """One entry. Keys that only another client understands are let be."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["stdio", "http", "streamable-http", "streamableHttp", "sse"] | None = None
    command: str = ""
    args: list[str] = []
    env: dict[str, str] = {}
    cwd: str = ""
    url: str = ""
    headers: dict[str, str] = {}
    disabled: bool = False


class _File(BaseModel):
    """``mcpServers`` is what most clients write, ``servers`` is VS Code's key."""

    model_config = ConfigDict(extra="ignore")

    mcp_servers: dict[str, _Entry] = Field(default={}, alias="mcpServers")
    servers: dict[str, _Entry] = {}


def read_mcp_json(root: Path, environment: Mapping[str, str] | None = None) -> dict[str, ServerEntry]:
    """The servers that ``.mcp.json`` in that folder names; none without the file.

    Args:
        root: The project.
        environment: What variables expand to; this process's own when left out.

    Raises:
        ProjectError: no valid JSON, an entry that means nothing, or a variable that is not set.
    """
    path = root / FILE
    text = read_optional(path, MOST_JSON_BYTES)
    if text is None:
        return {}
    try:
        file = _File.model_validate_json(check_json(path, text))
    except ValidationError as error:
        raise ProjectError(f"{path}: {problems(error, _File)}") from error
    variables = dict(os.environ if environment is None else environment)
    variables |= dict.fromkeys(FOLDER_VARIABLES, str(root))
    entries: dict[str, ServerEntry] = {}
    for written, entry in [*file.mcp_servers.items(), *file.servers.items()]:
        if entry.disabled:
            continue
        name = _name(path, written)
        if name in entries:
            raise ProjectError(f"{path}: two servers are called {name!r}; rename one")
        entries[name] = _server(path, name, entry, variables)
    return entries


def _name(path: Path, written: str) -> str:
    # Names of the public registry hold dots and slashes (io.github.x/y); ours stand before a dot.
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", written).strip("-")
    if not name:
        raise ProjectError(f"{path}: {written!r} is no name of a server; use letters, digits, '-' and '_'")
    return name


def _server(path: Path, name: str, entry: _Entry, variables: Mapping[str, str]) -> ServerEntry:
    where = f"{path}: server {name!r}"
    transport = _transport(where, entry)

    def expand(text: str) -> str:
        return _expanded(where, text, variables)

    return ServerEntry(
        name=name,
        origin=path,
        description=expand(entry.url) or " ".join([entry.command, *entry.args]),
        transport=transport,
        command=expand(entry.command),
        args=tuple(expand(arg) for arg in entry.args),
        env={key: expand(value) for key, value in entry.env.items()},
        cwd=(path.parent / expand(entry.cwd)).resolve(),
        url=expand(entry.url),
        headers={key: expand(value) for key, value in entry.headers.items()},
    )


def _transport(where: str, entry: _Entry) -> Transport:
    if bool(entry.command) == bool(entry.url):
        raise ProjectError(
            f"{where}: give either 'command' (a program to start) or 'url' (a server that runs)"
        )
    if entry.command and entry.type not in (None, "stdio"):
        raise ProjectError(f"{where}: type {entry.type!r} goes with 'url', not with 'command'")
    if entry.url and entry.type == "stdio":
        raise ProjectError(f"{where}: type 'stdio' goes with 'command', not with 'url'")
    if entry.command:
        return "stdio"
    return "sse" if entry.type == "sse" else "http"


def _expanded(where: str, text: str, variables: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name, default = match.group(1), match.group(2)
        # An empty variable counts as unset before a default, as in a shell's ${VAR:-default}.
        found = variables.get(name)
        if default is not None:
            return found or default
        if found is None:
            raise ProjectError(
                f"{where}: {match.group(0)} is not set; set {name} or write ${{{name}:-default}}"
            )
        return found

    return VARIABLE.sub(value, text)
