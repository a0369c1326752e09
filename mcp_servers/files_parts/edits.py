"""Changing a piece of a text: its encoding, its mark and its line ends stay, and all other bytes do."""

from __future__ import annotations

import difflib
import re
from difflib import SequenceMatcher
from pathlib import PurePosixPath

from mcp.server.mcpserver.exceptions import ToolError

from mcp_servers.files_parts.texts import Encoding, decode, encode, encoding_of, visible

LINE_END = re.compile("\r\n?|\n")
NO_TEXTS = re.compile(
    r"\.(pdf|docx?|odt|xls[xm]?|ods|pptx?|png|jpe?g|gif|webp|bmp|tiff?|mp[34]|wav|zip|gz|tar|7z|parquet|feather"
    r"|db|sqlite3?|duckdb|pkl)"
)
"""Endings of files that no text is: written as one they would open nowhere, and one that is there be lost."""


ALIKE = 0.5
"""Share of letters that an old and a new text have in common at least, where the new one, found alone, stands
for an edit that was made before: a text that is quite another may stand there by chance."""


def check_ending(name: str) -> None:
    """Nothing, where a file of that name may hold a text.

    Raises:
        ToolError: it may not.
    """
    ending = PurePosixPath(name).suffix.lower()
    if NO_TEXTS.fullmatch(ending):
        raise ToolError(
            f"{name[:80]!r} would be no {ending} file but a text of that name; use a tool that makes {ending} files,"
            " or write a .txt, .md or .csv file"
        )


def changed(data: bytes, old: str, new: str, shown: str) -> tuple[bytes, Encoding] | None:
    """The bytes of a text with one piece replaced, and their encoding; None where that is done already.

    Raises:
        ToolError: the piece is not there once, or the text cannot be written back with the new one.
        UnreadableText: the bytes are no text.
    """
    encoding, text = _read_whole(data, shown)
    found = _pieces(text, old)
    if not found and len(_pieces(text, new)) == 1 and SequenceMatcher(None, old, new).ratio() >= ALIKE:
        return None
    _check_unique(len(found), text, old, shown)
    begin, end = found[0].span()
    # Line ends stay as they are in that place, or in the file.
    ends = LINE_END.search(found[0][0]) or LINE_END.search(text)
    check_sound(new)
    piece = LINE_END.sub(ends[0] if ends else "\n", new)
    return _written(text[:begin] + piece + text[end:], encoding, shown), encoding


def _read_whole(data: bytes, shown: str) -> tuple[Encoding, str]:
    """A text that can be written back as it is, and its encoding.

    Raises:
        ToolError: it is none.
    """
    encoding = encoding_of(data)
    text = decode(data, encoding)
    if encode(text, encoding) != data:
        raise ToolError(f"{shown!r} cannot be edited: other bytes of it would change in {encoding.name}")
    return encoding, text


def _written(text: str, encoding: Encoding, shown: str) -> bytes:
    try:
        return encode(text, encoding)
    except UnicodeEncodeError as error:
        sign = text[error.start]
        raise ToolError(
            f"{shown!r} is {encoding.name}, which has no {sign!r}; nothing was written. "
            "Use other letters, or write the whole file anew: that makes it UTF-8"
        ) from None


def _pieces(text: str, piece: str) -> list[re.Match[str]]:
    """Where a piece is in a text, whatever its lines end with."""
    check_sound(piece)
    # A possessive end: that of \r\n is one and never two.
    wanted = "(?>\r\n?|\n)".join(map(re.escape, LINE_END.split(piece)))
    return list(re.finditer(wanted, text))


def check_sound(text: str) -> None:
    """Raises a ToolError for a text that no file can hold."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ToolError(f"letter {error.start + 1} of the text is half a character; leave it out") from None


def _check_unique(count: int, text: str, old: str, shown: str) -> None:
    if count > 1:
        raise ToolError(f"that text is {count} times in {shown!r}; give more of what is around it")
    if count == 0:
        lines = visible(text).splitlines()
        near = difflib.get_close_matches(old.strip().split("\n")[0], lines, 1)
        hint = f"; the nearest line is {near[0]!r}" if near else "; read the file first"
        raise ToolError(f"that text is not in {shown!r}{hint}")
