"""Which model is used when: what is named goes before what is set, and that before what is found."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import JsonValue

from swarm.errors import ModelMissing, ProjectError
from swarm.models.choose import find, open_model, open_wish, wish_of
from swarm.models.embedded import catalog, shelf
from swarm.models.servers.probe import Asker, ServerSlow, probe, probe_quietly
from swarm.nouns.messages import Message, Request
from swarm.project.settings import ModelSettings
from swarm.testing import Fault, ScriptedModel, serving
from swarm.testing.http_server import HttpRequest, HttpResponse, json_response, serve

# Importing litellm or loading a model takes seconds, on a starved machine minutes.
pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

QUESTION = Request(messages=(Message(role="user", content="hello"),))


@pytest.fixture(autouse=True)
def nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SWARM_MODEL", raising=False)
    monkeypatch.delenv("SWARM_API_BASE", raising=False)
    monkeypatch.setenv("SWARM_MODELS", str(tmp_path / "models"))


def test_the_flag_goes_before_the_environment_and_that_before_the_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = ModelSettings(name="set", url="http://127.0.0.1:1", slots=2, window=1_024)
    assert wish_of(None, settings) == ModelSettings(
        name="set", url="http://127.0.0.1:1", slots=2, window=1_024
    )

    monkeypatch.setenv("SWARM_MODEL", "from-environment")
    monkeypatch.setenv("SWARM_API_BASE", "127.0.0.1:2/v1/")
    assert wish_of(None, settings) == ModelSettings(
        name="from-environment", url="http://127.0.0.1:2", slots=2, window=1_024
    )
    assert wish_of("flag", settings) == ModelSettings(
        name="flag", url="http://127.0.0.1:2", slots=2, window=1_024
    )
    assert wish_of("flag@localhost:3", settings) == ModelSettings(
        name="flag", url="http://localhost:3", slots=2, window=1_024
    )


async def test_a_script_file_is_a_model(tmp_path: Path) -> None:
    script = tmp_path / "say.py"
    script.write_text("def reply(request):\n    return request.messages[0].content * 2\n", encoding="utf-8")

    async with open_model(f"scripted:{script}", ModelSettings(slots=5)) as model:
        assert (await model.reply(QUESTION)).text == "hellohello"
        assert (model.endpoint.kind, model.endpoint.slots) == ("scripted", 5)


async def test_scripted_alone_says_the_smallest_thing_that_is_allowed() -> None:
    asked = replace(
        QUESTION, output_schema={"anyOf": [{"const": 1}, {"properties": {"result": {}}, "type": "object"}]}
    )

    async with open_model("scripted", ModelSettings()) as model:
        assert (await model.reply(asked)).text == "{}"


async def test_an_address_is_probed_and_what_a_person_set_goes_before_what_was_found() -> None:
    async with (
        serving(ScriptedModel(lambda _: "hi", slots=3, window=6_000)) as url,
        open_model(None, ModelSettings(url=f"{url}/v1", window=2_048)) as model,
    ):
        assert (await model.reply(QUESTION)).text == "hi"

    endpoint = model.endpoint
    assert (endpoint.kind, endpoint.model, endpoint.url) == ("llamacpp", "scripted", url)
    assert (endpoint.slots, endpoint.window) == (3, 2_048)


async def test_what_a_person_set_stays_when_the_server_has_failed() -> None:
    server = ScriptedModel(lambda _: "hi", faults=[Fault("500", times=1, seconds=0.01)])
    said = ModelSettings(slots=1, window=2_048, resident=3, constrains=False, stream=False)
    async with (
        serving(server, "lmstudio") as url,
        open_model(None, said.model_copy(update={"url": url})) as model,
    ):
        before = model.endpoint
        await model.reply(QUESTION)
        await model.reply(QUESTION)

    assert model.endpoint is not before
    assert model.endpoint == before
    assert (before.slots, before.slots_guessed, before.window, before.resident) == (1, False, 2_048, 3)
    assert (before.constrains, before.streams) == (False, False)


LLAMACPP: dict[str, JsonValue] = {
    "/v1/models": {"data": [{"id": "m", "meta": {"n_ctx_train": 4_096}}]},
    "/props": {"total_slots": 2, "default_generation_settings": {"n_ctx": 4_096}},
}


@asynccontextmanager
async def loading(rounds: int) -> AsyncGenerator[tuple[str, list[str]]]:
    """A llama.cpp server that loads its model for so many rounds of questions, and the paths it was asked for."""
    asked: list[str] = []

    async def handle(request: HttpRequest) -> HttpResponse:
        is_loading = asked.count("/v1/models") < rounds
        asked.append(request.path)
        if is_loading:
            return json_response({"error": {"message": "Loading model", "code": 503}}, 503)
        page = LLAMACPP.get(request.path)
        return json_response(page, 404 if page is None else 200)

    async with serve(handle) as url:
        yield url, asked


async def test_a_named_server_that_loads_its_model_is_waited_for_and_somebody_is_told() -> None:
    told: list[str] = []
    async with loading(2) as (url, _):
        wish = wish_of(f"m@{url}", ModelSettings())
        found = await find(wish, told.append)
    assert found is not None
    assert (found.model, found.slots) == ("m", 2)
    assert told == [
        f"the model server at {url} is there and tells nothing of itself; it is waited for, up to 600 s"
    ]


async def test_a_server_that_becomes_ready_between_two_pages_is_known_whole() -> None:
    asked: list[str] = []

    async def handle(request: HttpRequest) -> HttpResponse:
        asked.append(request.path)
        if request.path == "/props" and asked.count("/props") == 1:
            return json_response({"error": {"message": "Loading model", "code": 503}}, 503)
        page = LLAMACPP.get(request.path)
        return json_response(page, 404 if page is None else 200)

    async with serve(handle) as url:
        (found,) = await probe(url)
    assert (found.kind, found.slots) == ("llamacpp", 2)


async def test_a_slow_server_is_no_absent_one_where_nobody_waits() -> None:
    async with loading(100) as (url, _):
        with pytest.raises(
            ServerSlow, match=f"the model server at {url} is there and tells nothing of itself; see"
        ):
            await find(wish_of(f"m@{url}", ModelSettings()))
        assert await probe_quietly(url) == []


async def test_a_server_that_does_not_answer_in_time_is_slow() -> None:
    async def handle(_: HttpRequest) -> HttpResponse:
        await asyncio.Event().wait()
        return HttpResponse()

    async with serve(handle) as url, Asker(url, 0.05) as ask:
        assert await ask.text("/props") == ""
        assert ask.is_slow


async def test_what_has_just_been_found_is_not_looked_for_again_before_it_is_opened() -> None:
    async with loading(0) as (url, asked):
        wish = wish_of(f"m@{url}", ModelSettings(slots=5))
        assert await find(wish)
        looked = len(asked)
        async with open_wish(wish) as model:
            assert (model.endpoint.model, model.endpoint.slots, len(asked)) == ("m", 5, looked)
        async with open_wish(wish):
            assert len(asked) == 2 * looked


async def test_a_name_that_the_server_does_not_have_lists_those_it_has() -> None:
    async with serving(ScriptedModel(lambda _: "hi", name="qwen:latest"), "ollama") as url:
        async with open_model(f"ollama/qwen@{url}", ModelSettings()) as model:
            assert model.endpoint.model == "qwen:latest"
        with pytest.raises(ModelMissing, match=f"no model 'llama' at {url}; there are: qwen:latest"):
            async with open_model(f"llama@{url}", ModelSettings()):
                pass


async def test_an_address_where_nothing_answers_is_named() -> None:
    with pytest.raises(ModelMissing, match=r"no model server answers at http://127\.0\.0\.1:1;"):
        async with open_model("any@127.0.0.1:1", ModelSettings()):
            pass


@pytest.mark.parametrize("name", ["embedded", "embedded:smollm2-135m-instruct", "smollm2-135m-instruct"])
async def test_an_embedded_model_that_is_not_there_names_the_one_command(name: str) -> None:
    with pytest.raises(ModelMissing, match=r"get it with: swarm models pull (qwen2\.5-coder-1\.5b|smollm2)"):
        async with open_model(name, ModelSettings()):
            pass


@pytest.mark.parametrize("name", ["embedded", "qwen2.5-coder-1.5b-instruct"])
async def test_a_file_of_an_embedded_model_that_was_not_verified_names_the_command_for_that(
    name: str,
) -> None:
    path = shelf.path_of(catalog.entry(catalog.DEFAULT))
    path.parent.mkdir()
    path.write_bytes(b"copied")
    with pytest.raises(ModelMissing, match=f"check it with: swarm models verify {catalog.DEFAULT}"):
        async with open_model(name, ModelSettings()):
            pass


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("embedded:gpt", "no embedded model is called 'gpt'"),
        ("missing.gguf", "missing.gguf: no such file"),
        ("scripted:missing.py", "missing.py: no such script"),
    ],
)
async def test_a_name_that_means_nothing_is_refused(name: str, message: str) -> None:
    with pytest.raises(ProjectError, match=message):
        async with open_model(name, ModelSettings()):
            pass
