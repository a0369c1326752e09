"""The schema of an object, and a request's schema as its server understands it.

llama.cpp's converter (``common/json-schema-to-grammar.cpp``; Ollama and LM Studio use it too) copies
``\\d`` into a grammar that then does not parse, wants patterns anchored, lets ``.`` match the quote
that ends a text, and refuses more than 2,000 repetitions. vLLM refuses a schema with a keyword that
xgrammar lacks (``has_xgrammar_unsupported_json_features``). What is left out here is held against
the reply afterwards: a reply is judged by the whole schema.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import lru_cache

from pydantic import JsonValue

from swarm.models.model import Endpoint
from swarm.nouns.messages import Message, Request
from swarm.nouns.prompt import fill
from swarm.schemas.branches import merged, without

Schema = dict[str, JsonValue]

MOST_REPEATS = 1_998
LONG = 10**15
"""From here on a number may be longer than llama.cpp lets one be."""
_LENGTHS = ("minLength", "maxLength")
_LEASTS, _MOSTS = ("minLength", "minItems"), ("maxLength", "maxItems")
_REPEATS = frozenset([*_LEASTS, *_MOSTS])
_BOUNDS = frozenset(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"])
_LACKING = frozenset([
    "multipleOf", "uniqueItems", "contains", "minContains", "maxContains", "patternProperties", "propertyNames",
    "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "minProperties", "maxProperties",
    "unevaluatedItems", "unevaluatedProperties",
])  # fmt: skip
_FORMATS = frozenset(["date", "time", "date-time", "uuid"])
"""Those that every engine knows."""
_VALUES = frozenset(["const", "enum", "default", "examples", "required"])
_NAMED = frozenset(["properties", "$defs", "definitions"])
_LISTS = frozenset(["anyOf", "oneOf", "allOf", "prefixItems"])
_LONG_NUMBER = re.compile(r"(?<!\d)\d{16}")
_PIECE = re.compile(r"\[\^?(?:\\.|[^\]\\])+\]|\\.|\(\?:?|[*+?}]\?|.", re.DOTALL)
_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": " "}
_ANY = r'[^"\\]'
"""What ``.`` may be within a JSON text."""
_SIGNS = frozenset("^$.[](){}|*+?")


def sent(request: Request, endpoint: Endpoint) -> tuple[tuple[Message, ...], Schema | None]:
    """The messages and the schema to send; a server that holds to none is told it in words."""
    schema = request.output_schema
    if schema is None or endpoint.constrains:
        is_long = any(_LONG_NUMBER.search(message.content) for message in request.messages)
        return request.messages, None if schema is None else _translated(json.dumps(schema), is_long)
    first, *others = request.messages
    told = f"{first.content}\n\n{fill('schema', schema=json.dumps(schema, ensure_ascii=False))}"
    return (replace(first, content=told), *others), None


def closed(properties: Schema) -> Schema:
    """The schema of an object that has all of these properties and no other."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


@lru_cache(maxsize=64)
def _translated(schema: str, has_long_numbers: bool) -> Schema:
    # One for all agents: each would keep its own as long as it waits for its reply.
    return translated(json.loads(schema), has_long_numbers=has_long_numbers)


def translated(schema: Schema, *, has_long_numbers: bool = False) -> Schema:
    """The schema in the keywords and patterns that the servers' grammar engines share.

    It admits what the schema does; what an engine can't express is left out. Where the prompt
    ``has_long_numbers``, numbers without bounds are written as texts of digits, because llama.cpp cuts
    them after 16.
    """
    return _Translation(has_long_numbers).node(schema)


class _Translation:
    """One schema on its way to a grammar engine."""

    def __init__(self, has_long_numbers: bool) -> None:
        self._has_long_numbers = has_long_numbers

    def node(self, schema: Schema) -> Schema:
        whole = _bounded(_listed(merged(schema)))
        if self._has_long_numbers and _may_be_long(whole):
            return _digits(whole)
        kept: Schema = {}
        for key, value in whole.items():
            if key in _LACKING or (key == "format" and value not in _FORMATS):
                continue
            if key == "pattern":
                if isinstance(value, str) and (pattern := portable(value)) is not None:
                    kept[key] = pattern
            else:
                kept[key] = self._keyword(key, value)
        if "pattern" in kept:
            # xgrammar drops the one or the other in silence; llama.cpp the lengths.
            kept = without(kept, *_LENGTHS)
        if "patternProperties" in whole and not kept.get("additionalProperties"):
            kept["additionalProperties"] = True
        is_empty = not kept.get("properties") and kept.get("additionalProperties") is False
        # Some builds of llama.cpp make a rule of an object without properties that does not parse.
        return {"const": {}} if is_empty and kept.get("type") == "object" else kept

    def _keyword(self, key: str, value: JsonValue) -> JsonValue:
        if key in _NAMED and isinstance(value, dict):
            return {name: self._part(part) for name, part in value.items() if part is not False}
        if key in _LISTS and isinstance(value, list):
            return [self._part(part) for part in value if part is not False] or [{}]
        return (
            self._part(value) if key == "items" or (isinstance(value, dict) and key not in _VALUES) else value
        )

    def _part(self, part: JsonValue) -> JsonValue:
        return self.node(part) if isinstance(part, dict) else {}


