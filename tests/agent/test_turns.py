"""What a turn may be, and what is made of replies that are nearly one."""

from __future__ import annotations

import jsonschema
import pytest
from pydantic import JsonValue

from swarm.agent.turn import Cannot, Give, TurnRules, parse, shape, signature
from swarm.errors import MalformedReply
from swarm.tool import Tool, ToolCall

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


def test_a_tool_is_one_line_of_a_prompt() -> None:
    assert signature(READ) == "files.read(path: string, start?: integer) - Text of a file."


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


def test_choices_and_what_may_be_absent_are_told_in_words() -> None:
    mood: JsonValue = {"enum": ["angry", "calm"]}
    price: JsonValue = {"anyOf": [{"type": "number"}, {"type": "null"}]}
    told = shape({"type": "object", "properties": {"mood": mood, "price": price}})
    assert told == '{mood: "angry" or "calm", price: number or null}'
