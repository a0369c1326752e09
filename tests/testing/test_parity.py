"""The double against the real thing: llama.cpp's own server with the smallest model, asked the same.

All that the double tells, the real server must tell too, in the same types, and the counts must
follow the same rules. The other kinds of servers can't run here; their shapes are those of the
sources that ``swarm.testing.openai`` and ``swarm.testing.ollama`` name.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import cast

import httpx
import pytest
from pydantic import JsonValue

from benchmarks.tool_lists import published as tools_published
from swarm.hub.tools.schema import Trimmer
from swarm.models.embedded.server_process import open_embedded
from swarm.models.grammars.schemas import translated
from swarm.nouns.messages import Request
from swarm.testing import ScriptedModel, serving

# Loading a model takes seconds, on a starved machine minutes.
pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

NAME = "smollm2-135m-instruct"
CHAT = "/v1/chat/completions"
WINDOW = 256
"""A multiple of 256, to which llama.cpp rounds the window of a slot."""

Json = dict[str, JsonValue]


@pytest.fixture
async def servers(model_file: Path) -> AsyncGenerator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """The real server and its double."""

    def reply(request: Request) -> str:
        return "word" * request.max_tokens

    double = ScriptedModel(reply, slots=2, window=WINDOW, name=NAME)
    async with (
        open_embedded(model_file, NAME, slots=2, window=WINDOW) as endpoint,
        serving(double) as url,
        httpx.AsyncClient(base_url=endpoint.url, trust_env=False, timeout=250) as real,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=250) as scripted,
    ):
        yield scripted, real


def chat(*contents: str, **more: JsonValue) -> Json:
    """The body of a chat: the system, the user, the assistant, the user, …"""
    roles = ["system", *(["user", "assistant"] * len(contents))]
    messages: list[JsonValue] = [
        {"role": role, "content": content} for role, content in zip(roles, contents, strict=False)
    ]
    return {"messages": messages, "temperature": 0, "max_tokens": 3, "cache_prompt": True, **more}


def same_shape(double: JsonValue, real: JsonValue, where: str) -> None:
    """All that the double tells, the real server tells in the same types."""
    if isinstance(double, dict):
        assert isinstance(real, dict), where
        assert double.keys() <= real.keys(), (where, double.keys() - real.keys())
        for key in double:
            same_shape(double[key], real[key], f"{where}/{key}")
    elif isinstance(double, list):
        assert isinstance(real, list), where
        for ours, theirs in zip(double[:1], real[:1], strict=True):
            same_shape(ours, theirs, f"{where}[]")
    else:
        numbers = (int, float)
        kinds = [numbers if isinstance(value, numbers) else type(value) for value in (double, real)]
        assert kinds[0] == kinds[1], (where, double, real)


def chunks_of(response: httpx.Response) -> list[Json]:
    """The chunks of a stream that ends as it should."""
    *lines, end = [line.removeprefix("data: ") for line in response.text.splitlines() if line]
    assert end == "[DONE]"
    return [cast("Json", json.loads(line)) for line in lines]


def forms(chunks: list[Json]) -> list[str]:
    """What each chunk brings, runs of the same as one."""
    names: list[str] = []
    for chunk in chunks:
        choices = cast("list[dict[str, dict[str, JsonValue]]]", chunk["choices"])
        delta = choices[0]["delta"] if choices else {"usage": chunk["usage"]}
        name = ",".join(f"{key}={type(value).__name__}" for key, value in sorted(delta.items()))
        if not names or names[-1] != name:
            names.append(name)
    return names


async def test_the_double_tells_the_truth(servers: tuple[httpx.AsyncClient, httpx.AsyncClient]) -> None:
    # One test for all, because loading the model is the most of it.
    for path in ("/health", "/props", "/slots", "/v1/models", "/models", "/no/such/path"):
        ours, theirs = [await server.get(path) for server in servers]
        assert ours.status_code == theirs.status_code
        same_shape(ours.json(), theirs.json(), path)
    await pages_about_tokens_are_alike(servers)
    await replies_are_alike(servers)
    await caches_are_alike(servers)
    await windows_are_alike(servers)
    await grammars_are_alike(servers)


async def pages_about_tokens_are_alike(servers: tuple[httpx.AsyncClient, ...]) -> None:
    body = chat("You answer briefly.", "Name a colour.")
    for server in servers:
        prompt = (await server.post("/apply-template", json=body)).json()["prompt"]
        tokens = (await server.post("/tokenize", json={"content": prompt})).json()["tokens"]
        usage = (await server.post(CHAT, json=body)).json()["usage"]
        assert (await server.post("/tokenize", json={"content": ""})).json() == {"tokens": []}
        assert all(isinstance(token, int) for token in tokens)
        assert len(tokens) == usage["prompt_tokens"]


async def replies_are_alike(servers: tuple[httpx.AsyncClient, ...]) -> None:
    body = chat("You answer briefly.", "Name a colour.")
    ours, theirs = [(await server.post(CHAT, json=body)).json() for server in servers]
    same_shape(ours, theirs, "reply")
    for options in ({}, {"stream_options": {"include_usage": True}}):
        streams = [await server.post(CHAT, json=body | {"stream": True} | options) for server in servers]
        ours, theirs = map(chunks_of, streams)
        assert forms(ours) == forms(theirs)
        for at in (0, 1, -2, -1):
            same_shape(ours[at], theirs[at], f"chunk {at} {options}")
        assert ours[-1].keys() == theirs[-1].keys()


async def caches_are_alike(servers: tuple[httpx.AsyncClient, ...]) -> None:
    first = "A story of old ships on a calm sea. " * 4
    other = "Nothing here has ever been like that before, they said. " * 3
    follow = [first, "Go on.", "It was calm.", "And then?"]
    seen: list[list[bool]] = []
    for server in servers:
        facts: list[bool] = []
        # Said twice, then another on the other slot, then the first goes on where it was.
        for contents in ([first, "Go on."], [first, "Go on."], [other, "Why?"], follow, [other, "Why?"]):
            usage = (await server.post(CHAT, json=chat(*contents))).json()["usage"]
            cached, prompt = usage["prompt_tokens_details"]["cached_tokens"], usage["prompt_tokens"]
            facts += [cached == prompt - 1, cached > prompt // 2]
        seen.append(facts)
    assert seen[0] == seen[1]
    assert seen[0] == [False, False, True, True, False, False, False, True, True, True]


async def windows_are_alike(servers: tuple[httpx.AsyncClient, ...]) -> None:
    errors: list[Json] = []
    for server in servers:
        usage = await server.post(CHAT, json=chat("Sea. " * 100, "Count.", max_tokens=900, ignore_eos=True))
        assert usage.json()["choices"][0]["finish_reason"] == "length"
        assert usage.json()["usage"]["total_tokens"] == WINDOW
        refused = await server.post(CHAT, json=chat("Sea. " * 900, "Count.", stream=True))
        assert refused.status_code == 400
        errors.append(refused.json()["error"])
        assert (errors[-1]["code"], errors[-1]["n_ctx"]) == (400, WINDOW)
    ours, theirs = errors
    assert (ours.keys(), ours["type"]) == (theirs.keys(), theirs["type"])
    same_shape(cast("JsonValue", ours), cast("JsonValue", theirs), "error")


REFUSED: list[JsonValue] = [
    {"type": "object", "properties": {"v": True}},
    {"type": "array", "items": False},
    {"type": "array", "prefixItems": [True]},
    {"anyOf": [{"type": "string"}, False]},
    {"enum": []},
    {"anyOf": []},
    {"type": []},
    {"type": "any"},
    {"type": ["string", "foo"]},
    {"type": "object", "properties": []},
    {"type": "object", "properties": {"a": None}},
    {"additionalProperties": []},
    {"$ref": "#"},
    {"$ref": "https://host.example/x"},
    {"type": "object", "properties": {"result": {"$ref": "#/$defs/A"}}},
    {"$ref": "#/definitions/List%3CItem%3E", "definitions": {"List<Item>": {"type": "string"}}},
    {"type": "string", "pattern": "^(a$"},
    {"type": "string", "pattern": "^[a$"},
    {"type": "string", "pattern": "^*a$"},
    {"type": "string", "pattern": 5},
    {"type": "string", "minLength": -1},
    {"type": "string", "maxLength": 2.0},
    {"type": "string", "minLength": 2_001},
    {"type": "array", "maxItems": 1_999, "items": {"type": "string"}},
    {"type": "integer", "maximum": 2**63},
    {"type": "integer", "minimum": "1"},
]
TAKEN: list[JsonValue] = [
    {},
    {"not": {}},
    {"type": "object"},
    {"$defs": {"A": True}, "type": "string"},
    {
        "type": "object",
        "properties": {"a": {"$ref": "#/properties/b/anyOf/0"}, "b": {"anyOf": [{"type": "null"}]}},
    },
    {"type": "object", "properties": {}, "required": ["a"]},
    {"type": "string", "pattern": "(a"},
    {"type": "string", "maxLength": 100_000},
    {"type": "array", "maxItems": 1_998, "items": {"type": "string"}},
    {"type": "object", "patternProperties": {"x": True}, "if": True},
]
"""What llama.cpp makes a grammar of, for some of them of another kind than is meant."""


async def grammars_are_alike(servers: tuple[httpx.AsyncClient, ...]) -> None:
    published = list(tools_published())[::150]
    raw = [one.schema for one in published]
    ours = [translated(Trimmer(one.schema).trimmed()) for one in published]
    for schema in (*REFUSED, *TAKEN, *raw, *ours):
        form: JsonValue = {"type": "json_schema", "json_schema": {"name": "turn", "schema": schema}}
        asked = [
            await server.post(CHAT, json=chat("x", max_tokens=1, response_format=form)) for server in servers
        ]
        double, real = [(one.status_code, one.json().get("error")) for one in asked]
        assert double == real, schema
        assert real[0] == (400 if schema in REFUSED else 200) or schema in raw, schema
