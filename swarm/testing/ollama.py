"""The face of Ollama: its native protocol."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from swarm.errors import ContextOverflow, MalformedReply, ModelError, ModelUnavailable
from swarm.messages import Reply, Request
from swarm.models.scripted import ScriptedModel
from swarm.testing.http import HttpRequest, HttpResponse, json_response
from swarm.testing.wire import DAY_SECONDS, ChatBody, pieces_of


class _Options(BaseModel):
    model_config = ConfigDict(extra="ignore")

    num_ctx: int = 4_096
    num_predict: int = 1_024
    temperature: float = 0.8
    seed: int = 0


class OllamaBody(ChatBody):
    """The fields of ``/api/chat`` that count here."""

    format: dict[str, JsonValue] | str | None = None
    options: _Options = Field(default_factory=_Options)
    stream: bool = True


class OllamaFace:
    """Ollama, without its queue limit: a prompt too large is refused, as with ``truncate: false``."""

    def __init__(self, model: ScriptedModel) -> None:
        self._model = model
        self._endpoint = model.endpoint

    def is_chat(self, path: str) -> bool:
        return path == "/api/chat"

    def question(self, body: bytes) -> Request:
        asked = OllamaBody.model_validate_json(body)
        return Request(
            messages=tuple(message.message() for message in asked.messages),
            output_schema=asked.format if isinstance(asked.format, dict) else None,
            max_tokens=asked.options.num_predict,
            temperature=asked.options.temperature,
            seed=asked.options.seed,
            deadline_seconds=DAY_SECONDS,
        )

    def page(self, path: str) -> JsonValue:
        entry: dict[str, JsonValue] = {"name": self._endpoint.model, "model": self._endpoint.model}
        pages: dict[str, JsonValue] = {
            "/": "Ollama is running",
            "/api/version": {"version": "0.14.0"},
            "/api/tags": {"models": [entry]},
            "/api/ps": {"models": [entry | {"context_length": self._endpoint.window}]},
        }
        return pages.get(path)

    def other(self, request: HttpRequest) -> JsonValue:
        if request.path != "/api/show":
            return None
        return {
            "capabilities": ["completion", "tools"],
            "details": {"family": "scripted"},
            "model_info": {
                "general.architecture": "scripted",
                "scripted.context_length": self._endpoint.window,
            },
            "parameters": "",
            "template": "",
        }

    def reply(self, body: bytes, reply: Reply) -> HttpResponse:
        if OllamaBody.model_validate_json(body).stream:
            return HttpResponse(body=self._stream(reply), content_type="application/x-ndjson")
        return json_response(self._last(reply, reply.text))

    async def _stream(self, reply: Reply) -> AsyncGenerator[bytes]:
        for piece in pieces_of(reply.text):
            yield json.dumps(self._line(piece) | {"done": False}).encode() + b"\n"
        yield json.dumps(self._last(reply, "")).encode() + b"\n"

    def failure(self, error: ModelError) -> HttpResponse:
        if isinstance(error, MalformedReply):
            return json_response(self._line("") | {"done": True, "done_reason": "stop"})
        if isinstance(error, ContextOverflow):
            return json_response({"error": f"the input length exceeds the context length: {error}"}, 400)
        return json_response({"error": str(error)}, 503 if isinstance(error, ModelUnavailable) else 500)

    def _line(self, content: str) -> dict[str, JsonValue]:
        return {
            "model": self._endpoint.model,
            "created_at": "2026-01-01T00:00:00Z",
            "message": {"role": "assistant", "content": content},
        }

    def _last(self, reply: Reply, content: str) -> dict[str, JsonValue]:
        nanoseconds = int(reply.usage.model_seconds * 1e9)
        return self._line(content) | {
            "done": True,
            "done_reason": reply.finish,
            "total_duration": nanoseconds,
            "load_duration": 0,
            "prompt_eval_count": reply.usage.prompt_tokens,
            "eval_count": reply.usage.written_tokens,
            "eval_duration": nanoseconds,
        }
