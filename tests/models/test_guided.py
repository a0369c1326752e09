"""Schemas that the embedded server is sent as grammars: what is sent, what is said, and what is done where it fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import JsonValue

from swarm.models.client.litellm import LitellmModel
from swarm.models.client.retry import Setback, hearing
from swarm.models.embedded.server_process import open_embedded
from swarm.models.grammars.guided import guided, is_guided
from swarm.models.grammars.schemas import Schema, closed
from swarm.models.model import Endpoint
from swarm.nouns.messages import Message, Request
from swarm.testing import ScriptedModel
from swarm.testing.asgi import ScriptedApp
from swarm.testing.http_server import Act, Handler, HttpRequest, HttpResponse, json_response, serve

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

NAME = "smollm2-135m-instruct"
LAMP: Schema = closed({"name": {"type": "string", "maxLength": 20}, "price": {"enum": [1, 2, 3]}})
ASKED = (Message(role="user", content="A lamp costs 3. Its name and price, as JSON?"),)
QUESTION = Request(messages=ASKED, output_schema=LAMP, max_tokens=80)
EITHER: Schema = {
    "oneOf": [{"type": "string", "maxLength": 9}, {"type": "integer", "minimum": 1, "maximum": 9}]
}
Body = dict[str, JsonValue]


def answering(bodies: list[Body], guided_reply: str, status: int = 200) -> Handler:
    """A llama.cpp that answers so to what is guided, and as it should to a schema."""
    guide = ScriptedApp(ScriptedModel(lambda _: guided_reply), "llamacpp")
    right = ScriptedApp(ScriptedModel(lambda _: '{"name": "lamp", "price": 3}'), "llamacpp")

    async def handle(request: HttpRequest) -> HttpResponse | Act:
        if not request.body:
            return await right.handle(request)
        body: Body = json.loads(request.body)
        bodies.append(body)
        if "grammar" not in body:
            return await right.handle(request)
        if status != 200:
            return json_response({"error": {"code": status, "message": guided_reply}}, status)
        return await guide.handle(request)

    return handle


def ways(bodies: list[Body]) -> list[str]:
    """How each request holds its reply."""
    return [" ".join(sorted({"grammar", "response_format"} & body.keys())) for body in bodies]


def embedded(url: str) -> LitellmModel:
    return LitellmModel(Endpoint(kind="llamacpp", model="scripted", url=url, is_embedded=True))


@pytest.mark.parametrize("samples", [1, 4])
async def test_a_real_reply_is_one_line_of_json_in_fewer_tokens(model_file: Path, samples: int) -> None:
    asked = Request(messages=ASKED, output_schema=LAMP, max_tokens=80, samples=samples)

    async with (
        open_embedded(model_file, NAME, slots=1, window=1_024) as endpoint,
        LitellmModel(endpoint) as model,
        LitellmModel(endpoint.model_copy(update={"is_embedded": False})) as other,
    ):
        said = await model.reply(asked)
        free = await other.reply(asked)

    for text in (said.text, *said.others):
        assert json.loads(text).keys() == {"name", "price"}
        assert "\n" not in text
    if samples == 1:
        assert said.usage.written_tokens < free.usage.written_tokens


@pytest.mark.parametrize(
    "part",
    [
        EITHER,
        {"type": "string", "pattern": "^[a-z]{2,5}$"},
        {"type": "array", "uniqueItems": True, "maxItems": 2},
    ],
    ids=["one of", "pattern", "left open"],
)
async def test_a_real_server_reads_what_other_engines_leave_out(model_file: Path, part: Schema) -> None:
    heard = list[Setback]()
    asked = Request(messages=ASKED, output_schema=closed({"a": part}), max_tokens=80)

    async with (
        open_embedded(model_file, NAME, slots=1, window=1_024) as endpoint,
        LitellmModel(endpoint) as model,
    ):
        with hearing(heard.append):
            said = await model.reply(asked)

    assert json.loads(said.text).keys() == {"a"}
    assert heard == []


@pytest.mark.parametrize(
    ("schema", "is_held"),
    [
        (LAMP, True),
        ({"anyOf": [LAMP, LAMP]}, True),
        ({"type": "string"}, False),
        ({"anyOf": [LAMP, {"type": "null"}]}, False),
        ({"anyOf": []}, False),
        ({}, False),
    ],
)
def test_only_what_must_be_an_object_is_guided(schema: Schema, is_held: bool) -> None:
    assert bool(guided(schema)) == is_held


@pytest.mark.parametrize(
    ("text", "can"), [('{"a": 1}', True), ("{", True), ("", True), ("Hello", False), (" {", False)]
)
def test_a_reply_without_a_grammar_is_seen(text: str, can: bool) -> None:
    assert is_guided(text) == can


async def test_a_reply_that_was_held_to_nothing_is_asked_for_once_more_under_the_schema() -> None:
    heard, bodies = list[Setback](), list[Body]()

    async with serve(answering(bodies, "Hello!")) as url, embedded(url) as model:
        with hearing(heard.append):
            replies = [await model.reply(QUESTION) for _ in range(2)]

    assert [reply.text for reply in replies] == ['{"name": "lamp", "price": 3}'] * 2
    assert ways(bodies) == ["grammar", "response_format", "response_format"]
    assert len(heard) == 1
    assert "held to the schema in another way" in heard[0].text
    # What the first one cost is not lost.
    assert replies[0].usage.model_calls == 2


async def test_a_server_that_knows_no_such_grammar_is_sent_schemas_from_then_on() -> None:
    bodies = list[Body]()
    other = Request(messages=ASKED, output_schema=closed({"b": {"type": "string"}}), max_tokens=80)
    refusal = "Failed to initialize samplers: failed to parse grammar"

    async with serve(answering(bodies, refusal, 400)) as url, embedded(url) as model:
        for request in (QUESTION, other):
            await model.reply(request)

    assert ways(bodies) == ["grammar", "response_format", "response_format"]


async def test_what_goes_on_with_a_beginning_is_held_to_the_schema() -> None:
    bodies = list[Body]()
    begun = Request(
        messages=(*ASKED, Message(role="assistant", content='{"name":')), output_schema=LAMP, max_tokens=80
    )

    async with serve(answering(bodies, "{}")) as url, embedded(url) as model:
        await model.reply(begun)

    assert ways(bodies) == ["response_format"]
