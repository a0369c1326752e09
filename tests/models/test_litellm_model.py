"""The client against the scripted server, one protocol after the other."""

from __future__ import annotations

import asyncio
import json
import socket
from dataclasses import replace

import pytest
from pydantic import JsonValue

from swarm.errors import ContextOverflow, MalformedReply, ModelError, ModelUnavailable
from swarm.models.client.litellm import LitellmModel, load_client
from swarm.models.client.retry import Setback, hearing
from swarm.models.model import Endpoint
from swarm.models.servers.probe import probe
from swarm.nouns.messages import Message, Request
from swarm.testing import Fault, ScriptedModel, serving
from swarm.testing.asgi import ScriptedApp
from swarm.testing.http_server import (
    Act,
    ClientConnection,
    Handler,
    HttpRequest,
    HttpResponse,
    json_response,
    serve,
)
from swarm.testing.wire import FaceKind

pytestmark = pytest.mark.anyio

KINDS: tuple[FaceKind, ...] = ("llamacpp", "vllm", "lmstudio", "ollama")

QUESTION = Request(
    messages=(
        Message(role="system", content="Answer briefly."),
        Message(role="user", content="Which?"),
        Message(role="assistant", content='{"answer": "this"}'),
        Message(role="user", content="Why?"),
    ),
    output_schema={
        "anyOf": [
            {
                "type": "object",
                "properties": {"kind": {"const": "a"}, "text": {"type": "string", "maxLength": 9}},
                "required": ["kind", "text"],
                "additionalProperties": False,
            },
            {"type": "object", "properties": {"kind": {"const": "b"}}, "required": ["kind"]},
        ]
    },
    max_tokens=77,
    seed=3,
)


def client(url: str, kind: FaceKind = "llamacpp", window: int = 4_096) -> LitellmModel:
    return LitellmModel(Endpoint(kind=kind, model="scripted", url=url, window=window))


@pytest.mark.parametrize("kind", KINDS)
async def test_the_server_gets_the_question_whole_and_the_reply_comes_back_counted(kind: FaceKind) -> None:
    got: list[Request] = []

    def reply(request: Request) -> str:
        got.append(request)
        return '{"kind": "b"}'

    async with serving(ScriptedModel(reply), kind) as url, client(url, kind) as model:
        answer = await model.reply(QUESTION)

    assert got[0].digest() == QUESTION.digest()
    assert (answer.text, answer.finish, answer.model) == ('{"kind": "b"}', "stop", "scripted")
    assert (answer.usage.prompt_tokens, answer.usage.written_tokens, answer.usage.model_calls) == (22, 3, 1)


async def test_a_slot_is_pinned_and_its_cached_tokens_are_told_apart() -> None:
    server = ScriptedModel(lambda _: "yes", slots=4)
    pinned = replace(QUESTION, slot=2)

    async with serving(server) as url, client(url) as model:
        first = await model.reply(pinned)
        second = await model.reply(pinned)

    assert [served.slot for served in server.log] == [2, 2]
    assert (first.usage.cached_tokens, first.usage.prefilled_tokens) == (0, 22)
    assert (second.usage.cached_tokens, second.usage.prefilled_tokens) == (21, 1)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_prompt_that_does_not_fit_is_an_overflow_and_is_asked_once(kind: FaceKind) -> None:
    server = ScriptedModel(lambda _: "never", window=8)

    async with serving(server, kind) as url, client(url, kind, window=8) as model:
        with pytest.raises(ContextOverflow, match=f"does not fit the window of 'scripted' at {url}"):
            await model.reply(QUESTION)

    assert len(server.log) == 1


async def test_a_window_that_slots_share_and_have_filled_is_no_overflow_but_a_busy_server() -> None:
    answers = iter([500, 200])

    async def handle(_: HttpRequest) -> HttpResponse:
        if next(answers) == 500:
            return json_response({"error": {"code": 500, "message": "Context size has been exceeded."}}, 500)
        return json_response(completion("at last"))

    heard: list[Setback] = []
    async with serve(handle) as url, client(url) as model:
        with hearing(heard.append):
            assert (await model.reply(QUESTION)).text == "at last"
    assert [one.kind for one in heard] == ["busy"]


@pytest.mark.parametrize("kind", KINDS)
async def test_an_answer_without_a_text_is_malformed(kind: FaceKind) -> None:
    def reply(_: Request) -> str:
        raise MalformedReply("no choices", "")

    async with serving(ScriptedModel(reply), kind) as url, client(url, kind) as model:
        with pytest.raises(MalformedReply):
            await model.reply(QUESTION)


async def test_a_reply_cut_at_its_limit_says_so() -> None:
    short = replace(QUESTION, max_tokens=16)

    async with serving(ScriptedModel(["x" * 400])) as url, client(url) as model:
        assert (await model.reply(short)).finish == "length"


