"""What came of running a program: its answer, the files it leaves, what it read, what it asks to be done."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue

from swarm.nouns.tool import ToolCall
from swarm.program.overlay import refuse_place

MOST_FILES = 10_000
MOST_BYTES = 256 * 1024 * 1024
"""Of all files that one program leaves."""


class Left(BaseModel):
    """A file that a program leaves, in the place of what was there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    before: str
    """SHA-256 of the file that it replaces; empty where there is none."""
    text: str | None = None
    data: str | None = None
    """Its bytes in base64, where they are no UTF-8; neither where the file is to go."""

    @classmethod
    def of(cls, content: bytes, before: str) -> Left:
        """That content."""
        try:
            return cls(before=before, text=content.decode())
        except UnicodeDecodeError:
            return cls(before=before, data=base64.b64encode(content).decode())

    @property
    def content(self) -> bytes | None:
        """Its bytes; None where the file is to go."""
        if self.text is not None:
            return self.text.encode()
        return None if self.data is None else base64.b64decode(self.data)

    @property
    def after(self) -> str:
        """SHA-256 of its bytes; empty where the file is to go."""
        content = self.content
        return "" if content is None else hashlib.sha256(content).hexdigest()


class Outcome(BaseModel):
    """What came of one run of a program."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    error: str = ""
    """Why it came to no end, with the line; empty where it did."""
    printed: str = ""
    answer: JsonValue = None
    has_answer: bool = False
    files: dict[str, Left] = {}
    """The files it leaves, by their names in the workspace."""
    read: tuple[str, ...] = ()
    """Files and tables that it read."""
    passed: str = ""
    """Lines of another form that it passed over, in words; empty where there were none."""
    listed: tuple[str, ...] = ()
    """Patterns that it looked for files by."""
    wishes: tuple[ToolCall, ...] = ()
    """Calls with an effect, to be made once it is chosen."""
    doubts: tuple[str, ...] = ()
    """What was doubtful of what readers told it, or of what it read."""

    @property
    def has_given(self) -> bool:
        """Whether it leaves or answers anything."""
        return bool(self.files or self.wishes or self.has_answer or self.printed.strip())

    @property
    def said(self) -> JsonValue:
        """Its answer; what it printed where it gave none."""
        return self.answer if self.has_answer else self.printed.strip() or None


def digest_of(path: Path) -> str:
    """SHA-256 of a file; empty where there is none.

    Raises:
        OSError: it can't be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def files_left(
    workspace: Path, written: Path, seen: Mapping[str, list[int]], removed: list[str]
) -> dict[str, Left]:
    """The files that a program has left in its folder, each with what it replaces.

    ``seen``: what each file that it read was like when it read it, as ``signature`` gives it.

    Raises:
        ValueError: there are too many, one can't be put in place, or one that it read changed meanwhile.
    """
    # A program is in its own folder what it likes to be: what lies there is looked at like anything from outside.
    paths = sorted(path for path in written.rglob("*") if path.is_symlink() or not path.is_dir())
    odd = next((path for path in paths if path.is_symlink() or not path.is_file()), None)
    if odd is not None:
        raise ValueError(f"{odd.relative_to(written).as_posix()!r} is no regular file; save() makes one")
    size = sum(path.stat().st_size for path in paths)
    if len(paths) > MOST_FILES or size > MOST_BYTES:
        raise ValueError(
            f"it wrote {len(paths):,} files of {size:,} bytes; {MOST_FILES:,} and {MOST_BYTES:,} are allowed"
        )
    gone = {name for name in removed if not (written / name).exists()}
    found: dict[str, Left] = {}
    for name in [*(path.relative_to(written).as_posix() for path in paths), *sorted(gone)]:
        refuse_place(workspace, name)
        there = workspace / name
        if name in seen and signature(there) != seen[name]:
            raise ValueError(f"{name} was changed by somebody else while the program ran")
        before = digest_of(there)
        left = Left(before=before) if name in gone else Left.of((written / name).read_bytes(), before)
        if left.after != before:
            found[name] = left
    return found


def signature(path: Path) -> list[int]:
    """What tells whether a file is still the same: its number, size and times."""
    try:
        stat = path.stat()
    except OSError:
        return []
    return [stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
