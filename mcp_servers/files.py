"""The MCP server ``files``: listing, reading, searching and writing files below granted folders.

    python -P files.py [--root FOLDER]... [--read-only]

Every path is walked from its root folder by folder without following links (``openat`` with
``O_NOFOLLOW``), so neither ``..`` nor a link, nor a link made while the call runs, leads outside.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import errno
import fnmatch
import os
import posixpath
import re
import secrets
import stat
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import regex
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import JsonValue

LIST_LINES, LIST_DEPTH = 60, 3  # A listing has to fit a small window beside everything else.
READ_CHARACTERS = 12_000  # About 3,000 tokens: less than half of an 8k window.
EDIT_BYTES = 10_000_000  # A larger file is not a text that a model wrote.
SEARCH_HITS, SEARCH_SECONDS = 100, 10.0  # No pattern and no large folder may hang the server.
LINE_BYTES = 1_000_000  # A longer line is read in pieces.
SHOWN_CHARACTERS = 200  # Of a found line.
WALK_ENTRIES = 50_000  # That one call looks at before it stops.
PRIVATE = ".swarm"  # The framework's own folder: never shown, never written.
VERIFIABLE = {"swarm/effect": "verifiable"}  # What was written is read back after a crash.
UNSPEAKABLE = re.compile(r"[\0-\x1f\ud800-\udfff]")  # In a name: control characters and broken text.
FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

Row = dict[str, JsonValue]
Glob = tuple[re.Pattern[str] | None, ...]
Finder = Callable[[str], re.Match[str] | regex.Match[str] | None]


@dataclass(frozen=True)
class Place:
    """A path inside a granted folder. ``prefix`` is what a caller writes before it: nothing for the
    first folder, the whole path of any other."""

    root: Path
    prefix: str
    parts: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        return self.prefix + "/".join(self.parts) or "."

    def below(self, name: str) -> Place:
        return Place(self.root, self.prefix, (*self.parts, name))


@dataclass(frozen=True)
class Entry:
    """What a walk found: a ``file`` with its size, a ``folder``, or what else it is."""

    place: Place
    kind: str
    size_bytes: int = 0


class Files:
    """The tools over the granted folders."""

    def __init__(self, folders: Sequence[Path], search_seconds: float = SEARCH_SECONDS) -> None:
        self.search_seconds = search_seconds
        first, *others = [folder.resolve() for folder in folders]
        self.roots = (Place(first, ""), *(Place(folder, f"{folder}/") for folder in others))

    def list(self, path: str = ".") -> CallToolResult:
        """Show the files and folders below a folder, with sizes."""
        entries = list(self._walk(self._place(path), LIST_DEPTH))
        files = [entry for entry in entries if entry.kind == "file"]
        rows: JsonValue = [{"path": file.place.shown, "size": file.size_bytes} for file in files]
        return _answer("\n".join(_tree(entries)) or "(empty folder)", rows)

    def glob(self, pattern: str) -> CallToolResult:
        """Find files by a path pattern like notes/*.md or **/*.csv; gives their paths, sorted."""
        paths = self._matching(pattern)
        return _answer("\n".join(paths) or self._nothing_matches(pattern), [*paths])

    def read(self, path: str, start: int = 1, lines: int = 0) -> CallToolResult:
        """Read a text file, or some of its lines; lines=0 reads to the end."""
        with self._open(place := self._place(path)) as file:
            if _is_binary(file):
                raise ToolError(f"{place.shown!r} is binary; only text files are read")
            return _answer(_excerpt(file, max(start, 1), lines))

    def search(self, text: str, pattern: str = "**/*") -> CallToolResult:
        """Find lines that contain a text or regex, in any letter case; gives path, line number and line."""
        paths = self._matching(pattern)
        try:
            hits = self._hits(paths, re.compile(re.escape(text), re.IGNORECASE).search)
            if not hits and re.search(r"[\\.*+?\[(|^$]", text):
                wanted = regex.compile(text, regex.IGNORECASE).search
                hits = self._hits(paths, partial(wanted, timeout=self.search_seconds, concurrent=True))
        except regex.error:
            hits = ()
        except TimeoutError:
            raise ToolError(f"searching {text!r} takes too long; use plain words or fewer files") from None
        if not hits:
            return _answer(f"{text!r} is in none of {len(paths)} files that match {pattern!r}", [])
        shown = [f"{hit['path']}:{hit['line']}: {hit['text']}" for hit in hits]
        if len(hits) == SEARCH_HITS:
            shown.append(f"[first {SEARCH_HITS} lines; search for something rarer or in fewer files]")
        return _answer("\n".join(shown), [*hits])

    def write(self, path: str, content: str) -> CallToolResult:
        """Write a text file, replacing what it held; folders are made."""
        place = self._writable(path)
        data = content.encode("utf-8", "replace")
        self._replace(place, data)
        return _answer(f"wrote {len(data)} bytes to {place.shown}", wrote=place)

    def edit(self, path: str, old: str, new: str) -> CallToolResult:
        """Replace an exact piece of a text file, found once in it, by another."""
        place = self._writable(path)
        with self._open(place) as file:
            data = file.read(EDIT_BYTES + 1)
        if b"\0" in data or len(data) > EDIT_BYTES:
            raise ToolError(f"{place.shown!r} is binary or over {EDIT_BYTES} bytes; it is not edited")
        encoding = _encoding(data)
        text = data.decode(encoding)
        if "\r\n" in text:
            old, new = (re.sub(r"\r?\n", "\r\n", one) for one in (old, new))
        if old not in text and new and text.count(new) == 1:
            return _answer(f"{place.shown} already says that; nothing to do")
        _check_unique(text, old, place)
        changed = text.replace(old, new)
        if encoding == "latin-1" and max(map(ord, changed)) > 255:
            encoding = "utf-8"
        self._replace(place, changed.encode(encoding))
        return _answer(f"edited {place.shown}", wrote=place)

    def move(self, path: str, to: str) -> CallToolResult:
        """Move or rename a file or folder; never over an existing one."""
        source, target = self._writable(path), self._writable(to)
        name, goal = source.parts[-1], target.parts[-1]
        with self._folder(source) as old:
            kind = _kind_of(os.stat(name, dir_fd=old, follow_symlinks=False).st_mode)
            if kind not in {"file", "folder"}:
                raise ToolError(f"{source.shown!r} is a {kind}; only files and folders are moved")
            with self._folder(target, make=True) as new:
                if kind == "file":
                    # Unlike rename, link refuses an existing name, and does so in one step.
                    os.link(name, goal, src_dir_fd=old, dst_dir_fd=new, follow_symlinks=False)
                    os.unlink(name, dir_fd=old)
                else:
                    os.rename(name, goal, src_dir_fd=old, dst_dir_fd=new)
        return _answer(f"moved {source.shown} to {target.shown}", wrote=target)

    def _place(self, path: str) -> Place:
        """The place a path names.

        Raises:
            ToolError: it is outside the granted folders, or in the framework's own.
        """
        wanted = PurePosixPath(path.strip().replace("\\", "/"))
        top = self.roots[0]
        if wanted.is_absolute():
            inside = next((root for root in self.roots if wanted.is_relative_to(root.root)), None)
            if inside is None:
                raise ToolError(f"{path!r} is outside the granted folders; use a relative path")
            top, wanted = inside, wanted.relative_to(inside.root)
        parts = PurePosixPath(posixpath.normpath(wanted)).parts
        if parts[:1] == ("..",):
            raise ToolError(f"{path!r} leads outside the granted folder; use a path below it")
        if PRIVATE in parts or UNSPEAKABLE.search(path):
            raise ToolError(f"{path!r} cannot be used; use another path")
        return Place(top.root, top.prefix, parts)

    def _writable(self, path: str) -> Place:
        place = self._place(path)
        if not place.parts:
            raise ToolError(f"{path!r} is the granted folder itself; name a file in it")
        if hidden := next((part for part in place.parts if part.startswith(".")), None):
            raise ToolError(f"{hidden!r} is hidden; hidden files are not written")
        return place

    @contextlib.contextmanager
    def _folder(self, place: Place, *, make: bool = False) -> Generator[int]:
        """The open folder that holds a place; with ``make``, made where missing.

        Raises:
            ToolError: it cannot be reached, or the system refused what was done in it.
        """
        at = Place(place.root, place.prefix)
        handle = os.open(place.root, FOLDER_FLAGS)
        try:
            for part in place.parts[:-1]:
                at = at.below(part)
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(part, dir_fd=handle)
                outer, handle = handle, os.open(part, FOLDER_FLAGS, dir_fd=handle)
                os.close(outer)
            at = place
            yield handle
        except OSError as error:
            raise self._refusal(error, at, place) from error
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def _open(self, place: Place) -> Generator[BinaryIO]:
        """The open regular file at a place."""
        # O_NONBLOCK: opening a FIFO must not wait for its other end.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        with self._folder(place) as folder:
            handle = os.open(place.parts[-1] if place.parts else ".", flags, dir_fd=folder)
            kind = _kind_of(os.fstat(handle).st_mode)
            if kind != "file":
                os.close(handle)
                hint = "; use list to see its files" if kind == "folder" else ""
                raise ToolError(f"{place.shown!r} is a {kind}{hint}")
        with os.fdopen(handle, "rb") as file:
            yield file

    def _replace(self, place: Place, data: bytes) -> None:
        """Puts a whole file in place at once: a reader sees the old content or the new one."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with self._folder(place, make=True) as folder:
            mode = _mode_to_keep(folder, place)
            temporary = f".{secrets.token_hex(8)}.tmp"
            try:
                with os.fdopen(os.open(temporary, flags, mode, dir_fd=folder), "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.rename(temporary, place.parts[-1], src_dir_fd=folder, dst_dir_fd=folder)
                os.fsync(folder)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=folder)

    def _walk(self, top: Place, depth: int) -> Iterator[Entry]:
        """The entries below a folder, without hidden ones."""
        with self._folder(top.below("")) as folder:
            yield from _walk(folder, top, depth, [WALK_ENTRIES])
        if top == self.roots[0]:
            yield from (Entry(other, "list it to see inside") for other in self.roots[1:])

    def _matching(self, pattern: str) -> Sequence[str]:
        """The files that a pattern matches, as a caller names them, sorted."""
        wanted = self._place(pattern)
        glob = _segments(wanted.parts)
        files = self._walk(Place(wanted.root, wanted.prefix), WALK_ENTRIES)
        return sorted(
            entry.place.shown for entry in files if entry.kind == "file" and _fits(entry.place.parts, glob)
        )

    def _nothing_matches(self, pattern: str) -> str:
        shown = self._place(pattern).shown
        for near in (f"{shown}/**", f"**/{PurePosixPath(shown).name}"):
            if count := len(self._matching(near)):
                return f"no file matches {pattern!r}, but {count} match {near!r}"
        return f"no file matches {pattern!r}; use list to see the files"

    def _hits(self, paths: Sequence[str], find: Finder) -> Sequence[Row]:
        hits: list[Row] = []
        deadline = time.monotonic() + self.search_seconds
        for path in paths:
            with self._open(self._place(path)) as file:
                if _is_binary(file):
                    continue
                for number, raw in enumerate(_raw_lines(file), 1):
                    line = _text(raw)
                    if match := find(line):
                        begin = max(0, match.start() - SHOWN_CHARACTERS // 2)
                        text = line[begin : begin + SHOWN_CHARACTERS].strip()
                        hits.append({"path": path, "line": number, "text": text})
                    if len(hits) == SEARCH_HITS:
                        return hits
                    if time.monotonic() > deadline:
                        raise TimeoutError
        return hits

    def _refusal(self, error: OSError, at: Place, wanted: Place) -> ToolError:
        """What to tell the caller whose way to ``wanted`` ended at ``at``."""
        if error.errno == errno.ENOENT:
            return ToolError(self._not_found(wanted))
        reasons = {
            errno.EEXIST: "exists already; choose another name",
            errno.ENOTEMPTY: "exists already; choose another name",
            errno.ELOOP: "is a link; links are not followed",
            errno.ENOTDIR: "is a file or a link, not a folder; links are not followed",
        }
        reason = reasons.get(error.errno or 0) or f"cannot be used: {error.strerror}"
        return ToolError(f"{at.shown!r} {reason}")

    def _not_found(self, place: Place) -> str:
        wanted = PurePosixPath(place.shown)
        entries = self._walk(Place(place.root, place.prefix), WALK_ENTRIES)
        known = [entry.place.shown for entry in entries if entry.kind in {"file", "folder"}]
        same = [path for path in known if PurePosixPath(path).name.casefold() == wanted.name.casefold()]
        if near := same or difflib.get_close_matches(str(wanted), known, 1):
            return f"no file {str(wanted)!r}; did you mean {near[0]!r}?"
        return f"no file {str(wanted)!r}; use list to see the files"


def _kind_of(mode: int) -> str:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    return "link, not followed" if stat.S_ISLNK(mode) else "special file"


def _walk(folder: int, top: Place, depth: int, left: list[int]) -> Iterator[Entry]:
    """Below an open folder: its files by name, then each folder with what is in it."""
    with os.scandir(folder) as scan:
        found = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in scan)
    folders: list[str] = []
    for name, is_folder in found:
        left[0] -= 1
        if name.startswith(".") or left[0] < 0 or UNSPEAKABLE.search(name):
            continue
        if is_folder:
            folders.append(name)
            continue
        # Another agent may have moved it since.
        with contextlib.suppress(FileNotFoundError):
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            yield Entry(top.below(name), _kind_of(status.st_mode), status.st_size)
    for name in folders:
        place = top.below(name)
        try:
            inner = os.open(name, FOLDER_FLAGS, dir_fd=folder)
        except OSError as error:
            yield Entry(place, f"cannot be opened: {error.strerror}")
            continue
        try:
            yield Entry(place, "folder" if depth > 1 else "list it to see inside")
            if depth > 1:
                yield from _walk(inner, place, depth - 1, left)
        finally:
            os.close(inner)


