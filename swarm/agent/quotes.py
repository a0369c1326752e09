"""Rows that quote: each typed row begins with the words of the text that it stands on.

A small model that first copies the sentence gets the rest of the row right where it otherwise
mixes people up, and what it copies can be looked up word for word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pydantic import JsonValue

from swarm.models.grammars.schemas import Schema

QUOTE = "quote"
_WORD = re.compile(r"[^\W_]+")
_LIST = re.compile(r"(?:^[ \t]*(?:[-*+•]|\d+[.)])[ \t]+\S.*\n?){2,}", re.MULTILINE)


def with_quotes(schema: Schema) -> Schema:
    """The schema of a table with a quote before the other columns of each row."""
    items = schema.get("items")
    properties = items.get("properties") if isinstance(items, dict) else None
    if not isinstance(items, dict) or not isinstance(properties, dict):
        return schema
    required = items.get("required")
    row: JsonValue = {
        **items,
        "properties": {QUOTE: {"type": "string", "minLength": 2, "maxLength": 400}, **properties},
        "required": [QUOTE, *(required if isinstance(required, list) else [])],
    }
    return {**schema, "items": row}


def split_quotes(data: JsonValue) -> tuple[JsonValue, list[str]]:
    """The rows without their quotes, and the quotes in the order of the rows."""
    if not isinstance(data, list):
        return data, []
    rows = [row for row in data if isinstance(row, dict)]
    bare: list[JsonValue] = [{name: value for name, value in row.items() if name != QUOTE} for row in rows]
    return bare, [str(row.get(QUOTE, "")) for row in rows]


def unquoted(quotes: Iterable[str], texts: Iterable[str]) -> list[str]:
    """The quotes that stand in none of the texts; punctuation and case are not held against them."""
    read = " ".join(_words(text) for text in texts)
    return [quote for quote in quotes if f" {_words(quote)} " not in f" {read} "]


def passed_over(quotes: Iterable[str], texts: Iterable[str]) -> list[str]:
    """The lines of lists of which other lines are quoted: small models at times begin a list at its second."""
    quoted = [f" {_words(quote)} " for quote in quotes]
    found: list[str] = []
    for part in [part for text in texts for part in _LIST.findall(text)]:
        lines = [line.strip() for line in part.splitlines()]
        left = [
            line
            for line in lines
            if not any(f" {_words(line)} " in quote or quote in f" {_words(line)} " for quote in quoted)
        ]
        found += left if len(left) < len(lines) else []
    return found


def _words(text: str) -> str:
    return " ".join(word.casefold() for word in _WORD.findall(text))
