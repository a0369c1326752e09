"""The scripted server: a model server for tests and benchmarks that answers from a script.

    python -m swarm.testing.server --script FILE --kind llamacpp --slots 8 --latency 0.5

It speaks as llama.cpp's server, vLLM, LM Studio or Ollama does, prints ``{"url": …}`` on standard
output when it listens, ends when a pipe on its standard input does, and shows at ``/scripted/log`` what it
was asked.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import stat
import sys
from dataclasses import asdict
from pathlib import Path
from typing import assert_never, cast

from pydantic import JsonValue

from swarm.errors import ModelError, ProjectError
from swarm.models.scripted import ScriptedModel, Served
from swarm.testing.http import HttpRequest, HttpResponse, json_response, serve
from swarm.testing.ollama import OllamaFace
from swarm.testing.openai import OpenAIFace
from swarm.testing.wire import Face, FaceKind

KINDS: tuple[FaceKind, ...] = ("llamacpp", "vllm", "lmstudio", "ollama")


class ScriptedApp:
    """Answers HTTP requests with a scripted model behind one of the faces."""

    def __init__(self, model: ScriptedModel, kind: FaceKind) -> None:
        self._model = model
        self._face = _face(model, kind)

    async def handle(self, request: HttpRequest) -> HttpResponse:
        """The response to one request."""
        if request.path == "/scripted/log":
            return json_response(self._log())
        if request.method == "POST" and self._face.is_chat(request.path):
            return await self._chat(request)
        shown = self._face.page(request.path) if request.method == "GET" else self._face.other(request)
        if shown is None:
            return json_response({"error": {"code": 404, "message": f"no such path: {request.path}"}}, 404)
        return json_response(shown)

    async def _chat(self, request: HttpRequest) -> HttpResponse:
        try:
            question = self._face.question(request.body)
        except ValueError as error:
            return json_response({"error": {"code": 400, "message": str(error)}}, 400)
        try:
            reply = await self._model.reply(question)
        except ModelError as error:
            return self._face.failure(error)
        return self._face.reply(request.body, reply)

    def _log(self) -> JsonValue:
        return {"peak": self._model.peak, "requests": [_row(served) for served in self._model.log]}


def _row(served: Served) -> JsonValue:
    return asdict(served) | {"usage": served.usage.model_dump()}


def _face(model: ScriptedModel, kind: FaceKind) -> Face:
    match kind:
        case "ollama":
            return OllamaFace(model)
        case "llamacpp" | "vllm" | "lmstudio":
            return OpenAIFace(model, kind)
        case _:
            assert_never(kind)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m swarm.testing.server", description=__doc__)
    parser.add_argument("--script", type=Path, required=True, help="Python file that defines reply(request)")
    parser.add_argument("--kind", choices=KINDS, default="llamacpp", help="whose protocol to speak")
    parser.add_argument("--slots", type=int, default=8, help="requests worked on at once")
    parser.add_argument("--window", type=int, default=32_768, help="tokens a prompt may have")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds each reply takes")
    parser.add_argument("--name", default="scripted", help="name of the model it serves")
    parser.add_argument("--port", type=int, default=0, help="port on loopback; 0 takes a free one")
    return parser.parse_args()


async def _main(arguments: argparse.Namespace) -> None:
    model = ScriptedModel(
        cast("Path", arguments.script),
        slots=arguments.slots,
        latency_seconds=arguments.latency,
        window=arguments.window,
        name=arguments.name,
    )
    async with serve(ScriptedApp(model, arguments.kind).handle, port=arguments.port) as url:
        sys.stdout.write(json.dumps({"url": url}) + "\n")
        sys.stdout.flush()
        await _parent_gone()


async def _parent_gone() -> None:
    """Returns when standard input, if it is a pipe, has no writer any more; never if it is none."""
    mode = os.fstat(sys.stdin.fileno()).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        await asyncio.Event().wait()
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(1_024):
        pass


def main() -> int:
    """Runs the server until its standard input ends; 2 when the script is wrong."""
    try:
        asyncio.run(_main(_arguments()))
    except ProjectError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
