"""Servers that die again and again: told, started again a bounded number of times, then left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from swarm.errors import ServerError
from swarm.hub.hub import Hub
from swarm.hub.servers.supervised import RESTARTS, Server
from swarm.nouns.events import Notice, ServerChanged
from swarm.nouns.tool import CallContext, ToolCall
from swarm.project.project import Project
from swarm.project.server_entry import ServerEntry

pytestmark = pytest.mark.anyio

Start = Callable[..., ServerEntry]
Make = Callable[..., Project]
Tell = Callable[..., CallContext]


async def _die(server: Server, context: CallContext) -> str:
    try:
        offers = await server.offers()
        await server.call(ToolCall(tool="bare.die"), offers["die"], context)
    except ServerError as error:
        return str(error)
    return ""


async def test_a_server_that_dies_again_and_again_is_left_alone_with_the_reason(
    start_server: Start, tell: Tell
) -> None:
    told: list[ServerChanged] = []
    server = Server(start_server("bare"), told.append, first_pause_seconds=0.001)
    said = [await _die(server, tell()) for _ in range(RESTARTS + 1)]
    with pytest.raises(
        ServerError, match=r"failed 6 times in a row and is left alone .*: exit code 3: out of luck"
    ):
        await server.offers()
    await server.close()
    assert all("exit code 3: out of luck" in one for one in said)
    states = [change.state for change in told]
    assert states == ["died", *["restarted", "died"] * RESTARTS, "resting"]
    assert told[0].text == "exit code 3: out of luck"


async def test_an_answered_call_between_deaths_makes_a_server_start_again_for_ever(
    start_server: Start, tell: Tell
) -> None:
    told: list[ServerChanged] = []
    server = Server(start_server("bare"), told.append, first_pause_seconds=0.001)
    for _ in range(RESTARTS + 2):
        await _die(server, tell())
        offers = await server.offers()
        await server.call(ToolCall(tool="bare.pid"), offers["pid"], tell())
    await server.close()
    assert [change.state for change in told] == ["died", "restarted"] * (RESTARTS + 2)


async def test_who_listens_hears_of_a_server_that_falls_silent_or_does_not_start(
    start_server: Start, make_project: Make, tell: Tell, tmp_path: Path
) -> None:
    lost = start_server("honest", cwd=tmp_path / "gone")
    told: list[ServerChanged | Notice] = []
    async with Hub.open(make_project(start_server("bare"), lost)) as hub:
        with hub.heard_by(told.append):
            with pytest.raises(ServerError):
                await hub.call(ToolCall(tool="bare.freeze"), tell(0.1))
            with pytest.raises(ServerError):
                await hub.tools(("honest",))
            await hub.call(ToolCall(tool="bare.pid"), tell())
        await hub.describe()
    assert sorted((change.server, change.state) for change in told if isinstance(change, ServerChanged)) == [
        ("bare", "restarted"),
        ("bare", "silent"),
        ("honest", "died"),
    ]
