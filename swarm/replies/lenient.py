"""Reading JSON as weak models write it: forgiving in form, strict in meaning.

Single and typographic quotes, Python literals, bare keys, comments, line breaks and quotes within
a string and needless commas are read as what they can only mean. A value that was cut off or that
can mean two things is not read.
"""

from __future__ import annotations

import json
import re

from pydantic import JsonValue

MOST_DEPTH = 40

_SPACE = re.compile(r"(?:\s|\\n|\\t|//[^\n]*|/\*.*?\*/|#[^\n]*)*", re.DOTALL)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?(?=[\s,\]})])")
_WORD = re.compile(r"[A-Za-z_][\w-]*")
_OPENING = re.compile(r"<\|\"\|>|<escape>|\"\"\"|'''|[\"'\u201c]")
_CLOSING = {"\u201c": "\u201d"}
_WORDS: dict[str, JsonValue] = {
    "true": True, "True": True, "false": False, "False": False, "null": None, "None": None,
}  # fmt: skip
_ENDS_STRING = re.compile(r"\s*(?:[,:=}\]]|$|\"[\w.-]+\"\s*:)")
_ENDS_ARGUMENT = re.compile(r"\s*[,:=}\])]")
"""What follows a quote that ends a string; a quote before anything else belongs to the text."""
_APOSTROPHE = re.compile(r"\w'\w")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
HALF = re.compile(r"\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]")
"""Half of a pair that stands for one character, which no file and no server takes: read as U+FFFD."""
_PLAIN = {'"': '"', "'": "'", "\\": "\\", "/": "/", "\n": ""}
_SPECIAL = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_AFTER_OBJECT = re.compile(r"\s*(?:$|</|<\||<tool_call\||<\uff5c|```|\[/)")
"""Where an object may end without its brace: nothing follows but what closes a call."""


class Unreadable(ValueError):
    """The text at the reader's place is no value that could be meant; the message says why."""


