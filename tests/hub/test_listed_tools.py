"""Lists of tools as servers publish them: one bad entry costs itself, by name, and nothing beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import JsonValue

from swarm.errors import ProjectError
from swarm.hub.hub import Hub, ServerState
from swarm.nouns.events import Notice, ServerChanged
from swarm.nouns.tool import CallContext, ToolCall
from swarm.project.project import Project
from swarm.project.server_entry import ServerEntry

pytestmark = pytest.mark.anyio

Start = Callable[..., ServerEntry]
Make = Callable[..., Project]
Tell = Callable[..., CallContext]
Json = dict[str, JsonValue]

GOOD: Json = {"name": "good", "inputSchema": {"type": "object", "properties": {"a": {"type": "string"}}}}


def bad(**more: JsonValue) -> Json:
    """A tool ``bad`` with these keys."""
    return {"name": "bad", "inputSchema": {"type": "object", "properties": {}}, **more}


@pytest.fixture
def listing(start_server: Start, make_project: Make, tmp_path: Path) -> Callable[..., Project]:
    """A project with one server that lists these tools."""

    def project(*tools: JsonValue) -> Project:
        (tmp_path / "tools.json").write_text(json.dumps(tools), encoding="utf-8")
        return make_project(start_server("listed", str(tmp_path / "tools.json")))

    return project


async def _state(project: Project) -> ServerState:
    async with Hub.open(project) as hub:
        (state,) = await hub.describe()
    assert state.error == ""
    return state


@pytest.mark.parametrize(
    "entry",
    [
        bad(inputSchema={"type": "object", "properties": []}),
        bad(inputSchema={"type": "object", "properties": None}),
        bad(inputSchema={"type": "object", "properties": {"x": True}}),
        bad(inputSchema={"type": "object", "properties": {}, "required": "x"}),
        bad(inputSchema={"type": "object", "properties": {}, "$schema": 7}),
        bad(inputSchema={"type": "object", "$defs": []}),
        bad(outputSchema={"type": "array"}),
        bad(outputSchema=[]),
        bad(annotations=[]),
        bad(annotations={"readOnlyHint": "perhaps"}),
        bad(description=["words"]),
        bad(title=5),
        bad(icons={}),
        bad(_meta=[]),
        bad(execution={"taskSupport": "sometimes"}),
    ],
    ids=lambda entry: json.dumps({key: value for key, value in entry.items() if key != "name"})[:60],
)
async def test_a_malformed_part_of_an_entry_is_passed_over(
    listing: Callable[..., Project], entry: Json
) -> None:
    state = await _state(listing(GOOD, entry))

    assert [tool.name for tool in state.tools] == ["good", "bad"]
    assert state.refused == {}


@pytest.mark.parametrize(
    ("entry", "name", "why"),
    [
        (bad(inputSchema=[]), "bad", "inputSchema: give a table of names and values"),
        (bad(inputSchema={"type": "object", "properties": "x"}), "bad", "inputSchema.properties: "),
        (bad(execution={"taskSupport": "required"}), "bad", "it can only be called as a task"),
        (bad(name=""), "''", "a tool's name is 1 to 128 letters"),
        (bad(name="look up!"), "'look up!'", "a tool's name is 1 to 128 letters"),
        (bad(name="a\nYour step: b"), r"'a\nYour step: b'", "a tool's name is 1 to 128 letters"),
        (bad(name="g\u043e\u043ed"), r"'g\u043e\u043ed'", "a tool's name is 1 to 128 letters"),
        (bad(name="good\u200b"), r"'good\u200b'", "a tool's name is 1 to 128 letters"),
        (bad(name="\x1b[31mred"), r"'\x1b[31mred'", "a tool's name is 1 to 128 letters"),
        (bad(name="n" * 5_000), f"'{'n' * 79}…", "a tool's name is 1 to 128 letters"),
        (bad(name=None), "a tool without a name", "it has no name"),
        ({"description": "no name"}, "a tool without a name", "it has no name"),
        (5, "an entry that is no tool", "Input should be a valid dictionary"),
        ({**GOOD, "description": "another"}, "good", "the server lists a second tool of this name"),
    ],
)
async def test_an_entry_that_cannot_be_used_is_left_out_by_name(
    listing: Callable[..., Project], entry: JsonValue, name: str, why: str
) -> None:
    state = await _state(listing(GOOD, entry))

    assert [tool.name for tool in state.tools] == ["good"]
    assert state.refused.keys() == {name}
    assert state.refused[name].startswith(why)


async def test_an_agent_that_goes_without_a_tool_is_told_of_once_to_all_who_listen(
    listing: Callable[..., Project], tell: Tell
) -> None:
    heard: list[ServerChanged | Notice] = []
    async with Hub.open(listing(GOOD, bad(name="b d"), bad(name="c d"))) as hub:
        with hub.heard_by(heard.append):
            await hub.tools(("listed",))
            await hub.tools(("listed",))
        called = await hub.call(ToolCall(tool="listed.good", args={"a": "b"}), tell())

    why = "a tool's name is 1 to 128 letters, digits, '_', '-' or '.'"
    assert heard == [
        Notice(text=f"listed.'b d' is left out: {why}"),
        Notice(text=f"listed.'c d' is left out: {why}"),
    ]
    assert called.text == '["good", {"a": "b"}]'


async def test_an_agent_whose_server_has_no_tool_that_can_be_used_is_not_left_to_make_things_up(
    listing: Callable[..., Project],
) -> None:
    async with Hub.open(listing(bad(inputSchema=[]))) as hub:
        with pytest.raises(ProjectError) as refusal:
            await hub.tools(("listed",))

    assert str(refusal.value) == (
        "the server 'listed' has no tool that can be used: "
        "listed.bad is left out: inputSchema: give a table of names and values"
    )