def _tree(entries: Sequence[Entry]) -> Sequence[str]:
    """A listing of at most ``LIST_LINES`` lines: the more there is, the fewer files of a folder."""
    lines: list[str] = []
    for most in (LIST_LINES, 30, 20, 12, 8, 5, 3, 1, 0):
        lines = list(_tree_lines(entries, most))
        if len(lines) <= LIST_LINES:
            return lines
    kept = lines[: LIST_LINES - 1]
    return [*kept, f"[{len(lines) - len(kept)} more lines; list one of these folders]"]


def _tree_lines(entries: Sequence[Entry], most: int) -> Iterator[str]:
    for (folder, kind), group in groupby(entries, lambda entry: (entry.place.parts[:-1], entry.kind)):
        members = list(group)
        if kind != "file":
            note = "/" if kind == "folder" else f" ({kind})"
            yield from (f"{entry.place.shown}{note}" for entry in members)
            continue
        yield from (f"{entry.place.shown} {entry.size_bytes}" for entry in members[:most])
        if rest := members[most:]:
            suffixes = " ".join(sorted({PurePosixPath(entry.place.parts[-1]).suffix for entry in rest}))
            where = "/".join((*folder, "*"))
            yield f"[{len(rest)} more files ({suffixes}); glob {where!r} lists them]"


