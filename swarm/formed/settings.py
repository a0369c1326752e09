"""Configuration files as rows: one for each setting, its name with those of its sections before it."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

import yaml

from swarm.formed.row import Row, Text

_SECTION = re.compile(r"^\s*\[+\s*([^\[\]]+?)\s*\]+\s*(?:[#;].*)?$")
_SETTING = re.compile(r"^\s*(?:export\s+)?([^\s#;!:=][^:=]*?)\s*(?:[=:]\s*(.*?))?\s*$")


_READERS: Mapping[str, Callable[[str], object]] = {
    ".toml": tomllib.loads,
    ".yaml": yaml.safe_load,
    ".yml": yaml.safe_load,
    ".json": json.loads,
}


def rows(texts: Sequence[Text]) -> list[Row]:
    """One row for each setting: the file, the name, the value as a text."""
    return [
        {"file": path, "name": name, "value": value}
        for path, text in texts
        for name, value in _settings(path, text)
    ]


def _settings(path: str, text: str) -> Iterator[tuple[str, str | None]]:
    read = _READERS.get(PurePosixPath(path).suffix.lower())
    if read is None:
        yield from _lines(text)
        return
    try:
        yield from _flat("", read(text))
    except (ValueError, yaml.YAMLError, RecursionError):
        yield from _lines(text)


def _flat(name: str, value: object) -> Iterator[tuple[str, str | None]]:
    """A value of a nested form under its whole name."""
    match value:
        case dict() if value:
            for key, inner in value.items():
                yield from _flat(f"{name}.{key}" if name else str(key), inner)
        case list() if any(isinstance(one, dict | list) for one in value):
            for number, inner in enumerate(value):
                yield from _flat(f"{name}[{number}]", inner)
        case None:
            yield name, None
        case str():
            yield name, value
        case _:
            yield name, json.dumps(value, ensure_ascii=False, default=str)


def _lines(text: str) -> Iterator[tuple[str, str | None]]:
    section = ""
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith(("#", ";", "!")):
            continue
        if found := _SECTION.match(line):
            section = found[1]
        elif found := _SETTING.match(line):
            yield (f"{section}.{found[1]}" if section else found[1]), found[2] and found[2].strip("\"'")
