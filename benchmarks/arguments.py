"""Arguments made from a published schema, the fewest and all, with nothing of ours in it but the library."""

from __future__ import annotations

from typing import cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from jsonschema.validators import validator_for
from pydantic import JsonValue
from referencing import Registry
from referencing.exceptions import Unresolvable

Schema = dict[str, JsonValue]
MOST_LEVELS = 8
_PLAIN = ("string", "number", "integer", "boolean")
_TEXTS = (
    "word", "1", "a1", "12", "2026-01-02", "2026-01-02T03:04:05Z", "https://host.example/a", "name@host.example", "#aabbcc",
    "ABC", "abc-def", "a/b", "/a", "0" * 24, "00000000-0000-4000-8000-000000000000", "10:30", "1.2.3", "A-1", "1d", "+4915112345678",
    "a" * 32, "0x" + "0" * 40, "en", "en-US", "key:value", "AB", "ABCDE", "1234567890", "2026-01", "127.0.0.1", "", "a_b", "a.b",
)  # fmt: skip


def minimal(schema: Schema) -> dict[str, JsonValue]:
    """The fewest arguments."""
    return _object(_Maker(schema, is_full=False).value(schema, 0))


def full(schema: Schema) -> dict[str, JsonValue]:
    """All arguments, one level within the other."""
    return _object(_Maker(schema, is_full=True).value(schema, 0))


def spoiled(schema: Schema, args: dict[str, JsonValue]) -> list[dict[str, JsonValue]]:
    """The arguments made wrong in a way each: one that is required left out, a choice that is none, and an
    object for a plain value. The library must say of each whether it is."""
    properties = schema.get("properties")
    known = {
        name: part
        for name, part in (properties.items() if isinstance(properties, dict) else ())
        if isinstance(part, dict)
    }
    required = schema.get("required")
    needed = [name for name in required if name in args] if isinstance(required, list) else []
    choices = [name for name, part in known.items() if isinstance(part.get("enum"), list)]
    plain = [name for name, part in known.items() if part.get("type") in _PLAIN]
    made: list[dict[str, JsonValue]] = [
        {name: value for name, value in args.items() if name != left_out} for left_out in needed[:1]
    ]
    made += [{**args, name: "no such choice"} for name in choices[:1]]
    no_value: JsonValue = {"no": "such kind"}
    made += [{**args, name: no_value} for name in plain[:1]]
    return made


def fits(schema: Schema, args: dict[str, JsonValue]) -> bool:
    """Whether the library takes the arguments under the dialect that the schema names."""
    kind = validator_for(schema, default=Draft202012Validator)
    try:
        return kind(schema, registry=Registry()).is_valid(args)
    except (SchemaError, Unresolvable, ValueError, TypeError, AttributeError, RecursionError):
        return False
    except Exception as error:  # the library's own check of patterns
        if type(error).__name__ in ("error", "PatternError", "UnknownType"):
            return False
        raise


def _object(value: JsonValue) -> dict[str, JsonValue]:
    return value if isinstance(value, dict) else {}


