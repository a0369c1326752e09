"""Which encoding a text file has, and its text: nothing in it is replaced, and what is not sure is said.

A byte order mark is believed, then UTF-8 is tried, then the legacy encodings that files still have.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import regex
from charset_normalizer.md import mess_ratio

MARK = "\ufeff"
MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
"""Byte order marks, the longer ones first (The Unicode Standard, section 23.8)."""
WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
LEGACY = (
    *("cp1252", "cp1250", "cp1257", "cp1254", "iso8859_15", "iso8859_2", "mac_roman", "cp850"),
    *("cp1251", "koi8_r", "cp866", "iso8859_5", "mac_cyrillic", "cp1253", "cp1255", "cp1256"),
    *("cp932", "euc_jp", "gb18030", "cp949", "big5"),
)
"""Of readings that look alike, the first is taken."""
ALPHABETS = (
    *("äöüßẞ", "àâæçéèêëîïôœùûüÿ", "áéíñóúüªº", "àáâãçéêíóôõúüªº", "àèéìíòóùú", "åäöéüàæø", "ëïéèöüóáêç"),
    *("áðéíóúýþæö", "àçèéíïòóúü", "õäöüšž", "ąćęłńóśźż", "áäčďéěíĺľňóôŕřšťúůýž", "áéíóöőúüű"),
    *("ăâîșşțţ", "čćđšž", "çğıöşüâîû", "ąčęėįšųūž", "āčēģīķļņšūž"),
    *("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя"),
    *("абвгдђежзијклљмнњопрстћуфхцчџш", "αβγδεζηθικλμνξοπρστυφχψωάέήίόύώϊϋΐΰς"),
    *("אבגדהוזחטיכלמנסעפצקרשתםןףץך", "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچژگ"),
)
"""The letters beyond a to z of the languages that legacy encodings were made for."""
EAST = {
    "cp932": r"[\p{Hiragana}\p{Katakana}]",
    "euc_jp": r"[\p{Hiragana}\p{Katakana}]",
    "cp949": r"\p{Hangul}",
}
"""What a text in these is hardly without."""
ODD = regex.compile(
    r"(?<=\p{L})(?:[^\w\s\x00-\x7f\u2019\u2018\xb7\u05f3\u05f4]|[\xaa\xb2\xb3\xb5\xb9\xba])(?=\p{L})"
    r"|(?<=\p{Ll})\p{Lu}(?<![a-z][A-Z])|(?<=[a-z])[\p{Han}\p{Hangul}](?=[a-z])"
    r"|(?<=\p{Latin})[\p{Cyrillic}\p{Greek}\p{Hebrew}\p{Arabic}]"
    r"|(?<=[\p{Cyrillic}\p{Greek}\p{Hebrew}\p{Arabic}])\p{Latin}"
    r"|(?<=[\xc0-\xff][\xc0-\xff])[\xc0-\xff]|[\x80-\x9f\u2500-\u259f\uff61-\uff9f]"
    r"|\u03c2(?=\w)|\b[\u044a\u044b\u044c]"
)
"""What stands in a text that was read in the wrong encoding: signs, capitals and letters of another script
within a word, three accented letters together, controls, pieces of frames, half-width kana."""
EVIDENCE_BYTES = 16_000
"""Of the lines that are not ASCII: enough to tell by, and quick to look at."""
WORST, CLOSE, CLEAR = 0.3, 0.05, 0.15
"""Scores: of what is no text, between readings that are alike, and between one that is sure and all others."""
ENOUGH_BYTES = 24
"""Bytes beyond ASCII without which nothing is sure."""
STRAY = re.compile("[\udc80-\udcff]")
ESCAPED_JAPANESE = re.compile(rb"\x1b\$[@B]")  # ISO-2022-JP, RFC 1468.
CONTROLS = bytes(set(range(32)) - {*b"\t\n\f\r\x1b"})


class UnreadableText(ValueError):
    """No text, or none whose encoding can be told. The message follows a file's name."""