class ValueReader:
    """Reads values one after the other; ``at`` is the place behind what was read."""

    def __init__(self, text: str, at: int = 0) -> None:
        self.text = text
        self.at = at
        self.is_closed = True
        """Whether the object that was read last had its closing brace."""
        self._depth = 0
        self._ends_string = _ENDS_STRING

    def value(self, *, may_lack_brace: bool = False) -> JsonValue:
        """The next value; an object at the end of the text may lack its brace when that is allowed.

        Raises:
            Unreadable: there is none, it was cut off, or it is ambiguous.
        """
        self.skip()
        sign = self.text[self.at : self.at + 1]
        if sign == "{":
            return self._object(may_lack_brace)
        if sign == "[":
            return self._array()
        if opening := _OPENING.match(self.text, self.at):
            return self._string(opening.group())
        if number := _NUMBER.match(self.text, self.at):
            self.at = number.end()
            return _number(number.group())
        word = _WORD.match(self.text, self.at)
        if word is None or word.group() not in _WORDS:
            raise self._unreadable("a value")
        self.at = word.end()
        return _WORDS[word.group()]

    def arguments(self) -> tuple[list[JsonValue], dict[str, JsonValue]]:
        """The arguments of a Python call, by position and by name; the reader stands at the ``(``.

        Raises:
            Unreadable: they are not all literals, or were cut off.
        """
        self.at += 1
        self._ends_string = _ENDS_ARGUMENT
        by_place: list[JsonValue] = []
        by_name: dict[str, JsonValue] = {}
        while not self._took(")"):
            key = re.compile(r"(\w+)\s*[=:]\s*(?!=)").match(self.text, self.at)
            if key:
                self.at = key.end()
                _add(by_name, key.group(1), self.value())
            else:
                by_place.append(self.value())
            self._separate(")")
        return by_place, by_name

    def skip(self) -> None:
        """Passes white space and comments."""
        if (space := _SPACE.match(self.text, self.at)) is not None:
            self.at = space.end()

    def _object(self, may_lack_brace: bool) -> dict[str, JsonValue]:
        self._enter()
        found: dict[str, JsonValue] = {}
        while not self._took("}"):
            if may_lack_brace and found and _AFTER_OBJECT.match(self.text, self.at):
                self._depth -= 1
                self.is_closed = False
                return found
            key = self._key()
            if not (self._took(":") or self._took("=")):
                raise self._unreadable("a colon")
            _add(found, key, self.value())
            self._separate("}", or_end=may_lack_brace)
        self._depth -= 1
        self.is_closed = True
        return found

    def _array(self) -> list[JsonValue]:
        self._enter()
        found: list[JsonValue] = []
        while not self._took("]"):
            found.append(self.value())
            self._separate("]")
        self._depth -= 1
        return found

    def _enter(self) -> None:
        self.at += 1
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise self._unreadable(f"fewer than {MOST_DEPTH} levels")

    def _key(self) -> str:
        if opening := _OPENING.match(self.text, self.at):
            return self._string(opening.group())
        if word := _WORD.match(self.text, self.at):
            self.at = word.end()
            return word.group()
        raise self._unreadable("a name in quotes")

    def _separate(self, closing: str, or_end: bool = False) -> None:
        """Passes a comma, which may lack before a name in quotes."""
        if self._took(",") or self.text.startswith((closing, '"'), self.at):
            return
        if not (or_end and _AFTER_OBJECT.match(self.text, self.at)):
            raise self._unreadable(f"a comma or {closing}")

    def _took(self, sign: str) -> bool:
        self.skip()
        if not self.text.startswith(sign, self.at):
            return False
        self.at += 1
        self.skip()
        return True

    def _string(self, opening: str) -> str:
        closing = _CLOSING.get(opening, opening)
        start = at = self.at + len(opening)
        inner = 0
        while (end := self.text.find(closing, at)) >= 0:
            after = end + len(closing)
            if len(closing) > 1 or (
                not self._is_escaped(start, end) and self._ends_string.match(self.text, after)
            ):
                raw = self.text[start:end]
                # Two quotes with nothing but a plus or space between join texts in code: "a" + "b", "a" "b".
                if inner % 2 or (inner and re.search(rf"{closing}\s*[+\s]\s*{closing}", raw)):
                    raise Unreadable("a quote within a text needs \\ before it")
                self.at = after
                return raw if closing.startswith("<") else _unescaped(raw)
            inner += not self._is_escaped(start, end) and not _APOSTROPHE.match(self.text, end - 1)
            at = end + 1
        raise Unreadable("a text has no closing quote: the reply was cut off, or a quote in it needs \\")

    def _is_escaped(self, start: int, at: int) -> bool:
        before = at
        while before > start and self.text[before - 1] == "\\":
            before -= 1
        return (at - before) % 2 == 1

    def _unreadable(self, wanted: str) -> Unreadable:
        if not self.text[self.at :].strip():
            return Unreadable(f"the reply ends where {wanted} should stand")
        return Unreadable(f"{wanted} should stand before {self.text[self.at : self.at + 30]!r}")


def _number(text: str) -> JsonValue:
    number: int | float = json.loads(text)
    return number


def _add(found: dict[str, JsonValue], key: str, value: JsonValue) -> None:
    if key in found and found[key] != value:
        raise Unreadable(f"{key!r} is given twice")
    found[key] = value


def _unescaped(raw: str) -> str:
    """The text with its escapes read; where a backslash escapes nothing, all of them stand for themselves.

    Raises:
        Unreadable: some do and some do not, as in an unescaped ``C:\\new\\old``.
    """
    if "\\" not in raw:
        return raw
    escapes = [found.group(1) for found in _ESCAPE.finditer(raw)]
    strange = [one for one in escapes if len(one) == 1 and one not in _PLAIN and one not in _SPECIAL]
    if not strange:
        text = _ESCAPE.sub(lambda found: _escaped(found.group(1)), raw)
        # Puts the halves of a pair together that stand for one character.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if any(one in _SPECIAL or len(one) > 1 for one in escapes):
        raise Unreadable(f"\\{strange[0]} is no escape of JSON: write each backslash of a text as \\\\")
    return _ESCAPE.sub(lambda found: _PLAIN.get(found.group(1), found.group()), raw)


def _escaped(escape: str) -> str:
    if len(escape) > 1:
        return chr(int(escape[1:], 16))
    return _PLAIN[escape] if escape in _PLAIN else _SPECIAL[escape]
