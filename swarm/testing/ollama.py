"""The face of Ollama: its native protocol.

Shapes after ``api/types.go``, ``server/routes.go`` and ``server/prompt.go`` of ollama/ollama.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from pydantic import BaseModel, Field, JsonValue

from swarm.errors import ModelError
from swarm.nouns.messages import Reply, Request
from swarm.testing.double.scripted import ScriptedModel
from swarm.testing.double.served import ModelBusy, ModelUnknown, PromptTooLong, Terms
from swarm.testing.http_server import HttpRequest, HttpResponse, json_response
from swarm.testing.openai_chat import Json, writing_seconds
from swarm.testing.wire import DAY_SECONDS, ChatBody, ChatQuestion, Saying


class _Options(BaseModel):
    num_ctx: int | None = None
    num_predict: int = 1_024
    temperature: float = 0.8
    seed: int = 0


class OllamaBody(ChatBody):
    """The fields of ``/api/chat`` that count here."""

    format: dict[str, JsonValue] | str | None = None
    options: _Options = Field(default_factory=_Options)
    stream: bool = True
    truncate: bool = True
    shift: bool = True

    def request(self) -> Request:
        """The question as ours."""
        return Request(
            messages=tuple(message.message() for message in self.messages),
            output_schema=self.format if isinstance(self.format, dict) else None,
            max_tokens=self.options.num_predict,
            temperature=self.options.temperature,
            seed=self.options.seed,
            deadline_seconds=DAY_SECONDS,
        )


class OllamaFace:
    """Ollama: it drops the oldest messages of a long prompt in silence, unless told not to."""

    def __init__(self, model: ScriptedModel) -> None:
        self._model = model
        self._endpoint = model.endpoint

    def page(self, request: HttpRequest) -> HttpResponse | None:
        match request.method, request.path:
            case "GET", "/":
                return HttpResponse(body=b"Ollama is running", content_type="text/plain")
            case "GET", "/api/version":
                return json_response({"version": "0.14.0"})
            case "GET", "/api/tags":
                names = self._model.residence.names
                return json_response({"models": [self._entry(name) for name in names]})
            case "GET", "/api/ps":
                loaded = self._model.residence.loaded
                models = [self._entry(one.name) | {"context_length": one.window} for one in loaded]
                return json_response({"models": list(models)})
            case "POST", "/api/show":
                return json_response(self._shown())
            case _:
                return None

    def question(self, request: HttpRequest) -> ChatQuestion | None:
        if request.path != "/api/chat":
            return None
        body = OllamaBody.model_validate_json(request.body)
        terms = Terms(
            model=body.model,
            window=body.options.num_ctx,
            truncates=body.truncate,
            shifts=body.shift,
            preamble=body.preamble(),
        )
        voice = OllamaVoice(body.model or self._endpoint.model)
        return ChatQuestion(body.request(), terms, voice, is_stream=body.stream, with_tools=bool(body.tools))

    def refusal(self, status: int, error: ModelError) -> HttpResponse:
        match error:
            case PromptTooLong():
                message = (
                    f"request ({error.size} tokens) exceeds the available context size "
                    f"({error.window} tokens), try increasing it"
                )
            case ModelBusy():
                message = "server busy, please try again.  maximum pending requests exceeded"
            case ModelUnknown():
                message = f"{error}, try pulling it first"
            case _:
                message = str(error)
        return json_response({"error": message}, status)

    def _entry(self, name: str) -> Json:
        digest = hashlib.sha256(f"{name} {self._model.version}".encode()).hexdigest()
        details: Json = {"family": "scripted", "format": "gguf"}
        return {"name": name, "model": name, "size": 0, "digest": digest, "details": details}

    def _shown(self) -> Json:
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


@dataclass(frozen=True)
class OllamaVoice:
    """How Ollama words a reply: in lines of JSON."""

    model: str
    stream_type: str = "application/x-ndjson"

    def whole(self, saying: Saying, reply: Reply) -> Json:
        return self._line(saying) | self._end(reply)

    def chunk(self, saying: Saying, *, is_first: bool) -> Json:
        return self._line(saying) | {"done": False}

    def last(self, saying: Saying, reply: Reply) -> list[Json]:
        return [self._line(Saying()) | self._end(reply)]

    def frame(self, content: JsonValue) -> bytes:
        return b"" if content is None else json.dumps(content).encode() + b"\n"

    def _line(self, saying: Saying) -> Json:
        message: Json = {"role": "assistant", "content": saying.text}
        if saying.thought:
            message["thinking"] = saying.thought
        if saying.calls:
            message["tool_calls"] = [
                {"function": {"index": index, "name": name, "arguments": args}}
                for index, (name, args) in enumerate(saying.calls)
            ]
        return {"model": self.model, "created_at": "2026-01-01T00:00:00Z", "message": message}

    def _end(self, reply: Reply) -> Json:
        usage = reply.usage
        return {
            "done": True,
            "done_reason": reply.finish,
            "total_duration": int(usage.model_seconds * 1e9),
            "load_duration": int(usage.load_seconds * 1e9),
            "prompt_eval_count": usage.prompt_tokens,
            "prompt_eval_duration": int(usage.prefill_seconds * 1e9),
            "eval_count": usage.written_tokens,
            "eval_duration": int(writing_seconds(reply) * 1e9),
        }
