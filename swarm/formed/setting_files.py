"""Configuration files as rows: one for each setting, its name with those of its sections before it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import PurePosixPath

from swarm.formed.row import Row, Text, lines_of
from swarm.formed.trees import FAILURES, MOST_SETTINGS, READERS, Setting

MOST_CHARACTERS = 20_000
"""Of a line: a longer one is no setting that somebody wrote."""
MOST_TOGETHER = 20_000_000
"""Characters of all values of a file: an alias makes many of a few."""
_NAMES = {"pipfile": ".toml"}
_SECTION = re.compile(r"\[\s*([^\[\]]+?)\s*\]\s*(?:[#;].*)?$")
_COMMENT = re.compile(r"\s*[#;]")
_UNITS = frozenset([".service", ".socket", ".timer", ".desktop", ".mount", ".path", ".target", ".slice"])
"""Files of systemd and of desktops: a comment has a line of its own there (systemd.syntax(7))."""
_INLINE = re.compile(r"\s+(?:;.*|#\s.*|#)$")
_WORDS = re.compile(r"(?P<name>!?[A-Za-z][\w.-]*)(?:[ \t]+(?P<value>[^\s=:].*))?$")
"""A name and a value with blanks between them."""
_NAME = r"(?:export\s+)?(?P<name>[^\s={}<>()][^={}<>()]{0,200}?)"
_EQUALS = re.compile(rf"{_NAME}\s*=(?!=)\s*(?P<value>.*)$")
_COLON = re.compile(r"(?P<name>[^\s:={}<>()][^:={}<>()]{0,200}?)\s*:(?!:)\s*(?P<value>.*)$")
_SIMPLE = re.compile(r"(?P<name>[\w.-]+)\s*:(?!:)\s*(?P<value>[^=]*)$")
_DIRECTIVE = re.compile(r"(?P<name>!\w+)\s+(?P<value>\S.*)$")
_BARE = re.compile(r"(?P<name>[\w.-]+)(?P<value>)$")
_OTHER = re.compile(r"[{}]\s*;?\s*$|^\s*</?\w[^>]*>|;\s*$|^\s*\S+\s*(?:==|\+=|!=)")
"""Blocks, tags and statements, as nginx, Apache, HCL and udev have them."""
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_PROPERTY = re.compile(r"((?:\\.|[^\s:=\\])+)\s*[:=]?\s*(.*)$", re.DOTALL)


def rows(texts: Sequence[Text]) -> list[Row]:
    """One row for each setting: the file, the name, the value as a text.

    Raises:
        ValueError: the form of a file can't be told; says which.
    """
    found: list[Row] = []
    for path, text in texts:
        try:
            settings = [*islice(_settings(path, text), MOST_SETTINGS + 1)]
        except FAILURES as error:
            why = " ".join(str(error).split())[:200]
            raise ValueError(f"{path}: its settings can't be told ({why}); read it as a text") from error
        if len(settings) > MOST_SETTINGS or sum(len(value or "") for _, value in settings) > MOST_TOGETHER:
            raise ValueError(f"{path}: its settings are too many or too long; read it as a text")
        found.extend({"file": path, "name": name, "value": value} for name, value in settings)
    return found


def side_by_side(texts: Sequence[Text]) -> list[Row]:
    """One row for each name of a setting, with its value in each file: a column for each, called by the file's
    name without its ending. A file that lacks it, or has it without a value, has None. ``differs`` is ``equal``
    where they are all alike, else ``different``.

    Raises:
        ValueError: two files have the same name, or the form of one can't be told.
    """
    columns = {path: re.sub(r"\W+", "_", PurePosixPath(path).stem).strip("_").lower() for path, _ in texts}
    if len({*columns.values(), "name", "differs"}) <= len(columns) + 1:
        raise ValueError("two of the files have the same name")
    found: dict[str, Row] = {}
    for one in rows(texts):
        at = found.setdefault(str(one["name"]), {"name": one["name"], **dict.fromkeys(columns.values())})
        at[columns[str(one["file"])]] = one["value"]
    for row in found.values():
        row["differs"] = "different" if len({row[column] for column in columns.values()}) > 1 else "equal"
    return [*found.values()]


def _settings(path: str, text: str) -> Iterator[Setting]:
    at = PurePosixPath(path.lower())
    ending = _NAMES.get(at.name, at.suffix)
    if read := READERS.get(ending):
        yield from read(text)
    elif ending in {".json5", ".jsonc", ".tf", ".tfvars", ".hcl", ".rules", ".reg", ".plist"}:
        raise ValueError(f"files that end with {ending} are not read as settings")
    elif ending == ".properties":
        yield from _properties(text)
    else:
        yield from _sections(text, is_inline=ending not in _UNITS)


def _sections(text: str, *, is_inline: bool) -> Iterator[Setting]:
    """The settings of INI files and their kin; an indented line goes on with the value before it."""
    lines = [line for line in lines_of(text) if line.strip() and not _COMMENT.match(line)]
    form = _form_of(lines)
    section, name, indent = "", "", -1
    parts: list[str] = []
    for line in lines:
        depth = len(line) - len(line.lstrip())
        if name and depth > indent:
            parts.append(_without_comment(line.strip(), is_inline=is_inline))
            continue
        if name:
            yield name, _value(parts)
        name, indent = "", depth
        if found := _SECTION.match(line.strip()):
            section = found[1]
            continue
        named = _named(form, line.strip(), is_inline=is_inline)
        said = _without_comment(named["value"] or "", is_inline=is_inline)
        is_name_alone = form is not _WORDS and named.re is _BARE
        name = f"{section}.{named['name']}" if section else named["name"]
        parts = [] if is_name_alone or (form is _WORDS and not said) else [said]
    if name:
        yield name, _value(parts)


def _named(form: re.Pattern[str], line: str, *, is_inline: bool) -> re.Match[str]:
    """The name and the value of a line.

    Raises:
        ValueError: it is of another form than most.
    """
    found = form.match(line) if len(line) <= MOST_CHARACTERS else None
    if found is None and form is _EQUALS:
        found = _SIMPLE.match(line) or _DIRECTIVE.match(line)
    found = found or _BARE.match(_without_comment(line, is_inline=is_inline))
    if found is None:
        raise ValueError(f"the line {line[:40]!r} is none of the form of the others")
    return found


def _form_of(lines: Sequence[str]) -> re.Pattern[str]:
    """How the lines at the margin part names and values.

    Raises:
        ValueError: it can't be told.
    """
    some = [line.strip()[:MOST_CHARACTERS] for line in lines if not _SECTION.match(line.strip())]
    if any(_OTHER.search(line) and not _EQUALS.match(line) for line in some):
        raise ValueError("it has blocks, tags or statements")
    least = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    margin = [line.strip()[:MOST_CHARACTERS] for line in lines if len(line) - len(line.lstrip()) == least]
    margin = [line for line in margin if not (_SECTION.match(line) or _DIRECTIVE.match(line))] or some
    names = sum(_BARE.match(line) is not None for line in margin)
    counts = {form: sum(map(bool, map(form.match, margin))) for form in (_EQUALS, _COLON, _WORDS)}
    if not some or (counts[_EQUALS] * 2 >= len(margin) - names and (counts[_EQUALS] or not counts[_WORDS])):
        return _EQUALS
    if counts[_COLON] * 2 >= len(margin) and not counts[_EQUALS] and counts[_WORDS] < len(margin):
        return _COLON
    if counts[_WORDS] == len(margin) and len(some) == len(margin):
        return _WORDS
    raise ValueError("how it parts names and values can't be told")


def _without_comment(value: str, *, is_inline: bool) -> str:
    """A value without the comment behind it; what stands in quotes is none."""
    value = value.strip()
    if value[:1] in {'"', "'"}:
        end = value.find(value[0], 1)
        if end > 0 and (not value[end + 1 :].strip() or _INLINE.match(value[end + 1 :])):
            return value[: end + 1]
    if is_inline and value[:1] == ";":
        return ""
    return _INLINE.sub("", value[:MOST_CHARACTERS]) + value[MOST_CHARACTERS:] if is_inline else value


def _value(parts: Sequence[str]) -> str | None:
    """The value of a setting with the lines that go on with it; None where it has no sign of a value."""
    if not parts:
        return None
    value = "\n".join(part for part in parts if part)
    is_quoted = len(value) > 1 and value[0] in "\"'" and value.find(value[0], 1) == len(value) - 1
    return value[1:-1] if is_quoted else value


def _properties(text: str) -> Iterator[Setting]:
    """The settings of a properties file, as ``java.util.Properties`` reads it."""
    logical = ""
    for line in [*lines_of(text), ""]:
        line = line.lstrip(" \t\f")
        if not logical and line[:1] in {"#", "!", ""}:
            continue
        slashes = len(line) - len(line.rstrip("\\"))
        if slashes % 2:
            logical += line[:-1]
            continue
        found = _PROPERTY.match(logical + line)
        if found is None:
            raise ValueError(f"the line {(logical + line)[:40]!r} has no name")
        yield _unescaped(found[1]), _unescaped(found[2])
        logical = ""


def _unescaped(text: str) -> str:
    signs = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
    return _ESCAPE.sub(lambda one: chr(int(one[1], 16)) if one[1] else signs.get(one[2], one[2]), text)
