"""Every fault of a server, on the wire as a client meets it: streamed and not, in both protocols."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest
from pydantic import JsonValue

from swarm.errors import MalformedReply, ModelUnavailable
from swarm.nouns.messages import Message, Request
from swarm.testing import ScriptedModel, serving
from swarm.testing.double.faults import WIRE_FAULTS, Fault, WireFault
from swarm.testing.double.script import ReplyFunction
from swarm.testing.wire import FaceKind

pytestmark = pytest.mark.anyio

TEXT = "The answer is in the third of the five files that were read."
PATHS: dict[FaceKind, str] = {"llamacpp": "/v1/chat/completions", "ollama": "/api/chat"}
FACES = pytest.mark.parametrize("kind", list(PATHS))
STREAMED = pytest.mark.parametrize("is_stream", [False, True])


@asynccontextmanager
async def faulty(
    kind: FaceKind, *faults: Fault, reply: ReplyFunction = lambda _: TEXT
) -> AsyncGenerator[tuple[ScriptedModel, httpx.AsyncClient]]:
    model = ScriptedModel(reply, slots=1, faults=faults)
    async with (
        serving(model, kind) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client,
    ):
        yield model, client


def body(is_stream: bool) -> dict[str, JsonValue]:
    return {"messages": [{"role": "user", "content": "Where?"}], "stream": is_stream}


async def ask(client: httpx.AsyncClient, kind: FaceKind, is_stream: bool) -> httpx.Response:
    return await client.post(PATHS[kind], json=body(is_stream))


@FACES
@STREAMED
@pytest.mark.parametrize("status", ["500", "429", "503"])
async def test_a_refusal_has_its_status_and_says_when_to_come_back(
    kind: FaceKind, is_stream: bool, status: WireFault
) -> None:
    async with faulty(kind, Fault(status, times=1, seconds=0.5)) as (model, client):
        refused = await ask(client, kind, is_stream)
        answered = await ask(client, kind, is_stream)

    assert (refused.status_code, answered.status_code) == (int(status), 200)
    assert refused.headers.get("Retry-After") == (None if status == "500" else "0.5")
    assert "error" in refused.json()
    assert [(served.fault, served.slot) for served in model.log] == [(status, None), ("", 0)]


@FACES
@STREAMED
@pytest.mark.parametrize("fault", ["hang", "stall", "drip"])
async def test_an_answer_that_never_ends_keeps_its_slot_until_the_client_leaves(
    kind: FaceKind, is_stream: bool, fault: WireFault
) -> None:
    got, asked, came = bytearray(), asyncio.Event(), asyncio.Event()
    drop = TEXT[:10].encode() if is_stream else b" "

    async def listen(client: httpx.AsyncClient) -> None:
        async with client.stream("POST", PATHS[kind], json=body(is_stream)) as response:
            async for piece in response.aiter_bytes():
                got.extend(piece)
                if got.count(drop) > 5 or fault == "stall":
                    came.set()

    def reply(_: Request) -> str:
        asked.set()
        return TEXT

    async with faulty(kind, Fault(fault, times=1, seconds=0.01), reply=reply) as (model, client):
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            listening = group.create_task(listen(client))
            await (asked if fault == "hang" else came).wait()
            assert model.busy_slots == {0}
            listening.cancel()
        answered = await ask(client, kind, is_stream)

    assert (got == b"") is (fault == "hang")
    assert answered.is_success


@FACES
@STREAMED
async def test_a_cut_answer_ends_before_it_should(kind: FaceKind, is_stream: bool) -> None:
    async with faulty(kind, Fault("cut")) as (_, client):
        with pytest.raises(httpx.RemoteProtocolError):
            await ask(client, kind, is_stream)


@FACES
@STREAMED
@pytest.mark.parametrize("fault", ["broken-stream", "half-json", "html"])
async def test_a_garbled_answer_has_status_200_and_can_not_be_read(
    kind: FaceKind, is_stream: bool, fault: WireFault
) -> None:
    async with faulty(kind, Fault(fault)) as (_, client):
        answer = await ask(client, kind, is_stream)

    assert answer.status_code == 200
    lines = filter(None, answer.text.splitlines() if is_stream else [answer.text])
    with pytest.raises(ValueError, match="column"):
        list(map(json.loads, (line.removeprefix("data: ").replace("[DONE]", "0") for line in lines)))


@FACES
@STREAMED
async def test_an_empty_answer_has_no_choices_or_no_words(kind: FaceKind, is_stream: bool) -> None:
    async with faulty(kind, Fault("empty")) as (_, client):
        answer = await ask(client, kind, is_stream)

    content = json.loads(answer.text.splitlines()[0].removeprefix("data: "))
    if kind == "ollama":
        assert (content["message"]["content"], content["done"]) == ("", True)
    else:
        assert content["choices"] == []


@FACES
async def test_an_error_in_a_stream_comes_after_the_head_said_200(kind: FaceKind) -> None:
    async with faulty(kind, Fault("stream-error")) as (_, client):
        streamed = await ask(client, kind, True)
        whole = await ask(client, kind, False)

    assert (streamed.status_code, whole.status_code) == (200, 500)
    assert "error" in json.loads(streamed.text.strip().splitlines()[-1].removeprefix("data: "))
    assert "[DONE]" not in streamed.text


@STREAMED
async def test_a_restart_drops_everyone_and_comes_back_with_cold_caches(is_stream: bool) -> None:
    async with faulty("llamacpp", Fault("restart", times=1, after=1, seconds=0.1)) as (model, client):
        await ask(client, "llamacpp", is_stream)
        with pytest.raises(httpx.RemoteProtocolError):
            await ask(client, "llamacpp", is_stream)
        with pytest.raises(httpx.ConnectError):
            await ask(client, "llamacpp", is_stream)
        answered = None
        async with asyncio.timeout(60):
            while answered is None:
                try:
                    answered = await ask(client, "llamacpp", is_stream)
                except httpx.ConnectError:
                    continue

    assert answered.is_success
    assert [served.usage.cached_tokens for served in model.log] == [0, 0, 0]


async def test_another_model_under_the_old_name_has_another_digest() -> None:
    async with faulty("ollama", Fault("digest", times=1, after=1)) as (_, client):
        digests: list[str] = []
        for _ in range(3):
            assert (await ask(client, "ollama", False)).is_success
            digests.append((await client.get("/api/tags")).json()["models"][0]["digest"])

    assert digests[0] != digests[1] == digests[2]


async def test_a_share_of_the_requests_meets_a_fault_always_the_same() -> None:
    async def statuses() -> list[int]:
        async with faulty("ollama", Fault("500", share=0.3, seed=1)) as (_, client):
            return [(await ask(client, "ollama", False)).status_code for _ in range(20)]

    first = await statuses()
    assert set(first) == {200, 500}
    assert first == await statuses()


async def test_a_script_gives_a_fault_for_one_request() -> None:
    def reply(request: Request) -> str | Fault:
        return Fault("html") if "odd" in request.messages[0].content else TEXT

    async with serving(ScriptedModel(reply)) as url, httpx.AsyncClient(trust_env=False) as client:
        for word, media in (("even", "application/json"), ("odd", "text/html")):
            messages = [{"role": "user", "content": word}]
            answer = await client.post(f"{url}/v1/chat/completions", json={"messages": messages})
            assert answer.headers["content-type"] == media


@pytest.mark.parametrize("fault", WIRE_FAULTS)
async def test_without_a_server_a_fault_is_the_error_it_would_become(fault: WireFault) -> None:
    model = ScriptedModel(lambda _: TEXT, faults=[Fault(fault)])
    question = Request(messages=(Message(role="user", content="Where?"),), deadline_seconds=0.05)
    if fault == "digest":
        assert (await model.reply(question)).text == TEXT
        return
    kinds = MalformedReply if fault in ("html", "half-json", "broken-stream", "empty") else ModelUnavailable
    with pytest.raises(kinds):
        await model.reply(question)
