"""The scripted server as tests and benchmarks start it: a process that speaks HTTP."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from pydantic import JsonValue

from swarm.errors import ModelUnavailable
from swarm.models.client.litellm import LitellmModel
from swarm.models.model import Endpoint
from swarm.nouns.messages import Message, Request
from swarm.testing import ScriptedModel, scripted_server, serving
from swarm.testing.http_server import HttpRequest, HttpResponse, json_response, serve
from swarm.testing.wire import FaceKind

pytestmark = pytest.mark.anyio

ECHO = "def reply(request):\n    return request.messages[-1].content\n"


def ask(text: str) -> Request:
    return Request(messages=(Message(role="user", content=text),))


async def test_it_answers_from_its_file_and_remembers_what_it_was_asked(tmp_path: Path) -> None:
    script = tmp_path / "echo.py"
    script.write_text(ECHO, encoding="utf-8")

    async with (
        scripted_server(script, slots=2) as server,
        LitellmModel(Endpoint(kind="llamacpp", model="scripted", url=server.url)) as model,
    ):
        assert (await model.reply(ask("one"))).text == "one"
        assert (await model.reply(ask("two"))).text == "two"
        log = await server.log()

    assert [served.digest for served in log.requests] == [ask("one").digest(), ask("two").digest()]
    assert [served.number for served in log.requests] == [1, 2]
    assert log.peak == 1
    first = log.requests[0]
    assert first.started is not None
    assert first.finished is not None
    assert first.arrived <= first.started <= first.finished
    assert first.usage.written_tokens == 1


async def test_it_ends_with_the_block_that_started_it(tmp_path: Path) -> None:
    script = tmp_path / "echo.py"
    script.write_text(ECHO, encoding="utf-8")

    async with scripted_server(script) as server:
        pass

    with pytest.raises(ConnectionError):
        await asyncio.open_connection("127.0.0.1", int(server.url.rsplit(":", 1)[1]))


async def test_a_script_that_does_not_run_is_told_to_who_started_it(tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text("1 / 0", encoding="utf-8")

    with pytest.raises(ModelUnavailable, match=r"broken\.py: the script does not run: ZeroDivisionError"):
        async with scripted_server(script):
            pass


@pytest.mark.parametrize(
    ("kind", "path", "body"),
    [
        ("llamacpp", "/v1/chat/completions", {"stream": True, "stream_options": {"include_usage": True}}),
        ("ollama", "/api/chat", {"stream": True}),
    ],
)
async def test_a_stream_holds_the_whole_reply(kind: FaceKind, path: str, body: dict[str, JsonValue]) -> None:
    text = "".join(str(number) for number in range(100))
    body = {"messages": [{"role": "user", "content": [{"type": "text", "text": "?"}]}], **body}

    async with serving(ScriptedModel([text]), kind) as url:
        answer = await exchange(url, "POST", path, json.dumps(body).encode())

    lines = [line.removeprefix("data: ") for line in answer.splitlines() if "{" in line]
    chunks = [json.loads(line) for line in lines]
    if kind == "ollama":
        assert "".join(chunk["message"]["content"] for chunk in chunks) == text
        assert chunks[-1]["eval_count"] == len(text) // 4
    else:
        pieces = [choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"]]
        assert "".join(pieces) == text
        assert chunks[-1]["usage"]["completion_tokens"] == len(text) // 4


async def test_what_it_cannot_read_and_what_it_does_not_have_are_refused() -> None:
    async with serving(ScriptedModel(["never"])) as url:
        assert "HTTP/1.1 400" in await exchange(url, "POST", "/v1/chat/completions", b'{"messages": []}')
        assert "HTTP/1.1 404" in await exchange(url, "GET", "/no/such/page")
        assert '"total_slots": 8' in await exchange(url, "GET", "/props")


async def test_a_script_that_fails_fails_its_request_and_not_the_server() -> None:
    def reply(_: Request) -> str:
        raise KeyError("surprise")

    body = b'{"messages": [{"role": "user", "content": "?"}]}'
    async with serving(ScriptedModel(reply)) as url:
        first = await exchange(url, "POST", "/v1/chat/completions", body)
        second = await exchange(url, "POST", "/v1/chat/completions", body)

    assert "HTTP/1.1 500" in first
    assert "KeyError: 'surprise'" in second


async def test_two_requests_on_one_connection_are_answered_in_order() -> None:
    async def handle(request: HttpRequest) -> HttpResponse:
        return json_response(request.body.decode())

    async with serve(handle) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
        for body in (b"first", b"second"):
            writer.write(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await reader.readuntil(b'"first"')
        await reader.readuntil(b'"second"')
        writer.close()
        await writer.wait_closed()


async def exchange(url: str, method: str, path: str, body: bytes = b"") -> str:
    """The head and body of one response, with the framing of its pieces left in."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
    writer.write(f"{method} {path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    head = await reader.readuntil(b"\r\n\r\n")
    if b"chunked" in head:
        content = await reader.readuntil(b"\r\n0\r\n\r\n")
    else:
        size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        content = await reader.readexactly(size)
    writer.close()
    await writer.wait_closed()
    return (head + content).decode()
