"""Large texts: content-addressed by SHA-256, compressed, stored once.

A row holds a short text itself and a large one as the name of its blob. Bodies are JSON objects or
lists, so a name (``sha256:…``) is never mistaken for one.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from functools import partial

from swarm.store.runfile import Row

INLINE_CHARS = 4_096
"""Longest text that stays in its row."""

HANDLE_DIGITS = 8
"""Hex digits of a text's hash in its handle, more where another text begins alike."""

_NAME = "sha256:"


Blob = Callable[[], Row]
"""Makes the row of a blob; called in the writer's thread, because compressing takes its time."""


def pack(body: str) -> tuple[str, Blob | None]:
    """What stands in the row for a text, and the blob to put beside it."""
    if len(body) <= INLINE_CHARS:
        return body, None
    hash, blob = blob_of(body)
    return _NAME + hash, blob


def unpack(body: str, fetch: Callable[[str], bytes]) -> str:
    """The text that stands for itself or names a blob; ``fetch`` gives a blob's data by its hash."""
    return inflate(fetch(body.removeprefix(_NAME))) if body.startswith(_NAME) else body


def blob_of(text: str) -> tuple[str, Blob]:
    """The hash of a text, and the blob that keeps it."""
    data = text.encode()
    hash = hashlib.sha256(data).hexdigest()
    return hash, partial(_deflate, hash, data)


def inflate(data: bytes) -> str:
    """The text of a blob's data."""
    return zlib.decompress(data).decode()


def handle_for(hash: str, taken: dict[str, str]) -> str:
    """The shortest free handle for a text; ``taken`` holds the hash behind each handle given so far."""
    for digits in range(HANDLE_DIGITS, len(hash) + 1):
        handle = f"t-{hash[:digits]}"
        if taken.get(handle, hash) == hash:
            return handle
    raise AssertionError("the handle of all digits is the hash itself")


def _deflate(hash: str, data: bytes) -> Row:
    return {"hash": hash, "data": zlib.compress(data)}