async def test_a_busy_server_is_asked_again_after_the_time_it_names() -> None:
    answers = iter([503, 429, 200])

    async def handle(_: HttpRequest) -> HttpResponse:
        if (status := next(answers)) != 200:
            body = b'{"error": {"message": "server busy"}}'
            return HttpResponse(status, body, headers=(("Retry-After", "0"),))
        return json_response(completion("at last"))

    async with serve(handle) as url, client(url) as model:
        assert (await model.reply(QUESTION)).text == "at last"


async def test_a_server_that_stays_busy_ends_with_what_it_said() -> None:
    calls = 0

    async def handle(_: HttpRequest) -> HttpResponse:
        nonlocal calls
        calls += 1
        return HttpResponse(503, b'{"error": "all slots taken"}', headers=(("Retry-After", "0"),))

    async with serve(handle) as url, client(url) as model:
        with pytest.raises(ModelUnavailable, match="failed with status 503: all slots taken"):
            await model.reply(QUESTION)

    assert calls == 5


async def test_time_lost_to_failed_requests_is_told_apart() -> None:
    heard: list[Setback] = []
    server = ScriptedModel(["yes"], faults=[Fault("503", times=1, seconds=0.01)])

    async with serving(server) as url, client(url) as model:
        with hearing(heard.append):
            usage = (await model.reply(QUESTION)).usage

    assert usage.retry_seconds >= 0.01
    assert [(one.kind, one.pause_seconds <= usage.retry_seconds) for one in heard] == [("busy", True)]


async def test_a_time_to_wait_that_ends_after_the_deadline_ends_the_call_at_once() -> None:
    server = ScriptedModel(["never"], faults=[Fault("429", seconds=1_000)])

    async with serving(server) as url, client(url) as model, asyncio.timeout(60):
        with pytest.raises(ModelUnavailable, match="failed with status 429"):
            await model.reply(QUESTION)

    assert len(server.log) == 1


async def test_a_server_that_comes_back_as_another_is_looked_at_again() -> None:
    heard: list[Setback] = []
    fault = Fault("restart", times=1, seconds=0.05)
    server = ScriptedModel(["one", "two"], window=8_192, faults=[fault])

    async with serving(server) as url, client(url) as model, asyncio.timeout(60):
        with hearing(heard.append):
            await model.reply(QUESTION)
            assert model.endpoint.window == 4_096
            await model.reply(QUESTION)

    assert (model.endpoint.window, model.endpoint.slots) == (8_192, 8)
    assert heard[-1].kind == "changed"
    assert "its slots (1 → 8), its window (4096 → 8192 tokens)" in heard[-1].text


async def test_a_model_that_was_not_loaded_is_looked_at_again_once_it_is() -> None:
    heard: list[Setback] = []
    server = ScriptedModel(["one", "two"], models=("a", "b"), slots=3, window=8_192)

    async with serving(server) as url:
        cold = next(found for found in await probe(url) if found.model == "b")
        assert (cold.is_loaded, cold.slots, cold.window) == (False, 1, 4_096)
        async with LitellmModel(cold) as model:
            with hearing(heard.append):
                await model.reply(QUESTION)
            first = model.endpoint
            await model.reply(QUESTION)

    assert (first.is_loaded, first.slots, first.window, bool(first.digest)) == (True, 3, 8_192, True)
    assert (model.counter.window, heard) == (8_192, [])
    assert model.endpoint is first


async def test_a_router_that_started_anew_is_not_taken_for_another_model() -> None:
    heard: list[Setback] = []
    faults = [Fault("restart", times=1, after=1, seconds=0.01)]
    server = ScriptedModel(["one", "two", "three"], models=("a", "b"), slots=3, window=8_192, faults=faults)

    async with serving(server) as url, LitellmModel((await probe(url))[0]) as model:
        with hearing(heard.append):
            for _ in range(3):
                await model.reply(QUESTION)

    assert (model.endpoint.is_loaded, model.endpoint.slots, model.endpoint.window) == (True, 3, 8_192)
    assert "changed" not in [one.kind for one in heard]


async def test_requests_that_only_count_a_prompt_are_spent_like_others_and_told_of_once() -> None:
    model, told = ScriptedModel(lambda _: "yes", window=32_768), list[Setback]()
    long = [Request(messages=(Message(role="user", content="word " * n),)) for n in (2_900, 3_000, 3_100)]
    async with serving(model, "lmstudio") as url, client(url, "lmstudio", 4_096) as asked:
        with hearing(told.append):
            replies = [await asked.reply(request) for request in long]

    assert sum(reply.spent.model_calls for reply in replies) == len(model.log) > len(replies)
    assert sum(reply.spent.prompt_tokens for reply in replies) == sum(
        one.usage.prompt_tokens for one in model.log
    )
    assert [one.usage.model_calls for one in replies] == [1, 1, 1]
    assert [one.text for one in told if "has no tokenizer" in one.text] == [
        f"{url} has no tokenizer: prompts that may have been cut are counted by short requests, which are model "
        "calls of the run"
    ]


