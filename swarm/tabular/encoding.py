"""Bytes of a file as text: a byte order mark is believed, then UTF-8 is tried, then what the letters show.

Nothing is ever replaced: a text that cannot be told for sure is refused by name.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from swarm.errors import ToolError

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks; that of UTF-32 begins with that of UTF-16 and is looked for first."""
CHUNK = 1 << 20
GUESSED_BYTES = 1 << 18
"""Of a file that is no UTF-8, how much is looked at to tell its encoding."""
WESTERN = "cp1252"
EASTERN = "cp1250"
LATIN = frozenset({"ascii", "latin_1", "cp1252", "iso8859_15", "iso8859_9", "cp1254", "mac_roman", "cp850"})
SCRIPTS = {
    "CYRILLIC": ("cp1251", "koi8_r", "koi8_u", "cp866", "iso8859_5", "mac_cyrillic"),
    "GREEK": ("cp1253", "iso8859_7"),
    "HEBREW": ("cp1255", "iso8859_8"),
    "ARABIC": ("cp1256", "iso8859_6"),
    "CJK": (
        "shift_jis",
        "cp932",
        "euc_jp",
        "gb18030",
        "gbk",
        "gb2312",
        "big5",
        "big5hkscs",
        "euc_kr",
        "cp949",
    ),
    "HIRAGANA": ("shift_jis", "cp932", "euc_jp"),
    "KATAKANA": ("shift_jis", "cp932", "euc_jp"),
    "HANGUL": ("euc_kr", "cp949", "johab"),
    "THAI": ("tis_620", "cp874"),
}
"""Encodings that are believed where most of the foreign letters that come out are of the script."""
_IN_WORD = re.compile(r"\w*[^\W\d_][\u0080-\u00bf\u00d7\u00f7\u0152-\u0192\u02c6-\u2122]\w*")
"""A sign beside a letter, as in ``£ód``: letters that were read in another encoding look so."""


def encoding_of(path: Path) -> str:
    """The encoding of a text file, found over all of it.

    Raises:
        ToolError: it holds bytes of no text, or its encoding cannot be told.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(GUESSED_BYTES)
    name = encoding_of_head(head, is_whole=len(head) < GUESSED_BYTES)
    if name == "utf-8" and not _is_utf8(path):
        return _guessed(_lines_beyond_ascii(path))
    return name


def encoding_of_head(head: bytes, *, is_whole: bool) -> str:
    """The encoding that the first bytes of a file show.

    Raises:
        ToolError: they are of no text, or their encoding cannot be told.
    """
    for mark, name in MARKS:
        if head.startswith(mark):
            return name
    if wide := _wide(head):
        return wide
    if b"\0" in head:
        raise ToolError("it holds NUL bytes, so it is no text")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=is_whole)
    except UnicodeDecodeError:
        return _guessed(head)
    return "utf-8"


def decoded(path: Path) -> str:
    """The whole text of a file, line ends as they are.

    Raises:
        ToolError: it is no text, or its encoding cannot be told.
        OSError: it cannot be read.
    """
    name = encoding_of(path)
    try:
        with path.open(encoding=name, errors="strict", newline="") as file:
            return file.read()
    except UnicodeError as error:
        raise ToolError(f"it is no valid {name.upper()} ({_where(error)}); save it as UTF-8") from error


def _where(error: UnicodeError) -> str:
    return f"at byte {error.start:,}" if isinstance(error, UnicodeDecodeError) else "it is cut off"


def _is_utf8(path: Path) -> bool:
    """Whether all of a file is UTF-8.

    Raises:
        ToolError: it holds NUL bytes.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while chunk := file.read(CHUNK):
                decoder.decode(chunk)
                if b"\0" in chunk:
                    raise ToolError("it holds NUL bytes, so it is no text")
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


