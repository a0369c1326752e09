"""Values of the wrong type turned into what a schema wants, where nothing is lost by it."""

from __future__ import annotations

import json
import re
from math import isfinite

from jsonschema import Draft4Validator
from pydantic import JsonValue

_INTEGER = re.compile(r"-?(?:0|[1-9]\d*)")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")
MOST_DIGITS = 1_000
"""Digits of a number; Python reads 4,300 at most."""
_TYPES = Draft4Validator.TYPE_CHECKER
"""Of this draft, because later ones call 12.0 an integer."""
_BOOLEANS = {"true": True, "false": False}


def fitted(value: JsonValue, schema: JsonValue) -> JsonValue:
    """The value, or the one that it can only have been meant to be under the schema.

    A number written as text becomes a number and the other way round, ``12.0`` becomes 12, a single
    value a list of one and a list of one its value, JSON within a text what it says; null for what may be absent is left out.
    What fits already and what would lose something stays as it is.
    """
    if not isinstance(schema, dict):
        return value
    for key in ("anyOf", "oneOf"):
        if isinstance(branches := schema.get(key), list) and "properties" not in schema:
            return _first_fitted(value, branches)
    value = _cast(value, schema)
    if isinstance(value, dict):
        return _object(value, schema)
    if isinstance(value, list):
        return [fitted(item, schema.get("items")) for item in value]
    return value


def _first_fitted(value: JsonValue, branches: list[JsonValue]) -> JsonValue:
    if any(_is_of(value, _kinds(branch)) for branch in branches):
        return value
    tried = ((fitted(value, branch), _kinds(branch)) for branch in branches)
    return next((one for one, kinds in tried if _is_of(one, kinds)), value)


def _object(value: dict[str, JsonValue], schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
    properties, required = schema.get("properties"), schema.get("required")
    known = properties if isinstance(properties, dict) else {}
    needed = required if isinstance(required, list) else []
    return {
        name: fitted(part, known.get(name))
        for name, part in value.items()
        if part is not None or name not in known or name in needed or _allows_null(known[name])
    }


def _allows_null(schema: JsonValue) -> bool:
    values = schema.get("enum") if isinstance(schema, dict) else None
    return None in values if isinstance(values, list) else _is_of(None, _kinds(schema))


def _cast(value: JsonValue, schema: dict[str, JsonValue]) -> JsonValue:
    kinds = _kinds(schema)
    if isinstance(value, str):
        if "string" not in kinds:
            return _from_text(value, kinds, schema)
        is_null = "null" in kinds and "pattern" in schema and value.casefold() in ("null", "none")
        return None if is_null else value
    if _is_of(value, kinds):
        return value
    if isinstance(value, float) and value.is_integer() and "integer" in kinds:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and "string" in kinds:
        return str(value)
    if "array" in kinds and value is not None:
        return [value]
    if isinstance(value, list) and len(value) == 1 and _is_of(value[0], kinds):
        return value[0]
    return value


def _from_text(text: str, kinds: tuple[str, ...], schema: dict[str, JsonValue]) -> JsonValue:
    """What a text says where no text is wanted."""
    if _INTEGER.fullmatch(text.strip()) and ("integer" in kinds or "number" in kinds):
        return int(text) if len(text) <= MOST_DIGITS else text
    if _NUMBER.fullmatch(text.strip()) and "number" in kinds:
        return float(text) if isfinite(float(text)) else text
    if "boolean" in kinds and text.casefold() in _BOOLEANS:
        return _BOOLEANS[text.casefold()]
    if "null" in kinds and text.casefold() in ("null", "none"):
        return None
    if "array" in kinds or "object" in kinds:
        try:
            said: JsonValue = json.loads(text)
        except ValueError:
            said = text
        if _is_of(said, kinds):
            return said
    item = fitted(text, schema.get("items")) if "array" in kinds else None
    return text if item is None else [item]


def _kinds(schema: JsonValue) -> tuple[str, ...]:
    """The types a schema names; none where it leaves them open."""
    kind = schema.get("type") if isinstance(schema, dict) else None
    return tuple(str(one) for one in (kind if isinstance(kind, list) else [kind] if kind else []))


def _is_of(value: JsonValue, kinds: tuple[str, ...]) -> bool:
    return not kinds or any(_TYPES.is_type(value, kind) for kind in kinds)
