"""The form of a typed answer: its schema, how it is told to a model, and whether a value has it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from pydantic import JsonValue, TypeAdapter, ValidationError

from swarm.errors import ProjectError
from swarm.work.context import one_line

Schema = dict[str, JsonValue]
_SCHEMA: TypeAdapter[Schema] = TypeAdapter(Schema)
_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)
_ASIDE = frozenset(["title", "description", "default", "examples", "judged", "discriminator", "deprecated"])
"""Keywords that say nothing of which values fit."""
_NAMED = frozenset(["properties", "$defs"])
MOST_REFERENCES = 500
NULL = "null"


@dataclass(frozen=True)
class Form:
    """What a typed answer must be."""

    adapter: TypeAdapter[object]
    schema: Schema
    """With descriptions, defaults and marks; references that lead into themselves are left."""

    @property
    def sent(self) -> Schema:
        """The schema that a reply is held to: no more than says which values fit."""
        return _bare(self.schema)

    @property
    def of_values(self) -> Schema | None:
        """The same, where it is one object of plain values, or a list of such objects: what a program can give.
        A choice among words is a judgement, and none of it."""
        sent = self.sent
        row = sent.get("items") if sent.get("type") == "array" else sent
        properties = row.get("properties") if isinstance(row, dict) else None
        if not isinstance(properties, dict) or not properties:
            return None
        return sent if all(_is_plain(part) for part in properties.values()) else None

    def value(self, data: JsonValue) -> object:
        """The value of the type.

        Raises:
            ValueError: the data is none; the text says where and why.
        """
        try:
            return self.adapter.validate_json(json.dumps(data))
        except ValidationError as error:
            found = [_said(one["loc"], one["msg"], one["input"]) for one in error.errors(include_url=False)]
            more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
            raise ValueError("; ".join(found[:3]) + more) from error
        except Exception as error:  # foreign code: whatever a validator of the type raises
            raise ValueError(f"{type(error).__name__}: {one_line(str(error), 160)}") from error


def with_nulls(form: Form, data: JsonValue, read: str) -> JsonValue:
    """The data with null where a model wrote the word, if the type takes it and nothing that was read has the word."""
    if NULL in re.findall(r"\w+", read.casefold()):
        return data
    meant = _meant(data)
    try:
        form.value(meant)
    except ValueError:
        return data
    return meant


def _meant(data: JsonValue) -> JsonValue:
    if isinstance(data, list):
        return [_meant(part) for part in data]
    if isinstance(data, dict):
        return {key: _meant(part) for key, part in data.items()}
    return None if isinstance(data, str) and data.strip().casefold() == NULL else data


def _said(place: tuple[int | str, ...], message: str, given: object) -> str:
    where = ".".join(str(part) for part in place)
    return f"{where + ': ' if where else ''}{message}, got {one_line(repr(given), 80)}"


def form_of(answer_type: object) -> Form | None:
    """The form of a type; None for prose.

    Raises:
        ProjectError: no JSON Schema can be made of it.
    """
    if answer_type is None:
        return None
    try:
        adapter: TypeAdapter[object] = TypeAdapter(cast("type[object]", answer_type))
        schema = _SCHEMA.validate_python(adapter.json_schema())
        return Form(adapter, _Inliner(schema).whole())
    except Exception as error:  # pydantic raises what it happens to meet in what is no type
        raise ProjectError(
            f"answer_type={one_line(repr(answer_type), 80)} cannot be asked for: {one_line(str(error), 160)}; "
            "give a pydantic model, a dataclass, or a type of texts, numbers, dates, lists and choices"
        ) from error


class _Inliner:
    """Puts definitions where they are referred to, as a reply's schema lies deeper than its root; closes objects."""

    def __init__(self, schema: Schema) -> None:
        self._root = schema
        definitions = schema.get("$defs")
        self._defs = definitions if isinstance(definitions, dict) else {}
        self._looped: dict[str, JsonValue] = {}
        self._references = 0

    def whole(self) -> Schema:
        """The schema; it has ``$defs`` only where a definition leads to itself."""
        done = self._node({key: value for key, value in self._root.items() if key != "$defs"}, ())
        left: list[str] = [name for name in self._looped if self._looped[name] is None]
        while left:
            name = left.pop()
            self._looped[name] = self._node(_dict(self._defs.get(name)), (name,))
            left += [other for other, node in self._looped.items() if node is None and other not in left]
        return {**done, "$defs": self._looped} if self._looped else done

    def _node(self, node: Schema, inside: tuple[str, ...]) -> Schema:
        reference = node.get("$ref")
        if isinstance(reference, str):
            name = reference.rpartition("/")[2]
            beside = {key: value for key, value in node.items() if key != "$ref"}
            self._references += 1
            if name in inside or self._references > MOST_REFERENCES:
                self._looped.setdefault(name, None)
                return {"$ref": f"#/$defs/{name}", **beside}
            return self._node({**_dict(self._defs.get(name)), **beside}, (*inside, name))
        done = {key: self._part(key, value, inside) for key, value in node.items() if key != "oneOf"}
        if "oneOf" in node:  # the one that fits is told by what it demands; engines know anyOf better
            done["anyOf"] = self._part("anyOf", node["oneOf"], inside)
        return _demanding(done)

    def _part(self, key: str, value: JsonValue, inside: tuple[str, ...]) -> JsonValue:
        if key in ("enum", "const", "default", "examples", "required", "discriminator"):
            return value
        if key in _NAMED and isinstance(value, dict):
            return {name: self._node(_dict(part), inside) for name, part in value.items()}
        if isinstance(value, list):
            return [self._node(part, inside) if isinstance(part, dict) else part for part in value]
        return self._node(value, inside) if isinstance(value, dict) else value


