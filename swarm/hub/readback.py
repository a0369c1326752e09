"""Reading back what a call would change: for the built-in ``files`` here, for others by a tool of theirs."""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from pydantic import JsonValue

from swarm.project.folders import is_built_in
from swarm.project.server_entry import ServerEntry
from swarm.tool import Reading, ToolCall, ToolResult

ABSENT, FOLDER = "absent", "folder"
"""States of a path beside the digest of a file's content."""


def roots_of(entry: ServerEntry) -> tuple[Path, ...]:
    """The folders of a server that is the built-in ``files``; none for any other."""
    if entry.origin.stem != "files" or not is_built_in(entry.origin, "mcp_servers"):
        return ()
    return tuple(
        Path(value) for name, value in zip(entry.args, entry.args[1:], strict=False) if name == "--root"
    )


def read_files(roots: Sequence[Path], call: ToolCall) -> Reading | None:
    """What a write, edit or move would change; None where a path cannot be read."""
    args = {name: str(value) for name, value in call.args.items()}
    try:
        match call.tool.partition(".")[2]:
            case "write":
                path, shown = _place(roots, args["path"])
                return Reading(
                    now=_state(path),
                    after=_digest(args["content"].encode("utf-8", "replace")),
                    files=(shown,),
                )
            case "edit":
                path, shown = _place(roots, args["path"])
                return Reading(
                    now=_state(path), after=_edited(path, args["old"], args["new"]), files=(shown,)
                )
            case "move":
                (path, _), (to, shown) = _place(roots, args["path"]), _place(roots, args["to"])
                now = _state(path)
                return Reading(now=f"{now} {_state(to)}", after=f"{ABSENT} {now}", files=(shown,))
            case _:
                return None
    except (OSError, KeyError):
        return None


def from_answer(result: ToolResult) -> Reading | None:
    """What a server's own tool read back: ``now`` and ``after`` where it gives them, else its whole answer."""
    if result.is_error:
        return None
    if isinstance(result.data, dict) and "now" in result.data:
        return Reading(now=_spelled(result.data["now"]), after=_spelled(result.data.get("after", "")))
    return Reading(now=_digest(_spelled([result.text, result.data]).encode()))


def fitting(args: Mapping[str, JsonValue], schema: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The arguments of a call that the tool which reads back takes too."""
    known = schema.get("properties")
    return {name: value for name, value in args.items() if isinstance(known, dict) and name in known}


def _spelled(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _place(roots: Sequence[Path], path: str) -> tuple[Path, str]:
    """The path that the server means, and how it shows it."""
    wanted = posixpath.normpath(PurePosixPath(path.strip().replace("\\", "/")))
    place = roots[0] / wanted
    is_first = place.is_relative_to(roots[0])
    return place, place.relative_to(roots[0]).as_posix() if is_first else place.as_posix()


def _state(path: Path) -> str:
    """The digest of a file's content, or what else is there.

    Raises:
        OSError: it is neither a file nor a folder, or cannot be read.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return ABSENT
    if stat.S_ISDIR(mode):
        return FOLDER
    if not stat.S_ISREG(mode):
        raise OSError(f"{path} is no file")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _edited(path: Path, old: str, new: str) -> str:
    """The digest of a file's content after an edit, as the server makes it; empty where it refuses."""
    data = path.read_bytes()
    try:
        text, encoding = data.decode(), "utf-8"
    except UnicodeDecodeError:
        text, encoding = data.decode("latin-1"), "latin-1"
    if "\r\n" in text:
        old, new = (re.sub(r"\r?\n", "\r\n", one) for one in (old, new))
    if text.count(old) != 1:
        return ""
    changed = text.replace(old, new)
    if encoding == "latin-1" and max(map(ord, changed)) > 255:
        encoding = "utf-8"
    return _digest(changed.encode(encoding))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