class _Maker:
    """Makes values for one schema."""

    def __init__(self, root: Schema, *, is_full: bool) -> None:
        self._root = root
        self._is_full = is_full

    def value(self, schema: JsonValue, level: int) -> JsonValue:
        if not isinstance(schema, dict) or level > MOST_LEVELS:
            return "word"
        if isinstance(reference := schema.get("$ref"), str):
            return self.value(self._target(reference), level + 1)
        if "const" in schema:
            return schema["const"]
        if isinstance(values := schema.get("enum"), list) and values:
            return values[-1] if self._is_full else values[0]
        for key in ("anyOf", "oneOf", "allOf"):
            if isinstance(branches := schema.get(key), list) and branches:
                return self._branch(schema, branches, key, level)
        return self._typed(schema, level)

    def _branch(self, schema: Schema, branches: list[JsonValue], key: str, level: int) -> JsonValue:
        beside: Schema = {name: part for name, part in schema.items() if name != key}
        chosen = branches if key == "allOf" else [branches[-1] if self._is_full else branches[0]]
        values = [self.value(branch, level + 1) for branch in chosen]
        own = self._typed(beside, level) if "properties" in beside else None
        objects = [one for one in (own, *values) if isinstance(one, dict)]
        if not objects:
            return values[0]
        whole: Schema = {}
        for one in objects:
            whole |= one
        properties = cast("Schema", beside.get("properties") or {})
        for branch in chosen:
            needed = branch.get("required") if isinstance(branch, dict) else None
            for name in needed if isinstance(needed, list) else []:
                if str(name) not in whole or str(name) in properties:
                    whole[str(name)] = self.value(properties.get(str(name), whole.get(str(name))), level + 1)
        return whole

    def _target(self, reference: str) -> JsonValue:
        node: JsonValue = self._root
        for part in reference.lstrip("#").split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            steps: Schema = node if isinstance(node, dict) else {}
            if isinstance(node, list):
                steps = {str(at): one for at, one in enumerate(node)}
            node = steps.get(name)
        return node

    def _typed(self, schema: Schema, level: int) -> JsonValue:
        kinds = schema.get("type")
        if isinstance(kinds, list):
            kinds = kinds[-1] if self._is_full else kinds[0]
        if kinds is None:
            kinds = "object" if "properties" in schema else "array" if "items" in schema else "string"
        match kinds:
            case "object":
                return self._properties(schema, level)
            case "array":
                return self._items(schema, level)
            case "integer" | "number":
                return _number(schema)
            case "boolean":
                return self._is_full
            case "null":
                return None
            case _:
                return _text(schema)

    def _properties(self, schema: Schema, level: int) -> JsonValue:
        properties = schema.get("properties")
        known = properties if isinstance(properties, dict) else {}
        required = schema.get("required")
        needed = [str(name) for name in required] if isinstance(required, list) else []
        names = [*dict.fromkeys([*needed, *known])] if self._is_full and level < 3 else needed
        made: Schema = {name: self.value(known.get(name, "word"), level + 1) for name in names}
        if self._is_full and not known and isinstance(others := schema.get("additionalProperties"), dict):
            made["word"] = self.value(others, level + 1)
        return made

    def _items(self, schema: Schema, level: int) -> JsonValue:
        items = schema.get("prefixItems", schema.get("items"))
        if isinstance(items, list):
            return [self.value(one, level + 1) for one in items]
        least = schema.get("minItems", 1 if self._is_full and level < 4 else 0)
        made = [self.value(items, level + 1) for _ in range(int(cast("int", least)))]
        if schema.get("uniqueItems") and len(made) > 1:
            made = [f"{one}{at}" if isinstance(one, str) else one for at, one in enumerate(made)]
        return made


def _number(schema: Schema) -> JsonValue:
    low, high = (
        schema.get("minimum", schema.get("exclusiveMinimum")),
        schema.get("maximum", schema.get("exclusiveMaximum")),
    )
    value: float = 1
    if isinstance(low, int | float) and not isinstance(low, bool) and value <= low:
        value = low + 1 if not isinstance(high, int | float) or low + 1 <= high else low
    if isinstance(high, int | float) and not isinstance(high, bool) and value > high:
        value = high
    if isinstance(step := schema.get("multipleOf"), int) and step > 1 and value % step:
        value = step * (value // step + 1)
    return value


def _text(schema: Schema) -> str:
    least, most = int(cast("int", schema.get("minLength", 0))), schema.get("maxLength")
    part: Schema = {key: one for key, one in schema.items() if key in ("pattern", "minLength", "maxLength")}
    form = schema.get("format")
    wanted = {"uri": 6, "url": 6, "email": 7, "date": 4, "date-time": 5, "uuid": 14}.get(str(form), 0)
    texts = [_TEXTS[wanted], *_TEXTS]
    texts += [text.ljust(least, "a")[: most if isinstance(most, int) else None] for text in texts]
    return next((text for text in texts if fits({"type": "string", **part}, cast("Schema", text))), "word")
