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

from swarm.messages import Message, Request
from swarm.models.model import Endpoint
from swarm.prompt import fill

Schema = dict[str, JsonValue]

MOST_REPEATS = 2_000
_LENGTHS = ("minLength", "maxLength")
_REPEATS = frozenset([*_LENGTHS, "minItems", "maxItems"])
_LACKING = frozenset([
    "multipleOf", "uniqueItems", "contains", "minContains", "maxContains", "patternProperties", "propertyNames",
])  # fmt: skip
_FORMATS = frozenset(["date", "time", "date-time", "uuid"])
"""Those that every engine knows."""
_VALUES = frozenset(["const", "enum", "default", "examples", "required"])
_NAMED = frozenset(["properties", "$defs", "definitions"])
_PIECE = re.compile(r"\[\^?(?:\\.|[^\]\\])+\]|\\.|\(\?:?|[*+?}]\?|.", re.DOTALL)
_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": " "}
_ANY = r'[^"\\]'
"""What ``.`` may be within a JSON text."""
_SIGNS = frozenset("^$.[](){}|*+?")


def sent(request: Request, endpoint: Endpoint) -> tuple[tuple[Message, ...], Schema | None]:
    """The messages and the schema to send; a server that holds to none is told it in words."""
    schema = request.output_schema
    if schema is None or endpoint.constrains:
        return request.messages, None if schema is None else _translated(json.dumps(schema))
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
def _translated(schema: str) -> Schema:
    # One for all agents: each would keep its own as long as it waits for its reply.
    return translated(json.loads(schema))


def translated(schema: Schema) -> Schema:
    """The schema in the keywords and patterns that the servers' grammar engines share."""
    kept: Schema = {}
    for key, value in schema.items():
        if key in _LACKING or (key == "format" and value not in _FORMATS):
            continue
        if key in _REPEATS and isinstance(value, int) and value > MOST_REPEATS:
            continue
        if key == "pattern" and isinstance(value, str):
            if (pattern := portable(value)) is not None:
                kept[key] = pattern
        elif key in _NAMED and isinstance(value, dict):
            kept[key] = {name: _part(part) for name, part in value.items()}
        else:
            kept[key] = value if key in _VALUES else _part(value)
    if "pattern" in kept:
        # xgrammar drops the one or the other in silence; llama.cpp the lengths.
        kept = {key: value for key, value in kept.items() if key not in _LENGTHS}
    is_empty = not kept.get("properties") and kept.get("additionalProperties") is False
    # Some builds of llama.cpp make a rule of an object without properties that does not parse.
    return {"const": {}} if is_empty and kept.get("type") == "object" else kept


def _part(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return translated(value)
    return [_part(item) for item in value] if isinstance(value, list) else value


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
