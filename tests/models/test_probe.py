"""Finding servers: each kind is told from the others by what it serves, and asked what it can do."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import JsonValue

from swarm.models.model import Endpoint, ServerKind
from swarm.models.servers.probe import busy, changes, probe, refreshed
from swarm.testing import ScriptedModel, scripted_server, serving
from swarm.testing.http_server import HttpRequest, HttpResponse, json_response, serve
from swarm.testing.wire import FaceKind

pytestmark = pytest.mark.anyio

Pages = Mapping[str, JsonValue]


@asynccontextmanager
async def showing(pages: Pages) -> AsyncGenerator[str]:
    """A server of these pages; a text is sent as it is."""

    async def handle(request: HttpRequest) -> HttpResponse:
        page = pages.get(request.path)
        if isinstance(page, str):
            return HttpResponse(body=page.encode(), content_type="text/plain")
        return json_response(page, 404 if page is None else 200)

    async with serve(handle) as url:
        yield url


def llamacpp(**props: JsonValue) -> dict[str, JsonValue]:
    """The pages of llama.cpp's server with one model."""
    shown: dict[str, JsonValue] = {
        "total_slots": 2,
        "default_generation_settings": {"n_ctx": 4_096},
        "model_path": "/models/Qwen3-4B.gguf",
        "chat_template": "{% if enable_thinking %}<think>{% endif %}",
        "chat_template_caps": {"supports_tools": True},
        "modalities": {"vision": False, "audio": False},
    }
    models: JsonValue = {"data": [{"id": "Qwen3-4B", "meta": {"size": 2_500, "n_params": 4_000}}]}
    return {"/props": shown | props, "/v1/models": models, "/tokenize": {"tokens": [1]}}


@pytest.mark.parametrize(("kind", "slots"), [("llamacpp", 3), ("vllm", 64), ("lmstudio", 1), ("ollama", 1)])
async def test_a_server_is_known_by_its_pages(kind: FaceKind, slots: int) -> None:
    served = ScriptedModel(["x"], slots=3, window=6_000, name="some-model")

    async with serving(served, kind) as url:
        (found,) = await probe(url)

    assert (found.kind, found.model, found.url) == (kind, "some-model", url)
    assert (found.slots, found.window, found.is_loaded) == (slots, 6_000, True)
    assert "schema" in found.capabilities
    assert found.tokenizes == (kind in ("llamacpp", "vllm"))


async def test_llamacpp_tells_what_its_template_and_modalities_allow() -> None:
    async with showing(llamacpp()) as url:
        (found,) = await probe(url)

    assert found == Endpoint(
        kind="llamacpp",
        model="Qwen3-4B",
        url=url,
        slots=2,
        window=4_096,
        family="qwen",
        digest=found.digest,
        capabilities=frozenset({"schema", "grammar", "tools", "thinking"}),
        resident=1,
        tokenizes=True,
    )
    assert found.digest


async def test_a_llamacpp_that_shows_ollamas_page_too_is_no_ollama() -> None:
    tags: JsonValue = {"models": [{"name": "Qwen3-4B", "model": "Qwen3-4B", "digest": "", "details": {}}]}
    async with showing(llamacpp() | {"/api/tags": tags}) as url:
        (found,) = await probe(url)

    assert (found.kind, found.slots) == ("llamacpp", 2)


@pytest.mark.parametrize(("most", "resident"), [(4, 4), (0, None)])
async def test_the_router_of_llamacpp_is_asked_about_the_models_it_has_loaded(
    most: int, resident: int | None
) -> None:
    listed: JsonValue = {
        "data": [
            {"id": "cold", "status": {"value": "unloaded"}},
            {"id": "warm", "status": {"value": "loaded", "args": []}},
        ]
    }
    router: JsonValue = {"role": "router", "max_instances": most, "default_generation_settings": {"n_ctx": 0}}
    loaded = llamacpp()["/props"]
    asked: list[str] = []

    async def handle(request: HttpRequest) -> HttpResponse:
        asked.append(request.path)
        if request.path == "/v1/models":
            return json_response(listed)
        if request.path == "/props":
            return json_response(loaded if asked.count("/props") > 1 else router)
        return json_response({}, 404)

    async with serve(handle) as url:
        warm, cold = await probe(url)

    assert (warm.model, warm.slots, warm.window, warm.is_loaded, warm.resident) == (
        "warm",
        2,
        4_096,
        True,
        resident,
    )
    assert (cold.model, cold.is_loaded, cold.resident) == ("cold", False, resident)


async def test_vllm_is_given_as_many_slots_as_prompts_fit_its_cache() -> None:
    models: JsonValue = {"data": [{"id": "a", "root": "org/Llama-8B", "max_model_len": 131_072}]}
    metrics = 'vllm:cache_config_info{block_size="16",num_gpu_blocks="8192",engine="0"} 1.0\n'

    async with showing({"/v1/models": models, "/metrics": metrics}) as url:
        (found,) = await probe(url)

    assert (found.kind, found.slots, found.window) == ("vllm", 16, 131_072)
    assert (found.resident, found.tokenizes, bool(found.digest)) == (1, False, True)


async def test_a_vllm_that_tells_its_number_of_sequences_is_believed() -> None:
    pages: Pages = {
        "/v1/models": {"data": [{"id": "a", "max_model_len": 8_192}]},
        "/server_info": {"vllm_config": {"scheduler_config": {"max_num_seqs": 12}}},
        "/tokenize": {"tokens": [64], "count": 1, "max_model_len": 8_192},
    }

    async with showing(pages) as url:
        (found,) = await probe(url)

    assert (found.slots, found.tokenizes) == (12, True)


