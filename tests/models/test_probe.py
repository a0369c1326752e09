"""Finding servers: each kind is told from the others by what it serves."""

from __future__ import annotations

import socket

import pytest
from pydantic import JsonValue

from swarm.models.model import Endpoint, ServerKind
from swarm.models.probe import probe
from swarm.testing import ScriptedModel, serving
from swarm.testing.http import HttpRequest, HttpResponse, json_response, serve
from swarm.testing.wire import FaceKind

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("kind", "slots"), [("llamacpp", 3), ("vllm", 64), ("lmstudio", 1), ("ollama", 1)])
async def test_a_server_is_known_by_its_pages(kind: FaceKind, slots: int) -> None:
    served = ScriptedModel(["x"], slots=3, window=6_000, name="some-model")

    async with serving(served, kind) as url:
        found = await probe(url)

    assert found == [Endpoint(kind=kind, model="some-model", url=url, slots=slots, window=6_000)]


async def test_an_ollama_model_that_is_loaded_comes_first_and_cloud_models_not_at_all() -> None:
    pages: dict[str, JsonValue] = {
        "/api/tags": {
            "models": [
                {"name": "big:latest"},
                {"name": "far-cloud", "remote_host": "https://example.org"},
                {"name": "embedder"},
                {"name": "warm:latest"},
            ]
        },
        "/api/ps": {"models": [{"name": "warm:latest", "context_length": 4_096}]},
    }

    async def handle(request: HttpRequest) -> HttpResponse:
        if request.path == "/api/show":
            what = "embedding" if b"embedder" in request.body else "completion"
            return json_response({"capabilities": [what], "model_info": {"x.context_length": 131_072}})
        page = pages.get(request.path)
        return json_response(page, 404 if page is None else 200)

    async with serve(handle) as url:
        found = await probe(url)

    assert [(endpoint.model, endpoint.window) for endpoint in found] == [
        ("warm:latest", 4_096),
        ("big:latest", 8_192),
    ]


async def test_another_compatible_server_is_used_with_care() -> None:
    async def handle(request: HttpRequest) -> HttpResponse:
        is_models = request.path == "/v1/models"
        return json_response({"data": [{"id": "other"}]} if is_models else {}, 200 if is_models else 404)

    async with serve(handle) as url:
        found = await probe(url)

    kind: ServerKind = "openai"
    assert found == [Endpoint(kind=kind, model="other", url=url, slots=1, window=4_096)]


async def test_a_server_that_serves_no_models_is_none() -> None:
    async def handle(_: HttpRequest) -> HttpResponse:
        return HttpResponse(body=b"<html>It works!</html>", content_type="text/html")

    async with serve(handle) as url:
        assert await probe(url) == []


async def test_an_address_where_nothing_listens_gives_nothing() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert await probe(f"http://127.0.0.1:{taken.getsockname()[1]}") == []
