"""What a turn may be, and what is made of replies that are nearly one."""

from __future__ import annotations

import json
from enum import Enum

import jsonschema
import pytest
from pydantic import BaseModel, JsonValue

from swarm.agent.turn import Cannot, Give, TurnRules, parse, shape
from swarm.errors import MalformedReply
from swarm.hub.tools.schema import Trimmer
from swarm.models.grammars.schemas import translated
from swarm.nouns.tool import Tool, ToolCall
from swarm.testing.grammar import refusal

READ = Tool(
    server="files",
    name="read",
    description="Text of a file.",
    input_schema={
        "type": "object",
        "properties": {"path": {"type": "string"}, "start": {"type": "integer"}},
        "required": ["path"],
    },
)
NUMBER: dict[str, JsonValue] = {"type": "integer"}
RULES = TurnRules((READ,), NUMBER)


def test_the_schema_admits_a_call_a_result_and_giving_up_and_nothing_else() -> None:
    schema = RULES.schema()

    def is_admitted(turn: JsonValue) -> bool:
        try:
            jsonschema.validate(turn, schema)
        except jsonschema.ValidationError:
            return False
        return True

    admitted: list[JsonValue] = [
        {"tool": "files.read", "args": {"path": "a.md"}},
        {"result": 3},
        {"cannot": "there is no such file"},
    ]
    refused: list[JsonValue] = [
        {"tool": "files.write", "args": {}},
        {"tool": "files.read", "args": {"file": "a.md"}},
        {"result": "three"},
        {"result": 3, "tool": "files.read"},
        {},
    ]
    assert [is_admitted(one) for one in admitted] == [True] * len(admitted)
    assert [is_admitted(one) for one in refused] == [False] * len(refused)


@pytest.mark.parametrize(
    "text",
    [
        '{"tool": "files.read", "args": {"path": "a.md"}}',
        'I will read it.\n```json\n{"tool": "files.read", "args": {"path": "a.md"}}\n```',
        '{"name": "files.read", "arguments": "{\\"path\\": \\"a.md\\"}"}',
        '{"tool": "read", "args": {"path": "a.md"}} and then I will go on',
    ],
)
def test_a_call_is_read_out_of_what_is_said_around_it(text: str) -> None:
    assert parse(text, RULES) == ToolCall(tool="files.read", args={"path": "a.md"})


def test_a_result_and_giving_up_are_read() -> None:
    assert parse('{"result": 4}', RULES) == Give(4)
    assert parse('{"cannot": "no file"}', RULES) == Cannot("no file")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("It is done.", "the reply has no JSON object"),
        (
            '{"tool": "files.delete", "args": {}}',
            "there is no tool 'files.delete'; the tools are: files.read",
        ),
        ('{"result": "four"}', "result: 'four' is not of type 'integer'"),
        ('{"answer": 4}', "the reply must be an object with tool and args, or with result"),
    ],
)
def test_what_is_no_turn_is_refused_with_what_to_do(text: str, why: str) -> None:
    with pytest.raises(MalformedReply) as caught:
        parse(text, RULES)
    assert str(caught.value) == why
    assert caught.value.reply == text


def test_no_call_is_invented_where_there_are_no_tools() -> None:
    with pytest.raises(MalformedReply, match="there is no tool"):
        parse('{"tool": "files.read", "args": {}}', TurnRules((), NUMBER))


def test_a_table_is_put_in_words() -> None:
    schema: dict[str, JsonValue] = {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "owner": {"type": ["string", "null"]},
                "due": {"type": ["string", "null"], "format": "date"},
            },
        },
    }
    assert shape(schema) == "a list of {owner: text or null, due: date as YYYY-MM-DD or null}"


def tool(schema: dict[str, JsonValue]) -> Tool:
    """A tool ``shelf.find`` as the hub shows it to an agent."""
    return Tool(server="shelf", name="find", description="d", input_schema=Trimmer(schema).trimmed())


def called(schema: dict[str, JsonValue], args: JsonValue) -> JsonValue:
    """The arguments of a call as they are sent; both what the schema of the turn and our own check say."""
    rules = TurnRules((tool(schema),), None, may_give_up=False)
    turn: JsonValue = {"tool": "shelf.find", "args": args}
    # What a server is sent admits it, too: a model is never held to less than the tool takes.
    jsonschema.validate(turn, translated(rules.schema()))
    action = parse(json.dumps(turn), rules)
    assert isinstance(action, ToolCall)
    return action.args


STRING: dict[str, JsonValue] = {"type": "string"}
DRAFT_7 = "http://json-schema.org/draft-07/schema#"


