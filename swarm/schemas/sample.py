"""The smallest thing a JSON Schema allows: what the scripted model says where it has no script."""

from __future__ import annotations

import json
import re
from typing import cast

from pydantic import JsonValue

from swarm.nouns.messages import Request

_WORDS = ("nothing", "none", "a", "0", "2000-01-01", "value:text", "nothing to say")
"""Tried in turn where a string has a pattern."""


def reply(request: Request) -> str:
    """The smallest reply that satisfies the request's schema, or one sentence where it has none."""
    if request.output_schema is None:
        return "This answer comes from the scripted model, which does no work."
    return json.dumps(sample(request.output_schema))


def sample(schema: JsonValue) -> JsonValue:
    """A small instance of the schema; of alternatives the one that gives a result, else the first."""
    if not isinstance(schema, dict):
        return None
    for key in ("anyOf", "oneOf"):
        if isinstance(branches := schema.get(key), list) and branches:
            return sample(next((one for one in branches if _gives_result(one)), branches[0]))
    if "const" in schema:
        return schema["const"]
    if isinstance(values := schema.get("enum"), list) and values:
        return values[0]
    kind = schema.get("type")
    return _of_type(str(kind[0] if isinstance(kind, list) and kind else kind), schema)


def _gives_result(schema: JsonValue) -> bool:
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return isinstance(properties, dict) and "result" in properties


def _of_type(kind: str, schema: dict[str, JsonValue]) -> JsonValue:
    match kind:
        case "object":
            properties = cast("dict[str, JsonValue]", schema.get("properties") or {})
            required = cast("list[str]", schema.get("required") or [])
            return {name: sample(properties.get(name)) for name in required}
        case "array":
            return [sample(schema.get("items")) for _ in range(_number(schema, "minItems"))]
        case "string":
            return _string(schema)
        case "integer" | "number":
            return _number(schema, "minimum")
        case "boolean":
            return False
        case _:
            return None


def _number(schema: dict[str, JsonValue], key: str) -> int:
    value = schema.get(key)
    return int(value) if isinstance(value, int | float) else 0


def _string(schema: dict[str, JsonValue]) -> str:
    pattern = schema.get("pattern")
    fitting = (word for word in _WORDS if not isinstance(pattern, str) or re.search(pattern, word))
    word = next(fitting, _WORDS[0]).ljust(_number(schema, "minLength"), ".")
    longest = schema.get("maxLength")
    return word[:longest] if isinstance(longest, int) else word
