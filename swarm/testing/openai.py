"""The OpenAI-compatible faces: llama.cpp's server, vLLM and LM Studio."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator
from typing import cast

from pydantic import BaseModel, ConfigDict, JsonValue

from swarm.errors import ContextOverflow, MalformedReply, ModelError, ModelUnavailable
from swarm.messages import Reply, Request
from swarm.models.prefix import tokens_of
from swarm.models.scripted import ScriptedModel
from swarm.testing.http import HttpRequest, HttpResponse, json_response
from swarm.testing.wire import DAY_SECONDS, ChatBody, FaceKind, pieces_of


class _Schema(BaseModel):
    model_config = ConfigDict(extra="ignore")

    # An alias, because a pydantic model already has an attribute called schema.
    json_schema: dict[str, JsonValue] | None = None


class _StreamOptions(BaseModel):
    model_config = ConfigDict(extra="ignore")

    include_usage: bool = False


class OpenAIBody(ChatBody):
    """The fields of ``/v1/chat/completions`` that count here."""

    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float = 0.0
    seed: int | None = None
    response_format: _Schema | None = None
    stream: bool = False
    stream_options: _StreamOptions = _StreamOptions()
    id_slot: int = -1
    """llama.cpp only: the slot to run on, -1 for any."""


class OpenAIFace:
    """One of the three; they differ in what they tell of themselves and in the wording of errors."""

    def __init__(self, model: ScriptedModel, kind: FaceKind) -> None:
        self._model = model
        self._endpoint = model.endpoint
        self._kind = kind

    def is_chat(self, path: str) -> bool:
        return path == "/v1/chat/completions"

    def question(self, body: bytes) -> Request:
        asked = OpenAIBody.model_validate_json(body)
        format = asked.response_format.json_schema if asked.response_format else None
        return Request(
            messages=tuple(message.message() for message in asked.messages),
            output_schema=cast("dict[str, JsonValue] | None", (format or {}).get("schema")),
            max_tokens=asked.max_tokens or asked.max_completion_tokens or 1_024,
            temperature=asked.temperature,
            seed=asked.seed or 0,
            deadline_seconds=DAY_SECONDS,
            slot=asked.id_slot if asked.id_slot >= 0 else None,
        )

    def page(self, path: str) -> JsonValue:
        match path, self._kind:
            case "/v1/models", _:
                return self._models()
            case "/health", _:
                return {"status": "ok"}
            case "/props", "llamacpp":
                return self._props()
            case "/slots", "llamacpp":
                return self._slot_list()
            case "/version", "vllm":
                return {"version": "0.11.0"}
            case "/api/v0/models", "lmstudio":
                return self._studio_models()
            case _:
                return None

    def other(self, request: HttpRequest) -> JsonValue:
        if request.path != "/tokenize" or self._kind == "lmstudio":
            return None
        body = json.loads(request.body)
        count = tokens_of(body.get("content") or body.get("prompt") or "")
        if self._kind == "vllm":
            return {"count": count, "max_model_len": self._endpoint.window, "tokens": list(range(count))}
        return {"tokens": list(range(count))}

    def reply(self, body: bytes, reply: Reply) -> HttpResponse:
        asked = OpenAIBody.model_validate_json(body)
        if asked.stream:
            return HttpResponse(
                body=self._stream(reply, asked.stream_options.include_usage), content_type="text/event-stream"
            )
        message: JsonValue = {"role": "assistant", "content": reply.text}
        choice: JsonValue = {"index": 0, "finish_reason": reply.finish, "message": message}
        return json_response(self._envelope("chat.completion", [choice], self._spent(reply)))

    async def _stream(self, reply: Reply, with_usage: bool) -> AsyncGenerator[bytes]:
        def line(choices: list[JsonValue], spent: dict[str, JsonValue] | None = None) -> bytes:
            return f"data: {json.dumps(self._envelope('chat.completion.chunk', choices, spent))}\n\n".encode()

        for piece in pieces_of(reply.text):
            yield line([{"index": 0, "finish_reason": None, "delta": {"content": piece}}])
        yield line([{"index": 0, "finish_reason": reply.finish, "delta": {}}])
        if with_usage:
            yield line([], self._spent(reply))
        yield b"data: [DONE]\n\n"

    def failure(self, error: ModelError) -> HttpResponse:
        if isinstance(error, MalformedReply):
            return json_response(self._envelope("chat.completion", [], {}))
        if isinstance(error, ContextOverflow):
            return json_response({"error": self._overflow(str(error))}, 400)
        status = 503 if isinstance(error, ModelUnavailable) else 500
        kind = "unavailable_error" if status == 503 else "server_error"
        return json_response({"error": {"code": status, "message": str(error), "type": kind}}, status)

    def _overflow(self, text: str) -> JsonValue:
        if self._kind == "llamacpp":
            message = f"request exceeds the available context size, try increasing it: {text}"
            return {"code": 400, "message": message, "type": "exceed_context_size_error"}
        message = f"This model's maximum context length is {self._endpoint.window} tokens: {text}"
        return {"code": 400, "message": message, "type": "BadRequestError", "param": None}

    def _envelope(
        self, object: str, choices: list[JsonValue], spent: dict[str, JsonValue] | None
    ) -> dict[str, JsonValue]:
        head: dict[str, JsonValue] = {
            "id": f"chatcmpl-{len(self._model.log)}",
            "object": object,
            "created": int(time.time()),
            "model": self._endpoint.model,
            "choices": choices,
        }
        return head | (spent or {})

    def _spent(self, reply: Reply) -> dict[str, JsonValue]:
        usage = reply.usage
        spent: dict[str, JsonValue] = {
            "usage": {
                "prompt_tokens": usage.prompt_tokens,
                "completion_tokens": usage.written_tokens,
                "total_tokens": usage.tokens,
                "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
            }
        }
        if self._kind == "llamacpp":
            spent["timings"] = {
                "cache_n": usage.cached_tokens,
                "prompt_n": usage.prefilled_tokens,
                "predicted_n": usage.written_tokens,
            }
        return spent

    def _models(self) -> JsonValue:
        model: dict[str, JsonValue] = {"id": self._endpoint.model, "object": "model", "created": 0}
        if self._kind == "vllm":
            model |= {"owned_by": "vllm", "max_model_len": self._endpoint.window}
        elif self._kind == "llamacpp":
            model |= {"owned_by": "llamacpp", "meta": {"n_ctx": self._endpoint.window}}
        else:
            model |= {"owned_by": "organization_owner"}
        return {"object": "list", "data": [model]}

    def _props(self) -> JsonValue:
        return {
            "default_generation_settings": {"n_ctx": self._endpoint.window},
            "total_slots": self._endpoint.slots,
            "model_alias": self._endpoint.model,
            "model_path": f"{self._endpoint.model}.gguf",
        }

    def _slot_list(self) -> JsonValue:
        busy = self._model.busy_slots
        return [
            {"id": id, "n_ctx": self._endpoint.window, "is_processing": id in busy}
            for id in range(self._endpoint.slots)
        ]

    def _studio_models(self) -> JsonValue:
        model: JsonValue = {
            "id": self._endpoint.model,
            "object": "model",
            "type": "llm",
            "state": "loaded",
            "max_context_length": self._endpoint.window,
            "loaded_context_length": self._endpoint.window,
        }
        return {"object": "list", "data": [model]}