@pytest.mark.parametrize("streams", [True, False])
async def test_a_server_that_counts_no_tokens_is_asked_once_and_they_are_estimated(streams: bool) -> None:
    text = "The lamp in the second room is off. " * 300
    question = Request(messages=(Message(role="user", content=text),))
    calls = 0

    async def handle(_: HttpRequest) -> HttpResponse:
        nonlocal calls
        calls += 1
        whole = completion(text)
        del whole["usage"]
        if not streams:
            return json_response(whole)
        delta: JsonValue = [{"index": 0, "finish_reason": "stop", "delta": {"content": text}}]
        piece = json.dumps(whole | {"object": "chat.completion.chunk", "choices": delta})
        return HttpResponse(
            body=f"data: {piece}\n\ndata: [DONE]\n\n".encode(), content_type="text/event-stream"
        )

    async with serve(handle) as url:
        endpoint = Endpoint(kind="openai", model="scripted", url=url, streams=streams)
        async with LitellmModel(endpoint) as model:
            usage = (await model.reply(question)).usage
            assert model.counter.is_guessing

    assert calls == 1
    assert 1_800 < usage.prompt_tokens < 4_500
    assert 1_800 < usage.written_tokens < 4_500


@pytest.mark.parametrize("kind", ["llamacpp", "ollama"])
@pytest.mark.parametrize("streams", [True, False])
async def test_a_server_is_asked_to_stream_unless_it_can_not(kind: FaceKind, streams: bool) -> None:
    bodies: list[dict[str, JsonValue]] = []
    server = ScriptedApp(ScriptedModel(["yes"]), kind)

    async def handle(request: HttpRequest) -> HttpResponse | Act:
        bodies.append(json.loads(request.body))
        return await server.handle(request)

    async with serve(handle) as url:
        endpoint = client(url, kind).endpoint.model_copy(update={"streams": streams})
        async with LitellmModel(endpoint) as model:
            assert (await model.reply(QUESTION)).text == "yes"

    assert [body.get("stream", False) for body in bodies] == [streams]


async def test_a_refusal_is_not_asked_again() -> None:
    calls = 0

    async def handle(_: HttpRequest) -> HttpResponse:
        nonlocal calls
        calls += 1
        return json_response({"error": {"message": "unrecognized type 'nonsense'"}}, 400)

    async with serve(handle) as url, client(url) as model:
        with pytest.raises(ModelError, match="refused the request with status 400: unrecognized type"):
            await model.reply(QUESTION)

    assert calls == 1


async def test_an_address_where_nothing_listens_is_named_within_the_deadline() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with client(url) as model:
            await load_client()
            with pytest.raises(ModelUnavailable, match=url):
                await model.reply(replace(QUESTION, deadline_seconds=0.2))


async def test_a_server_that_never_answers_is_left_at_the_deadline() -> None:
    left = asyncio.Event()

    async def handle(_: HttpRequest) -> HttpResponse:
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        return HttpResponse()

    await expect_to_leave(handle, left)


async def test_a_server_that_drips_an_endless_answer_is_left_at_the_deadline() -> None:
    left = asyncio.Event()

    async def drip(line: ClientConnection) -> None:
        line.start(HttpResponse())
        try:
            while True:
                line.piece(b" ")
                await asyncio.sleep(0.005)
        finally:
            left.set()

    async def handle(_: HttpRequest) -> Act:
        return drip

    await expect_to_leave(handle, left)


async def expect_to_leave(handle: Handler, left: asyncio.Event) -> None:
    async with serve(handle) as url, client(url) as model:
        await load_client()
        with pytest.raises(ModelUnavailable, match=r"no whole reply within 0\.3 s"):
            await model.reply(replace(QUESTION, deadline_seconds=0.3))
        async with asyncio.timeout(5):
            await left.wait()


async def test_a_cancelled_request_frees_its_slot_on_the_server() -> None:
    begun = asyncio.Event()

    async def reply(_: Request) -> str:
        if not begun.is_set():
            begun.set()
            await asyncio.Event().wait()
        return "next"

    async with serving(ScriptedModel(reply, slots=1)) as url, client(url) as model, asyncio.timeout(20):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(model.reply(QUESTION))
            await begun.wait()
            task.cancel()
        assert (await model.reply(QUESTION)).text == "next"


async def test_three_hundred_requests_are_at_the_server_at_once() -> None:
    all_there = asyncio.Event()
    there = 0

    async def reply(_: Request) -> str:
        nonlocal there
        there += 1
        if there == 300:
            all_there.set()
        await all_there.wait()
        return "ok"

    server = ScriptedModel(reply, slots=300)
    async with (
        serving(server) as url,
        client(url) as model,
        asyncio.timeout(60),
        asyncio.TaskGroup() as group,
    ):
        for _ in range(300):
            group.create_task(model.reply(QUESTION))

    assert server.peak == 300


def completion(text: str) -> dict[str, JsonValue]:
    """A whole OpenAI-shaped answer."""
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "scripted",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
    }
