"""Servers that do not start, die, hang, shout or lie: each costs its own calls and nothing else."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from swarm.errors import ServerError
from swarm.hub.hub import Hub
from swarm.nouns.tool import CallContext, ToolCall, ToolResult
from swarm.project.project import Project
from swarm.project.server_entry import ServerEntry

pytestmark = pytest.mark.anyio

Start = Callable[..., ServerEntry]
Make = Callable[..., Project]
Tell = Callable[..., CallContext]


def _call(tool: str, **args: str | int) -> ToolCall:
    return ToolCall(tool=f"bare.{tool}", args=dict(args))


async def _refusal(hub: Hub, call: ToolCall, told: CallContext) -> str:
    with pytest.raises(ServerError) as refusal:
        await hub.call(call, told)
    return str(refusal.value)


async def _hold(hub: Hub, told: CallContext, mark: Path, group: asyncio.TaskGroup) -> asyncio.Task[str]:
    """A call that has arrived at its server and is never answered."""
    task = group.create_task(_refusal(hub, _call("hold", mark=str(mark)), told))
    while not await asyncio.to_thread(mark.exists):
        await hub.call(_call("pid"), told)
    return task


async def test_a_program_that_is_not_there_is_named(
    start_server: Start, make_project: Make, tell: Tell
) -> None:
    entry = start_server("bare", command="no-such-program")

    async with Hub.open(make_project(entry)) as hub:
        said = await _refusal(hub, _call("pid"), tell())

    assert said == (
        f"the server 'bare' of {entry.origin} did not start: there is no program 'no-such-program'; "
        "install it or correct 'command'"
    )


async def test_a_folder_that_is_not_there_is_named(
    start_server: Start, make_project: Make, tell: Tell, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"

    async with Hub.open(make_project(start_server("bare", cwd=gone))) as hub:
        said = await _refusal(hub, _call("pid"), tell())

    assert said.endswith(f"there is no folder {str(gone)!r} to start it in; correct 'cwd'")


async def test_a_server_that_exits_at_once_is_reported_with_its_last_words(
    start_server: Start, make_project: Make, tell: Tell
) -> None:
    async with Hub.open(make_project(start_server("bare", "--exit", "7"))) as hub:
        said = await _refusal(hub, _call("pid"), tell())
        again = await _refusal(hub, _call("pid"), tell())

    assert said.endswith("did not start: it closed the connection (exit code 7: no licence found)")
    assert again == said


async def test_a_server_that_never_answers_is_given_up_and_killed(
    start_server: Start, make_project: Make, tell: Tell
) -> None:
    entry = start_server("bare", "--silent", start_seconds=0.2)

    async with Hub.open(make_project(entry)) as hub:
        said = await _refusal(hub, _call("pid"), tell())

    assert said == f"the server 'bare' of {entry.origin} did not start within 0.2 s"


async def test_a_server_that_dies_fails_its_calls_in_flight_and_is_started_again(
    start_server: Start, make_project: Make, tell: Tell, tmp_path: Path
) -> None:
    async with Hub.open(make_project(start_server("bare"))) as hub, asyncio.TaskGroup() as group:
        first = await hub.call(_call("pid"), tell())
        held = [await _hold(hub, tell(), tmp_path / name, group) for name in "ab"]

        said = await _refusal(hub, _call("die"), tell())
        second = await hub.call(_call("pid"), tell())

    assert said == (
        "the server 'bare' died while it worked on bare.die (exit code 3: out of luck); "
        "it is started again for the next call"
    )
    assert [task.result() for task in held] == [said.replace("bare.die", "bare.hold")] * 2
    assert first.text != second.text


async def test_a_call_that_is_not_answered_ends_on_time_and_the_server_lives(
    start_server: Start, make_project: Make, tell: Tell, tmp_path: Path
) -> None:
    async with Hub.open(make_project(start_server("bare"))) as hub:
        before = await hub.call(_call("pid"), tell())
        said = await _refusal(hub, _call("hold", mark=str(tmp_path / "mark")), tell(0.1))
        after = await hub.call(_call("pid"), tell())

    assert said == "bare.hold did not answer within 0.1 s; the call may or may not have had its effect"
    assert after == before


async def test_a_server_that_is_stuck_is_killed_and_started_again(
    start_server: Start, make_project: Make, tell: Tell
) -> None:
    async with Hub.open(make_project(start_server("bare"))) as hub:
        before = await hub.call(_call("pid"), tell())
        await _refusal(hub, _call("freeze"), tell(0.1))
        after = await hub.call(_call("pid"), tell())

    assert after.text != before.text


@pytest.mark.parametrize(("listing", "why"), [("none", "nothing within 4 s"), ("tolls", "Field required")])
async def test_a_server_that_does_not_list_its_changed_tools_is_killed_and_started_again(
    start_server: Start, make_project: Make, tell: Tell, listing: str, why: str
) -> None:
    async with (
        asyncio.timeout(60),
        Hub.open(make_project(start_server("bare", start_seconds=4))) as hub,
    ):
        before = await hub.call(_call("pid"), tell())
        await hub.call(_call("more", listing=listing), tell())
        said = await _refusal(hub, _call("pid"), tell())
        after = await hub.call(_call("pid"), tell())

    assert said.startswith("the server 'bare' says that its tools have changed and does not list them (")
    assert said.endswith(f"{why}); it is started again for the next call")
    assert after.text != before.text


async def test_the_deadline_of_a_server_is_stronger_than_a_longer_one_of_the_call(
    start_server: Start, make_project: Make, tell: Tell, tmp_path: Path
) -> None:
    entry = start_server("bare", call_seconds=0.1)

    async with Hub.open(make_project(entry)) as hub:
        said = await _refusal(hub, _call("hold", mark=str(tmp_path / "mark")), tell())

    assert said.startswith("bare.hold did not answer within 0.1 s")


async def test_garbage_on_both_outputs_is_passed_over(
    start_server: Start, make_project: Make, tell: Tell
) -> None:
    async with Hub.open(make_project(start_server("bare"))) as hub:
        assert await hub.call(_call("shout"), tell()) == ToolResult(text="quiet again")


async def test_tools_with_bad_schemas_cost_only_themselves(
    start_server: Start, make_project: Make, tell: Tell
) -> None:
    async with Hub.open(make_project(start_server("bare"))) as hub:
        (state,) = await hub.describe()
        called = await hub.call(_call("wrong_type"), tell())

    assert "pid" in [tool.name for tool in state.tools]
    assert state.refused == {
        "no_schema": "inputSchema: Field required",
        "wrong_type": "the type of its input is not 'object'",
        "no_json_schema": (
            "its input schema is none: 'strin' is not valid under any of the given schemas (properties/a/type)"
        ),
        "lost_reference": "its input schema refers to '#/$defs/b', which is not in it",
        "outside": "its input schema refers to 'http://host/x', which lies outside of it",
        "an entry that is no tool": "Input should be a valid dictionary or instance of Tool",
    }
    assert called.text == (
        "no tool 'bare.wrong_type'; it cannot be used: the type of its input is not 'object'"
    )


async def test_an_answer_too_large_for_any_window_tells_what_to_do(
    start_server: Start, make_project: Make, tell: Tell
) -> None:
    async with Hub.open(make_project(start_server("bare"))) as hub:
        long = await hub.call(_call("long", length=2_000_001), tell())
        longer = await hub.call(_call("long", length=20_000_000), tell())
        short = await hub.call(_call("long", length=3), tell())

    assert long == ToolResult(
        text="bare.long was carried out, but the answer has 2,000,001 characters, more than 2,000,000; "
        "ask for less (a range, a filter, a limit)",
        is_error=True,
        took_effect=True,
    )
    assert longer == ToolResult(
        text="bare.long was answered, but the answer can't be read: it is larger than 8 MB; "
        "ask for less (a range, a filter, a limit)",
        is_error=True,
        took_effect=True,
    )
    assert short == ToolResult(text="xxx")


async def test_an_answer_too_large_of_a_tool_that_only_reads_is_a_failure(
    start_server: Start, make_project: Make, tell: Tell
) -> None:
    project = make_project(start_server("bare", effects={"long": "pure"}))
    async with Hub.open(project) as hub:
        long = await hub.call(_call("long", length=2_000_001), tell())
        longer = await hub.call(_call("long", length=20_000_000), tell())

    assert long == ToolResult(
        text="bare.long failed: the answer has 2,000,001 characters, more than 2,000,000; "
        "ask for less (a range, a filter, a limit)",
        is_error=True,
    )
    assert longer == ToolResult(
        text="bare.long failed: the answer can't be read: it is larger than 8 MB; "
        "ask for less (a range, a filter, a limit)",
        is_error=True,
    )


async def test_a_call_that_its_server_refuses_is_a_failure_of_the_tool(
    start_server: Start, make_project: Make, tell: Tell
) -> None:
    async with Hub.open(make_project(start_server("bare"))) as hub:
        for code in (-32602, -32601, -32600):
            refused = await hub.call(_call("refuse", code=code), tell())
            assert refused == ToolResult(
                text="bare.refuse was refused by its server: not today", is_error=True
            )


@pytest.mark.parametrize("code", [-32603, -32700, -32000, -32001, 0, 1])
async def test_an_error_that_a_server_itself_reports_is_a_failed_call_and_the_server_lives(
    start_server: Start, make_project: Make, tell: Tell, code: int
) -> None:
    async with Hub.open(make_project(start_server("bare"))) as hub:
        before = await hub.call(_call("pid"), tell())
        failed = await hub.call(_call("refuse", code=code), tell())
        after = await hub.call(_call("pid"), tell())

    assert failed == ToolResult(text="bare.refuse failed: not today", is_error=True)
    assert after == before


async def test_a_content_that_is_a_text_and_no_list_is_read_as_that_text(
    start_server: Start, make_project: Make, tell: Tell
) -> None:
    async with Hub.open(make_project(start_server("bare"))) as hub:
        assert await hub.call(_call("nonsense"), tell()) == ToolResult(text="words")


def _child_ends(reader: int) -> bool:
    """Waits until nobody holds the other end of a FIFO any more."""
    try:
        return os.read(reader, 1) == b""
    finally:
        os.close(reader)


async def test_a_server_and_what_it_started_end_with_the_hub(
    start_server: Start, make_project: Make, tell: Tell, tmp_path: Path
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    async with (
        Hub.open(make_project(start_server("bare", "--child", str(fifo)))) as hub,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(hub.describe())
        reader = await asyncio.to_thread(os.open, fifo, os.O_RDONLY)
        assert os.read(reader, 2) == b"x\n"

    assert _child_ends(reader)


async def test_a_hub_that_is_cancelled_while_a_server_starts_leaves_no_process(
    start_server: Start, make_project: Make, tmp_path: Path
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    project = make_project(start_server("bare", "--child", str(fifo), "--silent"))

    async def use() -> None:
        async with Hub.open(project) as hub:
            await hub.describe()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(use())
        reader = await asyncio.to_thread(os.open, fifo, os.O_RDONLY)
        assert os.read(reader, 2) == b"x\n"
        task.cancel()

    assert _child_ends(reader)


async def test_a_variable_of_this_process_does_not_reach_a_server_unless_it_is_named(
    start_server: Start, make_project: Make, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_TEST", "hush")

    async with Hub.open(make_project(start_server("bare", env={"NAMED": "yes"}))) as hub:
        said = (await hub.call(_call("environment"), tell())).text

    assert "hush" not in said
    assert '"NAMED": "yes"' in said
