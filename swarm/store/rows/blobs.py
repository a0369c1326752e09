"""How texts are kept: short ones compressed in their rows, large ones as blobs, stored once.

A row holds a text itself, or its bytes compressed with zstd and a dictionary of what texts in a run's
file have in common, or the name of its blob. Bodies are JSON objects or lists, so a name
(``sha256:…``) is never mistaken for one. Blobs are addressed by the SHA-256 of their text.
"""

# pyright: reportUnknownMemberType=false
# zstandard's own annotations leave out what two of its methods return; mypy checks how they are called.
from __future__ import annotations

import hashlib
import threading
import zlib
from collections.abc import Callable
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from swarm.store.file import runfile
from swarm.store.file.runfile import Row

if TYPE_CHECKING:
    from zstandard import (
        ZstdCompressionDict,
        ZstdCompressionParameters,
        ZstdCompressor,
        ZstdDecompressor,
    )

INLINE_CHARS = 4_096
"""Longest text that stays in its row."""

PLAIN_CHARS = 64
"""Longest text that is not compressed."""

HANDLE_DIGITS = 8
"""Hex digits of a text's hash in its handle, more where another text begins alike."""

LEVEL = 3
"""A fifth of the time of zlib for the same size (19 against 100 microseconds for a reply, measured)."""

NAME = "sha256:"
"""What the name of a blob begins with."""
_ALONE, _IN_CONTEXT = b"\1", b"\2"
"""First byte of compressed texts: with ``dictionary_1.txt``, and with a context after it."""

Blob = Callable[[object], Row]
"""Makes the row of a blob; called in the writer's thread, because compressing takes its time."""
Packed = str | bytes
"""What a row holds for a text."""


def pack(body: str) -> tuple[Packed, Blob | None]:
    """What stands in the row for a text, and the blob to put beside it."""
    if len(body) <= INLINE_CHARS:
        return compress(body), None
    hash, blob = blob_of(body)
    return NAME + hash, blob


def unpack(body: Packed, fetch: Callable[[str], bytes], context: Callable[[], str] = str) -> str:
    """The text that stands for itself or names a blob.

    ``fetch`` gives a blob's data by its hash, ``context`` what the text was compressed with.
    """
    if isinstance(body, bytes):
        return _expand(body, context)
    return inflate(fetch(body.removeprefix(NAME))) if body.startswith(NAME) else body


def compress(text: str) -> Packed:
    """The text, or its compressed bytes where these are fewer."""
    if len(text) <= PLAIN_CHARS:
        return text
    data = text.encode()
    packed = _ALONE + _tools().alone.compress(data)
    return packed if len(packed) < len(data) else text


def compress_in(context: str, text: str) -> bytes:
    """The bytes of a text that repeats much of its context; the same context must be given to read it."""
    import zstandard

    dictionary = zstandard.ZstdCompressionDict(_common() + context.encode(), zstandard.DICT_TYPE_RAWCONTENT)
    # A checksum of the text, so that another context gives an error and never another text.
    compressor = zstandard.ZstdCompressor(
        dict_data=dictionary, compression_params=_parameters(write_checksum=True)
    )
    return _IN_CONTEXT + compressor.compress(text.encode())


def blob_of(text: str) -> tuple[str, Blob]:
    """The hash of a text, and the blob that keeps it."""
    data = text.encode()
    hash = hashlib.sha256(data).hexdigest()
    return hash, partial(_deflate, hash, data)


def inflate(data: bytes) -> str:
    """The text of a blob's data."""
    # The first version compressed with zlib, whose streams of this window begin with 0x78 (RFC 1950).
    return zlib.decompress(data).decode() if data[:1] == b"\x78" else _expand(data, str)


def handle_for(hash: str, taken: dict[str, str]) -> str:
    """The shortest free handle for a text; ``taken`` holds the hash behind each handle given so far."""
    for digits in range(HANDLE_DIGITS, len(hash) + 1):
        handle = f"t-{hash[:digits]}"
        if taken.get(handle, hash) == hash:
            return handle
    raise AssertionError("the handle of all digits is the hash itself")


def _deflate(hash: str, data: bytes, _connection: object) -> Row:
    return {"hash": hash, "data": _ALONE + _tools().alone.compress(data)}


def _expand(data: bytes, context: Callable[[], str]) -> str:
    import zstandard

    try:
        if data[:1] == _ALONE:
            return _tools().expander.decompress(data[1:]).decode()
        return _expand_in(context(), data[1:])
    except zstandard.ZstdError as error:
        raise runfile.damaged("a compressed text") from error


def _expand_in(context: str, data: bytes) -> str:
    import zstandard

    dictionary = zstandard.ZstdCompressionDict(_common() + context.encode(), zstandard.DICT_TYPE_RAWCONTENT)
    expander = zstandard.ZstdDecompressor(dictionary, format=zstandard.FORMAT_ZSTD1_MAGICLESS)
    return expander.decompress(data).decode()


class _Tools(threading.local):
    """The compressor and its opposite, each made where it is used: neither may be used by two threads at once."""

    @cached_property
    def alone(self) -> ZstdCompressor:
        import zstandard

        return zstandard.ZstdCompressor(dict_data=_dictionary(), compression_params=_parameters())

    @cached_property
    def expander(self) -> ZstdDecompressor:
        import zstandard

        return zstandard.ZstdDecompressor(_dictionary(), format=zstandard.FORMAT_ZSTD1_MAGICLESS)


@cache
def _dictionary() -> ZstdCompressionDict:
    """What every text may repeat, prepared once for all threads: it takes a megabyte."""
    # Not at the top: a command that lists runs reads only their records.
    import zstandard

    dictionary = zstandard.ZstdCompressionDict(_common(), zstandard.DICT_TYPE_RAWCONTENT)
    dictionary.precompute_compress(compression_params=_parameters())
    return dictionary


def _parameters(*, write_checksum: bool = False) -> ZstdCompressionParameters:
    """Without the magic number: four bytes less in each row."""
    import zstandard

    return zstandard.ZstdCompressionParameters.from_level(
        LEVEL, format=zstandard.FORMAT_ZSTD1_MAGICLESS, write_checksum=write_checksum
    )


@cache
def _tools() -> _Tools:
    return _Tools()


@cache
def _common() -> bytes:
    """What the texts of a run's file have in common. It may never change: files are read with it."""
    return (Path(__file__).parent / "dictionary_1.txt").read_bytes()
