"""Objects that a schema describes in branches (``anyOf``, ``oneOf``, ``allOf``): which names they may have, and
the same said without branches beside other keywords, which grammar engines ignore or misread."""

from __future__ import annotations

from typing import cast

from pydantic import JsonValue

Schema = dict[str, JsonValue]

MOST_SPREAD = 400
"""Properties of all branches, with those of their parent in each; where there are more, one object has them all."""
_ALTERNATIVES = ("anyOf", "oneOf")
_BRANCHES = (*_ALTERNATIVES, "allOf")
_SAYS_NOTHING = frozenset([
    "title", "description", "default", "examples", "example", "deprecated", "$comment", "$schema", "$id",
    "$defs", "definitions", "discriminator",
])  # fmt: skip


def is_open(schema: Schema) -> bool:
    """Whether an object may have properties that its schema does not name."""
    return known(schema) is None


def known(schema: Schema) -> list[str] | None:
    """The names that an object may have under the schema; None where it may have any.

    A schema that says nothing of further properties is taken at its word only where it names none: most
    servers drop what they do not know in silence, which hides a slip.
    """
    names = _names(schema)
    says = "properties" in schema or any(key in schema for key in _BRANCHES)
    return names if says or schema.get("additionalProperties") is False else None


def _names(schema: Schema) -> list[str] | None:
    if any(schema.get(key, False) is not False for key in ("additionalProperties", "unevaluatedProperties")):
        return None
    if schema.get("patternProperties"):
        return None
    properties, required = schema.get("properties"), schema.get("required")
    names = list(properties) if isinstance(properties, dict) else []
    names += [str(name) for name in required] if isinstance(required, list) else []
    for branch in branches_of(schema):
        if (more := _names(branch)) is None:
            return None
        names += more
    return list(dict.fromkeys(names))


def branches_of(schema: Schema) -> list[Schema]:
    """The parts of a schema that describe the same value."""
    parts: list[JsonValue] = [schema.get(key) for key in ("if", "then", "else")]
    for key in _BRANCHES:
        parts += cast("list[JsonValue]", schema[key]) if isinstance(schema.get(key), list) else []
    if isinstance(dependent := schema.get("dependentSchemas"), dict):
        parts += dependent.values()
    return [part for part in parts if isinstance(part, dict)]


def merged(schema: Schema) -> Schema:
    """The schema with branches merged with what stands beside them; nothing that it admits is lost."""
    if isinstance(all_of := schema.get("allOf"), list):
        whole = without(schema, "allOf")
        for part in all_of:
            whole = _both(whole, merged(part)) if isinstance(part, dict) else whole
        schema = whole
    for key in _ALTERNATIVES:
        branches = schema.get(key)
        if isinstance(branches, list) and not (schema.keys() - {key} <= _SAYS_NOTHING):
            schema = _spread(without(schema, key), branches)
    return schema


def without(schema: Schema, *keys: str) -> Schema:
    """The schema less these keywords."""
    return {key: value for key, value in schema.items() if key not in keys}


def _spread(parent: Schema, branches: list[JsonValue]) -> Schema:
    parts = [merged(branch) for branch in branches if isinstance(branch, dict)]
    if not parts or any(branch is True for branch in branches):
        return parent
    inner = next((key for key in _ALTERNATIVES if key in parent), "")
    has_more = bool(inner) or any(key in part for part in parts for key in _ALTERNATIVES)
    if has_more or len(parts) * (len(_properties(parent)) + 1) > MOST_SPREAD:
        return _pooled(without(parent, *_ALTERNATIVES), [*parts, *branches_of(parent)])
    wholes: list[JsonValue] = [dict(_both(parent, part)) for part in parts]
    described: Schema = {"description": parent["description"]} if "description" in parent else {}
    return {**described, "anyOf": wholes}


def _pooled(parent: Schema, parts: list[Schema]) -> Schema:
    """One object with the properties of all; what is required is its parent's."""
    flat: list[Schema] = []
    for part in parts:
        flat += [part, *(merged(branch) for branch in branches_of(part))]
    if not any(_properties(part) for part in (parent, *flat)):
        # Of values that are no objects nothing can be pooled.
        return without(parent, "enum", "const", "type") if len(parent) > 1 else {}
    properties = dict(_properties(parent))
    for part in flat:
        for name, value in _properties(part).items():
            properties[name] = value if properties.get(name, value) == value else {}
    pooled: Schema = {**parent, "properties": properties}
    if any(_is_open_itself(part) for part in flat):
        pooled["additionalProperties"] = True
    return pooled


def _is_open_itself(schema: Schema) -> bool:
    return schema.get("additionalProperties", False) is not False or bool(schema.get("patternProperties"))


def _properties(schema: Schema) -> Schema:
    properties = schema.get("properties")
    return properties if isinstance(properties, dict) else {}


def _both(one: Schema, other: Schema) -> Schema:
    """What both schemas ask for; where that cannot be said in one, what the first does."""
    whole: Schema = {**other, **one}
    if "properties" in one and "properties" in other:
        whole["properties"] = _both_properties(_properties(one), _properties(other))
    needed = [name for part in (one, other) for name in cast("list[JsonValue]", part.get("required") or [])]
    if needed:
        whole["required"] = list({str(name): name for name in needed}.values())
    if "type" in one and "type" in other:
        whole["type"] = _both_types(one["type"], other["type"])
    if isinstance(mine := one.get("enum"), list) and isinstance(theirs := other.get("enum"), list):
        whole["enum"] = [value for value in mine if value in theirs] or mine
    if "pattern" in one and one["pattern"] != other.get("pattern", one["pattern"]):
        del whole["pattern"]  # Only one can be sent; both are checked afterwards.
    if isinstance(mine := one.get("items"), dict) and isinstance(theirs := other.get("items"), dict):
        whole["items"] = _both(mine, theirs)
    _narrow(whole, one, other)
    return _closed_or_open(whole, one, other)


def _closed_or_open(whole: Schema, one: Schema, other: Schema) -> Schema:
    """``additionalProperties`` of both: each names properties that the other does not know."""
    rules = [part["additionalProperties"] for part in (one, other) if "additionalProperties" in part]
    if rules and "properties" in whole:
        whole["additionalProperties"] = False if False in rules else rules[0]
    return whole


def _both_properties(one: Schema, other: Schema) -> Schema:
    properties: Schema = {**one}
    for name, value in other.items():
        mine = one.get(name, value)
        both = isinstance(mine, dict) and isinstance(value, dict) and mine != value
        properties[name] = _both(cast("Schema", mine), cast("Schema", value)) if both else mine
        if mine is True:
            properties[name] = value
    return properties


def _both_types(one: JsonValue, other: JsonValue) -> JsonValue:
    mine = one if isinstance(one, list) else [one]
    theirs = other if isinstance(other, list) else [other]
    kept = [kind for kind in mine if kind in theirs or (kind == "integer" and "number" in theirs)]
    kept += ["integer"] if "number" in mine and "integer" in theirs and "integer" not in kept else []
    return (kept[0] if len(kept) == 1 else kept) if kept else one


def _narrow(whole: Schema, one: Schema, other: Schema) -> None:
    """The tighter of two bounds."""
    for key in one.keys() & other.keys():
        mine, theirs = one[key], other[key]
        if isinstance(mine, int | float) and isinstance(theirs, int | float):
            if key.startswith("min") or key == "exclusiveMinimum":
                whole[key] = max(mine, theirs)
            elif key.startswith("max") or key == "exclusiveMaximum":
                whole[key] = min(mine, theirs)