def _segments(parts: Sequence[str]) -> Glob:
    """A pattern folder by folder; None stands for ``**``."""
    parts = [part for part, _ in groupby(parts)]
    if parts.count("**") > 4:
        raise ToolError("a pattern may have '**' at most 4 times")
    return tuple(None if part == "**" else re.compile(fnmatch.translate(part)) for part in parts)


def _fits(path: Sequence[str], glob: Glob) -> bool:
    if not glob:
        return not path
    if glob[0] is None:
        return len(glob) == 1 or any(_fits(path[skipped:], glob[1:]) for skipped in range(len(path)))
    return bool(path) and glob[0].match(path[0]) is not None and _fits(path[1:], glob[1:])


def _is_binary(file: BinaryIO) -> bool:
    start = file.read(8192)
    file.seek(0)
    return b"\0" in start


def _raw_lines(file: BinaryIO) -> Iterator[bytes]:
    return iter(partial(file.readline, LINE_BYTES), b"")


def _encoding(data: bytes) -> str:
    try:
        data.decode()
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _text(raw: bytes) -> str:
    # A byte order mark is no part of the text.
    return raw.decode(_encoding(raw)).lstrip("\ufeff").rstrip("\r\n")


def _excerpt(file: BinaryIO, start: int, lines: int) -> str:
    """Some lines of a text, and how to go on where it does not end there."""
    shown: list[str] = []
    room, total, past = READ_CHARACTERS, 0, False
    for total, raw in enumerate(_raw_lines(file), 1):
        past = past or (lines > 0 and total >= start + lines)
        if total < start or past:
            continue
        line = _text(raw)
        if len(line) > room:
            past = True
            if not shown:
                shown.append(f"{line[:room]}\n[line {total} is cut after {room} characters; use search]")
            continue
        shown.append(line)
        room -= len(line) + 1
    if total == 0:
        return "(empty file)"
    if not shown:
        raise ToolError(f"the file has {total} lines; start={start} is past its end")
    last = start + len(shown) - 1
    if last < total:
        shown.append(f"[lines {start}-{last} of {total}; go on with start={last + 1}]")
    return "\n".join(shown)


