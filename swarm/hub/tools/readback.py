"""Reading back what a call would change: for the built-in ``files`` here, for others by a tool of theirs."""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import re
import stat
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import JsonValue

from swarm.nouns.tool import Reading, ToolCall, ToolResult
from swarm.project.folders import is_built_in
from swarm.project.server_entry import ServerEntry

ABSENT, FOLDER, OUTSIDE = "absent", "folder", "outside"
"""States of a path beside the digest of a file's content. What is outside the granted folders is never
looked at: the server refuses it."""
EDIT_BYTES = 10_000_000
"""The server edits no larger file (``EDIT_BYTES`` in ``mcp_servers/files.py``)."""
DIGEST_BYTES = 64_000_000
"""A larger file is known by its size, its time and its place on the disk."""
FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
LINE_END = re.compile(rb"\r\n?|\n")


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
                place = _place(roots, args["path"])
                return Reading(
                    now=_state(place), after=_digest(args["content"].encode()), files=(place.shown,)
                )
            case "edit":
                place = _place(roots, args["path"])
                return Reading(
                    now=_state(place), after=_edited(place, args["old"], args["new"]), files=(place.shown,)
                )
            case "move":
                place, to = _place(roots, args["path"]), _place(roots, args["to"])
                now = _state(place)
                return Reading(now=f"{now} {_state(to)}", after=f"{ABSENT} {now}", files=(to.shown,))
            case _:
                return None
    except _Outside:
        return Reading(now=OUTSIDE)
    except (OSError, KeyError, UnicodeEncodeError):
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


class _Outside(Exception):
    """A path that the server refuses."""


@dataclass(frozen=True)
class _Target:
    root: Path
    parts: tuple[str, ...]
    shown: str


def _place(roots: Sequence[Path], path: str) -> _Target:
    """The place that the server means, and how it shows it.

    Raises:
        _Outside: it is in none of the folders.
    """
    is_there = "\0" not in path and os.path.lexists(roots[0] / path)
    # As the server mends it where no file has that very name.
    written = path if is_there else path.strip().replace("\\", "/")
    place = Path(posixpath.normpath(roots[0] / PurePosixPath(written)))
    root = next((root for root in roots if place.is_relative_to(root)), None)
    if root is None:
        raise _Outside
    inside = place.relative_to(root)
    return _Target(root, inside.parts, inside.as_posix() if root == roots[0] else place.as_posix())


@contextmanager
def _folder(place: _Target) -> Generator[int]:
    """The open folder that holds a place, reached without following links."""
    handle = os.open(place.root, FOLDER_FLAGS)
    try:
        for part in place.parts[:-1]:
            outer, handle = handle, os.open(part, FOLDER_FLAGS, dir_fd=handle)
            os.close(outer)
        yield handle
    finally:
        os.close(handle)


def _state(place: _Target) -> str:
    """The digest of a file's content, or what else is there.

    Raises:
        OSError: it is neither a file nor a folder, or cannot be read.
    """
    if not place.parts:
        return FOLDER
    try:
        with _folder(place) as folder:
            status = os.stat(place.parts[-1], dir_fd=folder, follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                return FOLDER
            if not stat.S_ISREG(status.st_mode):
                raise OSError(f"{place.shown} is no file")
            if status.st_size > DIGEST_BYTES:
                return f"{status.st_size} bytes of {status.st_mtime_ns} at {status.st_dev}:{status.st_ino}"
            return _digest(_content(place, folder, DIGEST_BYTES))
    except FileNotFoundError:
        return ABSENT


def _content(place: _Target, folder: int, most: int) -> bytes:
    """The first bytes of a file; it is no FIFO that a reader would wait for."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    with os.fdopen(os.open(place.parts[-1], flags, dir_fd=folder), "rb") as file:
        return file.read(most)


def _edited(place: _Target, old: str, new: str) -> str:
    """The digest of a file's content after an edit, as the server makes it; empty where it refuses or the
    encoding of the file must be guessed for it."""
    with _folder(place) as folder:
        data = _content(place, folder, EDIT_BYTES + 1)
    if len(data) > EDIT_BYTES or b"\0" in data:
        return ""
    try:
        data.decode()
    except UnicodeDecodeError:
        # Only ASCII is the same bytes in all the encodings that the server may find it to have.
        if not (old.isascii() and new.isascii()):
            return ""
    wanted = b"(?>\r\n?|\n)".join(map(re.escape, LINE_END.split(old.encode())))
    found = list(re.finditer(wanted, data))
    if len(found) != 1:
        return ""
    ends = LINE_END.search(found[0][0]) or LINE_END.search(data)
    piece = LINE_END.sub(ends[0] if ends else b"\n", new.encode())
    return _digest(data[: found[0].start()] + piece + data[found[0].end() :])


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