async def test_lm_studio_lists_each_loaded_instance_and_what_is_not_loaded() -> None:
    one: dict[str, JsonValue] = {
        "type": "llm",
        "key": "google/gemma-3-4b",
        "architecture": "gemma3",
        "size_bytes": 2_000,
        "format": "gguf",
        "max_context_length": 131_072,
        "capabilities": {"vision": True, "trained_for_tool_use": False},
        "loaded_instances": [],
    }
    loaded: JsonValue = [{"id": "gemma:2", "config": {"context_length": 8_192, "parallel": 2}}]
    models: JsonValue = [
        one,
        one | {"loaded_instances": loaded},
        {"type": "embedding", "key": "nomic", "loaded_instances": []},
    ]

    async with showing({"/api/v1/models": {"models": models}, "/v1/models": {"data": []}}) as url:
        warm, cold = await probe(url)

    assert (warm.kind, warm.model, warm.slots, warm.window) == ("lmstudio", "gemma:2", 2, 8_192)
    assert (warm.family, warm.resident, warm.is_loaded) == ("gemma", 1, True)
    assert warm.capabilities == {"schema", "vision"}
    assert (cold.model, cold.slots, cold.window, cold.is_loaded) == ("google/gemma-3-4b", 4, 131_072, False)
    assert cold.digest == warm.digest


async def test_an_ollama_model_that_is_loaded_comes_first_and_cloud_models_not_at_all() -> None:
    def tag(name: str, **fields: JsonValue) -> dict[str, JsonValue]:
        details: JsonValue = {"family": "qwen2"}
        basis: dict[str, JsonValue] = {"name": name, "digest": f"sha-{name}", "details": details}
        return basis | fields

    tags = [
        tag("big:latest"),
        tag("far-cloud", remote_host="https://example.org"),
        tag("embedder"),
        tag("set"),
        tag("warm"),
    ]
    pages: Pages = {
        "/api/tags": {"models": [*tags]},
        "/api/ps": {"models": [tag("warm", context_length=4_096)]},
    }

    async def handle(request: HttpRequest) -> HttpResponse:
        if request.path == "/api/show":
            able: list[JsonValue] = ["embedding"] if b"embedder" in request.body else ["completion", "tools"]
            said = (
                'stop "<|im_end|>"\nnum_ctx                        16384' if b'"set"' in request.body else ""
            )
            info: JsonValue = {"qwen2.context_length": 131_072}
            return json_response({"capabilities": able, "model_info": info, "parameters": said})
        page = pages.get(request.path)
        return json_response(page, 404 if page is None else 200)

    async with serve(handle) as url:
        found = await probe(url)

    assert [(endpoint.model, endpoint.window, endpoint.is_loaded) for endpoint in found] == [
        ("warm", 4_096, True),
        ("big:latest", 8_192, False),
        ("set", 16_384, False),
    ]
    assert found[0].digest == "sha-warm"
    assert found[0].capabilities == {"schema", "tools"}


async def test_the_environment_of_ones_own_ollama_tells_its_slots_and_how_many_models_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "script.py"
    script.write_text("def reply(request):\n    return 'x'\n", encoding="utf-8")
    monkeypatch.setenv("OLLAMA_NUM_PARALLEL", "3")
    monkeypatch.setenv("OLLAMA_MAX_LOADED_MODELS", "2")

    async with scripted_server(script, kind="ollama") as server:
        (found,) = await probe(server.url)

    assert (found.slots, found.resident) == (3, 2)


async def test_another_compatible_server_is_used_with_care() -> None:
    async with showing({"/v1/models": {"data": [{"id": "other"}]}}) as url:
        found = await probe(url)

    kind: ServerKind = "openai"
    assert found == [
        Endpoint(kind=kind, model="other", url=url, slots_guessed=True, window=4_096, family="other")
    ]


async def test_a_server_that_serves_no_models_is_none() -> None:
    async def handle(_: HttpRequest) -> HttpResponse:
        return HttpResponse(body=b"<html>It works!</html>", content_type="text/html")

    async with serve(handle) as url:
        assert await probe(url) == []


async def test_an_address_where_nothing_listens_gives_nothing() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert await probe(url) == []
        away = Endpoint(kind="llamacpp", model="x", url=url)
        assert await refreshed(away) == away


async def test_a_server_that_came_back_with_another_model_is_seen_and_what_a_person_set_stays() -> None:
    pages = llamacpp()
    async with showing(pages) as url:
        (before,) = await probe(url)
        mine = before.model_copy(update={"window": 2_000, "said": frozenset({"window"})})
        assert await refreshed(mine) == mine
        pages |= llamacpp(total_slots=4, model_path="/models/Qwen3-4B-Q8.gguf")
        now = await refreshed(mine)

    assert (now.slots, now.window) == (4, 2_000)
    assert changes(before, before) == ""
    told = changes(mine, now)
    assert told.startswith(f"the model 'Qwen3-4B' at {url} changed: its weights or its template (")
    assert told.endswith("its slots (2 → 4)")


async def test_a_server_tells_how_many_requests_it_works_on() -> None:
    slots: JsonValue = [{"id": 0, "is_processing": True}, {"id": 1, "is_processing": False}]
    metrics = 'vllm:num_requests_running{engine="0"} 3.0\nvllm:num_requests_waiting{engine="0"} 2.0\n'

    async with showing({"/slots": slots, "/metrics": metrics}) as url:
        assert await busy(Endpoint(kind="llamacpp", model="x", url=url)) == (1, 0)
        assert await busy(Endpoint(kind="vllm", model="x", url=url)) == (3, 2)
        assert await busy(Endpoint(kind="ollama", model="x", url=url)) is None
