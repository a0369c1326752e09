"""Input schemas of tools: cut to what a model needs, and held against what a model gives."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import cast

from jsonschema import SchemaError
from jsonschema.exceptions import ValidationError
from jsonschema.validators import validator_for
from pydantic import JsonValue
from referencing import Registry
from referencing.exceptions import Unresolvable

from swarm.guard.rules import clean

Schema = dict[str, JsonValue]

NOT_FOR_MODELS = frozenset([
    "title", "$schema", "$id", "$comment", "$defs", "definitions", "examples", "additionalProperties",
    "deprecated",
])  # fmt: skip
MAPPINGS = frozenset(["properties", "patternProperties", "dependentSchemas"])
"""Keywords whose keys are names and not keywords."""
DESCRIPTION_LENGTH = 120
DEFAULT_LENGTH = 40
GIVEN_LENGTH = 60
MOST_NODES = 2_000
"""Parts of a trimmed schema; nested references can blow up without end."""
MOST_PROBLEMS = 2
"""Problems that are told at once: a small model repairs one or two."""


class BadSchema(Exception):
    """A tool's input schema is none, or cannot be shown to a model; the text says why."""


def shortened(text: str, length: int) -> str:
    """The first paragraph, on one line, cut at a word within that many characters."""
    line = " ".join(clean(text).strip().partition("\n\n")[0].split())
    return line if len(line) <= length else line[: length - 1].rpartition(" ")[0] + "…"


class Trimmer:
    """Cuts one schema: no titles, references put in their place, ``X or null`` made ``X``."""

    def __init__(self, schema: Schema) -> None:
        self._root = schema
        self._nodes = 0

    def trimmed(self) -> Schema:
        """The schema for a prompt.

        Raises:
            BadSchema: a reference that leads nowhere, or a schema without end.
        """
        schema = self._node(self._root, ())
        if schema.get("type", "object") != "object":
            raise BadSchema(f"its input must be an object, not {schema['type']!r}")
        return {"type": "object", **schema}

    def _node(self, node: Schema, inside: tuple[str, ...]) -> Schema:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise BadSchema(f"its input schema has more than {MOST_NODES:,} parts")
        reference = node.get("$ref")
        if isinstance(reference, str):
            return self._reference(reference, node, inside)
        trimmed: Schema = {}
        for key, value in node.items():
            if key in MAPPINGS and isinstance(value, dict):
                trimmed[key] = {name: self._value(part, inside) for name, part in value.items()}
            elif key not in NOT_FOR_MODELS:
                trimmed[key] = value if key in ("default", "enum", "const") else self._value(value, inside)
        return _short(_without_null(trimmed))

    def _value(self, value: JsonValue, inside: tuple[str, ...]) -> JsonValue:
        if isinstance(value, dict):
            return self._node(value, inside)
        if isinstance(value, list):
            return [self._value(part, inside) for part in value]
        return value

    def _reference(self, reference: str, node: Schema, inside: tuple[str, ...]) -> Schema:
        target = self._target(reference)
        beside: Schema = {key: value for key, value in node.items() if key != "$ref"}
        if reference in inside:
            # A tree within a tree: shown one level deep, checked in full when it is called.
            return self._node({key: target[key] for key in ("type", "description") if key in target}, inside)
        return self._node(target | beside, (*inside, reference))

    def _target(self, reference: str) -> Schema:
        if not reference.startswith("#"):
            raise BadSchema(f"its input schema refers to {reference!r}, which lies outside of it")
        node: JsonValue = self._root
        for part in reference[1:].split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            node = node.get(name) if isinstance(node, dict) else None
        if not isinstance(node, dict):
            raise BadSchema(f"its input schema refers to {reference!r}, which is not in it")
        return node


def _without_null(node: Schema) -> Schema:
    for key in ("anyOf", "oneOf", "allOf"):
        if isinstance(branches := node.get(key), list):
            node = _with_branches(node, key, [branch for branch in branches if branch != {"type": "null"}])
    if isinstance(types := node.get("type"), list):
        kept: list[JsonValue] = [name for name in types if name != "null"]
        node = {**node, "type": kept[0] if len(kept) == 1 else kept}
    return node


def _with_branches(node: Schema, key: str, branches: list[JsonValue]) -> Schema:
    only = branches[0] if len(branches) == 1 else None
    if not isinstance(only, dict):
        return {**node, key: branches}
    beside: Schema = {name: value for name, value in node.items() if name != key}
    return {**only, **beside}