@pytest.mark.parametrize(
    ("schema", "args"),
    [
        ({"properties": {}, "additionalProperties": True}, {"path": "/a", "deep": {"x": [1]}}),
        ({}, {"path": "/a"}),
        ({"additionalProperties": {"type": "string"}}, {"COLOR": "red"}),
        ({"properties": {"v": True}, "required": ["v"]}, {"v": [1, "a"]}),
        ({"properties": {"v": {"enum": []}}}, {"v": 5}),
        ({"properties": {"l": {"type": ["string", "null"]}}, "required": ["l"]}, {"l": None}),
        ({"properties": {"l": {"enum": ["a", None]}}, "required": ["l"]}, {"l": None}),
        ({"properties": {"l": {"type": "string", "nullable": True}}, "required": ["l"]}, {"l": None}),
        ({"$schema": DRAFT_7, "properties": {"p": {"items": [{"type": "number"}, STRING]}}}, {"p": [2.5, "a"]}),
        ({"properties": {"p": {"items": [STRING], "additionalItems": {"type": "integer"}}}}, {"p": ["a", 1, 2]}),
        ({"properties": {"n": {"type": "string", "pattern": r"^[\p{L} ]+$"}}}, {"n": "Ärzte"}),
        ({"anyOf": [{"properties": {"code": STRING}, "required": ["code"]}, {"properties": {"label": STRING}}]}, {"code": "K7"}),
        ({"properties": {"k": STRING}, "required": ["k"], "oneOf": [{"properties": {"a": STRING}, "required": ["a"]}]}, {"k": "b", "a": "c"}),
        ({"properties": {"x": STRING, "y": STRING}, "anyOf": [{"required": ["x"]}, {"required": ["y"]}]}, {"y": "a"}),
        ({"allOf": [{"properties": {"a": STRING}, "required": ["a"]}, {"properties": {"b": STRING}}]}, {"a": "x", "b": "y"}),
        ({"properties": {"p": {"allOf": [{"type": "string", "pattern": "^/data/.*"}, {"pattern": r".*\.csv$"}]}}}, {"p": "/data/a.csv"}),
        ({"properties": {"a": STRING}, "required": ["a", "b"]}, {"a": "x", "b": 5}),
        ({"properties": {"f": {"type": "object"}}}, {"f": {"any": 1}}),
        ({"patternProperties": {"^x-": STRING}}, {"x-a": "b"}),
        ({"properties": {"l": {"type": "array", "items": False}}}, {"l": []}),
        ({"properties": {"l": {"type": "array", "minItems": 5, "maxItems": 2}}}, {}),
        ({"properties": {"t": {"$ref": "#"}, "v": STRING}}, {"t": {"t": {"v": "a"}}, "v": "b"}),
        ({"properties": {"a": {"type": "string"}}, "if": {"required": ["b"]}, "then": {"properties": {"b": STRING}}}, {"b": "c"}),
    ],
)  # fmt: skip
def test_what_a_tool_takes_can_be_said(schema: dict[str, JsonValue], args: JsonValue) -> None:
    assert called({"type": "object", **schema}, args) == args


ID: dict[str, JsonValue] = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}


def test_a_number_that_may_have_been_cut_is_sent_back_and_comes_whole_as_a_text() -> None:
    rules = TurnRules((tool(ID),), {"type": "object", "properties": {"sum": {"type": "integer"}}})
    for reply in (
        '{"tool": "shelf.find", "args": {"id": 1234567890123456}}',
        '{"result": {"sum": -1234567890123456}}',
    ):
        with pytest.raises(MalformedReply, match="may be only the beginning of a longer number"):
            parse(reply, rules)
    whole = parse('{"tool": "shelf.find", "args": {"id": "123456789012345678"}}', rules)
    assert whole == ToolCall(tool="shelf.find", args={"id": 123456789012345678})
    assert parse('{"result": {"sum": "98765432109876543210"}}', rules) == Give({"sum": 98765432109876543210})


def test_numbers_that_cannot_have_been_cut_are_taken_as_they_are() -> None:
    for number in (0, -7, 999_999_999_999_999, 12_345_678_901_234_567):
        assert called(ID, {"id": number}) == {"id": number}
    fixed: dict[str, JsonValue] = {"type": "object", "properties": {"id": {"enum": [1234567890123456]}}}
    assert called(fixed, {"id": 1234567890123456}) == {"id": 1234567890123456}


class Unit(BaseModel):
    """A part of a typed answer."""

    name: str
    parts: list[Unit] = []


class Shade(Enum):
    """A choice of a typed answer."""

    DARK = "dark"
    LIGHT = "light"


class Answer(BaseModel):
    """A typed answer with models, choices and lists in it."""

    unit: Unit
    shade: Shade
    units: list[Unit]
    by_name: dict[str, Unit]
    best: Unit | None = None


def test_a_typed_result_with_models_in_it_stands_by_itself() -> None:
    schema: dict[str, JsonValue] = Answer.model_json_schema()
    rules = TurnRules((), schema, may_give_up=False)
    value: dict[str, JsonValue] = {
        "unit": {"name": "a", "parts": [{"name": "b"}]},
        "shade": "dark",
        "units": [{"name": "c"}],
        "by_name": {"d": {"name": "e"}},
        "best": None,
    }
    sent = translated(rules.schema())
    assert "$ref" not in json.dumps(sent)
    assert refusal(sent) == ""
    assert parse(json.dumps({"result": value}), rules) == Give(value)
    with pytest.raises(MalformedReply, match="result/unit/parts/0"):
        parse(json.dumps({"result": {**value, "unit": {"name": "a", "parts": [{"name": 5}]}}}), rules)


def test_choices_and_what_may_be_absent_are_told_in_words() -> None:
    mood: JsonValue = {"enum": ["angry", "calm"]}
    price: JsonValue = {"anyOf": [{"type": "number"}, {"type": "null"}]}
    told = shape({"type": "object", "properties": {"mood": mood, "price": price}})
    assert told == '{mood: "angry" or "calm", price: number or null}'
