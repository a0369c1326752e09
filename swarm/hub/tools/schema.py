"""Input schemas of tools: cut to what a model needs, and held against what a model gives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from difflib import get_close_matches
from itertools import islice
from typing import cast

from jsonschema.exceptions import ValidationError
from pydantic import JsonValue

from swarm.safety.text import clean
from swarm.schemas.branches import known
from swarm.schemas.references import NAMED, VALUES, in_place
from swarm.schemas.validator import Malformed, mended, problems

Schema = dict[str, JsonValue]

NOT_FOR_MODELS = frozenset([
    "title", "$schema", "$id", "id", "$anchor", "$comment", "$vocabulary", "examples", "example", "deprecated",
    "nullable", "readOnly", "writeOnly", "externalDocs", "xml", "discriminator",
    "dependencies", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor",
])  # fmt: skip
DESCRIPTION_LENGTH = 200
DEFAULT_LENGTH = 40
GIVEN_LENGTH = 60
MOST_PROBLEMS = 2
"""Problems that are told at once: a small model repairs one or two."""
_LISTED = ("anyOf", "oneOf", "allOf", "prefixItems")
_NULLS: tuple[JsonValue, ...] = ({"type": "null"}, {"const": None}, {"enum": [None]})


class BadSchema(Exception):
    """A tool's input schema is none, or cannot be shown to a model; the text says why."""


def shortened(text: str, length: int) -> str:
    """The first paragraph, on one line, cut at a word within that many characters."""
    return whole(clean(text).strip().partition("\n\n")[0], length)


def whole(text: str, length: int) -> str:
    """All paragraphs, on one line, cut at a word within that many characters."""
    line = " ".join(clean(text).split())
    return line if len(line) <= length else line[: length - 1].rpartition(" ")[0] + "…"


class Trimmer:
    """Cuts one schema: no titles, references put in their place, ``X or null`` made ``X`` where the
    parameter may be left out, and all in the words of draft 2020-12."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def trimmed(self) -> Schema:
        """The schema for a prompt.

        Raises:
            BadSchema: a reference that leads nowhere, or a schema without end.
        """
        try:
            root = in_place(mended(self._schema)[0])
        except Malformed as error:
            raise BadSchema(f"its input schema {error}") from error
        kind = root.get("type", "object")
        if kind != "object" and not (isinstance(kind, list) and "object" in kind):
            raise BadSchema(f"its input must be an object, not {kind!r}")
        # No parameters are what a server means that names none and says nothing of others.
        is_closed = root.get("additionalProperties") is False and "properties" in root
        shown = _node({**root, "type": "object"})
        return {key: value for key, value in shown.items() if key != "additionalProperties" or not is_closed}


def _node(node: Schema) -> Schema:
    trimmed: Schema = {}
    for key, value in _modern(node).items():
        if key in NOT_FOR_MODELS or key.startswith("x-"):
            continue
        if key == "properties" and isinstance(value, dict):
            trimmed[key] = {name: _part(part) for name, part in value.items() if part is not False}
        elif key in NAMED and isinstance(value, dict):
            trimmed[key] = {name: _part(part) for name, part in value.items()}
        elif key in _LISTED and isinstance(value, list):
            trimmed[key] = [_part(part) for part in value]
        else:
            trimmed[key] = _node(value) if isinstance(value, dict) and key not in VALUES else value
    return _short(_with_needed(_openness(trimmed)))


def _part(part: JsonValue) -> JsonValue:
    """A schema within a schema; ``true`` admits anything, as does one that says nothing."""
    if isinstance(part, dict):
        return _node(part)
    return {"not": {}} if part is False else {}


def _modern(node: Schema) -> Schema:
    """A node of an earlier draft in the words of 2020-12."""
    if isinstance(items := node.get("items"), list):
        node = {key: value for key, value in node.items() if key != "items"} | {"prefixItems": items}
        if "additionalItems" in node:
            node["items"] = node["additionalItems"]
    node = {key: value for key, value in node.items() if key != "additionalItems"}
    for key, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(node.get(key), bool):
            is_exclusive = node[key] and bound in node
            node = {name: value for name, value in node.items() if name != key} | (
                {key: node[bound]} if is_exclusive else {}
            )
    return node


def _openness(node: Schema) -> Schema:
    """Less what says only that there are no further properties, which goes without saying where some are named."""
    if node.get("additionalProperties") is False and node.get("properties"):
        return {key: value for key, value in node.items() if key != "additionalProperties"}
    return node


def _with_needed(node: Schema) -> Schema:
    """Null is left out where the parameter may be; what is required is among the properties."""
    listed = node.get("required")
    required = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    properties = node.get("properties")
    if isinstance(properties, dict):
        shown: Schema = {
            name: part if name in required or not isinstance(part, dict) else _short(_without_null(part))
            for name, part in properties.items()
        }
        node = {**node, "properties": shown}
    named = known({**node, "required": []})
    if required and named is not None and (undeclared := [name for name in required if name not in named]):
        own: Schema = {**cast("Schema", node.get("properties") or {})}
        own.update({name: {} for name in undeclared})
        node = {**node, "properties": own}
    return node


def _without_null(node: Schema) -> Schema:
    for key in ("anyOf", "oneOf"):
        if isinstance(branches := node.get(key), list):
            others = [
                _without_null(one) if isinstance(one, dict) else one for one in branches if one not in _NULLS
            ]
            node = _with_branches(node, key, others) if others else node
    if isinstance(types := node.get("type"), list):
        kept: list[JsonValue] = [name for name in types if name != "null"]
        node = {**node, "type": kept[0] if len(kept) == 1 else kept} if kept else node
    if isinstance(values := node.get("enum"), list) and None in values and len(values) > 1:
        node = {**node, "enum": [value for value in values if value is not None]}
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
            BadSchema: it is no JSON Schema, or one that can't be used.
        """
        shown = Trimmer(schema).trimmed()
        self._schema = schema
        self._known = known(shown)
        properties = shown.get("properties")
        self._properties: Schema = properties if isinstance(properties, dict) else {}

    def problem(self, args: Mapping[str, JsonValue]) -> str:
        """What is wrong with the arguments, in a line or two for the model; empty when they fit."""
        found = self._unknown(args)
        # What cannot be checked here (a reference that is resolved as it is used) is left to the server.
        with suppress(Malformed):
            found += [self._said(error) for error in islice(problems(self._schema, args), MOST_PROBLEMS)]
        return "\n".join(found[:MOST_PROBLEMS])

    def _unknown(self, args: Mapping[str, JsonValue]) -> list[str]:
        """Names that the schema lacks. Most servers drop these in silence, which hides a typo."""
        if self._known is None:
            return []
        names = self._known
        return [f"unknown argument {name!r}; {_near(name, names)}" for name in args if name not in names]

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
    if close:
        return f"did you mean {close[0]!r}?"
    return f"the arguments are {', '.join(known)}" if known else "it takes no arguments"


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
