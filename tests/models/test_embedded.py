"""The embedded server with the smallest real model: it is fetched once into the user's models folder."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from swarm.errors import ContextOverflow, ModelUnavailable, ProjectError
from swarm.models.client.litellm import LitellmModel
from swarm.models.embedded.server_process import SAMPLES, open_embedded, threads
from swarm.nouns.events import Notice
from swarm.nouns.messages import Message, Request
from swarm.nouns.plan import Plan, Step
from swarm.run.run import Run
from swarm.run.swarm import Swarm

# Importing litellm or loading a model takes seconds, on a starved machine minutes.
pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

NAME = "smollm2-135m-instruct"


class Turn(BaseModel):
    """What the model is held to."""

    colour: str
    size: int


def ask(text: str, **fields: Any) -> Request:
    return Request(messages=(Message(role="user", content=text),), **fields)


async def test_a_real_model_is_held_to_a_schema_and_its_prompt_is_cached(model_file: Path) -> None:
    schema = {
        "type": "object",
        "properties": {
            "colour": {"enum": ["red", "green"]},
            "size": {"type": "integer", "minimum": 1, "maximum": 9},
        },
        "required": ["colour", "size"],
        "additionalProperties": False,
    }
    asked = ask("Name a colour and a size.", output_schema=schema, max_tokens=60, slot=0)

    async with (
        open_embedded(model_file, NAME, slots=2, window=1_024) as endpoint,
        LitellmModel(endpoint) as model,
    ):
        assert (endpoint.kind, endpoint.model, endpoint.is_embedded) == ("llamacpp", NAME, True)
        first = await model.reply(asked)
        again = await model.reply(asked)
        with pytest.raises(ContextOverflow):
            await model.reply(ask("word " * 2_000))

    turn = Turn.model_validate_json(first.text)
    assert turn.colour in {"red", "green"}
    assert turn.size in range(1, 10)
    assert first.usage.cached_tokens == 0
    assert again.usage.cached_tokens > 0.9 * first.usage.prefilled_tokens


async def test_a_request_that_is_given_up_frees_its_slot(model_file: Path) -> None:
    endless = ask(
        "Go on.", output_schema={"type": "array", "items": {"const": 1}, "minItems": 900}, max_tokens=2_000
    )

    async with (
        open_embedded(model_file, NAME, slots=1, window=4_096) as endpoint,
        LitellmModel(endpoint) as model,
    ):
        await model.reply(ask("Hello.", max_tokens=2))
        with pytest.raises(ModelUnavailable, match="no whole reply within 1 s"):
            await model.reply(replace(endless, deadline_seconds=1.0))
        reply = await model.reply(ask("Hello.", max_tokens=2))

    # Had the first reply gone on, this one would have waited for 1,800 tokens.
    assert reply.usage.written_tokens == 2


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[asyncio.subprocess.Process]:
    """The processes of embedded servers; the second one cannot be started at first."""
    started: list[asyncio.subprocess.Process] = []
    troubles = [None, OSError(errno.ENOMEM, "Cannot allocate memory")]
    start = asyncio.create_subprocess_exec

    async def starting(*command: str, **options: Any) -> asyncio.subprocess.Process:
        if troubles and (trouble := troubles.pop(0)):
            raise trouble
        started.append(await start(*command, **options))
        return started[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", starting)
    return started


async def test_a_server_that_dies_is_started_again_where_it_was(
    model_file: Path, started: list[asyncio.subprocess.Process]
) -> None:
    said: list[str] = []
    async with (
        open_embedded(model_file, NAME, slots=1, window=1_024, tell=said.append) as endpoint,
        LitellmModel(endpoint) as model,
    ):
        await model.reply(ask("Hello.", max_tokens=2))
        started[0].kill()
        await started[0].wait()
        reply = await model.reply(ask("Hello.", max_tokens=2))

    assert reply.usage.written_tokens == 2
    assert [process.returncode is None for process in started] == [False, False]
    assert said[:3] == [
        f"loading the embedded model {NAME}",
        f"the embedded model {NAME} died (exit code -9); loading it again in 1 s",
        f"the embedded model {NAME} could not be started: Cannot allocate memory",
    ]


async def test_a_run_tells_that_its_embedded_model_died(
    model_file: Path, tmp_path: Path, started: list[asyncio.subprocess.Process]
) -> None:
    plan = Plan(steps=(Step(id="say", agent="writer", brief="Say it."),))
    async with Swarm.open(tmp_path, model=str(model_file)) as swarm:
        run: Run[str] = await swarm.start("Say it.", plan=plan)
        started[0].kill()
        async for event in run.events():
            if isinstance(event, Notice) and "died (exit code -9)" in event.text:
                break
        else:
            pytest.fail("the run ended and had not told it")
        await run.stop()


async def test_the_server_dies_with_the_process_that_started_it(model_file: Path) -> None:
    program = (
        "import asyncio, pathlib, sys\n"
        "from swarm.models.embedded.server_process import open_embedded\n"
        "async def main():\n"
        f"    async with open_embedded(pathlib.Path({str(model_file)!r}), 'x', window=512) as endpoint:\n"
        "        print(endpoint.url, flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout
    port = int((await parent.stdout.readline()).decode().strip().rsplit(":", 1)[1])
    body = b'{"messages": [{"role": "user", "content": "Go on."}], "stream": true, "ignore_eos": true}'
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head + body)
    await reader.readuntil(b"data: ")

    os.kill(parent.pid, signal.SIGKILL)
    await parent.wait()

    async with asyncio.timeout(20):
        assert b"[DONE]" not in await rest_of(reader)
    writer.close()


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    """What still comes before the connection ends, in whichever way it ends."""
    got = b""
    try:
        while piece := await reader.read(65_536):
            got += piece
    except ConnectionError:
        pass
    return got


async def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    path = tmp_path / "text.gguf"
    path.write_text("not a model", encoding="utf-8")

    with pytest.raises(ModelUnavailable, match="'text' did not start; check that its file is whole"):
        async with open_embedded(path, "text"):
            pass
    with pytest.raises(ModelUnavailable, match=f"did not start; check .* swarm models verify {NAME}"):
        async with open_embedded(path, NAME):
            pass


@pytest.mark.parametrize("said", ["none", "0", "-1"])
def test_a_wrong_number_of_threads_is_refused(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARM_THREADS", said)
    with pytest.raises(ProjectError, match=f"SWARM_THREADS='{said}'"):
        threads()


async def test_several_replies_are_drawn_from_one_reading_of_the_prompt(model_file: Path) -> None:
    text = "Green is a colour. " * 30 + "What is the capital of France? Answer in one word."
    asked = ask(text, max_tokens=300, temperature=0.8, slot=0)

    async with (
        open_embedded(model_file, NAME, slots=1, window=1_024) as endpoint,
        LitellmModel(endpoint) as model,
    ):
        assert endpoint.samples == SAMPLES
        reply = await model.reply(replace(asked, samples=SAMPLES))
        alone = await model.reply(replace(asked, max_tokens=1))
        later = await model.reply(replace(asked, samples=SAMPLES, seed=1))

    # One that was cut off is left out.
    assert 0 < len(reply.others) < SAMPLES
    assert 0 < len(later.others) < SAMPLES
    assert len({reply.text, *reply.others, later.text, *later.others}) > 1
    assert reply.usage.prompt_tokens < 2 * alone.usage.prompt_tokens
    assert alone.usage.cached_tokens > alone.usage.prefilled_tokens
