"""The smallest instance of a schema is an instance of it."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest
from pydantic import JsonValue

from swarm.nouns.messages import Message, Request
from swarm.schemas.sample import reply, sample

SCHEMAS: list[dict[str, JsonValue]] = [
    {"type": "string", "pattern": "^[a-z][a-z_]{1,15}$", "minLength": 2},
    {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
    {"type": "string", "minLength": 40, "maxLength": 41},
    {"type": ["null", "string"]},
    {"enum": ["", "x"]},
    {"type": "array", "items": {"type": "integer", "minimum": 3}, "minItems": 2},
    {
        "type": "object",
        "properties": {"a": {"type": "boolean"}, "b": {"oneOf": [{"const": None}, {"const": 1}]}, "c": {}},
        "required": ["a", "b"],
        "additionalProperties": False,
    },
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_it_satisfies_the_schema(schema: dict[str, JsonValue]) -> None:
    jsonschema.validate(sample(schema), schema)


def test_of_the_turns_that_are_allowed_it_takes_the_one_that_ends() -> None:
    call: JsonValue = {"type": "object", "properties": {"tool": {"const": "x"}}, "required": ["tool"]}
    end: JsonValue = {"type": "object", "properties": {"result": {"type": "string"}}, "required": ["result"]}

    assert sample({"anyOf": [call, end]}) == {"result": "nothing"}


def test_without_a_schema_it_says_what_it_is() -> None:
    asked = Request(messages=(Message(role="user", content="?"),))
    assert "scripted model" in reply(asked)
    constrained = replace(asked, output_schema={"const": 3})
    assert json.loads(reply(constrained)) == 3
