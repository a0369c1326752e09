"""Whether what a step ``expects`` is a schema that its results can be checked under, in bounded time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import cast

import jsonschema
from pydantic import JsonValue

from swarm.errors import quoted, shortened

MOST_CHARS = 20_000
"""Size of a schema as JSON: a small model fills no larger one."""
MOST_DEEP = 32
MOST_PARTS = 2_000
"""Parts of a schema with each of its references written out: some double at every level."""

_IN_PLACE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas")
"""Keywords whose schemas judge the same value: a circle of these never ends."""
_ELSEWHERE = ("$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef")

Schema = Mapping[str, JsonValue]


def schema_problem(schema: Schema) -> str:
    """What is wrong with it, as the end of a sentence; empty where it can be used."""
    if _depth(schema) > MOST_DEEP:
        return f"nests deeper than {MOST_DEEP}; make it flatter"
    if len(json.dumps(schema)) > MOST_CHARS:
        return f"is longer than {MOST_CHARS:,} characters; make it smaller"
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        return f"is no JSON Schema: {shortened(error.message, 160)}"
    return _References(schema).problem()


def _depth(schema: JsonValue | Schema) -> int:
    """Levels of the schema, counted without a call for each."""
    level: list[JsonValue | Schema] = [schema]
    depth = 0
    while level and depth <= MOST_DEEP:
        level = [part for value in level for part in _inside(value) if isinstance(part, dict | list)]
        depth += 1
    return depth


def _inside(value: JsonValue | Schema) -> Iterator[JsonValue]:
    if isinstance(value, list):
        yield from value
    elif isinstance(value, Mapping):
        yield from value.values()


class _References:
    """The references of one schema, followed."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._sizes: dict[int, int] = {}
        """Parts of each subschema with its references written out, by its identity."""
        self._open: list[int] = []
        """Subschemas on the way to the one that is looked at, as far as they judge the same value."""

    def problem(self) -> str:
        try:
            size = self._size(cast("JsonValue", self._root))
        except ValueError as error:
            return str(error)
        return (
            f"has more than {MOST_PARTS:,} parts with its references written out" if size > MOST_PARTS else ""
        )

    def _size(self, schema: JsonValue) -> int:
        """Parts of a subschema, those it refers to included; one that holds itself counts once.

        Raises:
            ValueError: it refers to what is not there, or to itself alone.
        """
        if not isinstance(schema, dict):
            return 1 + sum(self._apart(part) for part in _inside(schema))
        if id(schema) in self._open:
            raise ValueError("refers to itself without end; a schema may hold itself only further down")
        if (known := self._sizes.get(id(schema))) is not None:
            return known
        self._sizes[id(schema)] = 1
        self._open.append(id(schema))
        size = 1 + sum(self._size(part) for part in self._same_value(schema))
        self._open.pop()
        rest = (part for key, part in schema.items() if key not in _IN_PLACE)
        self._sizes[id(schema)] = size = size + sum(self._apart(part) for part in rest)
        return size

    def _apart(self, schema: JsonValue) -> int:
        """The same of a subschema that judges another value."""
        before, self._open = self._open, []
        try:
            return self._size(schema)
        finally:
            self._open = before

    def _same_value(self, schema: dict[str, JsonValue]) -> Iterator[JsonValue]:
        for key in _IN_PLACE:
            part = schema.get(key)
            if key == "dependentSchemas" or isinstance(part, list):
                yield from _inside(part)
            elif part is not None:
                yield part
        if isinstance(other := next((schema[key] for key in _ELSEWHERE if key in schema), None), str):
            raise ValueError(f"names {quoted(other)}, which only a schema of its own can; use '#/$defs/NAME'")
        if isinstance(reference := schema.get("$ref"), str):
            yield self._target(reference)

    def _target(self, reference: str) -> JsonValue:
        if reference != "#" and not reference.startswith("#/"):
            raise ValueError(f"refers to {quoted(reference)}, outside the plan; use '#/$defs/NAME'")
        found: JsonValue = cast("JsonValue", self._root)
        for part in reference.split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and key in found:
                found = found[key]
            elif isinstance(found, list) and key.isdigit() and int(key) < len(found):
                found = found[int(key)]
            else:
                raise ValueError(f"refers to {quoted(reference)}, which is not in it")
        return found
