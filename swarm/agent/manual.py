"""What a model reads of its tools: all that it needs to call them, as far as its window has room for it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import product
from typing import cast

from pydantic import JsonValue

from swarm.models.grammars.schemas import Schema
from swarm.nouns.tool import Tool
from swarm.schemas.branches import merged, without

SHARE_OF_WINDOW = 0.25
CHARS_PER_TOKEN = 3
MOST_CHARS = 6_000
"""The same for all windows of 8,000 tokens or more, so that a run may go on with another model."""
FIRST_SENTENCE = 200
"""Characters at most of a description where there is no room for all of it."""
MOST_CHOICES = 12
MOST_CHOICE_CHARS = 120
MOST_ALTERNATIVES = 4
MOST_LEVELS = 3
_ALL, _TOLD, _TERSE, _BARE = 3, 2, 1, 0
"""How much is told: all, of its description the first sentence, no descriptions of parameters, names and types alone."""
_SENTENCE = re.compile(r".*?(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)(?<!\b[A-Z])[.!?](?=\s)")
_OBVIOUS = frozenset([
    "the",
    "and",
    "for",
    "this",
    "that",
    "its",
    "with",
    "which",
    "will",
    "are",
    "name",
    "value",
    "given",
])


def manual(tools: Sequence[Tool], window: int, nearest: Sequence[Tool] = ()) -> str:
    """The tools, a line each with more below it where a parameter does not explain itself; the less the
    smaller the window. Where not all can be told of all, it is of ``nearest``, the first of them first."""
    most = min(MOST_CHARS, int(window * SHARE_OF_WINDOW * CHARS_PER_TOKEN)) if window else MOST_CHARS
    known = ([detail] * len(tools) for detail in (_ALL, _TOLD, _TERSE))
    details = next((one for one in known if len(_text(tools, one)) <= most), [_BARE] * len(tools))
    for more, tool in product((_TOLD, _ALL), nearest):
        fuller = [
            max(more, detail) if one is tool else detail for one, detail in zip(tools, details, strict=True)
        ]
        details = fuller if len(_text(tools, fuller)) <= most else details
    return _text(tools, details)


def signature(tool: Tool, detail: int = _ALL) -> str:
    """A tool as one line of a prompt: ``server.tool(path: string, lines?: integer) - what it does``."""
    schema = merged(tool.input_schema)
    branches = schema.get("anyOf")
    shapes = [one for one in branches if isinstance(one, dict)] if isinstance(branches, list) else [schema]
    said = " or ".join(f"{tool.full_name}({_arguments(one, detail)})" for one in shapes[:MOST_ALTERNATIVES])
    if len(shapes) > MOST_ALTERNATIVES:
        said += f" or {len(shapes) - MOST_ALTERNATIVES} more ways"
    described = tool.description if detail == _ALL else _first_sentence(tool.description)
    return f"{said} - {described}"


def shortest(tool: Tool) -> str:
    """The least that is told of a tool, where the window has no room for more."""
    return signature(tool, _BARE)


def _text(tools: Sequence[Tool], details: Sequence[int]) -> str:
    lines: list[str] = []
    for tool, detail in zip(tools, details, strict=True):
        lines.append(signature(tool, detail))
        if detail >= _TOLD:
            lines += [f"  {name}: {text}" for name, text in _explained(tool.input_schema)]
    if _BARE not in details:
        notes = {tool.server: tool.server_notes for tool in tools if tool.server_notes}
        lines += [f"Notes of {server}: {text}" for server, text in notes.items()]
    return "\n".join(lines)


def _first_sentence(text: str) -> str:
    found = _SENTENCE.match(text)
    text = found[0] if found else text
    return text if len(text) <= FIRST_SENTENCE else text[: FIRST_SENTENCE - 1].rpartition(" ")[0] + "…"


def _explained(schema: Schema, levels: int = MOST_LEVELS) -> Iterator[tuple[str, str]]:
    """Descriptions of parameters that their names do not give away, also of parameters within others."""
    for part in (schema, *_alternatives(schema)):
        for name, about in _properties(part).items():
            if not isinstance(about, dict):
                continue
            text = about.get("description")
            if isinstance(text, str) and not _is_obvious(name, text):
                yield _spelled(name), text
            if levels > 1:
                inner = about.get("items") if isinstance(about.get("items"), dict) else about
                for deeper, words in _explained(cast("Schema", inner), levels - 1):
                    yield f"{_spelled(name)}.{deeper}", words


def _is_obvious(name: str, text: str) -> bool:
    parts = set(re.findall(r"[a-z]+", re.sub(r"([A-Z])", r" \1", name).casefold()))
    return not set(re.findall(r"\w{3,}", text.casefold())) - parts - _OBVIOUS


def _alternatives(schema: Schema) -> list[Schema]:
    found: list[Schema] = []
    for key in ("anyOf", "oneOf", "allOf"):
        branches = schema.get(key)
        found += [one for one in branches if isinstance(one, dict)] if isinstance(branches, list) else []
    return found


def _properties(schema: Schema) -> Schema:
    properties = schema.get("properties")
    return properties if isinstance(properties, dict) else {}


def _arguments(schema: Schema, detail: int, levels: int = MOST_LEVELS) -> str:
    required = schema.get("required")
    needed = required if isinstance(required, list) else []
    said = [
        f"{_spelled(name)}{'' if name in needed else '?'}: {_type(about, detail, levels)}"
        for name, about in _properties(schema).items()
    ]
    others = schema.get("additionalProperties", "properties" not in schema)
    if others is not False or schema.get("patternProperties"):
        said.append(
            f"any other name: {_type(others, detail, levels)}"
            if said
            else f"any name: {_type(others, detail, levels)}"
        )
    return ", ".join(said)


def _spelled(name: str) -> str:
    """A name as the model must write it; one with control characters in it stands in quotes."""
    return name if name.isprintable() and name else json.dumps(name)


def _type(about: JsonValue, detail: int, levels: int) -> str:
    if not isinstance(about, dict):
        return "any"
    if detail == _BARE:
        kind = about.get("type", "any")
        return " | ".join(str(one) for one in kind) if isinstance(kind, list) else str(kind)
    default = f" = {json.dumps(about['default'], ensure_ascii=False)}" if "default" in about else ""
    return _kind(merged(about), detail, levels) + default


def _kind(about: Schema, detail: int, levels: int) -> str:
    if "const" in about:
        return json.dumps(about["const"], ensure_ascii=False)
    if isinstance(values := about.get("enum"), list) and values:
        return _choices(values)
    if branches := _alternatives(about):
        return " | ".join(dict.fromkeys(_type(without(one, "default"), detail, levels) for one in branches))
    kind = about.get("type", "any")
    kinds = [str(one) for one in kind] if isinstance(kind, list) else [str(kind)]
    return " | ".join(_one_kind(one, about, detail, levels) for one in kinds)


def _one_kind(kind: str, about: Schema, detail: int, levels: int) -> str:
    if kind == "array" and isinstance(items := about.get("items"), dict):
        inner = _type(items, detail, levels - 1)
        return f"array of {f'({inner})' if ' | ' in inner else inner}" if inner != "any" else "array"
    if kind == "array" and isinstance(first := about.get("prefixItems"), list):
        return f"[{', '.join(_type(one, detail, levels - 1) for one in first)}]"
    if (
        kind == "object"
        and levels > 1
        and (_properties(about) or isinstance(about.get("additionalProperties"), dict))
    ):
        return "{" + _arguments(about, detail, levels - 1) + "}"
    if kind in ("integer", "number"):
        low, high = about.get("minimum"), about.get("maximum")
        return (
            kind
            if low is None and high is None
            else f"{kind} {'' if low is None else low}..{'' if high is None else high}"
        )
    form = about.get("format")
    return f"{kind} ({form})" if kind == "string" and isinstance(form, str) else kind


def _choices(values: list[JsonValue]) -> str:
    """The choices, whole or said to be cut: the schema of the turn holds the model to all of them."""
    said = [json.dumps(value, ensure_ascii=False) for value in values]
    kept = said[:MOST_CHOICES]
    while len(kept) > 1 and len(" | ".join(kept)) > MOST_CHOICE_CHARS:
        kept.pop()
    more = len(said) - len(kept)
    return " | ".join(kept) + (f" | {more} more" if more else "")
