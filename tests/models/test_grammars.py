"""Replies that are held to a grammar: what is sent, what a refusal leads to, and what a real model then says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import JsonValue

from swarm.errors import ModelError
from swarm.models.client.litellm import LitellmModel
from swarm.models.client.retry import Setback, hearing
from swarm.models.embedded.server_process import open_embedded
from swarm.models.model import Endpoint, ServerKind
from swarm.nouns.messages import Message, Request
from swarm.testing import ScriptedModel, serving
from swarm.testing.asgi import ScriptedApp
from swarm.testing.http_server import Act, Handler, HttpRequest, HttpResponse, json_response, serve
from swarm.testing.wire import FaceKind

# Importing litellm or loading a model takes seconds, on a starved machine minutes.
pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

EITHER = 'root ::= "yes" | "no"'
BROKEN = 'root ::= "yes" | ('
ASKED = (Message(role="user", content="Is the sky blue?"),)
QUESTION = Request(messages=ASKED, grammar=EITHER, max_tokens=20)
UNREAD = "Failed to initialize samplers: failed to parse grammar"
Body = dict[str, JsonValue]


def client(url: str, kind: ServerKind = "llamacpp") -> LitellmModel:
    return LitellmModel(Endpoint(kind=kind, model="scripted", url=url))


def refusing(bodies: list[Body], said: str, when: Callable[[str], bool], status: int = 400) -> Handler:
    """A llama.cpp that says so to grammars of some kind; ``bodies`` gets all that it was sent."""
    server = ScriptedApp(ScriptedModel(lambda _: "yes"), "llamacpp")

    async def handle(request: HttpRequest) -> HttpResponse | Act:
        if not request.body:
            return await server.handle(request)
        body: Body = json.loads(request.body)
        bodies.append(body)
        if "grammar" in body and when(str(body["grammar"])):
            return json_response({"error": {"code": status, "message": said}}, status)
        return await server.handle(request)

    return handle


@asynccontextmanager
async def opened(path: Path, streams: bool = True) -> AsyncGenerator[LitellmModel]:
    """The smallest real model on the embedded server."""
    async with (
        open_embedded(path, "smollm2-135m-instruct", slots=1, window=1_024) as endpoint,
        LitellmModel(endpoint.model_copy(update={"streams": streams})) as model,
    ):
        yield model


def test_a_grammar_is_part_of_the_question_and_without_one_recorded_questions_stay_as_they_were() -> None:
    bare = Request(messages=(Message(role="user", content="x"),))

    # Of a version that knew no grammars.
    assert bare.digest() == "557f58d3b1169f73d875f7cc682b8337fd90a706a0cbb8c61f741bbf14052e7f"
    assert replace(bare, grammar="").digest() == bare.digest()
    assert len({bare.digest(), *(replace(bare, grammar=one).digest() for one in (EITHER, BROKEN))}) == 3


def test_a_reply_is_held_to_a_schema_or_to_a_grammar_and_never_to_both() -> None:
    with pytest.raises(ValueError, match=r"an output_schema and the grammar 'root ::= \"yes\" \| \"no\"'"):
        replace(QUESTION, output_schema={"type": "object"})


@pytest.mark.parametrize("kind", ["llamacpp", "vllm", "lmstudio", "ollama"])
async def test_only_a_server_that_obeys_the_grammar_is_sent_it(kind: FaceKind) -> None:
    got: list[Request] = []

    def reply(request: Request) -> str:
        got.append(request)
        return "perhaps"

    async with serving(ScriptedModel(reply), kind) as url, client(url, kind) as model:
        answer = await model.reply(QUESTION)
        takes = model.endpoint.takes_grammar

    assert takes == (kind == "llamacpp")
    assert [one.grammar for one in got] == [EITHER if takes else ""]
    # A script is held to nothing.
    assert answer.text == "perhaps"


@pytest.mark.parametrize("said", [UNREAD, f"{UNREAD}: unknown escape"])
async def test_a_grammar_that_the_server_can_not_read_is_left_out_and_told_of_once(said: str) -> None:
    heard, bodies = list[Setback](), list[Body]()
    broken = replace(QUESTION, grammar=BROKEN)

    async with (
        serve(refusing(bodies, said, lambda grammar: grammar == BROKEN)) as url,
        client(url) as model,
    ):
        with hearing(heard.append):
            replies = [await model.reply(one) for one in (broken, replace(broken, seed=1), QUESTION)]

    assert [reply.text for reply in replies] == ["yes"] * 3
    assert [body.get("grammar") for body in bodies] == [BROKEN, None, None, EITHER]
    assert [(one.kind, one.text) for one in heard] == [
        (
            "changed",
            f"'scripted' at {url} refused the request with status 400: {said}; it is asked without the grammar "
            f"{BROKEN!r}, so its reply may have another form",
        )
    ]


async def test_a_server_that_takes_no_grammar_at_all_is_sent_no_other_either() -> None:
    heard, bodies = list[Setback](), list[Body]()

    async with serve(refusing(bodies, "grammars are not supported", bool)) as url, client(url) as model:
        with hearing(heard.append):
            await model.reply(QUESTION)
            await model.reply(replace(QUESTION, grammar=BROKEN))

    assert [body.get("grammar") for body in bodies] == [EITHER, None, None]
    assert [one.text.partition("; ")[2] for one in heard] == [
        "it is asked without grammars from now on, so its replies may have other forms"
    ]


async def test_a_grammar_that_leads_nowhere_is_no_failure_of_the_server() -> None:
    heard, bodies = list[Setback](), list[Body]()
    # What llama.cpp's server answers where no token may follow.
    said = "got exception: Unexpected empty grammar stack after accepting piece: . (30)"
    nowhere = replace(QUESTION, grammar="root ::= [a-z]")

    server = refusing(bodies, said, lambda one: "[a-z]" in one, status=500)

    async with serve(server) as url, client(url) as model:
        with hearing(heard.append):
            replies = [await model.reply(one) for one in (nowhere, nowhere, QUESTION)]

    assert [reply.text for reply in replies] == ["yes"] * 3
    assert [body.get("grammar") for body in bodies] == ["root ::= [a-z]", None, None, EITHER]
    assert [(one.kind, said in one.text) for one in heard] == [("changed", True)]


async def test_a_refusal_that_speaks_of_something_else_is_passed_on() -> None:
    bodies = list[Body]()

    async with serve(refusing(bodies, "seed must be positive", bool)) as url, client(url) as model:
        with pytest.raises(ModelError, match="seed must be positive"):
            await model.reply(QUESTION)

    assert len(bodies) == 1


async def test_two_that_are_refused_at_once_are_told_of_once() -> None:
    heard, bodies, both = list[Setback](), list[Body](), asyncio.Barrier(2)
    server = refusing(bodies, UNREAD, bool)

    async def handle(request: HttpRequest) -> HttpResponse | Act:
        if b"grammar" in request.body:
            await both.wait()
        return await server(request)

    async with serve(handle) as url, client(url) as model, asyncio.timeout(60):
        with hearing(heard.append):
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(model.reply(replace(QUESTION, seed=seed))) for seed in (1, 2)]

    assert [task.result().text for task in tasks] == ["yes", "yes"]
    assert (len(bodies), len(heard)) == (4, 1)


async def test_every_sample_of_a_real_model_is_held_to_the_grammar(model_file: Path) -> None:
    asked = replace(QUESTION, samples=4, temperature=1.0)

    async with opened(model_file) as model:
        said = [await model.reply(replace(asked, seed=seed)) for seed in range(5)]
        free = await model.reply(replace(asked, grammar="", samples=1))

    assert all(len(reply.others) == 3 for reply in said)
    assert {text for reply in said for text in (reply.text, *reply.others)} == {"yes", "no"}
    assert free.text not in {"yes", "no"}


@pytest.mark.parametrize("grammar", [BROKEN, "root ::= nowhere", 'start ::= "a"'])
async def test_a_real_server_that_can_not_read_the_grammar_is_asked_without_it(
    model_file: Path, grammar: str
) -> None:
    heard = list[Setback]()
    async with opened(model_file) as model:
        with hearing(heard.append):
            reply = await model.reply(replace(QUESTION, grammar=grammar, samples=4))
            held = await model.reply(QUESTION)

    assert reply.text not in {"yes", "no"}
    assert held.text in {"yes", "no"}
    assert [UNREAD in one.text for one in heard] == [True]


@pytest.mark.parametrize("streams", [True, False])
async def test_a_grammar_begins_where_the_beginning_of_the_reply_ends(
    model_file: Path, streams: bool
) -> None:
    begun = Message(role="assistant", content="```sql\nSELECT")
    query = 'root ::= "\\n  " ("name" | "size") "\\nFROM files;\\n```"'
    asked = Request(messages=(*ASKED, begun), grammar=query, max_tokens=40, samples=4, temperature=1.0)

    async with opened(model_file, streams) as model:
        reply = await model.reply(asked)

    # A reply that is not streamed repeats its beginning.
    start = "" if streams else begun.content
    queries = {f"{start}\n  {column}\nFROM files;\n```" for column in ("name", "size")}
    assert len(reply.others) == 3
    assert {reply.text, *reply.others} <= queries
