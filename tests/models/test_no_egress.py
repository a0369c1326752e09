"""Asking a model reaches its server and nobody else, from the import of the client on."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from swarm.testing import ScriptedModel, serving

# Importing litellm or loading a model takes seconds, on a starved machine minutes.
pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

PROGRAM = """
import asyncio, sys

reached = []

def watch(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        reached.append(f"{arguments[1][0]}:{arguments[1][1]}")
    elif event == "socket.getaddrinfo":
        reached.append(str(arguments[0]))

sys.addaudithook(watch)

from swarm.nouns.messages import Message, Request
from swarm.models.client.litellm import LitellmModel
from swarm.models.model import Endpoint

async def main():
    for kind, url in (("llamacpp", sys.argv[1]), ("ollama", sys.argv[2])):
        async with LitellmModel(Endpoint(kind=kind, model="scripted", url=url)) as model:
            await model.reply(Request(messages=(Message(role="user", content="?"),)))
    print(" ".join(dict.fromkeys(reached)))

asyncio.run(main())
"""


async def test_only_the_model_servers_are_reached_and_nothing_is_printed(tmp_path: Path) -> None:
    # What litellm would take from its surroundings if it were let: a .env file and the proxies.
    (tmp_path / ".env").write_text("HTTP_PROXY=http://192.0.2.1:3128\n", encoding="utf-8")
    proxies = {"HTTP_PROXY": "http://192.0.2.1:3128", "http_proxy": "http://192.0.2.1:3128"}
    asked = ScriptedModel(["yes", "yes"])

    async with serving(asked, "llamacpp") as first, serving(asked, "ollama") as second:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", "-c", PROGRAM, first, second),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=tmp_path,
            env=os.environ | proxies | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        out, err = await process.communicate()

    reached = " ".join(url.removeprefix("http://") for url in (first, second))
    assert (out.decode(), err.decode()) == (f"{reached}\n", "")
    assert len(asked.log) == 2
