"""What of a schema is sent to a server, and how."""

from __future__ import annotations

import json
import re

import pytest
from pydantic import JsonValue

from swarm.messages import Message, Request
from swarm.models.model import Endpoint
from swarm.models.schemas import portable, sent, translated
from swarm.planner.draft import draft_schema, table_schema

SCHEMA: dict[str, JsonValue] = {
    "type": "object",
    "properties": {"day": {"type": "string", "pattern": r"^\d{4}$"}},
}
REQUEST = Request(
    messages=(Message(role="system", content="Be brief."), Message(role="user", content="Which day?")),
    output_schema=SCHEMA,
)


@pytest.mark.parametrize(
    ("pattern", "sent_as"),
    [
        (r"^\d+$", "^[0-9]+$"),
        (r"\d{2}", r'^[^"\\]*[0-9]{2}[^"\\]*$'),
        (r"^[\w-]+$", "^[A-Za-z0-9_-]+$"),
        (r"^https?:\/\/[^\s]+$", r'^https?://[^ "\\]+$'),
        (r"^.*\.md$", r'^[^"\\]*\.md$'),
        ("a|b", r'^[^"\\]*(?:a|b)[^"\\]*$'),
        ("^(a|b)$", "^(a|b)$"),
        ("^a|b$", None),
        ("^(?!x)a$", None),
        (r"^(a)\1$", None),
        ("^x{3000}$", None),
        ('^"$', None),
    ],
)
def test_a_pattern_is_written_as_every_engine_reads_it_or_left_out(pattern: str, sent_as: str | None) -> None:
    assert portable(pattern) == sent_as


@pytest.mark.parametrize(
    "pattern", [r"^\d+$", r"\d{2}", r"^[\w-]+$", r"^[^\s,]+$", r"^.*\.md$", "a|b", r"x\.y"]
)
@pytest.mark.parametrize("text", ["12", "a-b", "x.y", "notes/a.md", "b", "a b", "", "x_9"])
def test_a_rewritten_pattern_matches_the_same_texts(pattern: str, text: str) -> None:
    rewritten = portable(pattern)
    assert rewritten is not None
    assert bool(re.search(rewritten, text)) == bool(re.search(pattern, text))


def test_what_an_engine_lacks_is_left_out_and_names_of_properties_are_not_keywords() -> None:
    schema: dict[str, JsonValue] = {
        "type": "object",
        "properties": {
            "pattern": {"type": "string", "maxLength": 9_000, "format": "email"},
            "format": {"type": "array", "items": {"type": "number", "multipleOf": 5}, "uniqueItems": True},
            "code": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
            "none": {"type": "object", "properties": {}, "additionalProperties": False},
        },
        "required": ["pattern"],
    }
    assert translated(schema) == {
        "type": "object",
        "properties": {
            "pattern": {"type": "string"},
            "format": {"type": "array", "items": {"type": "number"}},
            "code": {"type": "string", "pattern": "^[a-z]+$"},
            "none": {"const": {}},
        },
        "required": ["pattern"],
    }


def test_our_own_schemas_are_sent_as_they_are() -> None:
    plan = draft_schema(["analyst"], ["notes/*.md"], ["out.csv"])
    table = table_schema(["owner:text", "due:date", "amount:number"])
    assert translated(plan) == plan
    assert translated(table) == table


def test_a_server_that_holds_replies_to_a_schema_gets_it_beside_the_messages() -> None:
    messages, schema = sent(REQUEST, Endpoint(kind="llamacpp", model="m"))
    assert messages == REQUEST.messages
    assert schema == {"type": "object", "properties": {"day": {"type": "string", "pattern": "^[0-9]{4}$"}}}


def test_a_server_that_does_not_is_told_it_once_in_words() -> None:
    messages, schema = sent(REQUEST, Endpoint(kind="openai", model="m", constrains=False))
    assert schema is None
    assert json.dumps(SCHEMA) in messages[0].content
    assert messages[0].content.startswith("Be brief.\n\n")
    assert messages[1:] == REQUEST.messages[1:]