@dataclass(frozen=True)
class ByteScan:
    """What a look at all bytes of a file shows."""

    lines: int
    """Line ends, ``\\n`` or ``\\r\\n``; counted as far as the first quote."""
    is_quoted: bool
    """Whether a quote stands anywhere: then a line may be no row."""
    is_utf8: bool
    """Whether all of it is; one letter that is cut shows that the file was."""


def scanned(path: Path) -> ByteScan:
    """The bytes of a file looked over once, in pieces.

    Raises:
        ToolError: it holds NUL bytes.
        OSError: it cannot be read.
    """
    lines, is_quoted, is_utf8, last = 0, False, True, b"\n"
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            if b"\0" in chunk:
                raise ToolError("it holds NUL bytes, so it is no text")
            is_quoted = is_quoted or b'"' in chunk
            lines += 0 if is_quoted else chunk.count(b"\n")
            is_utf8 = is_utf8 and _goes_on(decoder, chunk)
            last = chunk[-1:]
    return ByteScan(lines + (last != b"\n"), is_quoted, is_utf8 and not decoder.getstate()[0])


def _goes_on(decoder: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    """Whether a piece goes on in the encoding; letters below 128 alone need no decoding."""
    try:
        if decoder.getstate()[0] or not chunk.isascii():
            decoder.decode(chunk)
    except UnicodeDecodeError:
        return False
    return True


def _wide(head: bytes) -> str:
    """UTF-16 without a mark: every second byte of the plain letters is zero."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * 4 < len(head) or len(head) < 4 or min(even, odd) * 20 > max(even, odd):
        return ""
    return "utf-16-be" if even > odd else "utf-16-le"


def _lines_beyond_ascii(path: Path) -> bytes:
    """The lines that hold foreign letters, as far as they are looked at."""
    found, room = list[bytes](), GUESSED_BYTES
    with path.open("rb") as file:
        for line in file:
            if not line.isascii():
                found.append(line[:10_000])
                room -= len(found[-1])
            if room < 0:
                break
    return b"".join(found)


def _guessed(data: bytes) -> str:
    """The encoding of bytes that are no UTF-8.

    Raises:
        ToolError: several would give different letters, and nothing tells which.
    """
    if b"\0" in data:
        raise ToolError("it holds NUL bytes, so it is no text")
    if _is_cut_utf8(data):
        raise ToolError(
            "it ends within a letter, so it was cut off, or its encoding can't be told; save it as UTF-8"
        )
    western, eastern = _as(data, WESTERN), _as(data, EASTERN)
    if western is not None and _is_plausible(western):
        return WESTERN
    from charset_normalizer import from_bytes  # of no use to a file that is UTF-8

    best = from_bytes(data).best()
    name = best.encoding if best is not None else ""
    if name not in LATIN and name and _is_of_its_script(data, name):
        return name
    if eastern is not None and _is_plausible(eastern) and name in (EASTERN, "iso8859_2", "cp1257"):
        return EASTERN
    raise ToolError("it is no UTF-8, and its encoding can't be told for sure; save it as UTF-8")


def _is_cut_utf8(data: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return False
    return True


def _as(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except UnicodeDecodeError:
        return None


def _is_plausible(text: str) -> bool:
    """Whether foreign letters stand in words of plain ones, few beside them, and no sign inside a word."""
    letters = [letter for letter in text if letter.isalpha()]
    foreign = [letter for letter in letters if not letter.isascii()]
    if any(0x7F < ord(letter) < 0xA0 for letter in text) or _IN_WORD.search(text):
        return False
    return len(foreign) * 3 <= len(letters)


def _is_of_its_script(data: bytes, name: str) -> bool:
    text = _as(data, name)
    foreign = [letter for letter in text or "" if letter.isalpha() and not letter.isascii()]
    if text is None or len(foreign) < 4:
        return False
    scripts = [unicodedata.name(letter, "?").split()[0] for letter in foreign]
    fitting = sum(name in SCRIPTS.get(script, ()) for script in scripts)
    return fitting * 10 >= len(foreign) * 9
