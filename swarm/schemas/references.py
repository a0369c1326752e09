"""A schema with all that it refers to put in its place, so that each part of it stands by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote

from pydantic import JsonValue

from swarm.schemas.validator import Malformed

Schema = dict[str, JsonValue]

MOST_PARTS = 2_000
"""Parts of a schema in place; nested references can blow up without end."""
_LEVELS = (40, 12, 8, 6, 5, 4, 3, 2)
"""Levels that are tried in turn; what lies deeper is cut down to its type."""
NAMED = frozenset(["properties", "patternProperties", "dependentSchemas"])
"""Keywords whose keys are names and not keywords."""
VALUES = frozenset(["const", "enum", "default", "examples", "example", "required"])
"""Keywords that hold no schema."""
_KEPT_OF_CUT = ("type", "description", "enum")
_ANNOTATIONS = frozenset(["title", "description", "default", "examples", "deprecated", "$comment"])
_SHELVES = frozenset(["$defs", "definitions"])


class _TooMany(Exception):
    """The schema in place has more parts than can be shown."""


def in_place(schema: Schema) -> Schema:
    """The schema without references. A tree within a tree, and what is nested too deep, is cut down to its type.

    Raises:
        Malformed: a reference that leads nowhere or outside, or too many parts even so.
    """
    return _in_place(json.dumps(schema))


@lru_cache(maxsize=256)
def _in_place(schema: str) -> Schema:
    root: Schema = json.loads(schema)
    for levels in _LEVELS:
        try:
            placed = _Placing(root, levels).part(root, ())
        except _TooMany:
            continue
        return placed if isinstance(placed, dict) else {}
    raise Malformed(f"has more than {MOST_PARTS:,} parts")


class _Placing:
    """One attempt to put everything in its place within a number of levels."""

    def __init__(self, root: Schema, levels: int) -> None:
        self._root = root
        self._levels = levels
        self._parts = 0

    def part(self, value: JsonValue, inside: tuple[str, ...], level: int = 0) -> JsonValue:
        if isinstance(value, list):
            return [self.part(one, inside, level) for one in value]
        if not isinstance(value, dict):
            return value
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise _TooMany
        if isinstance(reference := value.get("$ref"), str):
            return self._referred(reference, value, inside, level)
        if level >= self._levels:
            return {key: value[key] for key in _KEPT_OF_CUT if key in value}
        return {
            key: self._keyword(key, one, inside, level + 1)
            for key, one in value.items()
            if key not in _SHELVES
        }

    def _keyword(self, key: str, value: JsonValue, inside: tuple[str, ...], level: int) -> JsonValue:
        if key in VALUES:
            return value
        if key in NAMED and isinstance(value, dict):
            return {name: self.part(one, inside, level) for name, one in value.items()}
        return self.part(value, inside, level)

    def _referred(self, reference: str, node: Schema, inside: tuple[str, ...], level: int) -> JsonValue:
        goal = target(self._root, reference)
        beside: Schema = {key: one for key, one in node.items() if key not in {"$ref", *_SHELVES}}
        if not isinstance(goal, dict):
            return goal
        if reference in inside:
            # A tree within a tree: shown one level deep, checked in full when it is called.
            return {key: goal[key] for key in ("type", "description") if key in goal}
        inside = (*inside, reference)
        if beside.keys() <= _ANNOTATIONS:
            return self.part(goal | beside, inside, level)
        return {"allOf": [self.part(goal, inside, level), self.part(beside, inside, level)]}


def target(root: Schema, reference: str) -> Schema | bool:
    """What a reference leads to: a pointer of RFC 6901, an anchor, or the ``$id`` of a part.

    Raises:
        Malformed: it leads nowhere, or outside of the schema.
    """
    place, _, fragment = reference.partition("#")
    own = str(root.get("$id", root.get("id", ""))).rstrip("#")
    start: JsonValue = root if place in ("", own) else _called(root, place)
    if start is None:
        raise Malformed(f"refers to {reference!r}, which lies outside of it")
    name = unquote(fragment)
    found = _pointed(start, name) if name.startswith("/") or not name else _called(start, name)
    if not isinstance(found, dict | bool):
        raise Malformed(f"refers to {reference!r}, which is not in it")
    return found


def _pointed(node: JsonValue, pointer: str) -> JsonValue:
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, list) and name.isdecimal() and int(name) < len(node):
            node = node[int(name)]
        elif isinstance(node, dict):
            node = node.get(name)
        else:
            return None
    return node


def _called(node: JsonValue, name: str) -> JsonValue:
    """The part that has this anchor or ``$id``."""
    return next((part for part in _parts(node) if _has_name(part, name)), None)


def _has_name(part: Schema, name: str) -> bool:
    return part.get("$anchor") == name or any(part.get(key) in (name, f"#{name}") for key in ("$id", "id"))


def _parts(node: JsonValue) -> Iterator[Schema]:
    if isinstance(node, dict):
        yield node
    for one in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _parts(one)
