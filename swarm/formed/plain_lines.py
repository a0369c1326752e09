"""Files and lines as rows, for what is asked of files themselves, or of any text."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from swarm.formed.row import Row, Text

MOST_HASHED = 256 * 1024 * 1024
"""Bytes of a file that its digest is still made of."""


def lines(texts: Sequence[Text]) -> list[Row]:
    """One row for each line: the file, its number from 1 on, and its text."""
    return [
        {"file": path, "line": number, "text": line}
        for path, text in texts
        for number, line in enumerate(text.splitlines(), 1)
    ]


def entry(path: str, place: Path) -> Row:
    """The row of a file: equal digests are equal contents."""
    size = place.stat().st_size
    digest = None
    if size <= MOST_HASHED:
        with place.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    at = PurePosixPath(path)
    folder = "" if str(at.parent) == "." else str(at.parent)
    return {
        "file": path,
        "folder": folder,
        "name": at.name,
        "ending": at.suffix,
        "bytes": size,
        "sha256": digest,
    }
