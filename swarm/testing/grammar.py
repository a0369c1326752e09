"""Which schemas llama.cpp's server refuses to make a grammar of, and in which words.

After what the chat route of the installed llama.cpp answers; ``tests/testing/test_parity.py`` holds
the two against each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from pydantic import JsonValue

Schema = dict[str, JsonValue]

MOST_ITEMS = 1_998
MOST_REPEATS = 2_000
_TYPES = frozenset(["object", "array", "string", "integer", "number", "boolean", "null"])
_UNABLE = "Unable to generate parser for this template. Automatic parser generation failed: "
_NO_GRAMMAR = "Failed to initialize samplers: failed to parse grammar"
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems")
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_LARGEST = 2**63


class _NoGrammar(Exception):
    """A part that no grammar can be made of."""


def refusal(schema: JsonValue) -> str:
    """What llama.cpp's server says of a schema that it refuses; empty where it takes it."""
    if not isinstance(schema, dict):
        return ""
    try:
        for place, part in _parts(schema, "#"):
            _check(part, place, schema)
    except _NoGrammar as error:
        return str(error)
    return ""


def _parts(value: JsonValue, place: str) -> Iterator[tuple[str, Schema]]:
    """Every schema of which a grammar is made, with its place."""
    if not isinstance(value, dict):
        raise _NoGrammar(f"{_UNABLE}JSON schema error at {place}: schema must be an object")
    yield place, value
    if "const" in value or "enum" in value or "$ref" in value:
        return
    for key in ("anyOf", "oneOf", "allOf", "prefixItems"):
        if isinstance(branches := value.get(key), list):
            for at, branch in enumerate(branches):
                yield from _parts(branch, f"{place}/{key}/{at}")
    if isinstance(properties := value.get("properties"), dict):
        for name, part in properties.items():
            yield from _parts(part, f"{place}/properties/{name}")
    yield from _lists(value, place)
    if isinstance(others := value.get("additionalProperties"), dict):
        yield from _parts(others, f"{place}/additionalProperties")


def _lists(value: Schema, place: str) -> Iterator[tuple[str, Schema]]:
    items = value.get("items")
    if isinstance(items, list):
        for at, item in enumerate(items):
            yield from _parts(item, f"{place}/items/{at}")
    elif "items" in value:
        yield from _parts(items, f"{place}/items")


def _check(part: Schema, place: str, root: Schema) -> None:
    for wrong in (_wrong_type(part), _wrong_choice(part), _wrong_value(part), _wrong_reference(part, root)):
        if wrong:
            deeper, _, why = wrong.rpartition("|")
            raise _NoGrammar(f"{_UNABLE}JSON schema error at {place}{deeper}: {why}")
    if isinstance(pattern := part.get("pattern"), str) and (why := _wrong_pattern(pattern)):
        raise _NoGrammar(f"{_UNABLE}JSON schema conversion failed:\nInvalid pattern {pattern}: {why}")
    if _number(part, "maximum") >= _LARGEST and part.get("type") == "integer" and "minimum" not in part:
        raise _NoGrammar(f"{_UNABLE}At least one of min_value or max_value must be set")
    if _repeats_too_often(part):
        raise _NoGrammar(_NO_GRAMMAR)


def _wrong_type(part: Schema) -> str:
    kind = part.get("type")
    if kind is None:
        return ""
    if isinstance(kind, str):
        return "" if kind in _TYPES else f"unrecognized type {kind}"
    if not isinstance(kind, list):
        return "type must be a string or an array of strings"
    unknown = ((at, one) for at, one in enumerate(kind) if one not in _TYPES)
    return next(
        (f"/type/{at}|unrecognized type {one}" for at, one in unknown),
        "" if kind else "type must not be empty",
    )


def _wrong_choice(part: Schema) -> str:
    if "enum" in part and not (isinstance(part["enum"], list) and part["enum"]):
        return "enum must be a non-empty array"
    for key in ("anyOf", "oneOf", "allOf"):
        if key in part and not isinstance(part[key], list):
            return f"/{key}|must be an array of schemas"
        if part.get(key) == []:
            return f"/{key}|must not be empty"
    return ""


def _wrong_value(part: Schema) -> str:
    if "properties" in part and not isinstance(part["properties"], dict):
        return "properties must be an object"
    if not isinstance(part.get("additionalProperties", True), dict | bool):
        return "additionalProperties must be a boolean or a schema"
    for key in ("pattern", "format", "$ref"):
        if key in part and not isinstance(part[key], str):
            return f"{key} must be a string"
    for key in _COUNTS:
        value = part.get(key, 0)
        if type(value) is not int or value < 0:
            return f"{key} must be a non-negative integer"
    for key in _BOUNDS:
        if key in part and not isinstance(part[key], int | float):
            return f"{key} must be a number"
    return ""


def _wrong_reference(part: Schema, root: Schema) -> str:
    reference = part.get("$ref")
    if not isinstance(reference, str):
        return ""
    if not reference.startswith("#/"):
        return f"unsupported $ref {reference}, only references into the same document are supported"
    missing = _missing(reference, root)
    return f"cannot resolve $ref {reference}, {missing} not found" if missing else ""


def _missing(reference: str, root: Schema) -> str:
    """The first step of a pointer that leads nowhere; it knows no ``%XX``."""
    node: JsonValue = root
    for part in reference.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        steps: Schema = node if isinstance(node, dict) else {}
        if isinstance(node, list):
            steps = {str(at): one for at, one in enumerate(node)}
        if name not in steps:
            return name
        node = steps[name]
    return ""


def _wrong_pattern(pattern: str) -> str:
    """Why a pattern is refused; those without both anchors are not looked at."""
    if not (pattern.startswith("^") and pattern.endswith("$")):
        return ""
    bare = re.sub(r"\\.", "_", pattern[1:-1])
    without_classes = re.sub(r"\[[^\]]*\]", "_", bare)
    if "[" in without_classes:
        return "unterminated character class"
    if re.match(r"[*+?{]", without_classes):
        return "nothing to repeat"
    return "" if _is_balanced(without_classes) else "unbalanced parentheses"


def _is_balanced(text: str) -> bool:
    depth = 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            return False
    return depth == 0


def _repeats_too_often(part: Schema) -> bool:
    pattern = part.get("pattern")
    counts = re.findall(r"\{(\d+)", pattern) if isinstance(pattern, str) and pattern.startswith("^") else []
    return (
        _number(part, "minLength") > MOST_REPEATS
        or _number(part, "minItems") > MOST_REPEATS
        or _number(part, "maxItems") > MOST_ITEMS
        or any(int(count) > MOST_REPEATS for count in counts)
    )


def _number(part: Schema, key: str) -> float:
    value = part.get(key, 0)
    return cast("float", value) if isinstance(value, int | float) else 0
