"""Servers made with the SDK and without: what an agent is shown of their tools and what calls give."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import JsonValue

from swarm.errors import ProjectError
from swarm.hub.hub import Hub
from swarm.nouns.tool import CallContext, Tool, ToolCall, ToolResult
from swarm.project.project import Project
from swarm.project.server_entry import ServerEntry

pytestmark = pytest.mark.anyio

Start = Callable[..., ServerEntry]
Make = Callable[..., Project]
Tell = Callable[..., CallContext]


def _call(tool: str, **args: JsonValue) -> ToolCall:
    return ToolCall(tool=tool, args=args)


async def test_a_tool_is_shown_with_what_a_model_needs_and_no_more(
    start_server: Start, make_project: Make
) -> None:
    entry = start_server("honest", effects={"key": "keyed"}, is_trusted=True)
    async with Hub.open(make_project(entry)) as hub:
        rows, store, key, hidden = await hub.tools((
            "honest.rows",
            "honest.store",
            "honest.key",
            "honest.hidden",
        ))

    assert rows == Tool(
        server="honest",
        name="rows",
        description="Gives rows. A second paragraph that a large window has room for.",
        input_schema={
            "type": "object",
            "properties": {"count": {"type": "integer", "minimum": 0, "description": "How many."}},
            "required": ["count"],
        },
        effect="pure",
        pin=rows.pin,
    )
    assert rows.pin.startswith("honest ")
    assert rows.pin != store.pin
    assert store.input_schema["properties"] == {
        "path": {"type": "string"},
        "mode": {"type": "string", "enum": ["new", "old"], "default": "new"},
        "part": {
            "type": "object",
            "description": "A part of a whole.",
            "properties": {
                "name": {"type": "string"},
                "parts": {
                    "type": "array",
                    "items": {"type": "object", "description": "A part of a whole."},
                    "default": [],
                },
            },
            "required": ["name"],
        },
    }
    assert (store.effect, key.effect, hidden.effect) == ("idempotent", "keyed", "irreversible")
    assert hidden.description == "Gives a text with hidden characters."


async def test_what_a_server_says_of_its_tools_effects_counts_only_where_it_is_trusted(
    start_server: Start, make_project: Make
) -> None:
    async def effects(**settings: object) -> dict[str, str]:
        async with Hub.open(make_project(start_server("honest", **settings))) as hub:
            return {tool.name: tool.effect for tool in await hub.tools(("honest.rows", "honest.store"))}

    assert await effects() == {"rows": "irreversible", "store": "irreversible"}
    assert await effects(is_trusted=True) == {"rows": "pure", "store": "idempotent"}
    assert await effects(is_trusted=True, effects={"rows": "keyed"}) == {
        "rows": "keyed",
        "store": "idempotent",
    }
    assert await effects(effect="verifiable", effects={"rows": "pure"}) == {
        "rows": "pure",
        "store": "verifiable",
    }


async def test_a_setting_for_a_tool_that_is_not_there_is_told(
    start_server: Start, make_project: Make
) -> None:
    async with Hub.open(make_project(start_server("honest", effects={"rowz": "pure"}))) as hub:
        [state] = await hub.describe()
    assert state.refused == {"rowz": "the settings name it, and the server has no such tool"}


async def test_what_a_call_gives_is_its_text_its_data_and_its_files(
    start_server: Start, make_project: Make, tell: Tell
) -> None:
    async with Hub.open(make_project(start_server("honest"))) as hub:

        async def give(tool: str, **args: JsonValue) -> ToolResult:
            return await hub.call(_call(f"honest.{tool}", **args), tell())

        rows = await give("rows", count=2)
        assert (rows.data, rows.is_error) == ([{"row": 0}, {"row": 1}], False)
        assert await give("store", path="a/b.csv", mode="old") == ToolResult(
            text="stored old", files=("a/b.csv",)
        )
        assert await give("key") == ToolResult(text="run/step/-/1/1/0", data="run/step/-/1/1/0")
        assert await give("hidden") == ToolResult(text="plain red", data="plain red")
        assert await give("picture") == ToolResult(text="[image, image/png, 3 bytes]")
        assert await give("fail") == ToolResult(text="no file 'a'; use list to see the files", is_error=True)


WRONG: list[tuple[ToolCall, str]] = [
    (_call("honest.rows"), "missing argument 'count' (integer)"),
    (_call("honest.rows", count="two"), "argument 'count' must be integer, got \"two\""),
    (_call("honest.rows", count=1, cout=2), "unknown argument 'cout'; did you mean 'count'?"),
    (_call("honest.rows", count=-1), "argument 'count': -1 is less than the minimum of 0"),
    (
        _call("honest.rows", number=1),
        "unknown argument 'number'; the arguments are count\nmissing argument 'count' (integer)",
    ),
    (_call("honest.store", path="a", mode="x"), 'argument \'mode\' must be one of "new", "old", got "x"'),
    (
        _call("honest.store", path="a", part={"name": "p", "parts": [{}]}),
        "argument 'part.parts[0]' lacks 'name'",
    ),
    (_call("honest.store", path="a", part=3), "argument 'part' must be object, got 3"),
]


async def test_wrong_arguments_are_told_in_a_line_and_never_sent(
    start_server: Start, make_project: Make, tell: Tell
) -> None:
    async with Hub.open(make_project(start_server("honest"))) as hub:
        for call, said in WRONG:
            text = f"{call.tool} was not called: {said}"
            assert await hub.call(call, tell()) == ToolResult(text=text, is_error=True)


async def test_a_tool_that_is_not_there_is_told_with_the_likely_one(
    start_server: Start, make_project: Make, tell: Tell
) -> None:
    async with Hub.open(make_project(start_server("bare"))) as hub:
        await hub.tools(("bare",))

        async def said(name: str) -> str:
            result = await hub.call(_call(name), tell())
            assert result.is_error
            return result.text

        assert await said("bare.dye") == "no tool 'bare.dye'; did you mean 'bare.die'?"
        assert await said("pid") == "no tool 'pid'; did you mean 'bare.pid'?"
        assert await said("bear.pid") == "no tool 'bear.pid'; did you mean 'bare.pid'?"


async def test_a_server_that_took_the_place_of_one_that_ships_is_named_where_it_lacks_a_tool(
    start_server: Start, make_project: Make, tell: Tell
) -> None:
    entry = start_server("bare", name="files")
    async with Hub.open(make_project(entry)) as hub:
        with pytest.raises(ProjectError) as caught:
            await hub.tools(("files.read",))
        told = await hub.call(_call("files.read"), tell())

    likely = "did you mean 'files.more'?"
    assert told.text == f"no tool 'files.read'; {likely}"
    assert str(caught.value) == (
        f"no tool 'files.read': {likely} (the server 'files' of {entry.origin} stands in place of the one "
        "that ships; give it another name there)"
    )


async def test_a_card_that_names_a_tool_that_is_not_there_is_an_error_of_the_project(
    start_server: Start, make_project: Make
) -> None:
    async with Hub.open(make_project(start_server("bare"))) as hub:
        with pytest.raises(ProjectError, match=r"no tool 'bare\.dye': did you mean 'bare\.die'\?"):
            await hub.tools(("bare.dye",))
        with pytest.raises(ProjectError, match=r"there is no server 'bear'; did you mean 'bare'\?"):
            await hub.tools(("bear.pid",))
        with pytest.raises(ProjectError, match="the program has passed in no functions"):
            await hub.tools(("python.add",))


async def test_all_tools_of_a_server_come_once_and_in_its_order(
    start_server: Start, make_project: Make
) -> None:
    async with Hub.open(make_project(start_server("bare"))) as hub:
        tools = [tool.full_name for tool in await hub.tools(("bare.die", "bare", "bare.pid"))]

    assert tools[:4] == ["bare.die", "bare.pid", "bare.environment", "bare.hold"]
    assert len(tools) == len(set(tools))


async def test_a_tool_that_a_server_gains_can_be_called(
    start_server: Start, make_project: Make, tell: Tell
) -> None:
    async with Hub.open(make_project(start_server("bare"))) as hub:
        assert (await hub.call(_call("bare.late"), tell())).is_error
        await hub.call(_call("bare.more"), tell())

        assert await hub.call(_call("bare.late"), tell()) == ToolResult(text="better than never")


async def test_a_server_works_on_64_calls_at_once(
    start_server: Start, make_project: Make, tell: Tell
) -> None:
    async with Hub.open(make_project(start_server("bare"))) as hub, asyncio.TaskGroup() as group:
        calls = [group.create_task(hub.call(_call("bare.meet", count=64), tell())) for _ in range(128)]

    assert {call.result().text for call in calls} == {"met"}


async def test_a_call_that_is_cancelled_is_cancelled_at_the_server(
    start_server: Start, make_project: Make, tell: Tell, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"

    async with Hub.open(make_project(start_server("honest"))) as hub:
        await hub.tools(("honest",))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await hub.call(_call("honest.wait", mark=str(mark)), tell())
        while not await asyncio.to_thread(mark.exists):
            await hub.call(_call("honest.key"), tell())


async def test_nothing_starts_before_it_is_needed(
    start_server: Start, make_project: Make, tell: Tell
) -> None:
    project = make_project(start_server("bare"), start_server("honest", command="no-such-program"))

    async with Hub.open(project) as hub:
        assert not (await hub.call(_call("bare.pid"), tell())).is_error


async def test_every_server_is_described_with_its_tools_or_the_reason_it_has_none(
    start_server: Start, make_project: Make
) -> None:
    good, bad = start_server("bare"), start_server("honest", command="no-such-program")

    async with Hub.open(make_project(good, bad)) as hub:
        states = {state.name: state for state in await hub.describe()}

    assert (states["bare"].started, states["bare"].error) == (True, "")
    assert states["bare"].tools[0].full_name == "bare.pid"
    assert (states["honest"].started, states["honest"].tools) == (False, ())
    assert "there is no program 'no-such-program'" in states["honest"].error
    assert states["honest"].origin == str(bad.origin)


async def test_a_hub_that_was_left_starts_nothing_more(
    start_server: Start, make_project: Make, tell: Tell
) -> None:
    async with Hub.open(make_project(start_server("bare"))) as hub:
        pass

    with pytest.raises(Exception, match="the server 'bare' is closed"):
        await hub.call(_call("bare.pid"), tell())
