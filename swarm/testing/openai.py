"""The OpenAI-compatible faces: llama.cpp's server, vLLM, LM Studio, and Ollama's second protocol.

Pages and errors after ``tools/server/README.md`` of ggml-org/llama.cpp, ``entrypoints`` of
vllm-project/vllm, ``openai/openai.go`` of ollama/ollama and reports to lmstudio-ai/lmstudio-bug-tracker
(546, 1806).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import cast
from urllib.parse import parse_qs

from pydantic import JsonValue

from swarm.errors import ModelError
from swarm.testing.double.prefix import tokens_of
from swarm.testing.double.scripted import ScriptedModel, rendered
from swarm.testing.double.served import PromptTooLong, Terms
from swarm.testing.grammar import refusal
from swarm.testing.http_server import HttpRequest, HttpResponse, json_response
from swarm.testing.openai_chat import Json, OpenAIBody, OpenAIVoice
from swarm.testing.wire import ChatBody, ChatQuestion, FaceKind

_TYPES = {
    "llamacpp": {400: "invalid_request_error", 404: "not_found_error", 503: "unavailable_error"},
    "vllm": {400: "BadRequestError", 404: "NotFoundError", 429: "TooManyRequests"},
    "ollama": {400: "invalid_request_error", 404: "not_found_error"},
}
_OTHER_TYPE = {"llamacpp": "server_error", "vllm": "InternalServerError", "ollama": "api_error"}

_Page = Callable[[HttpRequest], JsonValue]
_MODELS = (("GET", "/v1/models"), ("GET", "/models"))


class OpenAIFace:
    """One of the four; they differ in what they tell of themselves and in the wording of errors."""

    def __init__(self, model: ScriptedModel, kind: FaceKind) -> None:
        self._model = model
        self._endpoint = model.endpoint
        self._kind: FaceKind = kind
        self.is_behind_a_gateway = kind in ("vllm", "lmstudio")
        """Whether a full queue is told as the gateways before such servers do: 429, try later."""

    def page(self, request: HttpRequest) -> HttpResponse | None:
        place = (request.method, request.path)
        page = self._models if place in _MODELS else self._own_pages().get(place)
        shown = page(request) if page else None
        if isinstance(shown, str):
            return HttpResponse(body=shown.encode(), content_type="text/plain; version=0.0.4")
        return None if shown is None else json_response(shown)

    def _own_pages(self) -> dict[tuple[str, str], _Page]:
        match self._kind:
            case "llamacpp":
                return {
                    ("GET", "/health"): lambda _: {"status": "ok"},
                    ("GET", "/props"): self._props,
                    ("GET", "/slots"): lambda _: self._slot_list(),
                    ("GET", "/metrics"): lambda _: self._metrics("llamacpp", "processing", "deferred"),
                    ("POST", "/tokenize"): self._tokenize,
                    ("POST", "/apply-template"): lambda request: {"prompt": _prompt_in(request)},
                }
            case "vllm":
                return {
                    ("GET", "/health"): lambda _: "",
                    ("GET", "/version"): lambda _: {"version": "0.11.0"},
                    ("GET", "/metrics"): lambda _: self._metrics("vllm", "running", "waiting"),
                    ("POST", "/tokenize"): self._tokenize,
                }
            case "lmstudio":
                return {("GET", "/api/v0/models"): lambda _: self._studio_models()}
            case "ollama":
                return {}

    def question(self, request: HttpRequest) -> ChatQuestion | None:
        if request.path != "/v1/chat/completions":
            return None
        body = OpenAIBody.model_validate_json(request.body)
        if self._kind == "llamacpp" and (why := refusal(body.request().output_schema)):
            raise ValueError(why)
        is_ollama = self._kind == "ollama"
        # A llama.cpp server of one model answers to any name, and so do LM Studio's users expect it.
        ignores_name = len(self._model.residence.names) == 1 and self._kind in ("llamacpp", "lmstudio")
        terms = Terms(
            model="" if ignores_name else body.model,
            reserved_tokens=(body.most_tokens or 0) if self._kind == "vllm" else 0,
            truncates=is_ollama,
            shifts=is_ollama,
            preamble=body.preamble(),
        )
        voice = OpenAIVoice(
            kind=self._kind,
            model=terms.model or self._endpoint.model,
            id=f"chatcmpl-{len(self._model.log) + 1}",
            with_usage=body.stream_options.include_usage,
        )
        return ChatQuestion(body.request(), terms, voice, is_stream=body.stream, with_tools=bool(body.tools))

    def refusal(self, status: int, error: ModelError) -> HttpResponse:
        message = self._overflow(error) if isinstance(error, PromptTooLong) else str(error)
        if self._kind == "lmstudio":
            return json_response({"error": message}, status)
        said: Json = {"code": status, "message": message, "type": self._type(status, error)}
        if self._kind != "llamacpp":
            said |= {"param": None} | ({"code": None} if self._kind == "ollama" else {})
        elif isinstance(error, PromptTooLong):
            said |= {"n_prompt_tokens": error.size, "n_ctx": error.window}
        return json_response({"error": said}, status)

    def _type(self, status: int, error: ModelError) -> str:
        if self._kind == "llamacpp" and isinstance(error, PromptTooLong):
            return "exceed_context_size_error"
        return _TYPES[self._kind].get(status, _OTHER_TYPE[self._kind])

    def _overflow(self, error: PromptTooLong) -> str:
        size, window = error.size, error.window
        match self._kind:
            case "llamacpp" | "ollama":
                return (
                    f"request ({size} tokens) exceeds the available context size ({window} tokens), "
                    "try increasing it"
                )
            case "vllm":
                return (
                    f"This model's maximum context length is {window} tokens. However, you requested "
                    f"{size + error.reserved} tokens ({size} in the messages, {error.reserved} in the "
                    "completion). Please reduce the length of the messages or completion."
                )
            case "lmstudio":
                return (
                    f"Trying to keep the first {size} tokens when context the overflows. However, the "
                    f"model is loaded with context length of only {window} tokens, which is not enough. "
                    "Try to load the model with a larger context length, or provide a shorter input"
                )

    def _models(self, _: HttpRequest) -> JsonValue:
        names = self._model.residence.names
        return {"object": "list", "data": [self._model_entry(name, is_one=len(names) == 1) for name in names]}

    def _model_entry(self, name: str, *, is_one: bool) -> Json:
        window, version = self._endpoint.window, self._model.version
        model: Json = {"id": name, "object": "model", "created": 0}
        match self._kind:
            case "vllm":
                return model | {"owned_by": "vllm", "root": f"{name}/{version}", "max_model_len": window}
            case "llamacpp":
                meta: Json = {"n_ctx": window, "n_ctx_train": window, "n_params": version, "size": version}
                model |= {"owned_by": "llamacpp", "meta": meta}
                # Only the router, which has many, tells the status.
                if not is_one:
                    model["status"] = {"value": "loaded" if self._is_loaded(name) else "unloaded"}
                return model
            case _:
                return model | {"owned_by": "library" if self._kind == "ollama" else "organization_owner"}

    def _is_loaded(self, name: str) -> bool:
        return any(one.name == name for one in self._model.residence.loaded)

    def _props(self, request: HttpRequest) -> JsonValue:
        names = self._model.residence.names
        if len(names) > 1 and "model=" not in request.query:
            return {
                "role": "router",
                "max_instances": self._model.resident,
                "model_path": "none",
                "default_generation_settings": {"params": {}, "n_ctx": 0},
            }
        name = "".join(parse_qs(request.query).get("model", names[:1]))
        return {
            "default_generation_settings": {"params": {}, "n_ctx": self._endpoint.window},
            "total_slots": self._endpoint.slots,
            "model_alias": name,
            "model_path": f"{name}-{self._model.version}.gguf",
            "modalities": {"vision": False, "audio": False},
            "chat_template": "",
            "build_info": "scripted",
            "is_sleeping": False,
        }

    def _slot_list(self) -> JsonValue:
        busy = self._model.busy_slots
        return [
            {"id": id, "n_ctx": self._endpoint.window, "speculative": False, "is_processing": id in busy}
            for id in range(self._endpoint.slots)
        ]

    def _metrics(self, server: str, working: str, waiting: str) -> str:
        numbers = {working: self._model.speeds.working, waiting: self._model.waiting}
        kind = "requests" if server == "llamacpp" else "num_requests"
        return "".join(f"{server}:{kind}_{name} {number}\n" for name, number in numbers.items())

    def _tokenize(self, request: HttpRequest) -> JsonValue:
        body = cast("Json", json.loads(request.body))
        text = _prompt_in(request) if "messages" in body else str(body.get("content", body.get("prompt", "")))
        tokens: list[JsonValue] = [*range(tokens_of(text))] if text else []
        if self._kind == "llamacpp":
            return {"tokens": tokens}
        window = self._endpoint.window
        return {"count": len(tokens), "max_model_len": window, "tokens": tokens, "token_strs": None}

    def _studio_models(self) -> JsonValue:
        window = self._endpoint.window
        return {
            "object": "list",
            "data": [
                {
                    "id": name,
                    "object": "model",
                    "type": "llm",
                    "quantization": f"Q{self._model.version}",
                    "state": "loaded" if self._is_loaded(name) else "not-loaded",
                    "max_context_length": window,
                    **({"loaded_context_length": window} if self._is_loaded(name) else {}),
                }
                for name in self._model.residence.names
            ],
        }


def _prompt_in(request: HttpRequest) -> str:
    body = ChatBody.model_validate_json(request.body)
    return body.preamble() + rendered([message.message() for message in body.messages])
