"""``.mcp.json``: server entries as other MCP clients write them.

An entry that can't be used is off with its reason, and those beside it work. No reason holds a value of
the file: it may be a key.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from swarm.errors import ProjectError
from swarm.project.folders import read_optional
from swarm.project.nesting import check_json
from swarm.project.secrecy import args_secrets, shown_args, shown_url
from swarm.project.server_entry import ServerEntry, Transport

FILE = ".mcp.json"
MOST_JSON_BYTES = 4_000_000
"""Room for 10,000 servers."""
VARIABLE = re.compile(r"\$\{(?:env:)?([^}:]+)(?::-([^}]*))?\}")
"""``${VAR}`` and ``${VAR:-default}`` as Claude Code writes them, ``${env:VAR}`` as VS Code does."""
FOLDER_VARIABLES = ("workspaceFolder", "CLAUDE_PROJECT_DIR")
KEYS = {
    "type": ("type", "transport", "transportType"),
    "command": ("command",),
    "args": ("args",),
    "env": ("env",),
    "cwd": ("cwd",),
    "url": ("url", "serverUrl", "httpUrl"),
    "headers": ("headers",),
}
"""What is read of an entry, under each of the names that clients give it; other keys are let be."""
OTHERS = ("description", "disabled", "enabled", "envFile", "timeout", "name", "trust", "version", "tools")
"""Keys of other clients that look like ours and are none."""
PROGRAM_TYPES = ("stdio", "local")
URL_TYPES: dict[str, Transport] = {
    "http": "http",
    "streamable-http": "http",
    "streamableHttp": "http",
    "streamable_http": "http",
    "sse": "sse",
}
_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_COMMA = re.compile(r'"(?:[^"\\\n]|\\.)*"|,(?=\s*[}\]])')

Json = dict[str, object]


class _Unfit(Exception):
    """An entry that can't be used, and why."""


def read_mcp_json(root: Path, environment: Mapping[str, str] | None = None) -> dict[str, ServerEntry]:
    """The servers that ``.mcp.json`` in that folder names; none without the file.

    One that can't be used has a ``problem``. ``environment`` is what variables expand to; this process's
    own when left out.

    Raises:
        ProjectError: no valid JSON, or no object with servers.
    """
    path = root / FILE
    text = read_optional(path, MOST_JSON_BYTES)
    if text is None:
        return {}
    variables = dict(os.environ if environment is None else environment)
    variables |= dict.fromkeys(FOLDER_VARIABLES, str(root))
    entries: dict[str, ServerEntry] = {}
    for written, entry in _entries(path, text):
        if _is_off(entry):
            continue
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", written).strip("-")
        # Names of the public registry hold dots and slashes (io.github.x/y); ours stand before a dot.
        base = ServerEntry(name=name or "unnamed", origin=path, cwd=root, parallel=1)
        try:
            if not name:
                raise _Unfit(f"{written!r} is no name of a server; use letters, digits, '-' and '_'")
            if name in entries:
                raise _Unfit(f"two servers of {FILE} are called {name!r}; rename one")
            entries[name] = _server(base, entry, variables)
        except _Unfit as error:
            entries[base.name] = base.model_copy(update={"problem": str(error)})
    return entries


def _entries(path: Path, text: str) -> list[tuple[str, object]]:
    """The entries as they are written, with their names."""
    try:
        # As the clients do whose file it is, VS Code first of all.
        plain = _COMMA.sub(_kept, _COMMENT.sub(_kept, text))
        content: object = json.loads(check_json(path, plain) or "{}")
    except json.JSONDecodeError as error:
        what = error.msg[0].lower() + error.msg[1:]
        raise ProjectError(
            f"{path}: no valid JSON at line {error.lineno}, column {error.colno}: {what}"
        ) from None
    except (ValueError, RecursionError):
        raise ProjectError(f"{path}: it holds a number or a nesting that is too large to be read") from None
    if not isinstance(content, dict):
        raise ProjectError(f"{path}: it must be an object with 'mcpServers'")
    _check_keys(path, cast("Json", content))
    found: list[tuple[str, object]] = []
    # ``mcpServers`` is what most clients write, ``servers`` is VS Code's key.
    for key in ("mcpServers", "servers"):
        servers = cast("Json", content).get(key)
        if servers is not None and not isinstance(servers, dict):
            raise ProjectError(f"{path}: {key!r} must be an object of servers by their names")
        found += cast("Json", servers or {}).items()
    return found


def _check_keys(path: Path, content: Json) -> None:
    """Refuses servers under a key that nobody reads: they would not be there, and nothing would say so.

    Raises:
        ProjectError: there are some.
    """
    if content.keys() & {"mcpServers", "servers"}:
        return
    for key, value in content.items():
        given = cast("Json", value) if isinstance(value, dict) else dict[str, object]()
        is_meant = re.sub(r"[^a-z]", "", key.casefold()) in ("mcpservers", "mcpserver", "servers", "server")
        if is_meant or given.keys() & {*KEYS["command"], *KEYS["url"]}:
            raise ProjectError(
                f"{path}: {key[:80]!r} is not read; put servers by their names into 'mcpServers'"
            )


def _kept(match: re.Match[str]) -> str:
    """A text as it is; spaces in the place of anything else, so that lines and columns stay."""
    found = match.group(0)
    return found if found.startswith('"') else re.sub(r"[^\n]", " ", found)