def _listed(schema: Schema) -> Schema:
    """Less an ``items`` and an ``enum`` that llama.cpp can't take."""
    if schema.get("enum") == []:
        schema = without(schema, "enum")
    first, others = schema.get("prefixItems"), schema.get("items")
    if first == []:
        return without(schema, "prefixItems")
    if isinstance(first, list) and isinstance(others, dict):
        # It would end the list after the first ones.
        return {**without(schema, "prefixItems"), "items": {"anyOf": [*first, others]}}
    if others is False:
        return without(schema, "items") if first else {**without(schema, "items"), "maxItems": 0}
    return schema


def _bounded(schema: Schema) -> Schema:
    """Less bounds that an engine refuses: too large, no numbers, or such that nothing lies between."""
    for key, value in schema.items():
        smallest, largest = (0, MOST_REPEATS) if key in _REPEATS else (1 - LONG, LONG - 1)
        if key in _REPEATS | _BOUNDS and not (type(value) is int and smallest <= value <= largest):
            schema = without(schema, key)
    for least, most in (("minimum", "maximum"), *zip(_LEASTS, _MOSTS, strict=True)):
        low, high = schema.get(least), schema.get(most)
        if isinstance(low, int) and isinstance(high, int) and low > high:
            schema = without(schema, least, most)
    return schema


def _may_be_long(schema: Schema) -> bool:
    kinds = schema.get("type")
    has_numbers = not {"integer", "number"}.isdisjoint(kinds if isinstance(kinds, list) else [kinds])
    return (
        has_numbers
        and not {"const", "enum"} & schema.keys()
        and not ("maximum" in schema and "minimum" in schema)
    )


def _digits(schema: Schema) -> Schema:
    """A number as a text, which is read as the number that it says."""
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    others = [kind for kind in kinds if kind not in ("integer", "number")]
    pattern = "^-?[0-9]+$" if "number" not in kinds else r"^-?[0-9]+(\.[0-9]+)?$"
    text: Schema = {"type": "string", "pattern": pattern}
    if not others:
        return text
    rest: Schema = {**without(schema, *_BOUNDS), "type": others[0] if len(others) == 1 else [*others]}
    return {"anyOf": [text, rest]}


def portable(pattern: str) -> str | None:
    """The pattern for a whole JSON text without what an engine lacks; None when it cannot be had."""
    is_open, is_closed = not pattern.startswith("^"), not re.search(r"(?<!\\)(?:\\\\)*\$\Z", pattern)
    inner = pattern[0 if is_open else 1 : None if is_closed else -1]
    pieces = [_portable(piece) for piece in _PIECE.findall(inner)]
    if None in pieces or any(int(number) > MOST_REPEATS for number in re.findall(r"\{(\d+)", inner)):
        return None
    body = "".join(piece or "" for piece in pieces)
    if "|" in body:
        if is_open != is_closed or not is_open:
            # ``^a|b$`` binds its anchors to one branch each; within a group there is no doubt.
            if re.search(r"\|(?![^(]*\))", body):
                return None
        else:
            body = f"(?:{body})"
    return f"^{_ANY + '*' if is_open else ''}{body}{_ANY + '*' if is_closed else ''}$"


def _portable(piece: str) -> str | None:
    """One piece of a pattern, or None for what has no counterpart or would end the JSON text."""
    if piece.startswith("["):
        return _portable_class(piece)
    if piece in ("^", "$", '"') or (piece.startswith("(?") and piece != "(?:"):
        return None
    if piece == ".":
        return _ANY
    if piece.startswith("\\"):
        sign = piece[1]
        if sign.lower() in _CLASSES:
            return f"[{_CLASSES[sign]}]" if sign in _CLASSES else f'[^{_CLASSES[sign.lower()]}"\\\\]'
        return None if sign.isalnum() or sign in '\\"' else piece if sign in _SIGNS else sign
    return piece.removesuffix("?") if len(piece) == 2 else piece


def _portable_class(piece: str) -> str | None:
    is_not = piece.startswith("[^")
    inner = piece[2 if is_not else 1 : -1]
    if re.search(r"\\[^dws\W]", inner) or (not is_not and re.search(r'"|\\\\', inner)):
        return None
    body = re.sub(r"\\([dws])", lambda found: _CLASSES[found[1]], inner)
    dash = "-" if "\\-" in body else ""
    body = re.sub(r"\\([^\]\\\[])", r"\1", body.replace("\\-", ""))
    return f'[^{body}"\\\\{dash}]' if is_not else f"[{body}{dash}]"
