"""What the scripted server does with a request: asks the scripted model and answers as one of the faces."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import asdict, replace
from functools import partial

from pydantic import JsonValue

from swarm.errors import ContextOverflow, MalformedReply, ModelError, ModelUnavailable
from swarm.nouns.messages import Reply
from swarm.testing.double.dialects import THOUGHT, calls_in
from swarm.testing.double.faults import Fault
from swarm.testing.double.scripted import ScriptedModel
from swarm.testing.double.served import ModelBusy, ModelUnknown, Received, Refused, Serving
from swarm.testing.http_server import Act, ClientConnection, HttpRequest, HttpResponse, json_response
from swarm.testing.ollama import OllamaFace
from swarm.testing.openai import OpenAIFace
from swarm.testing.wire import ChatQuestion, Face, FaceKind, Saying, Voice, pieces_of
from swarm.testing.wire_faults import Spoiled, turn_away

OPEN_PAGES = ("/health", "/v1/health", "/models", "/api/tags")
"""What llama.cpp's server shows to whoever has no key, though it wants one."""


class ScriptedApp:
    """Answers HTTP requests with a scripted model behind one of the faces."""

    def __init__(self, model: ScriptedModel, kind: FaceKind, key: str = "") -> None:
        self._model = model
        self._key = key
        self._faces = _faces(model, kind)

    async def handle(self, request: HttpRequest) -> HttpResponse | Act:
        """The response to one request, or what is done on the line in its place."""
        if request.path == "/scripted/log":
            return json_response(self._log())
        has_key = request.path in OPEN_PAGES or request.headers.get("authorization") == f"Bearer {self._key}"
        if self._key and not has_key:
            return _error(401, "Invalid API Key", "authentication_error")
        try:
            for face in self._faces:
                if request.method == "POST" and (question := face.question(request)):
                    return partial(self._chat, face, question)
                if shown := face.page(request):
                    return shown
        except ValueError as error:
            return _error(400, str(error), "invalid_request_error")
        return _error(404, f"no such path: {request.path}", "not_found_error")

    async def _chat(self, face: Face, question: ChatQuestion, line: ClientConnection) -> None:
        voice = question.voice
        try:
            async with self._model.turn(question.request, question.terms) as turn:
                saying = _saying(turn, question)
                if turn.fault and turn.fault.is_wire and turn.fault.kind != "digest":
                    await Spoiled(face, question, saying, turn.reply).show(turn.fault, line)
                    return
                if question.is_stream:
                    line.start(HttpResponse(content_type=voice.stream_type))
                    await _stream(turn.pieces, saying, voice, line)
                else:
                    async for _ in turn.pieces:
                        pass
        except Refused as error:
            turn_away(error.fault, face, line)
        except MalformedReply:
            spoiled = Spoiled(face, question, Saying(), Reply(text=""))
            await spoiled.show(Fault("empty"), line)
        except ModelError as error:
            line.send(_refusal(face, error))
        else:
            if not question.is_stream:
                line.send(json_response(voice.whole(saying, turn.reply)))
                return
            for content in (*voice.last(saying, turn.reply), None):
                line.piece(voice.frame(content))
            line.end()

    def _log(self) -> JsonValue:
        model = self._model
        return {
            "peak": model.peak,
            "longest_queue": model.longest_queue,
            "loads": model.residence.loads,
            "swaps": model.residence.swaps,
            "requests": [_row(served) for served in model.log],
        }


def _saying(turn: Serving, question: ChatQuestion) -> Saying:
    """How the reply is delivered: as text, or in the fields that the protocol has for calls and thoughts."""
    kind = turn.fault.kind if turn.fault else ""
    text = turn.reply.text
    calls = calls_in(text) if question.with_tools or kind == "native" else []
    return Saying("" if calls else text, calls, THOUGHT if kind == "reasoning" else "")


async def _stream(pieces: AsyncGenerator[str], saying: Saying, voice: Voice, line: ClientConnection) -> None:
    is_first = True
    async for piece in pieces:
        if is_first:
            line.piece(voice.frame(voice.chunk(replace(saying, text=""), is_first=True)))
            is_first = False
        for part in pieces_of(piece) if not saying.calls else ():
            line.piece(voice.frame(voice.chunk(Saying(part), is_first=False)))


def _error(status: int, message: str, type: str) -> HttpResponse:
    return json_response({"error": {"code": status, "message": message, "type": type}}, status)


def _refusal(face: Face, error: ModelError) -> HttpResponse:
    if isinstance(error, ModelBusy) and isinstance(face, OpenAIFace) and face.is_behind_a_gateway:
        return replace(face.refusal(429, error), headers=(("Retry-After", "1"),))
    kinds = {ContextOverflow: 400, ModelUnknown: 404, ModelUnavailable: 503}
    return face.refusal(
        next((status for kind, status in kinds.items() if isinstance(error, kind)), 500), error
    )


def _row(served: Received) -> JsonValue:
    return asdict(served) | {"usage": served.usage.model_dump()}


def _faces(model: ScriptedModel, kind: FaceKind) -> list[Face]:
    second = OpenAIFace(model, kind)
    return [OllamaFace(model), second] if kind == "ollama" else [second]
