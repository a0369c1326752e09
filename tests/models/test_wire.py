"""The wire to a model server: what comes back whole, what ends it, and what it waits for."""

from __future__ import annotations

import asyncio
import json
import socket

import httpx
import pytest

from swarm.models.client.transport import EXCHANGE, End, Exchange, Transport, WireError
from swarm.testing import Fault, ScriptedModel, parse_fault, serving
from swarm.testing.http_server import Act, ClientConnection, HttpRequest, HttpResponse, serve

pytestmark = pytest.mark.anyio

PATHS = {"llamacpp": "/v1/chat/completions", "ollama": "/api/chat"}


async def posted(url: str, exchange: Exchange, *, kind: str = "llamacpp", stream: bool = True) -> str:
    """The text of a chat completion asked for over a wire of its own."""
    wire = Transport()
    token = EXCHANGE.set(exchange)
    body = {"model": "scripted", "messages": [{"role": "user", "content": "?"}], "stream": stream}
    try:
        async with asyncio.timeout(20), httpx.AsyncClient(transport=wire) as client:
            answer = (await client.post(url + PATHS[kind], json=body)).json()
    finally:
        EXCHANGE.reset(token)
        await wire.close()
    message = answer["message"] if kind == "ollama" else answer["choices"][0]["message"]
    return str(message["content"])


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("kind", ["llamacpp", "ollama"])
async def test_an_answer_comes_whole_streamed_or_not(kind: str, stream: bool) -> None:
    text = "word " * 100
    exchange = Exchange(first_seconds=9.0, between_seconds=9.0)

    async with serving(ScriptedModel([text]), "ollama" if kind == "ollama" else "llamacpp") as url:
        assert await posted(url, exchange, kind=kind, stream=stream) == text

    assert (exchange.status, exchange.end) == (200, None)
    assert (exchange.token_after is not None) == stream


@pytest.mark.parametrize(
    ("spelling", "limits", "end"),
    [
        ("hang", (0.2, 9.0), "late"),
        ("stall", (9.0, 0.1), "late"),
        ("cut", (9.0, 9.0), "cut"),
        ("half-json", (9.0, 9.0), "cut"),
        ("broken-stream", (9.0, 9.0), "garbled"),
        ("restart@60", (9.0, 9.0), "cut"),
    ],
)
@pytest.mark.parametrize("kind", ["llamacpp", "ollama"])
async def test_a_stream_that_does_not_come_to_its_end_has_a_reason(
    kind: str, spelling: str, limits: tuple[float, float], end: End
) -> None:
    exchange = Exchange(first_seconds=limits[0], between_seconds=limits[1])
    server = ScriptedModel(["word " * 100], faults=[parse_fault(spelling)])

    async with serving(server, "ollama" if kind == "ollama" else "llamacpp") as url:
        with pytest.raises(WireError):
            await posted(url, exchange, kind=kind)

    assert (exchange.end, exchange.status) == (end, None)
    assert len(server.log) == 1


async def test_what_a_request_waited_for_its_first_token_is_spent() -> None:
    exchange = Exchange(first_seconds=9.0)

    async with serving(ScriptedModel(["a", "b"], latency_seconds=0.02)) as url:
        await posted(url, exchange)
        left = exchange.first_seconds
        await posted(url, exchange)

    assert left is not None
    assert exchange.first_seconds is not None
    assert exchange.first_seconds < left < 9.0


async def test_signs_of_life_without_a_token_do_not_extend_the_wait() -> None:
    async def ping(line: ClientConnection) -> None:
        line.start(HttpResponse(content_type="text/event-stream"))
        while True:
            line.piece(b": ping\n\n")
            await asyncio.sleep(0.005)

    async def handle(_: HttpRequest) -> Act:
        return ping

    exchange = Exchange(first_seconds=0.1, between_seconds=0.1)
    async with serve(handle) as url:
        with pytest.raises(WireError, match="no token came in time"):
            await posted(url, exchange)


async def test_an_answer_that_is_done_is_taken_though_the_server_keeps_the_line() -> None:
    async def stay(line: ClientConnection) -> None:
        delta = {"delta": {"content": "all"}, "finish_reason": "stop"}
        line.start(HttpResponse(content_type="text/event-stream"))
        line.piece(f"data: {json.dumps({'choices': [delta]})}\n\ndata: [DONE]\n\n".encode())
        await asyncio.Event().wait()

    async def handle(_: HttpRequest) -> Act:
        return stay

    async with serve(handle) as url:
        assert await posted(url, Exchange(first_seconds=9.0, between_seconds=9.0)) == "all"


async def test_where_nobody_listens_the_server_is_away() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        exchange = Exchange()
        with pytest.raises(WireError):
            await posted(f"http://127.0.0.1:{taken.getsockname()[1]}", exchange)

    assert exchange.end == "away"


async def test_an_error_keeps_its_status_and_words() -> None:
    exchange = Exchange(first_seconds=9.0)

    async with serving(ScriptedModel(["x"], faults=[Fault("429", seconds=7)])) as url:
        with pytest.raises(KeyError):
            await posted(url, exchange)

    assert (exchange.status, exchange.headers["Retry-After"]) == (429, "7")
    assert "error" in json.loads(exchange.text)