def _demanding(node: Schema) -> Schema:
    """An object that names its fields, closed; each must be given that may be null: what is left out in
    silence looks as if it was not stated."""
    properties = node.get("properties")
    if not isinstance(properties, dict):
        return node
    required = node.get("required")
    needed = required if isinstance(required, list) else []
    wanted: list[JsonValue] = [
        name
        for name, part in properties.items()
        if name in needed or "default" not in _dict(part) or _dict(part)["default"] is None
    ]
    return {"additionalProperties": False, **node, "required": wanted}


def _bare(node: Schema) -> Schema:
    bare: Schema = {}
    for key, value in node.items():
        if key in _NAMED and isinstance(value, dict):
            bare[key] = {name: _bare(_dict(part)) for name, part in value.items()}
        elif key in ("enum", "const", "required"):
            bare[key] = value
        elif key not in _ASIDE:
            bare[key] = _bare_part(value)
    return bare


def _bare_part(value: JsonValue) -> JsonValue:
    if isinstance(value, list):
        return [_bare(part) if isinstance(part, dict) else part for part in value]
    return _bare(value) if isinstance(value, dict) else value


def _is_plain(node: JsonValue) -> bool:
    if not isinstance(node, dict) or "enum" in node or "const" in node:
        return False
    branches = node.get("anyOf")
    if isinstance(branches, list):
        return all(map(_is_plain, branches))
    return node.get("type") in ("string", "number", "integer", "null")


def _dict(value: JsonValue) -> Schema:
    return value if isinstance(value, dict) else {}


_FORMATS = {
    "date": "date as YYYY-MM-DD",
    "date-time": "date and time as YYYY-MM-DDTHH:MM:SS",
    "time": "time as HH:MM:SS",
    "duration": "duration as PT1H30M",
}
_TYPES = {"string": "text", "integer": "whole number", "boolean": "true or false"}


def outline(schema: Mapping[str, JsonValue]) -> str:
    """The form in words: each field with its kind, its choices, and what its description says."""
    definitions = _dict(schema.get("$defs"))
    told = [f"{name} is {_words(_dict(node), 0)}" for name, node in definitions.items()]
    about = schema.get("description")
    head = f" ({_line(about)})" if isinstance(about, str) and about.strip() else ""
    return "\n".join([f"{_words(schema, 0)}{head}", *told])


def _words(node: Mapping[str, JsonValue], depth: int) -> str:
    for key in ("anyOf", "allOf"):
        if isinstance(branches := node.get(key), list):
            kinds = [_words(_dict(branch), depth) for branch in branches]
            return " or ".join(dict.fromkeys(sorted(kinds, key=lambda kind: kind == "null")))
    if isinstance(values := node.get("enum"), list):
        return " or ".join(json.dumps(value, ensure_ascii=False) for value in values)
    if "const" in node:
        return json.dumps(node["const"], ensure_ascii=False)
    if isinstance(reference := node.get("$ref"), str):
        return reference.rpartition("/")[2]
    kind = node.get("type")
    if kind == "array":
        return _list(node, depth)
    if kind == "object" or "properties" in node:
        return _object(node, depth)
    if kind in ("integer", "number"):
        return _number(str(kind), node)
    return _text(kind, node)


def _text(kind: JsonValue, node: Mapping[str, JsonValue]) -> str:
    form = node.get("format")
    if isinstance(form, str):
        return _FORMATS.get(form, f"text ({form})")
    pattern = node.get("pattern")
    if kind == "string" and isinstance(pattern, str) and len(pattern) <= 60 and "(?" not in pattern:
        return f"text of the pattern {pattern}"
    return _TYPES.get(str(kind), str(kind or "any value"))


def _number(kind: str, node: Mapping[str, JsonValue]) -> str:
    word = _TYPES.get(kind, kind)
    least, most = node.get("minimum"), node.get("maximum")
    if least is not None and most is not None:
        return f"{word} from {least} to {most}"
    if least is not None or most is not None:
        return f"{word} of at least {least}" if least is not None else f"{word} of at most {most}"
    return word


def _list(node: Mapping[str, JsonValue], depth: int) -> str:
    least, most = node.get("minItems"), node.get("maxItems")
    if isinstance(heads := node.get("prefixItems"), list):
        return f"[{', '.join(_words(_dict(head), depth) for head in heads)}]"
    many = f"{least} to {most}" if least and most else f"at least {least}" if least else ""
    many = many or (f"at most {most}" if most else "")
    return f"a list of {many + ' of ' if many else ''}{_words(_dict(node.get('items')), depth)}"


def _object(node: Mapping[str, JsonValue], depth: int) -> str:
    properties = _dict(node.get("properties"))
    if not properties:
        others = node.get("additionalProperties")
        return (
            f"an object of names, each with {_words(others, depth)}" if isinstance(others, dict) else "object"
        )
    inner, outer = "  " * (depth + 1), "  " * depth
    lines = [f"{inner}{name}: {_field(_dict(part), depth + 1)}" for name, part in properties.items()]
    return "{\n" + "\n".join(lines) + f"\n{outer}}}"


def _field(node: Mapping[str, JsonValue], depth: int) -> str:
    """A field's kind, and beside it what its description says and what it is without a word."""
    notes: list[str] = []
    about, default = node.get("description"), node.get("default")
    if isinstance(about, str) and about.strip():
        notes.append(_line(about))
    if node.get("judged") is True:
        notes.append("judge it")
    if default is not None:
        notes.append(f"{json.dumps(default, ensure_ascii=False)} where it is not said")
    return _words(node, depth) + (f" - {'; '.join(notes)}" if notes else "")


def _line(text: str) -> str:
    return one_line(text.strip().partition("\n\n")[0], 300)