def _is_off(entry: object) -> bool:
    """Whether an entry is not to be looked at at all."""
    if not isinstance(entry, dict):
        return False
    given = cast("Json", entry)
    return given.get("disabled") in (True, "true") or given.get("enabled") in (False, "false")


def _server(base: ServerEntry, written: object, variables: Mapping[str, str]) -> ServerEntry:
    if not isinstance(written, dict):
        raise _Unfit("it must be an object with 'command' or 'url'")
    entry = _known(cast("Json", written))
    command, url = _text(entry, "command"), _text(entry, "url")
    args, env, headers = _texts(entry, "args"), _mapping(entry, "env"), _mapping(entry, "headers")
    cwd = _text(entry, "cwd")
    transport = _transport(entry, command, url, cast("Json", written))
    used: list[str] = []

    def expand(text: str) -> str:
        return _expanded(text, variables, used)

    update: Json = {
        "description": shown_url(url) or " ".join([command, *shown_args(args)]),
        "transport": transport,
        "command": expand(command),
        "args": tuple(expand(arg) for arg in args),
        "env": {name: expand(value) for name, value in env.items()},
        "cwd": _folder(base.origin.parent, expand(cwd)),
        "url": _address(expand(url)),
        "address": shown_url(url),
        "headers": {name: expand(value) for name, value in headers.items()},
    }
    variables_of = tuple(dict.fromkeys([*used, *args_secrets(args)]))
    return base.model_copy(update=update | {"variables": variables_of})


def _known(written: Json) -> Json:
    """What is ours of an entry, under our names; nulls are as good as nothing."""
    entry: Json = {}
    names = {name: key for key, spelled in KEYS.items() for name in spelled}
    for key, value in written.items():
        if value is None:
            continue
        if key in names:
            entry.setdefault(names[key], value)
        elif close := get_close_matches(key, [name for name in names if key not in OTHERS], n=1, cutoff=0.8):
            raise _Unfit(f"there is no key {key[:80]!r}; did you mean {close[0]!r}?")
    return entry


def _text(entry: Json, key: str) -> str:
    value = entry.get(key, "")
    if not isinstance(value, str):
        raise _Unfit(f"{key!r} must be a text")
    if "\0" in value:
        raise _Unfit(f"{key!r} holds a NUL character, which nothing can be called")
    return value


def _texts(entry: Json, key: str) -> list[str]:
    value = entry.get(key, [])
    if not isinstance(value, list):
        raise _Unfit(f"{key!r} must be a list of texts")
    return [_scalar(part, f"{key!r} must be a list of texts") for part in cast("list[object]", value)]


def _mapping(entry: Json, key: str) -> dict[str, str]:
    value = entry.get(key, {})
    if not isinstance(value, dict):
        raise _Unfit(f"{key!r} must be an object of texts")
    pairs = cast("Json", value).items()
    return {
        name: _scalar(part, f"{key!r} must be an object of texts; {name[:80]!r} has none")
        for name, part in pairs
        if part is not None
    }


def _scalar(value: object, problem: str) -> str:
    """A text, or the text of a number or of a yes or no."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str):
        raise _Unfit(problem)
    if "\0" in value:
        raise _Unfit(f"{problem.partition(';')[0]}, and one holds a NUL character")
    return value


def _transport(entry: Json, command: str, url: str, written: Json) -> Transport:
    kind = entry.get("type")
    if bool(command) == bool(url):
        keys = ", ".join(repr(key[:40]) for key in list(written)[:5])
        has = f"; it has {keys}" if keys and not url else ""
        raise _Unfit(f"give either 'command' (a program to start) or 'url' (a server that runs){has}")
    if kind is not None and kind not in (*PROGRAM_TYPES, *URL_TYPES):
        raise _Unfit(f"its type is not known here; known: stdio, {', '.join(URL_TYPES)}")
    if command and kind in URL_TYPES:
        raise _Unfit(f"type {kind!r} goes with 'url', not with 'command'")
    if url and kind in PROGRAM_TYPES:
        raise _Unfit(f"type {kind!r} goes with 'command', not with 'url'")
    if command:
        return "stdio"
    if kind is None:
        # The older transport has no other sign, and its usual path is this one.
        return "sse" if shown_url(url).rstrip("/").endswith("/sse") else "http"
    return URL_TYPES[str(kind)]


def _address(url: str) -> str:
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or any(ord(letter) <= 32 for letter in url):
        raise _Unfit("'url' is no address of a server; write http://HOST:PORT/PATH or https://…")
    return url


def _folder(root: Path, path: str) -> Path:
    try:
        return (root / path).resolve()
    except (OSError, ValueError, RuntimeError):
        raise _Unfit("'cwd' is no path of a folder") from None


def _expanded(text: str, variables: Mapping[str, str], used: list[str]) -> str:
    """The text with its variables read; ``used`` gets their values, but for folders."""

    def value(match: re.Match[str]) -> str:
        name, default = match.group(1), match.group(2)
        # An empty variable counts as unset before a default, as in a shell's ${VAR:-default}.
        found = variables.get(name)
        if found and name not in FOLDER_VARIABLES:
            used.append(found)
        if default is not None:
            return found or default
        if found is None:
            raise _Unfit(f"${{{name[:80]}}} is not set; set {name[:80]} or write ${{{name[:80]}:-default}}")
        return found

    return VARIABLE.sub(value, text)