def _check_unique(text: str, old: str, place: Place) -> None:
    if (count := text.count(old)) > 1:
        raise ToolError(f"that text is {count} times in {place.shown!r}; give more of what is around it")
    if count == 0:
        near = difflib.get_close_matches(old.strip().split("\n")[0], text.splitlines(), 1)
        hint = f"; the nearest line is {near[0]!r}" if near else "; read the file first"
        raise ToolError(f"that text is not in {place.shown!r}{hint}")


def _mode_to_keep(folder: int, place: Place) -> int:
    """The permissions of the file that is replaced, or those of a new one."""
    try:
        mode = os.stat(place.parts[-1], dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return 0o666
    if not stat.S_ISREG(mode):
        raise ToolError(f"{place.shown!r} is a {_kind_of(mode)}; name a file")
    return stat.S_IMODE(mode)


def _answer(text: str, result: JsonValue = None, wrote: Place | None = None) -> CallToolResult:
    return CallToolResult(
        content=[TextContent(type="text", text=text)],
        structured_content=None if result is None else {"result": result},
        _meta=None if wrote is None else {"swarm/files": [wrote.shown]},
    )


def build(arguments: Sequence[str]) -> MCPServer:
    """The server that a command line asks for; ends the process where it is wrong."""
    parser = argparse.ArgumentParser(prog="files", description="MCP server for files below granted folders.")
    parser.add_argument("--root", type=Path, action="append", help="a granted folder; here if none is named")
    parser.add_argument("--read-only", action="store_true", help="leave out write, edit and move")
    options = parser.parse_args(arguments)
    folders: list[Path] = options.root or [Path.cwd()]
    if missing := next((folder for folder in folders if not folder.is_dir()), None):
        parser.error(f"--root {str(missing)!r} is no folder")
    files = Files(folders)
    made = MCPServer("files", version="1", log_level="WARNING")
    reads = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
    for read in (files.list, files.glob, files.read, files.search):
        made.add_tool(read, annotations=reads, structured_output=False)
    writes = ToolAnnotations(read_only_hint=False, idempotent_hint=True, destructive_hint=True)
    moves = ToolAnnotations(read_only_hint=False, idempotent_hint=False, destructive_hint=False)
    if not options.read_only:
        for write, hints in ((files.write, writes), (files.edit, writes), (files.move, moves)):
            made.add_tool(write, annotations=hints, meta=VERIFIABLE, structured_output=False)
    return made


server = build([])

if __name__ == "__main__":
    build(sys.argv[1:]).run()
