"""The MCP server ``files``: listing, reading, searching and writing files below granted folders.

    python -P files.py [--root FOLDER]... [--read-only]

Every path is walked from its root folder by folder without following links (``openat`` with
``O_NOFOLLOW``), so neither ``..`` nor a link, nor a link made while the call runs, leads outside.
The parts that know nothing of tools lie beside it, in ``files_parts/``.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import errno
import io
import os
import posixpath
import re
import secrets
import stat
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import regex
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import JsonValue

# ``python -P`` leaves a script's own folder out, for its neighbours not to shadow the standard library.
sys.path.append(str(Path(__file__).resolve().parents[1]))
from mcp_servers.files_parts import patterns
from mcp_servers.files_parts.edits import changed, check_ending, check_sound
from mcp_servers.files_parts.shown import cut, excerpt, lines_of, tree
from mcp_servers.files_parts.texts import (
    Encoding,
    UnreadableText,
    encoding_of,
    visible,
)
from mcp_servers.files_parts.walk import (
    CLOSED,
    LINK,
    SPECIAL,
    UNSPEAKABLE,
    Entry,
    Place,
    Walk,
    WayEnds,
    glob_of,
    kind_of,
    opened_folder,
    walk,
)

LIST_DEPTH = 3
DATA_BYTES = 4_000_000  # Of paths in one answer: half of the most that is taken over the wire.
MOST_GROUPS = 1_000  # Of files that are counted where their paths are too many.
EDIT_BYTES = 10_000_000  # A larger file is not a text that a model wrote.
SEARCH_HITS, SEARCH_SECONDS = 100, 10.0  # No pattern and no large folder may hang the server.
SHOWN_CHARACTERS = 200  # Of a found line.
WRITE_DEPTH = 50  # Folders within each other below a granted one.
NEAR_ENTRIES = 5_000  # That are looked at for what a caller may have meant.
PRIVATE = ".swarm"  # The framework's own folder: never shown, never written.
VERIFIABLE = {"swarm/effect": "verifiable"}  # What was written is read back after a crash.

REASONS = {
    CLOSED: "is too deep to be looked into",
    LINK: f"is a {LINK}",
    SPECIAL: f"is a {SPECIAL}",
}

Row = dict[str, JsonValue]
Finder = Callable[[str], re.Match[str] | regex.Match[str] | None]


class Files:
    """The tools over the granted folders."""

    def __init__(self, folders: Sequence[Path], search_seconds: float = SEARCH_SECONDS) -> None:
        self.search_seconds = search_seconds
        first, *others = [folder.resolve() for folder in folders]
        self.roots = (Place(first, ""), *(Place(folder, f"{folder}/") for folder in others))

    def list(self, path: str = ".") -> CallToolResult:
        """Show the files and folders below a folder, with sizes."""
        made = Walk(is_sized=True)
        entries = list(self._walk(self._place(path), made))
        files = [entry for entry in entries if entry.kind == "file"]
        rows: list[Row] = [{"path": file.place.shown, "size": file.size_bytes} for file in files]
        return _listed(list(tree(entries)) or ["(empty folder)"], rows, made)

    def glob(self, pattern: str) -> CallToolResult:
        """Find files by a path pattern like notes/*.md or **/*.csv; gives their paths, sorted."""
        made = Walk()
        paths = [place.shown for place in self._matching(pattern, made)]
        lines = cut(paths, "use a narrower pattern") or [self._nothing_matches(pattern)]
        return _listed(lines, paths, made)

    def read(self, path: str, start: int = 1, lines: int = 0) -> CallToolResult:
        """Read a text file, or some of its lines; lines=0 reads to the end."""
        with self._text(self._place(path)) as (text, encoding):
            until = time.monotonic() + self.search_seconds
            shown = excerpt(lines_of(text), max(start, 1), lines, until)
        if encoding.remark:
            shown.append(f"[{encoding.remark}]")
        return _answer("\n".join(shown))

    def search(self, text: str, pattern: str = "**/*") -> CallToolResult:
        """Find lines that contain a text or regex, in any letter case; gives path, line number and line."""
        made = Walk()
        places = self._matching(pattern, made)
        missed: dict[str, None] = {}
        try:
            hits = self._hits(places, re.compile(re.escape(text), re.IGNORECASE).search, missed)
            if not hits and re.search(r"[\\.*+?\[(|^$]", text):
                patterns.check(text)
                wanted = regex.compile(text, regex.IGNORECASE).search
                find = partial(wanted, timeout=self.search_seconds, concurrent=True)
                hits = self._hits(places, find, missed)
        except (regex.error, RecursionError):
            hits = ()
        except ValueError as error:
            raise ToolError(f"{text[:80]!r} cannot be searched for: {error}") from None
        except TimeoutError:
            raise ToolError(f"searching {text!r} takes too long; use plain words or fewer files") from None
        made.left_out += missed
        shown = [f"{hit['path']}:{hit['line']}: {hit['text']}" for hit in hits]
        if not hits:
            looked = f"{len(places) - len(missed)} files"
            shown.append(f"{text!r} is in none of {looked} that match {pattern!r}")
        if len(hits) == SEARCH_HITS:
            shown.append(f"[first {SEARCH_HITS} lines; search for something rarer or in fewer files]")
        return _listed(shown, [*hits], made)

    def write(self, path: str, content: str) -> CallToolResult:
        """Write a text file, replacing what it held; folders are made."""
        place = self._writable(path)
        check_ending(place.parts[-1])
        check_sound(content)
        data = content.encode()
        self._replace(place, data)
        return _answer(f"wrote {len(data)} bytes to {place.shown}", wrote=place)

    def edit(self, path: str, old: str, new: str) -> CallToolResult:
        """Replace an exact piece of a text file, found once in it, by another."""
        place = self._writable(path)
        with self._open(place) as file:
            data = file.read(EDIT_BYTES + 1)
        if len(data) > EDIT_BYTES:
            raise ToolError(f"{place.shown!r} is over {EDIT_BYTES} bytes; it is not edited")
        with _as_text(place):
            after = changed(data, old, new, place.shown)
        if after is None:
            return _answer(f"{place.shown} already says that; nothing to do")
        written, encoding = after
        self._replace(place, written)
        note = "" if encoding.is_sure else f" [{encoding.remark}]"
        return _answer(f"edited {place.shown}{note}", wrote=place)

    def move(self, path: str, to: str) -> CallToolResult:
        """Move or rename a file or folder; never over an existing one."""
        source, target = self._writable(path), self._writable(to)
        name, goal = source.parts[-1], target.parts[-1]
        with self._folder(source) as old:
            kind = kind_of(os.stat(name, dir_fd=old, follow_symlinks=False).st_mode)
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
        top = self.roots[0]
        # A name may begin with a space or hold a backslash; where there is none such, a caller's slip is mended.
        is_there = "\0" not in path and os.path.lexists(top.root / path)
        wanted = PurePosixPath(path if is_there else path.strip().replace("\\", "/"))
        if wanted.is_absolute():
            inside = next((root for root in self.roots if wanted.is_relative_to(root.root)), None)
            if inside is None:
                raise ToolError(f"{path[:200]!r} is outside the granted folders; use a relative path")
            top, wanted = inside, wanted.relative_to(inside.root)
        parts = PurePosixPath(posixpath.normpath(wanted)).parts
        if parts[:1] == ("..",):
            raise ToolError(f"{path[:200]!r} leads outside the granted folder; use a path below it")
        if PRIVATE in parts or UNSPEAKABLE.search("/".join(parts)):
            raise ToolError(f"{path[:200]!r} cannot be used; use another path")
        return Place(top.root, top.prefix, parts)

    def _writable(self, path: str) -> Place:
        place = self._place(path)
        if not place.parts:
            raise ToolError(f"{path!r} is the granted folder itself; name a file in it")
        if hidden := next((part for part in place.parts if part.startswith(".")), None):
            raise ToolError(f"{hidden!r} is hidden; hidden files are not written")
        if len(place.parts) > WRITE_DEPTH:
            raise ToolError(f"that is over {WRITE_DEPTH} folders within each other; use a shorter path")
        return place

    @contextlib.contextmanager
    def _folder(self, place: Place, *, make: bool = False) -> Generator[int]:
        """The open folder that holds a place; with ``make``, made where missing.

        Raises:
            ToolError: it cannot be reached, or the system refused what was done in it.
        """
        with (
            self._refusing(place),
            opened_folder(Place(place.root, place.prefix, place.parts[:-1]), make=make) as at,
        ):
            yield at

    @contextlib.contextmanager
    def _open(self, place: Place) -> Generator[BinaryIO]:
        """The open regular file at a place."""
        # O_NONBLOCK: opening a FIFO must not wait for its other end.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        with self._folder(place) as folder:
            handle = os.open(place.parts[-1] if place.parts else ".", flags, dir_fd=folder)
            kind = kind_of(os.fstat(handle).st_mode)
            if kind != "file":
                os.close(handle)
                hint = "; use list to see its files" if kind == "folder" else ""
                raise ToolError(f"{place.shown!r} is a {kind}{hint}")
        with os.fdopen(handle, "rb") as file:
            yield file

    @contextlib.contextmanager
    def _text(self, place: Place) -> Generator[tuple[io.TextIOWrapper, Encoding]]:
        """The open text at a place, and how it is read.

        Raises:
            ToolError: it is no text, or its encoding cannot be told.
        """
        with self._open(place) as file, _as_text(place):
            head = file.read(EDIT_BYTES)
            # What is cut within a letter is no sign of another encoding.
            encoding = encoding_of(
                head if len(head) < EDIT_BYTES else head[: head.rfind(b"\n") + 1] or head[:-4]
            )
            file.seek(0)
            with io.TextIOWrapper(file, encoding.name, "surrogateescape", newline="") as text:
                yield text, encoding

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

    def _walk(self, top: Place, made: Walk) -> Iterator[Entry]:
        """The entries below a folder, without hidden ones."""
        with self._refusing(top):
            yield from walk(top, glob_of(["**"]), made, LIST_DEPTH)
        if top == self.roots[0]:
            yield from (Entry(other, CLOSED) for other in self.roots[1:])

    def _matching(self, pattern: str, made: Walk) -> Sequence[Place]:
        """The files that a pattern matches, in order; where none does, with its brackets as they stand.

        Links, special files and folders that cannot be opened are left out.
        """
        wanted = self._place(pattern)
        found: dict[str, Place] = {}
        for literal in (False, True):
            if found or (literal and "[" not in pattern):
                break
            try:
                glob = glob_of(wanted.parts, literal=literal)
            except ValueError as error:
                raise ToolError(str(error)) from None
            with self._refusing(wanted.top):
                for entry in walk(wanted.top, glob, made):
                    if entry.kind == "file":
                        found[entry.place.shown] = entry.place
                    elif entry.kind != "folder":
                        made.leave(entry.place, REASONS.get(entry.kind, entry.kind))
        return [found[shown] for shown in sorted(found)]

    def _nothing_matches(self, pattern: str) -> str:
        shown = self._place(pattern).shown
        if any(part.startswith(".") for part in PurePosixPath(shown).parts if part != "."):
            return f"no file matches {pattern!r}: hidden files and folders are never listed"
        for near in (f"{shown}/**", f"**/{PurePosixPath(shown).name}"):
            with contextlib.suppress(ToolError):  # It may have one "**" too many.
                if count := len(self._matching(near, Walk(NEAR_ENTRIES))):
                    return f"no file matches {pattern!r}, but {count} match {near!r}"
        return f"no file matches {pattern!r}; use list to see the files"

    def _hits(self, places: Sequence[Place], find: Finder, missed: dict[str, None]) -> Sequence[Row]:
        """The lines found; ``missed`` is told which files could not be read, or were read by a guess."""
        hits: list[Row] = []
        deadline = time.monotonic() + self.search_seconds
        for place in places:
            try:
                with self._text(place) as (text, _):
                    for number, raw in lines_of(text):
                        if match := find(line := visible(raw)):
                            begin = max(0, match.start() - SHOWN_CHARACTERS // 2)
                            shown = line[begin : begin + SHOWN_CHARACTERS].strip()
                            hits.append({"path": place.shown, "line": number, "text": shown})
                        if len(hits) == SEARCH_HITS:
                            return hits
                        if time.monotonic() > deadline:
                            raise TimeoutError
            except ToolError as error:
                missed[str(error)] = None
        return hits

    @contextlib.contextmanager
    def _refusing(self, wanted: Place) -> Generator[None]:
        """What the system refuses on the way to a place, said to the caller.

        Raises:
            ToolError: for any error of the system.
        """
        try:
            yield
        except OSError as error:
            raise self._refusal(error, wanted) from error

    def _refusal(self, error: OSError, wanted: Place) -> ToolError:
        if error.errno == errno.ENOENT:
            return ToolError(self._not_found(wanted))
        reasons = {
            errno.EEXIST: "exists already; choose another name",
            errno.ENOTEMPTY: "exists already; choose another name",
            errno.ELOOP: "is a link; links are not followed",
            errno.ENOTDIR: "is a file or a link, not a folder; links are not followed",
        }
        reason = reasons.get(error.errno or 0) or f"cannot be used: {error.strerror}"
        at = error.filename if isinstance(error, WayEnds) else wanted.shown
        return ToolError(f"{at!r} {reason}")

    def _not_found(self, place: Place) -> str:
        wanted = PurePosixPath(place.shown)
        with contextlib.suppress(OSError):
            entries = walk(place.top, glob_of(["**"]), Walk(NEAR_ENTRIES))
            known = [entry.place.shown for entry in entries if entry.kind in {"file", "folder"}]
            same = [path for path in known if PurePosixPath(path).name.casefold() == wanted.name.casefold()]
            if near := same or difflib.get_close_matches(str(wanted), known, 1):
                return f"no file {str(wanted)!r}; did you mean {near[0]!r}?"
        return f"no file {str(wanted)!r}; use list to see the files"


@contextlib.contextmanager
def _as_text(place: Place) -> Generator[None]:
    """What is no text, said to the caller with its file.

    Raises:
        ToolError: for any bytes that cannot be read as text.
    """
    try:
        yield
    except UnreadableText as error:
        raise ToolError(f"{place.shown!r} {error}") from None
    except UnicodeDecodeError as error:
        raise ToolError(f"{place.shown!r} is no sound {error.encoding}: {error.reason}") from None


def _mode_to_keep(folder: int, place: Place) -> int:
    """The permissions of the file that is replaced, or those of a new one."""
    try:
        mode = os.stat(place.parts[-1], dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return 0o666
    if not stat.S_ISREG(mode):
        raise ToolError(f"{place.shown!r} is a {kind_of(mode)}; name a file")
    return stat.S_IMODE(mode)


def _listed(lines: list[str], rows: Sequence[JsonValue], made: Walk) -> CallToolResult:
    """Lines to read and rows as data; where anything is left out, the data says so beside its rows."""
    room, kept = DATA_BYTES, list[JsonValue]()
    for row in rows:
        room -= len(str(row).encode()) + 4
        if room < 0:
            made.left_out.insert(0, f"{len(rows) - len(kept)} of {len(rows)}: the answer would be too large")
            break
        kept.append(row)
    if not made.left_out:
        return _answer("\n".join(lines), kept)
    told = made.told()
    answer = _answer("\n".join([*lines, "[left out:", *told, "]"]), kept)
    data: Row = {"result": kept, "left_out": [*told]}
    if paths := [row for row in rows if isinstance(row, str) and len(kept) < len(rows)]:
        data["groups"] = [*_groups(paths)]
    answer.structured_content = data
    return answer


def _groups(paths: Sequence[str]) -> list[Row]:
    """How many files of each ending there are in each folder, the largest groups first."""
    counted = Counter((posixpath.dirname(path), posixpath.splitext(path)[1]) for path in paths)
    return [
        {"folder": folder, "ending": ending, "files": count}
        for (folder, ending), count in counted.most_common(MOST_GROUPS)
    ]


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
