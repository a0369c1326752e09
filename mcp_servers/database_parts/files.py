"""Which database files lie below the granted folders, and what was left out, by name."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from mcp_servers.database_parts.session import Source

MOST_FILES, MOST_FOLDERS = 50, 5_000  # That are taken; that are looked through.
SUFFIXES = frozenset({".db", ".db3", ".sqlite", ".sqlite3", ".duckdb", ".ddb"})


@dataclass(frozen=True)
class Listing:
    """The database files, and a line about each thing that was left out."""

    sources: list[Source]
    left_out: list[str]


def find(folders: Sequence[Path]) -> Listing:
    """The database files below the folders; the names of the first folder's are relative to it."""
    left_out: list[str] = []
    found = list(islice(_walk(folders, left_out), MOST_FILES + 1))
    if len(found) > MOST_FILES:
        left_out.append(f"more than {MOST_FILES} databases: the first are taken; name others with --url")
    return Listing(found[:MOST_FILES], left_out)


def shown(path: Path) -> str:
    """A path as a text that can be sent: bytes that are no UTF-8 as ``\\xff``."""
    return path.as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _walk(folders: Sequence[Path], left_out: list[str]) -> Generator[Source]:
    def failed(error: OSError) -> None:
        left_out.append(f"{shown(Path(str(error.filename)))}: cannot be looked through: {error.strerror}")

    looked = 0
    for top in folders:
        for folder, inner, names in os.walk(top, onerror=failed):
            looked += 1
            if looked > MOST_FOLDERS:
                left_out.append(
                    f"more than {MOST_FOLDERS} folders: those behind {shown(Path(folder))} are not looked through"
                )
                return
            inner[:] = sorted(name for name in inner if not name.startswith("."))
            for path in (Path(folder, name) for name in sorted(names) if not name.startswith(".")):
                if path.suffix.lower() not in SUFFIXES:
                    continue
                name = shown(path.relative_to(top) if top == folders[0] else path)
                # A link may lead out of the folder that was granted.
                if path.is_symlink():
                    left_out.append(f"{name}: is a link, and links are not followed")
                elif not path.is_file():
                    left_out.append(f"{name}: is no regular file")
                else:
                    yield Source(name, path)