def _short(node: Schema) -> Schema:
    if "default" in node and (node["default"] is None or len(json.dumps(node["default"])) > DEFAULT_LENGTH):
        node = {key: value for key, value in node.items() if key != "default"}
    description = node.get("description")
    if isinstance(description, str):
        node = node | {"description": shortened(description, DESCRIPTION_LENGTH)}
    return node


class Arguments:
    """Holds arguments against the full schema of a tool. Compiled once, used for every call."""

    def __init__(self, schema: Schema) -> None:
        """Compiles the schema.

        Raises:
            BadSchema: it is no JSON Schema.
        """
        kind = validator_for(schema)
        try:
            kind.check_schema(schema)
        except SchemaError as error:
            raise BadSchema(f"its input schema is none: {shortened(error.message, 150)}") from error
        # The empty registry keeps a reference from being fetched over the network.
        self._validator = kind(schema, registry=Registry())
        self._schema = schema
        properties = schema.get("properties")
        self._properties: Schema = properties if isinstance(properties, dict) else {}
        self._is_open = not self._properties or any(
            key in schema
            for key in ("additionalProperties", "patternProperties", "anyOf", "oneOf", "allOf", "$ref")
        )

    def problem(self, args: Mapping[str, JsonValue]) -> str:
        """What is wrong with the arguments, in a line or two for the model; empty when they fit."""
        found = self._unknown(args)
        try:
            errors: Iterable[ValidationError] = self._validator.iter_errors(args)
            for error in errors:
                found.append(self._said(error))
                if len(found) >= MOST_PROBLEMS:
                    break
        except Unresolvable as error:
            found.append(f"the tool's schema cannot be checked ({error}); use another tool")
        return "\n".join(found[:MOST_PROBLEMS])

    def _unknown(self, args: Mapping[str, JsonValue]) -> list[str]:
        """Names that the schema lacks. Most servers drop these in silence, which hides a typo."""
        if self._is_open:
            return []
        known = list(self._properties)
        return [f"unknown argument {name!r}; {_near(name, known)}" for name in args if name not in known]

    def _said(self, error: ValidationError) -> str:
        parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
        place = "".join(parts)[1:]
        kind = cast("str", error.validator)
        if (inner := _only_branch(error)) is not None:
            return self._said(inner)
        if kind == "required":
            return self._missing(error, place)
        if kind in ("anyOf", "oneOf") and (wanted := _branch_types(error.validator_value)):
            return f"argument {place!r} must be {wanted}, got {_given(error.instance)}"
        if kind == "type":
            wanted = _branch_types([{"type": error.validator_value}])
            return f"argument {place!r} must be {wanted}, got {_given(error.instance)}"
        if kind == "enum":
            values = ", ".join(
                json.dumps(value) for value in cast("list[JsonValue]", error.validator_value)[:20]
            )
            return f"argument {place!r} must be one of {values}, got {_given(error.instance)}"
        what = f"argument {place!r}: " if place else ""
        return what + shortened(error.message, 150)

    def _missing(self, error: ValidationError, place: str) -> str:
        instance = cast("Mapping[str, JsonValue]", error.instance)
        required = cast("list[str]", error.validator_value)
        names = [
            name for name in required if name not in instance and f"'{name}'" in error.message
        ] or required
        if place:
            return f"argument {place!r} lacks {names[0]!r}"
        about = self._properties.get(names[0])
        kind = _branch_types([about]) if isinstance(about, dict) else ""
        return f"missing argument {names[0]!r}" + (f" ({kind})" if kind else "")


def _only_branch(error: ValidationError) -> ValidationError | None:
    """What is wrong in the one branch of an ``anyOf`` that is not null; None where there are more."""
    inner = [child for child in error.context or () if child.validator_value != "null"]
    branches = {child.relative_schema_path[0] for child in inner}
    return inner[0] if len(branches) == 1 else None


def _near(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"the arguments are {', '.join(known)}"


def _branch_types(branches: object) -> str:
    """``integer or string`` for branches that are told apart by type; empty for others."""
    names: list[str] = []
    for branch in cast("list[object]", branches) if isinstance(branches, list) else []:
        types = cast("Schema", branch).get("type") if isinstance(branch, dict) else None
        if types is None:
            return ""
        names += [str(name) for name in types] if isinstance(types, list) else [str(types)]
    return " or ".join(name for name in dict.fromkeys(names) if name != "null")


def _given(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= GIVEN_LENGTH else text[:GIVEN_LENGTH] + "…"
