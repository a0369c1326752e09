"""Model servers that want a key: it is sent to the server it was given for, and shown to nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import JsonValue

from swarm.errors import ModelMissing, ModelUnavailable, ProjectError
from swarm.models.choose import find, open_wish, wish_of, wish_of_table
from swarm.models.client.litellm import LitellmModel
from swarm.models.model import Endpoint
from swarm.models.pool import open_pool
from swarm.models.servers.probe import KeyWanted, probe, refreshed
from swarm.nouns.messages import Message, Request
from swarm.project.settings import ModelSettings, read_settings
from swarm.testing import ScriptedModel, serving
from swarm.testing.http_server import HttpRequest, HttpResponse, json_response, serve
from swarm.testing.wire import FaceKind

pytestmark = pytest.mark.anyio

KEY = "sk-local-1234"
KINDS: tuple[FaceKind, ...] = ("llamacpp", "vllm", "lmstudio", "ollama")
QUESTION = Request(messages=(Message("user", "Say yes."),), deadline_seconds=60)


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("SWARM_MODEL", "SWARM_API_BASE", "SWARM_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_server_of_each_kind_is_found_and_asked_with_its_key(
    monkeypatch: pytest.MonkeyPatch, kind: FaceKind
) -> None:
    monkeypatch.setenv("LOCAL_KEY", KEY)
    async with serving(ScriptedModel(["yes"], name="m"), kind, key=KEY) as url:
        wish = wish_of(None, ModelSettings(name="m", url=url, api_key="${LOCAL_KEY}"))
        async with open_wish(wish) as model:
            reply = await model.reply(QUESTION)
            again = await refreshed(model.endpoint)

    assert (reply.text, model.endpoint.kind, again.kind) == ("yes", kind, kind)
    assert KEY not in repr(model.endpoint) + model.endpoint.model_dump_json() + repr(wish)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("key", "said"), [("", "wants a key"), ("sk-other", "does not take the key that it was given")]
)
async def test_a_server_that_wants_another_key_is_told_as_one(kind: FaceKind, key: str, said: str) -> None:
    async with serving(ScriptedModel(["yes"]), kind, key=KEY) as url:
        with pytest.raises(KeyWanted) as refusal:
            await probe(url, key)

    assert str(refusal.value).startswith(f"the model server at {url} {said} (HTTP 401); set SWARM_API_KEY")


async def test_a_server_that_shows_its_list_to_everybody_is_not_taken_for_one_without_a_key() -> None:
    async def handle(request: HttpRequest) -> HttpResponse:
        pages: dict[str, JsonValue] = {
            "/v1/models": {"data": [{"id": "m"}]},
            "/api/tags": {"models": [{"name": "m"}]},
        }
        if request.path in pages:
            return json_response(pages[request.path])
        return json_response({"error": {"message": "Invalid API Key", "code": 401}}, 401)

    async with serve(handle) as url:
        with pytest.raises(KeyWanted):
            await probe(url)


async def test_a_key_that_is_taken_back_is_told_as_one_and_not_shown() -> None:
    async def handle(request: HttpRequest) -> HttpResponse:
        return json_response(
            {"error": {"message": f"no such key: {request.headers.get('authorization')}"}}, 401
        )

    async with serve(handle) as url:
        endpoint = Endpoint(kind="vllm", model="m", url=url, api_key=KEY, window=4_096)
        async with LitellmModel(endpoint) as model:
            with pytest.raises(ModelUnavailable) as failure:
                await model.reply(QUESTION)

    assert "'m' at " in str(failure.value)
    assert "does not take its key (status 401: no such key: Bearer ***)" in str(failure.value)


@pytest.mark.parametrize(
    ("url", "name", "environment", "key"),
    [
        ("http://a:1", None, {}, "mine"),
        ("http://a:1", None, {"SWARM_API_KEY": "other"}, "mine"),
        ("http://a:1", "m@http://b:1", {}, None),
        ("http://a:1", "m@http://b:1", {"SWARM_API_KEY": "other"}, "other"),
        ("http://a:1", "m@http://a:1/v1/", {}, "mine"),
        ("http://a:1", None, {"SWARM_API_BASE": "http://b:1"}, None),
        ("http://a:1", None, {"SWARM_API_BASE": "http://b:1", "SWARM_API_KEY": "other"}, "other"),
        ("http://a:1", None, {"SWARM_API_BASE": "http://a:2"}, None),
    ],
)
def test_a_key_goes_to_the_address_it_was_given_for(
    url: str, name: str | None, environment: dict[str, str], key: str | None
) -> None:
    settings = ModelSettings(url=url, api_key="${MINE}")

    assert wish_of(name, settings, {"MINE": "mine", **environment}).api_key == key


@pytest.mark.parametrize("environment", [{}, {"SWARM_MODEL": "m"}])
def test_a_project_that_asks_for_no_key_gets_none_for_its_own_address(environment: dict[str, str]) -> None:
    wish = wish_of(None, ModelSettings(url="http://a:1"), {"SWARM_API_KEY": "other", **environment})

    assert wish.api_key is None


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (KEY, 'api_key: a key has no place in a file; write api_key = "${NAME}" and set NAME'),
        ("Bearer ${MINE}", "api_key: a key has no place in a file"),
        ("${UNSET}", "api_key: ${UNSET} is not set; set UNSET"),
        ("${EMPTY}", "api_key: ${EMPTY} is not set; set EMPTY"),
    ],
)
def test_a_key_that_stands_in_a_file_is_refused_and_not_shown(written: str, said: str) -> None:
    with pytest.raises(ProjectError) as refusal:
        wish_of(None, ModelSettings(url="http://a:1", api_key=written), {"MINE": KEY, "EMPTY": ""})

    assert said in str(refusal.value)
    assert KEY not in str(refusal.value)


def test_each_table_of_models_names_its_own_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BIG_KEY", KEY)
    monkeypatch.setenv("SWARM_API_KEY", "other")
    table = '[models.big]\nname = "b"\nurl = "http://a:1"\napi_key = "${BIG_KEY}"\n'
    (tmp_path / "swarm.toml").write_text(table, encoding="utf-8")

    assert wish_of_table(read_settings(tmp_path).models["big"]).api_key == KEY


@pytest.mark.parametrize(
    "variable", ["HOSTED_VLLM_API_KEY", "OPENAI_API_KEY", "OLLAMA_API_KEY", "LM_STUDIO_API_KEY"]
)
async def test_a_key_of_the_environment_that_nobody_named_is_not_sent(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, KEY)
    heard: list[str] = []

    async def handle(request: HttpRequest) -> HttpResponse:
        heard.append(str(request.headers.get("authorization")))
        return json_response({"error": {"message": "not today"}}, 400)

    async with serve(handle) as url:
        for kind in ("vllm", "ollama"):
            endpoint = Endpoint(kind="vllm" if kind == "vllm" else "ollama", model="m", url=url)
            async with LitellmModel(endpoint) as model:
                with pytest.raises(Exception, match="not today"):
                    await model.reply(QUESTION)

    assert set(heard) == {"None"}


async def test_a_server_that_wants_a_key_is_named_when_it_is_looked_for() -> None:
    async with serving(ScriptedModel(["yes"], name="m"), "vllm", key=KEY) as url:
        with pytest.raises(ModelMissing, match="wants a key"):
            await find(wish_of(f"m@{url}", ModelSettings()))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_key_of_the_environment_goes_with_a_model_that_is_named_for_one_run(
    monkeypatch: pytest.MonkeyPatch, kind: FaceKind
) -> None:
    monkeypatch.setenv("SWARM_API_KEY", KEY)
    async with (
        serving(ScriptedModel(["yes"], name="m"), kind, key=KEY) as url,
        open_pool(f"m@{url}", ModelSettings(), {}) as members,
    ):
        reply = await members[0].model.reply(QUESTION)

    assert (reply.text, len(members)) == ("yes", 1)