@dataclass(frozen=True)
class Encoding:
    """How the bytes of a text are read."""

    name: str
    """Of the codec."""
    is_sure: bool = True
    others: tuple[str, ...] = ()
    """Encodings that fit as well and give another text."""

    @property
    def remark(self) -> str:
        """What a reader must know; nothing for UTF-8."""
        if self.name == "utf-8":
            return ""
        if self.is_sure:
            return f"not UTF-8: read as {self.name}"
        fits = f" ({' or '.join(self.others)} fits too)" if self.others else ""
        return f"not UTF-8: read as {self.name}, a guess{fits}; letters beyond a-z may be wrong"


@dataclass(frozen=True)
class _Reading:
    name: str
    text: str
    script: str
    score: float
    """0 for a text as people write it; the more, the odder."""


def encoding_of(data: bytes) -> Encoding:
    """The encoding of a text, told from its bytes.

    Raises:
        UnreadableText: they are no text, or it cannot be told.
    """
    for mark, name in MARKS:
        if data.startswith(mark):
            return Encoding(name)
    if b"\0" in data:
        return _wide(data)
    if ESCAPED_JAPANESE.search(data) and _decoded(data, "iso2022_jp") is not None:
        return Encoding("iso2022_jp")
    if _is_nearly_utf8(data):
        return Encoding("utf-8")
    if len(data.translate(None, CONTROLS)) < len(data) * 0.98:
        raise UnreadableText("is binary; only text files are read")
    return _legacy(data)


def decode(data: bytes, encoding: Encoding) -> str:
    """The text, its byte order mark included; single bytes that are not of the encoding are kept as strays.

    Raises:
        UnreadableText: the bytes are not of that encoding at all.
    """
    try:
        return data.decode(encoding.name, "surrogateescape")
    except UnicodeDecodeError as error:
        raise UnreadableText(
            f"is no sound text: it begins as {encoding.name} and breaks off at byte {error.start}"
        ) from None


def encode(text: str, encoding: Encoding) -> bytes:
    """The bytes of a text.

    Raises:
        UnicodeEncodeError: the encoding lacks a letter of it.
    """
    return text.encode(encoding.name, "surrogateescape")


def visible(text: str) -> str:
    r"""The text with its strays as ``\xe9`` and without a byte order mark."""
    return STRAY.sub(lambda found: f"\\x{ord(found[0]) - 0xDC00:02x}", text.removeprefix(MARK))


