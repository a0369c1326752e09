"""Holds a value against a schema that others wrote: under the dialect it names, and never for long.

What cannot be checked here (a pattern that Python does not know, or that takes too long) is passed
over: who wrote the schema checks it again.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Generator, Iterable, Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, cast

import regex
from jsonschema import Draft7Validator, Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend as _extend  # pyright: ignore[reportUnknownVariableType]  # it has no types
from jsonschema.validators import validator_for
from pydantic import JsonValue
from referencing import Registry
from referencing.exceptions import Unresolvable

Schema = dict[str, JsonValue]

CHECK_SECONDS = 0.5
"""Time that all patterns of one check may take together; a match is cut off when it is over."""
LONGEST_PATTERN = 2_000
MOST_MENDS = 100
"""Malformed keywords of one schema that are passed over."""

_ALIASES = {
    "int": "integer", "long": "integer", "float": "number", "double": "number", "decimal": "number",
    "str": "string", "text": "string", "date": "string", "datetime": "string", "uuid": "string",
    "bool": "boolean", "dict": "object", "map": "object", "list": "array", "tuple": "array",
    "none": "null", "any": "",
}  # fmt: skip
"""Names of types that servers write and JSON Schema lacks; an empty one says nothing."""
_VALUES = frozenset(["const", "enum", "default", "examples", "example"])
_NAMED = frozenset(["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"])

_ENDS_AT: ContextVar[float] = ContextVar("the end of a check's patterns")
_slow: set[str] = set()
"""Patterns that were cut off once; they are not tried again."""


class Malformed(Exception):
    """A schema that is none; the text says where and why, as what follows the word *schema*."""


def problems(schema: Schema, value: JsonValue | Mapping[str, JsonValue]) -> Generator[ValidationError]:
    """Where the value breaks the schema; what cannot be checked is passed over.

    Raises:
        Malformed: the schema is none, or refers to what is not in it.
    """
    errors = validator(json.dumps(schema)).iter_errors(value)
    _ENDS_AT.set(time.monotonic() + CHECK_SECONDS)
    try:
        yield from cast("Iterable[ValidationError]", errors)
    except Unresolvable as error:
        raise Malformed(f"refers to {error.ref!r}, which is not in it") from error
    except RecursionError as error:
        raise Malformed("refers to itself without end") from error


@lru_cache(maxsize=512)
def validator(schema: str) -> Validator:
    """Checks values against the schema, given as JSON, under the dialect it names.

    Raises:
        Malformed: it is no JSON Schema.
    """
    whole, kind = _mended(schema)
    # The empty registry keeps a reference from being fetched over the network.
    return _safe(kind)(whole, registry=Registry())


def mended(schema: Schema) -> tuple[Schema, type[Validator]]:
    """The schema without what is malformed in it, and the dialect that it is written in.

    ``"properties": []`` (what PHP makes of an empty map) says nothing and so does an ``enum`` of
    nothing; a tuple of draft 7 without ``$schema`` is one.

    Raises:
        Malformed: a type that no dialect knows, or more that is malformed than can be passed over.
    """
    return _mended(json.dumps(schema))


@lru_cache(maxsize=1_024)
def _mended(schema: str) -> tuple[Schema, type[Validator]]:
    # Holding a schema against that of its dialect takes milliseconds, and a server may list hundreds.
    whole = cast("Schema", _readable(json.loads(schema)))
    kind = validator_for(whole, default=Draft202012Validator)
    if kind is Draft202012Validator and "$schema" not in whole and _has_tuple(whole):
        kind = Draft7Validator
    meta = cast("Any", kind(kind.META_SCHEMA))  # its stubs know it in part
    for _ in range(MOST_MENDS):
        error = next(iter(cast("Iterable[ValidationError]", meta.iter_errors(whole))), None)
        if error is None:
            return whole, kind
        _drop(whole, error)
    raise Malformed(f"has more than {MOST_MENDS} mistakes")


def _readable(value: JsonValue) -> JsonValue:
    """Without what other dialects write: types by other names, and ``nullable`` as OpenAPI has it."""
    if isinstance(value, list):
        return [_readable(part) for part in value]
    if not isinstance(value, dict):
        return value
    read: Schema = {}
    for key, part in value.items():
        if key in _NAMED and isinstance(part, dict):
            read[key] = {name: _readable(one) for name, one in part.items()}
        elif key == "enum" and part == []:
            continue
        else:
            read[key] = part if key in _VALUES else _readable(part)
    if isinstance(kind := read.get("type"), str) and kind not in _KNOWN:
        read["type"] = _ALIASES.get(kind.casefold(), kind)
        if not read["type"]:
            del read["type"]
    return _nullable(read) if read.get("nullable") is True else read


_KNOWN = frozenset(["object", "array", "string", "integer", "number", "boolean", "null"])


def _nullable(node: Schema) -> Schema:
    kind = node.get("type")
    if isinstance(kind, str) and kind != "null":
        node = {**node, "type": [kind, "null"]}
    if isinstance(values := node.get("enum"), list) and None not in values:
        node = {**node, "enum": [*values, None]}
    if isinstance(branches := node.get("anyOf"), list):
        node = {**node, "anyOf": [*branches, {"type": "null"}]}
    return node


def _has_tuple(value: JsonValue) -> bool:
    if isinstance(value, list):
        return any(_has_tuple(part) for part in value)
    if not isinstance(value, dict):
        return False
    if isinstance(value.get("items"), list):
        return True
    return any(_has_tuple(part) for key, part in value.items() if key not in _VALUES)


def _drop(schema: Schema, error: ValidationError) -> None:
    """Takes the malformed keyword out of the schema."""
    path = list(error.absolute_path)
    while error.context and not path:
        error = error.context[0]
        path = list(error.absolute_path)
    is_type = any(part == "type" for part in path[-2:]) and not isinstance(error.instance, dict)
    if not path or is_type:
        place = "/".join(str(part) for part in path)
        raise Malformed(f"is none: {_cut(error.message)}" + (f" ({place})" if place else ""))
    node: Any = schema
    for part in path[:-1]:
        node = node[part]
    last = path[-1]
    is_named = last in _NAMED or (path[-2:-1] and path[-2] in _NAMED)
    if is_named and node[last] != {}:
        node[last] = {}
    else:
        del node[last]


def _cut(text: str, length: int = 120) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def matches(pattern: str, text: str) -> bool | None:
    """Whether the pattern is found in the text; None where that cannot be told."""
    compiled = _compiled(pattern)
    if compiled is None or pattern in _slow:
        return None
    now = time.monotonic()
    seconds = _ENDS_AT.get(now + CHECK_SECONDS) - now
    if seconds <= 0:
        return None
    try:
        return compiled.search(text, timeout=seconds) is not None
    except TimeoutError:
        _slow.add(pattern)
        return None


@lru_cache(maxsize=1_024)
def _compiled(pattern: str) -> regex.Pattern[str] | None:
    if len(pattern) > LONGEST_PATTERN:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return regex.compile(pattern)
    except (regex.error, ValueError, RecursionError, OverflowError):
        return None  # ECMAScript's, and unknown here


Errors = Generator[ValidationError]


def _pattern(_: Validator, pattern: object, instance: object, schema: object) -> Errors:
    if isinstance(instance, str) and isinstance(pattern, str) and matches(pattern, instance) is False:
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(checker: Any, patterns: object, instance: object, schema: object) -> Errors:
    if not isinstance(instance, dict) or not isinstance(patterns, dict):
        return
    for pattern, part in cast("dict[str, object]", patterns).items():
        for name, value in cast("dict[str, object]", instance).items():
            if matches(pattern, name):
                yield from checker.descend(value, part, path=name, schema_path=pattern)


def _additional(checker: Any, rule: object, instance: object, schema: object) -> Errors:
    if not isinstance(instance, dict) or not isinstance(schema, dict):
        return
    own = cast("dict[str, Any]", schema)
    known = cast("dict[str, object]", own.get("properties") or {})
    patterns = cast("dict[str, object]", own.get("patternProperties") or {})
    for name, value in cast("dict[str, object]", instance).items():
        if name in known or any(matches(pattern, name) is not False for pattern in patterns):
            continue
        if rule is False:
            yield ValidationError(f"there is no property {name!r} here")
        elif isinstance(rule, dict):
            yield from checker.descend(value, rule, path=name)


def _passed_over(_: Validator, rule: object, instance: object, schema: object) -> Errors:
    """The library's own check of this keyword runs patterns without a limit."""
    return
    yield


@lru_cache(maxsize=16)
def _safe(kind: type[Validator]) -> type[Validator]:
    mine = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional,
        "unevaluatedProperties": _passed_over,
        "unevaluatedItems": _passed_over,
    }
    known = {key: one for key, one in mine.items() if key in kind.VALIDATORS}
    return cast("type[Validator]", _extend(kind, known))  # type: ignore[no-untyped-call]  # it has no types
