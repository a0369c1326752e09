"""What servers that others wrote answer, and what becomes of it: told as it is, and no call left in doubt."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from swarm.hub.hub import Hub
from swarm.nouns.tool import CallContext, ToolCall, ToolResult
from swarm.project.project import Project
from swarm.project.server_entry import ServerEntry

pytestmark = pytest.mark.anyio

Start = Callable[..., ServerEntry]
Make = Callable[..., Project]
Tell = Callable[..., CallContext]
Json: TypeAlias = "dict[str, object]"
OBJECT: Json = {"type": "object"}


class Raw:
    """Calls the tool ``find`` of a raw server that a spec describes."""

    def __init__(self, folder: Path, start: Start, make: Make, tell: Tell) -> None:
        self.folder, self._start, self._make, self._tell = folder, start, make, tell

    def entry(self, spec: Json, **fields: object) -> ServerEntry:
        """The entry of a server of that spec."""
        path = self.folder / "spec.json"
        path.write_text(json.dumps(spec), encoding="utf-8")
        return self._start("raw", str(path), **fields)

    def hub(self, entry: ServerEntry) -> Project:
        """The project that has it."""
        return self._make(entry)

    async def find(self, tool: str = "find", /, **spec: object) -> ToolResult:
        """What the tool gives at once: nothing here waits for a deadline."""
        async with Hub.open(self._make(self.entry(spec))) as hub:
            return await hub.call(ToolCall(tool=f"raw.{tool}"), self._tell(20))

    async def text(self, result: Json) -> str:
        """What a model reads of a result."""
        return (await self.find(answers={"find": result})).text


@pytest.fixture
def raw(tmp_path: Path, start_server: Start, make_project: Make, tell: Tell) -> Raw:
    return Raw(tmp_path, start_server, make_project, tell)


def _text(text: str) -> list[Json]:
    return [{"type": "text", "text": text}]


@pytest.mark.parametrize(
    "result",
    [
        {"content": _text("It weighs 12 kg.")},
        {"content": _text("It weighs 12 kg."), "structuredContent": {"kg": "12"}},
        {"content": _text("It weighs 12 kg."), "structuredContent": None},
        {"content": _text("It weighs 12 kg."), "isError": False, "structuredContent": {"weight": 12}},
    ],
)
async def test_an_answer_that_differs_from_what_its_tool_declares_is_passed_on(
    raw: Raw, result: Json
) -> None:
    schema = {"type": "object", "properties": {"kg": {"type": "number"}}, "required": ["kg"]}
    tool = {"name": "find", "inputSchema": OBJECT, "outputSchema": schema}

    found = await raw.find(tools=[tool], answers={"find": result})

    assert (found.text, found.is_error) == ("It weighs 12 kg.", False)


@pytest.mark.parametrize(
    ("told", "data", "shown"),
    [
        ("Found 1 item.", {"items": [{"code": "K7", "kg": 12}]}, '\n{"items": [{"code": "K7", "kg": 12}]}'),
        ("3 rows", {"rows": [{"x": 1}, {"x": 2}, {"x": 3}]}, '\n{"rows": [{"x": 1}, {"x": 2}, {"x": 3}]}'),
        ("Checked.", {"exists": False}, '\n{"exists": false}'),
        ("K7 weighs 12.0 kg", {"code": "k7", "kg": 12}, ""),
        ('{"code":"K7","kg":12}', {"code": "K7", "kg": 12}, ""),
        ("1,200 of them", {"count": 1200, "note": None}, ""),
        ("", {"code": "K7"}, '{"code": "K7"}'),
    ],
)
async def test_data_that_the_text_does_not_hold_are_shown_behind_it(
    raw: Raw, told: str, data: Json, shown: str
) -> None:
    content = _text(told) if told else []

    assert await raw.text({"content": content, "structuredContent": data}) == told + shown


async def test_a_list_of_many_values_is_shown_unless_the_text_is_its_json(raw: Raw) -> None:
    rows = [{"row": number} for number in range(3_000)]
    data: Json = {"rows": rows}

    assert await raw.text({"content": _text(json.dumps(data)), "structuredContent": data}) == json.dumps(data)
    told = await raw.text({"content": _text("3,000 rows"), "structuredContent": data})
    assert told == "3,000 rows\n" + json.dumps(data)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (r'{"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"text","text":"\ud83d kg"}]}}', "\ufffd kg"),
        (r'{"id":ID,"result":{"content":[{"type":"text","text":"kg \udc00"}]},"jsonrpc":"2.0"}', "kg \ufffd"),
        ('{"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"text","text":"caf\xe9"}]}}', "caf\ufffd"),
        ('\xef\xbb\xbf{"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"text","text":"12"}]}}', "12"),
        ('{"id":ID,"result":{"content":[{"type":"text","text":"no version"}]}}', "no version"),
        ('[{"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"text","text":"batch"}]}}]', "batch"),
        ('{"jsonrpc":"2.0","id":ID,"result":"a text"}', "a text"),
        ('{"jsonrpc":"2.0","id":ID,"result":[1,2]}', "[1, 2]"),
    ],
)
async def test_a_line_that_the_sdk_does_not_read_is_read(raw: Raw, line: str, text: str) -> None:
    assert await raw.find(lines={"find": line + "\n"}) == ToolResult(text=text)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            '{"jsonrpc":"2.0","id":ID,"error":{"code":"E1","message":"no such row"}}',
            "raw.find failed: no such row",
        ),
        ('{"jsonrpc":"2.0","id":ID,"error":"no such row"}', "raw.find failed: no such row"),
        ('{"jsonrpc":"2.0","id":ID,"error":{"code":7}}', 'raw.find failed: {"code": 7}'),
        (
            '{"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"text","text":"half',
            "raw.find was answered, but the answer can't be read: it is no valid JSON",
        ),
        (
            '{"jsonrpc":"2.0","id":ID}',
            "raw.find was answered, but the answer can't be read: it has neither a result nor an error",
        ),
    ],
)
async def test_a_line_that_answers_and_cannot_be_read_ends_its_call_at_once_with_the_reason(
    raw: Raw, line: str, said: str
) -> None:
    result = await raw.find(lines={"find": line + "\n"})

    assert (result.text, result.is_error, result.took_effect) == (said, True, "answered" in said)


async def test_json_that_comes_as_a_text_and_again_as_data_is_shown_once(raw: Raw) -> None:
    told = json.dumps({"rows": [[7]], "count": 1}, indent=2)

    assert await raw.text({"content": _text(told), "structuredContent": {"result": told}}) == (
        '{"rows":[[7]],"count":1}'
    )


@pytest.mark.parametrize("prefix", ["Error executing tool find: ", "Error calling tool 'find': ", ""])
async def test_what_a_library_puts_before_every_reason_is_left_out(raw: Raw, prefix: str) -> None:
    answer: Json = {"content": _text(f"{prefix}No such row."), "isError": True}

    assert await raw.text(answer) == "No such row."


async def test_an_answer_whose_line_has_no_end_counts_when_its_server_leaves(raw: Raw) -> None:
    line = '{"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"text","text":"the last word"}]}}'

    assert await raw.find(lines={"find": line}, leaves=True) == ToolResult(text="the last word")


@pytest.mark.parametrize(
    ("line", "data"),
    [
        ('{"value":NaN}', {"value": "NaN"}),
        ('{"value":[1.5,Infinity]}', {"value": [1.5, "Infinity"]}),
        ('{"value":{"low":-Infinity}}', {"value": {"low": "-Infinity"}}),
    ],
)
async def test_a_number_that_json_cannot_hold_is_its_name_and_no_doubt(
    raw: Raw, line: str, data: Json
) -> None:
    whole = f'{{"jsonrpc":"2.0","id":ID,"result":{{"content":[],"structuredContent":{line}}}}}\n'

    result = await raw.find(lines={"find": whole})

    assert (result.data, result.is_error, result.text) == (data, False, json.dumps(data))


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"content": [], "isError": True}, "it failed without a reason"),
        ({"content": _text(" "), "isError": True}, "it failed without a reason"),
        ({"content": _text("no such row"), "isError": "true"}, "no such row"),
        ({"content": [], "isError": True, "structuredContent": {"code": 7}}, '{"code": 7}'),
    ],
)
async def test_a_failure_is_told_with_what_there_is_of_a_reason(raw: Raw, result: Json, said: str) -> None:
    assert (await raw.find(answers={"find": result})).text == said
    assert (await raw.find(answers={"find": result})).is_error


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (
            {
                "type": "resource_link",
                "uri": "file:///x.csv",
                "name": "x.csv",
                "mimeType": "text/csv",
                "description": "the table",
            },
            "[resource x.csv: file:///x.csv, text/csv, the table]",
        ),
        ({"type": "resource_link", "uri": "demo://2"}, "[resource demo://2: demo://2]"),
        (
            {"type": "resource", "resource": {"uri": "a.png", "mimeType": "image/png", "blob": "AAAA"}},
            "[resource a.png, image/png, 3 bytes]",
        ),
        ({"type": "resource", "resource": {"uri": "a.txt", "text": "in it"}}, "in it"),
        ({"type": "image", "data": "AAAA", "mimeType": "image/png"}, "[image, image/png, 3 bytes]"),
        ({"type": "chart", "points": [1, 2]}, '{"type": "chart", "points": [1, 2]}'),
        ({"text": "without a type"}, "without a type"),
        ("only a text", "only a text"),
        ({"type": "text", "text": {"kg": 12}}, '{"kg": 12}'),
    ],
)
async def test_each_kind_of_content_is_told_as_what_it_is(raw: Raw, block: object, text: str) -> None:
    assert await raw.text({"content": [block]}) == text


@pytest.mark.parametrize(
    ("tool", "text", "shown"),
    [
        ("find", '{\n  "a b": [\n    1.10,\n    "x  y"\n  ]\n}', '{"a b":[1.10,"x  y"]}'),
        ("find", "[\n 12345678901234567890\n]", "[12345678901234567890]"),
        ("find", "{\n no json", "{\n no json"),
        ("find", "two\nlines", "two\nlines"),
        ("read_file", '{\n  "a": 1\n}', '{\n  "a": 1\n}'),
    ],
)
async def test_json_is_shown_without_its_indents_and_a_file_letter_by_letter(
    raw: Raw, tool: str, text: str, shown: str
) -> None:
    found = await raw.find(
        tool, tools=[{"name": tool, "inputSchema": OBJECT}], answers={tool: {"content": _text(text)}}
    )

    assert found.text == shown


@pytest.mark.parametrize(
    ("output", "is_unwrapped"),
    [
        ({"type": "object", "properties": {"result": {}}, "title": "findOutput"}, True),
        ({"type": "object", "properties": {"result": {}}, "x-fastmcp-wrap-result": True}, True),
        ({"type": "object", "properties": {"result": {}}, "title": "Sum"}, False),
        ({"type": "object", "additionalProperties": {"type": "integer"}, "title": "findDictOutput"}, False),
        (None, False),
    ],
)
async def test_data_are_unwrapped_where_their_schema_marks_a_wrapper(
    raw: Raw, output: Json | None, is_unwrapped: bool
) -> None:
    tool: Json = {"name": "find", "inputSchema": OBJECT, "outputSchema": output}

    found = await raw.find(
        tools=[tool], answers={"find": {"content": [], "structuredContent": {"result": 5}}}
    )

    assert found.data == (5 if is_unwrapped else {"result": 5})


@pytest.mark.parametrize("protocol", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
@pytest.mark.parametrize(
    "odd",
    [
        {"inputSchema": {"type": "object", "properties": []}},
        {"inputSchema": {"type": "object", "properties": None, "required": None}},
        {"inputSchema": {"properties": {}}},
        {"inputSchema": OBJECT, "description": None, "annotations": None, "title": None},
        {"inputSchema": OBJECT, "outputSchema": {"type": "array"}},
        {"inputSchema": OBJECT, "_meta": []},
    ],
)
async def test_a_tool_that_is_spelled_oddly_works(raw: Raw, protocol: str, odd: Json) -> None:
    found = await raw.find(
        "odd", tools=[{"name": "find", "inputSchema": OBJECT}, {"name": "odd", **odd}], protocol=protocol
    )

    assert found == ToolResult(text="ok")


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({"inputSchema": {"type": "object", "properties": "none"}}, "inputSchema.properties: "),
        ({"inputSchema": [], "description": 5}, ": "),
        ({"inputSchema": {"type": "object", "properties": {"a": 5}}}, ""),
    ],
)
async def test_a_tool_that_cannot_be_read_costs_itself_and_is_named(raw: Raw, bad: Json, why: str) -> None:
    entry = raw.entry({"tools": [{"name": "bad", **bad}, {"name": "find", "inputSchema": OBJECT}]})

    async with Hub.open(raw.hub(entry)) as hub:
        (state,) = await hub.describe()

    assert (state.error, [tool.name for tool in state.tools]) == ("", ["find"])
    assert why in state.refused["bad"]


async def test_a_server_that_takes_only_initialize_first_is_started_again_with_it(
    raw: Raw, tell: Tell
) -> None:
    log = raw.folder / "log"
    entry = raw.entry({"first": "initialize", "log": str(log), "leaves": True})

    left = asyncio.Event()

    async with asyncio.timeout(60), Hub.open(raw.hub(entry)) as hub:
        with hub.heard_by(lambda _: left.set()):
            assert await hub.call(ToolCall(tool="raw.find"), tell(20)) == ToolResult(text="ok")
            await left.wait()
            assert await hub.call(ToolCall(tool="raw.find"), tell(20)) == ToolResult(text="ok")

    asked = log.read_text(encoding="utf-8").split()
    session = ["initialize", "notifications/initialized", "tools/list", "tools/call"]
    assert asked == ["server/discover", *session, *session]
