"""What each kind of server does with a prompt that is too long, a full queue, tools, and a tokenizer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from pydantic import JsonValue

from swarm.errors import ModelUnavailable
from swarm.nouns.messages import Request
from swarm.testing import ScriptedModel, scripted_server, serving
from swarm.testing.double.dialects import turn
from swarm.testing.wire import FaceKind

pytestmark = pytest.mark.anyio

CHAT = "/v1/chat/completions"


@asynccontextmanager
async def served(kind: FaceKind, model: ScriptedModel) -> AsyncGenerator[httpx.AsyncClient]:
    async with (
        serving(model, kind) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client,
    ):
        yield client


def says(role: str, tokens: int, letter: str = "x") -> JsonValue:
    """A message of that many tokens with what the template adds."""
    return {"role": role, "content": letter * (tokens * 4 - len(f"<|{role}|>\n\n"))}


LONG: list[JsonValue] = [
    says("system", 20, "s"),
    says("user", 40, "a"),
    says("assistant", 40, "b"),
    says("user", 30, "c"),
]


async def test_ollama_drops_the_oldest_messages_in_silence_but_those_of_the_system() -> None:
    got: list[str] = []

    def reply(request: Request) -> str:
        got.extend(message.content[0] for message in request.messages)
        return "yes"

    model = ScriptedModel(reply, window=100)
    async with served("ollama", model) as client:
        answer = await client.post("/api/chat", json={"messages": LONG, "stream": False})

    assert got == ["s", "b", "c"]
    assert answer.json()["prompt_eval_count"] == 90
    assert answer.json()["done_reason"] == "stop"
    assert [served.is_truncated for served in model.log] == [True]


async def test_ollama_cuts_a_last_message_that_fills_the_window_alone() -> None:
    got: list[Request] = []

    def reply(request: Request) -> str:
        got.append(request)
        return "yes"

    messages = [says("system", 20), says("user", 200)]
    async with served("ollama", ScriptedModel(reply, window=100)) as client:
        answer = await client.post("/api/chat", json={"messages": messages, "stream": False})

    assert [message.role for message in got[0].messages] == ["user"]
    assert answer.json()["prompt_eval_count"] == 52


@pytest.mark.parametrize("more", [{"truncate": False}, {"options": {"num_ctx": 4_096}}])
async def test_ollama_refuses_when_told_and_has_the_window_it_is_asked_for(
    more: dict[str, JsonValue],
) -> None:
    model = ScriptedModel(lambda _: "yes", window=100)
    async with served("ollama", model) as client:
        answer = await client.post("/api/chat", json={"messages": LONG, "stream": False, **more})
        loaded = (await client.get("/api/ps")).json()["models"][0]["context_length"]

    if "truncate" in more:
        assert (answer.status_code, loaded) == (400, 100)
        assert "exceeds the available context size (100 tokens)" in answer.json()["error"]
    else:
        assert (answer.json()["prompt_eval_count"], loaded) == (130, 4_096)


async def test_the_second_protocol_of_ollama_knows_no_window_and_truncates() -> None:
    model = ScriptedModel(lambda _: "yes", window=100)
    async with served("ollama", model) as client:
        body = {"messages": LONG, "options": {"num_ctx": 4_096}, "truncate": False}
        answer = await client.post(CHAT, json=body)

    assert answer.json()["usage"] == {"prompt_tokens": 90, "completion_tokens": 1, "total_tokens": 91}
    assert model.log[0].is_truncated


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (
            "llamacpp",
            {
                "code": 400,
                "message": "request (130 tokens) exceeds the available context size (100 tokens), "
                "try increasing it",
                "type": "exceed_context_size_error",
                "n_prompt_tokens": 130,
                "n_ctx": 100,
            },
        ),
        (
            "vllm",
            {
                "code": 400,
                "message": "This model's maximum context length is 100 tokens. However, you requested "
                "137 tokens (130 in the messages, 7 in the completion). Please reduce the length of "
                "the messages or completion.",
                "type": "BadRequestError",
                "param": None,
            },
        ),
        (
            "lmstudio",
            "Trying to keep the first 130 tokens when context the overflows. However, the model is loaded "
            "with context length of only 100 tokens, which is not enough. Try to load the model with a "
            "larger context length, or provide a shorter input",
        ),
    ],
)
async def test_the_others_refuse_what_does_not_fit(kind: FaceKind, error: JsonValue) -> None:
    async with served(kind, ScriptedModel(lambda _: "never", window=100)) as client:
        answer = await client.post(CHAT, json={"messages": LONG, "max_tokens": 7})

    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_vllm_counts_the_reply_that_is_asked_for_and_llamacpp_ends_it_at_the_window() -> None:
    async def asked(kind: FaceKind) -> httpx.Response:
        async with served(kind, ScriptedModel(lambda _: "y" * 400, window=150)) as client:
            return await client.post(CHAT, json={"messages": LONG, "max_tokens": 30})

    assert (await asked("vllm")).status_code == 400
    answer = (await asked("llamacpp")).json()
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 20


async def test_the_tokenizer_counts_as_the_model_does() -> None:
    model = ScriptedModel(lambda _: "yes")
    async with served("llamacpp", model) as client:
        prompt = (await client.post("/apply-template", json={"messages": LONG})).json()["prompt"]
        tokens = (await client.post("/tokenize", json={"content": prompt})).json()["tokens"]
        spent = (await client.post(CHAT, json={"messages": LONG})).json()["usage"]
        none = (await client.post("/tokenize", json={"content": ""})).json()["tokens"]
    async with served("vllm", model) as client:
        counted = (await client.post("/tokenize", json={"messages": LONG})).json()

    assert len(tokens) == spent["prompt_tokens"] == counted["count"] == len(counted["tokens"]) == 130
    assert (none, counted["max_model_len"]) == ([], 32_768)


@pytest.mark.parametrize(
    ("kind", "status", "wait"),
    [("ollama", 503, None), ("llamacpp", 503, None), ("vllm", 429, "1"), ("lmstudio", 429, "1")],
)
async def test_a_full_queue_is_told_in_each_servers_way(
    kind: FaceKind, status: int, wait: str | None
) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def reply(_: Request) -> str:
        asked.set()
        await go_on.wait()
        return "yes"

    model = ScriptedModel(reply, slots=1, queue=0)
    async with served(kind, model) as client, asyncio.TaskGroup() as group:
        first = group.create_task(client.post(CHAT, json={"messages": LONG}))
        await asked.wait()
        second = await client.post(CHAT, json={"messages": LONG})
        go_on.set()

    assert (first.result().status_code, second.status_code) == (200, status)
    assert second.headers.get("Retry-After") == wait


@pytest.mark.parametrize(("kind", "status"), [("ollama", 404), ("vllm", 404), ("llamacpp", 200)])
async def test_a_name_that_is_not_served_is_refused_where_names_count(kind: FaceKind, status: int) -> None:
    async with served(kind, ScriptedModel(lambda _: "yes")) as client:
        answer = await client.post(CHAT, json={"messages": LONG, "model": "other"})

    assert answer.status_code == status


async def test_several_models_are_shown_loaded_or_not() -> None:
    model = ScriptedModel(lambda _: "yes", models=("a", "b"), resident=1, window=500)
    async with served("llamacpp", model) as client:
        await client.post(CHAT, json={"messages": LONG, "model": "b"})
        models = (await client.get("/v1/models")).json()["data"]
        router = (await client.get("/props")).json()
        one = (await client.get("/props?model=b")).json()
    async with served("ollama", model) as client:
        loaded = (await client.get("/api/ps")).json()["models"]
        tags = (await client.get("/api/tags")).json()["models"]

    assert [(one["id"], one["status"]["value"]) for one in models] == [("a", "unloaded"), ("b", "loaded")]
    assert (router["role"], router["max_instances"]) == ("router", 1)
    assert (one["model_alias"], one["default_generation_settings"]["n_ctx"]) == ("b", 500)
    assert ([one["name"] for one in loaded], [one["name"] for one in tags]) == (["b"], ["a", "b"])


@pytest.mark.parametrize("is_stream", [False, True])
async def test_a_call_comes_in_the_protocols_field_when_tools_are_declared(is_stream: bool) -> None:
    calls = [turn("files.read", {"path": "a"}), turn("files.read", {"path": "b"})]
    body = {
        "messages": [
            {"role": "user", "content": "Read."},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "1", "function": {"name": "files.list", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "1", "content": "a, b"},
        ],
        "tools": [{"type": "function", "function": {"name": "files.read"}}],
        "stream": is_stream,
    }
    got: list[Request] = []

    def reply(request: Request) -> str:
        got.append(request)
        return "\n".join(calls)

    async with served("llamacpp", ScriptedModel(reply)) as client:
        answer = await client.post(CHAT, json=body)

    content = json.loads(answer.text.splitlines()[0].removeprefix("data: "))
    message = content["choices"][0]["delta" if is_stream else "message"]
    assert message["content"] is None
    assert [json.loads(call["function"]["arguments"])["path"] for call in message["tool_calls"]] == ["a", "b"]
    assert '"finish_reason": "tool_calls"' in answer.text
    assert [message.role for message in got[0].messages] == ["user", "assistant", "user"]
    assert got[0].messages[1].content == turn("files.list", {})


async def test_the_command_takes_every_setting_and_its_log_tells_what_happened(tmp_path: Path) -> None:
    script = tmp_path / "echo.py"
    script.write_text("def reply(request):\n    return request.messages[-1].content\n", encoding="utf-8")
    options = (
        "--models",
        "a,b",
        "--resident",
        "1",
        "--queue",
        "9",
        "--prefill",
        "1e6",
        "--decode",
        "1e6,2e6",
    )

    async with (
        scripted_server(script, kind="ollama", options=(*options, "--fault", "500:1+2")) as server,
        httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=60) as client,
    ):
        for name, status in (("a", 200), ("b", 200), ("a", 500)):
            body = {"model": name, "messages": [says("user", 10)], "stream": False}
            assert (await client.post("/api/chat", json=body)).status_code == status
        log = await server.log()

    assert (log.loads, log.swaps, log.peak) == (2, 1, 1)
    assert [(one.model, one.fault, one.usage.prefilled_tokens) for one in log.requests] == [
        ("a", "", 10),
        ("b", "", 10),
        ("a", "500", 0),
    ]


async def test_a_fault_that_there_is_not_is_told_to_who_started_the_server(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="no such fault: 'fire'"):
        async with scripted_server(tmp_path / "echo.py", options=("--fault", "fire")):
            pass
