"""Servers at a URL, which come and go by themselves."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from swarm.errors import ServerError
from swarm.hub.hub import Hub
from swarm.nouns.messages import Request
from swarm.nouns.plan import Plan, Step
from swarm.nouns.tool import CallContext, ToolCall, ToolResult
from swarm.project.project import Project
from swarm.project.server_entry import ServerEntry
from swarm.run.run import Run
from swarm.run.swarm import Swarm
from swarm.store.shelf.reader import read_questions
from swarm.store.shelf.runs import run_path
from swarm.testing import ScriptedModel
from tests.conftest import write_cards

pytestmark = pytest.mark.anyio

HONEST = Path(__file__).parent / "servers" / "honest.py"
Make = Callable[..., Project]
Tell = Callable[..., CallContext]


@asynccontextmanager
async def _serving(port: int, *options: str) -> AsyncGenerator[int]:
    """The port of a server that is killed when this is left."""
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-P", str(HONEST), "--http", str(port), *options, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(60):
            line = await server.stdout.readline() if server.stdout else b""
        yield int(line)
    finally:
        server.kill()
        await server.wait()


def _entry(port: int, folder: Path) -> ServerEntry:
    url = f"http://127.0.0.1:{port}/mcp"
    return ServerEntry(
        name="web",
        origin=folder / ".mcp.json",
        transport="http",
        url=url,
        cwd=folder,
        start_seconds=30,
        read_back={"store": "rows"},
    )


async def _fails(hub: Hub, call: ToolCall, told: CallContext) -> None:
    with pytest.raises(ServerError):
        await hub.call(call, told)


async def test_a_server_at_a_url_is_called_and_called_again_after_it_was_killed(
    make_project: Make, tell: Tell, tmp_path: Path
) -> None:
    stored = ToolResult(text="stored new", files=("a",))
    store = ToolCall(tool="web.store", args={"path": "a"})
    wait = ToolCall(tool="web.wait", args={"mark": str(tmp_path / "mark")})

    async with AsyncExitStack() as first:
        port = await first.enter_async_context(_serving(0))
        async with Hub.open(make_project(_entry(port, tmp_path))) as hub, asyncio.TaskGroup() as group:
            assert await hub.call(store, tell()) == stored
            reading = await hub.read_back(ToolCall(tool="web.store", args={"path": "a", "count": 2}))
            assert reading is not None
            assert reading.may_act
            held = group.create_task(_fails(hub, wait, tell(20)))
            assert await hub.call(store, tell()) == stored

            await first.aclose()
            await held
            await _fails(hub, store, tell())

            async with _serving(port):
                assert await hub.call(store, tell()) == stored


async def test_a_url_where_nothing_listens_is_named(make_project: Make, tell: Tell, tmp_path: Path) -> None:
    async with Hub.open(make_project(_entry(9, tmp_path))) as hub:
        with pytest.raises(ServerError, match=r"the server 'web' of .*\.mcp\.json did not start: "):
            await hub.call(ToolCall(tool="web.store"), tell())


async def test_a_call_whose_answer_a_proxy_lost_is_put_to_a_person_and_not_made_again(tmp_path: Path) -> None:
    def reply(request: Request) -> str:
        return json.dumps({"tool": "web.append", "args": {"path": str(tmp_path / "effects")}})

    write_cards(tmp_path, worker="web")
    plan = Plan(steps=(Step(id="append", agent="worker", brief="Append a line."),))

    async with asyncio.timeout(120), _serving(0, "--gateway") as port:
        servers = {"mcpServers": {"web": {"type": "http", "url": _entry(port, tmp_path).url}}}
        (tmp_path / ".mcp.json").write_text(json.dumps(servers), encoding="utf-8")
        async with Swarm.open(tmp_path, model=ScriptedModel(reply)) as swarm:
            run: Run[str] = await swarm.start("Append a line.", plan=plan)
            answer = await run.answer()

    assert answer.status == "paused"
    [question] = read_questions(run_path(tmp_path, run.id))
    assert question.evidence == (
        f"web.append gave no answer that can be used: HTTP 502 Bad Gateway from http://127.0.0.1:{port}/mcp, "
        "and nothing can tell whether it took effect"
    )
    assert (tmp_path / "effects").read_text(encoding="utf-8") == "done\n"
