"""What of a schema is sent to a server, and how."""

from __future__ import annotations

import json
import re

import pytest
from pydantic import JsonValue

from swarm.models.client.litellm import LitellmModel
from swarm.models.client.refused import Refusals
from swarm.models.client.retry import Setback, hearing
from swarm.models.grammars.schemas import closed, portable, sent, translated
from swarm.models.model import Endpoint
from swarm.nouns.messages import Message, Request
from swarm.planner.draft import draft_schema, table_schema
from swarm.testing import ScriptedModel, serving
from swarm.testing.grammar import refusal

pytestmark = pytest.mark.anyio

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


STRING: dict[str, JsonValue] = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "sent_as"),
    [
        ({"properties": {"v": True, "w": False}}, {"properties": {"v": {}}}),
        ({"enum": []}, {}),
        ({"type": "array", "items": True}, {"type": "array", "items": {}}),
        ({"type": "array", "items": False}, {"type": "array", "maxItems": 0}),
        ({"type": "array", "minItems": 5, "maxItems": 2}, {"type": "array"}),
        ({"type": "string", "minLength": 9, "maxLength": 2}, STRING),
        ({"type": "integer", "minimum": 9, "maximum": 2}, {"type": "integer"}),
        ({"type": "integer", "maximum": 10**20}, {"type": "integer"}),
        ({"type": "integer", "minimum": 0.5}, {"type": "integer"}),
        ({"type": "array", "maxItems": 1_999}, {"type": "array"}),
        ({"type": "string", "minLength": 2_001}, STRING),
        ({"type": "object", "patternProperties": {"^x": STRING}}, {"type": "object", "additionalProperties": True}),
        ({"type": "object", "properties": {"a": STRING}, "not": {"required": ["a"]}}, {"type": "object", "properties": {"a": STRING}}),
        (
            {"type": "object", "properties": {"k": STRING}, "oneOf": [{"properties": {"a": STRING}, "required": ["a"]}]},
            {"anyOf": [{"type": "object", "properties": {"k": STRING, "a": STRING}, "required": ["a"]}]},
        ),
        (
            {"type": "object", "properties": {"x": STRING}, "anyOf": [{"required": ["x"]}, {"required": ["y"]}]},
            {
                "anyOf": [
                    {"type": "object", "properties": {"x": STRING}, "required": ["x"]},
                    {"type": "object", "properties": {"x": STRING}, "required": ["y"]},
                ]
            },
        ),
        (
            {"allOf": [{"type": "object", "properties": {"a": STRING}}, {"properties": {"b": STRING}}]},
            {"type": "object", "properties": {"a": STRING, "b": STRING}},
        ),
        ({"allOf": [{"type": "string", "pattern": "^a"}, {"type": "string", "pattern": "b$"}]}, STRING),
        (
            {"type": "array", "prefixItems": [STRING], "items": {"type": "integer"}},
            {"type": "array", "items": {"anyOf": [STRING, {"type": "integer"}]}},
        ),
    ],
)  # fmt: skip
def test_a_schema_is_written_so_that_a_grammar_forces_nothing_wrong(
    schema: dict[str, JsonValue], sent_as: dict[str, JsonValue]
) -> None:
    assert translated(schema) == sent_as
    assert refusal(translated(schema)) == ""


@pytest.mark.parametrize(
    ("about", "sent_as"),
    [
        ({"type": "integer"}, {"type": "string", "pattern": "^-?[0-9]+$"}),
        ({"type": "number"}, {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}),
        ({"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^-?[0-9]+$"}),
        (
            {"type": ["integer", "null"]},
            {"anyOf": [{"type": "string", "pattern": "^-?[0-9]+$"}, {"type": "null"}]},
        ),
        ({"type": "integer", "minimum": 1, "maximum": 5}, {"type": "integer", "minimum": 1, "maximum": 5}),
        ({"type": "integer", "enum": [1, 2]}, {"type": "integer", "enum": [1, 2]}),
    ],
)
def test_where_a_long_number_stands_in_the_prompt_numbers_are_written_as_texts(
    about: dict[str, JsonValue], sent_as: dict[str, JsonValue]
) -> None:
    for said, expected in (("Delete 123456789012345678.", sent_as), ("Delete 123456789012345.", about)):
        request = Request(messages=(Message(role="user", content=said),), output_schema=about)
        assert sent(request, Endpoint(kind="llamacpp", model="m"))[1] == expected


def turn(tool: str, args: JsonValue) -> JsonValue:
    """A turn that calls a tool."""
    return closed({"tool": {"const": tool}, "args": args})


async def test_a_schema_that_a_server_refuses_is_found_out_once_named_and_not_sent_again() -> None:
    schema: dict[str, JsonValue] = {
        "anyOf": [turn("a.good", {"type": "object"}), turn("b.bad", {"type": "strin"})]
    }
    seen: list[JsonValue] = []

    def reply(request: Request) -> str:
        seen.append(request.output_schema)
        return "{}"

    heard: list[Setback] = []
    async with (
        serving(ScriptedModel(reply)) as url,
        LitellmModel(Endpoint(kind="llamacpp", model="scripted", url=url)) as model,
    ):
        request = Request(messages=(Message(role="user", content="Go."),), output_schema=schema)
        with hearing(heard.append):
            assert [(await model.reply(request)).text for _ in range(3)] == ["{}"] * 3

    loose: JsonValue = {"anyOf": [turn("a.good", {"type": "object"}), turn("b.bad", {"type": "object"})]}
    assert seen == [loose] * 3
    (setback,) = heard
    assert "#/anyOf/1/properties/args: unrecognized type strin" in setback.text
    assert setback.text.endswith(
        "the schema of b.bad is left open for it, and what is said is checked afterwards"
    )


def test_a_server_that_takes_no_schema_is_told_it_in_words_in_the_end() -> None:
    refusals = Refusals()
    schema: dict[str, JsonValue] = {
        "anyOf": [turn("a.one", {"type": "object", "properties": {}}), turn("a.two", {})]
    }
    assert "a.one, a.two" in refusals.learn(schema, "status 400: failed to parse grammar")
    loose = refusals.loosened(schema)
    assert loose == {"anyOf": [turn("a.one", {"type": "object"}), turn("a.two", {"type": "object"})]}
    assert not refusals.takes_none
    assert (
        refusals.learn(loose, "status 400: failed to parse grammar")
        == "it is told in words what a reply must be"
    )
    assert refusals.takes_none
    assert refusals.learn(loose, "status 400: no such model") == ""