def _decoded(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except UnicodeDecodeError:
        return None


def _is_nearly_utf8(data: bytes) -> bool:
    """Whether it is UTF-8 but for a few bytes: one for three letters beyond ASCII, or for each where these
    are all of one language."""
    text = data.decode("utf-8", "surrogateescape")
    strays = len(STRAY.findall(text))
    if not strays:
        return True
    letters = re.findall("[^\0-\x7f\udc80-\udcff]", text)
    if strays > len(letters) or any(unicodedata.category(letter) in {"Cn", "Co"} for letter in set(letters)):
        return False
    return strays * 3 <= len(letters) or not (_unnatural(text) or ODD.search(STRAY.sub("", text)))


def _wide(data: bytes) -> Encoding:
    """UTF-16 or UTF-32 without a mark: the one reading that is a text of letters and signs."""
    rest = data.replace(b"\0", b"")
    if len(rest) > len(data) * 0.7 and rest.translate(None, CONTROLS) == rest and _is_nearly_utf8(rest):
        raise UnreadableText(f"is binary: byte {data.index(0)} is a NUL, which no text has")
    (best, name), (second, _) = sorted(((_common(data, name), name) for name in WIDE), reverse=True)[:2]
    if best == second:  # Also where none is a text.
        raise UnreadableText("is binary; only text files are read")
    return Encoding(name)


def _common(data: bytes, name: str) -> int:
    """How many letters, digits and spaces of ASCII a reading gives; none where it is no text."""
    text = _decoded(data[: EVIDENCE_BYTES // 4 * 4] if len(data) > EVIDENCE_BYTES else data, name) or ""
    strange = {
        letter for letter in set(text) - {*"\t\n\f\r"} if unicodedata.category(letter) in {"Cc", "Cn", "Co"}
    }
    return 0 if strange else sum(c.isascii() and (c.isalnum() or c.isspace()) for c in text)


def _legacy(data: bytes) -> Encoding:
    """The legacy encoding whose reading looks most like a text.

    Raises:
        UnreadableText: none does, or readings in different scripts do alike.
    """
    lines = (line for line in re.split(rb"[\r\n]+", data) if not line.isascii())
    evidence = b"\n".join(lines)[:EVIDENCE_BYTES]
    high = sum(byte > 127 for byte in evidence)
    ranked = _ranked(evidence, is_latin=sum(map(len, re.findall(rb"[A-Za-z]+", evidence))) > high)
    if not ranked or ranked[0].score > WORST:
        raise UnreadableText("is in no encoding that is known; save it as UTF-8")
    alike = [reading for reading in ranked if reading.score <= ranked[0].score + CLOSE]
    best = min(alike, key=lambda reading: LEGACY.index(reading.name))
    others = {reading.text: reading.name for reading in reversed(alike) if reading.text != best.text}
    is_lost = best.script == "CJK" and others and high < ENOUGH_BYTES
    if is_lost or len({reading.script for reading in alike}) > 1:
        fits = ", ".join(dict.fromkeys(reading.name for reading in alike[:4]))
        raise UnreadableText(f"is in an encoding that cannot be told ({fits} fit alike); save it as UTF-8")
    near = {reading.text for reading in ranked if reading.score <= best.score + CLEAR}
    return Encoding(best.name, near == {best.text} and high >= ENOUGH_BYTES, tuple(others.values())[-2:])


def _ranked(evidence: bytes, *, is_latin: bool) -> list[_Reading]:
    """The readings of some bytes, the likeliest first; of words in a to z those in Latin letters alone
    where any of them is as likely as the first."""
    found = sorted(_readings(evidence), key=lambda reading: reading.score)
    latin = [reading for reading in found if reading.script == "LATIN"]
    return latin if is_latin and latin and latin[0].score <= found[0].score + CLOSE else found


def _readings(evidence: bytes) -> Iterator[_Reading]:
    for name in LEGACY:
        try:
            text = codecs.getincrementaldecoder(name)().decode(evidence, len(evidence) < EVIDENCE_BYTES)
        except UnicodeDecodeError:
            continue
        beyond = len(re.findall("[^\0-\x7f]", text)) or 1
        odd = (len(ODD.findall(text)) + _unnatural(text)) / beyond
        lacks = name in EAST and len(regex.findall(EAST[name], text)) < beyond / 5
        yield _Reading(name, text, _script(text), mess_ratio(text, 1.0) / 2 + odd + 0.2 * lacks)


def _unnatural(text: str) -> int:
    """How many letters of alphabets, beyond ASCII, the language lacks that has most of them."""
    counted = Counter(letter for letter in text.lower() if "\x7f" < letter < "\u1f00" and letter.isalpha())
    return min(counted.total() - sum(counted[letter] for letter in one) for one in ALPHABETS)


def _script(text: str) -> str:
    """The script of most letters beyond ASCII; those of East Asia count as one."""
    asian = {"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "HALFWIDTH", "FULLWIDTH"}
    letters = (letter for letter in text[:2_000] if letter > "\x7f" and letter.isalpha())
    words = (unicodedata.name(letter, "?").split()[0] for letter in letters)
    counted = Counter("CJK" if word in asian else word for word in words)
    return counted.most_common(1)[0][0] if counted else "LATIN"
