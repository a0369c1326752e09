"""A chat in OpenAI's protocol: reading the body, and wording the reply whole and in chunks.

Shapes after ``tools/server/server-task.cpp`` of ggml-org/llama.cpp, ``entrypoints/openai`` of
vllm-project/vllm and ``openai/openai.go`` of ollama/ollama.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from pydantic import BaseModel, JsonValue

from swarm.nouns.messages import Reply, Request
from swarm.testing.double.dialects import Call
from swarm.testing.wire import DAY_SECONDS, ChatBody, FaceKind, Saying

Json = dict[str, JsonValue]


class _Schema(BaseModel):
    # An alias, because a pydantic model already has an attribute called schema.
    json_schema: Json | None = None


class _StreamOptions(BaseModel):
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
    grammar: str = ""
    """llama.cpp only: what the reply is held to, unless ``response_format`` says otherwise. Scripts are not."""

    @property
    def most_tokens(self) -> int | None:
        """Tokens the reply may have, where the body says so."""
        return self.max_tokens or self.max_completion_tokens

    def request(self) -> Request:
        """The question as ours."""
        format = self.response_format.json_schema if self.response_format else None
        schema = cast("Json | None", (format or {}).get("schema"))
        return Request(
            messages=tuple(message.message() for message in self.messages),
            output_schema=schema,
            grammar=self.grammar if schema is None else "",
            max_tokens=self.most_tokens or 1_024,
            temperature=self.temperature,
            seed=self.seed or 0,
            deadline_seconds=DAY_SECONDS,
            slot=self.id_slot if self.id_slot >= 0 else None,
        )


@dataclass(frozen=True)
class OpenAIVoice:
    """How the OpenAI-compatible servers word a reply."""

    kind: FaceKind
    model: str
    id: str
    with_usage: bool
    """Whether a stream ends with the counts."""
    stream_type: str = "text/event-stream"

    def whole(self, saying: Saying, reply: Reply) -> Json:
        message: Json = {"role": "assistant", "content": saying.text or (None if saying.calls else "")}
        message |= self._beside(saying)
        choice: JsonValue = {"index": 0, "message": message, "finish_reason": _finish(saying, reply)}
        return self._envelope("chat.completion", [choice]) | self._spent(reply) | self._timings(reply)

    def chunk(self, saying: Saying, *, is_first: bool) -> Json:
        delta: Json = {"role": "assistant", "content": None} if is_first else {}
        if saying.text:
            delta["content"] = saying.text
        delta |= self._beside(saying)
        return self._chunk([{"index": 0, "delta": delta, "finish_reason": None}])

    def last(self, saying: Saying, reply: Reply) -> list[Json]:
        end: JsonValue = {"index": 0, "delta": {}, "finish_reason": _finish(saying, reply)}
        if not self.with_usage:
            return [self._chunk([end]) | self._timings(reply)]
        return [self._chunk([end]), self._chunk([]) | self._spent(reply) | self._timings(reply)]

    def frame(self, content: JsonValue) -> bytes:
        return b"data: %b\n\n" % (b"[DONE]" if content is None else json.dumps(content).encode())

    def _chunk(self, choices: list[JsonValue]) -> Json:
        return self._envelope("chat.completion.chunk", choices)

    def _beside(self, saying: Saying) -> Json:
        """What a message has beside its content."""
        beside: Json = {}
        if saying.thought:
            beside["reasoning" if self.kind == "ollama" else "reasoning_content"] = saying.thought
        if saying.calls:
            beside["tool_calls"] = _calls(saying.calls, self.id)
        return beside

    def _envelope(self, object: str, choices: list[JsonValue]) -> Json:
        return {
            "id": self.id,
            "object": object,
            "created": int(time.time()),
            "model": self.model,
            "system_fingerprint": "fp_scripted",
            "choices": choices,
        }

    def _spent(self, reply: Reply) -> Json:
        usage = reply.usage
        spent: Json = {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.written_tokens,
            "total_tokens": usage.tokens,
        }
        if self.kind != "ollama":
            spent["prompt_tokens_details"] = {"cached_tokens": usage.cached_tokens}
        return {"usage": spent}

    def _timings(self, reply: Reply) -> Json:
        if self.kind != "llamacpp":
            return {}
        usage = reply.usage
        return {
            "timings": {
                "cache_n": usage.cached_tokens,
                **_timed("prompt", usage.prefilled_tokens, usage.prefill_seconds),
                **_timed("predicted", usage.written_tokens, writing_seconds(reply)),
            }
        }


def writing_seconds(reply: Reply) -> float:
    """The part of a reply's time in which it was written."""
    usage = reply.usage
    return max(0.0, usage.model_seconds - usage.prefill_seconds - usage.load_seconds - usage.queued_seconds)


def _timed(what: str, tokens: int, seconds: float) -> Json:
    return {
        f"{what}_n": tokens,
        f"{what}_ms": seconds * 1_000,
        f"{what}_per_token_ms": seconds * 1_000 / max(1, tokens),
        f"{what}_per_second": tokens / max(seconds, 1e-6),
    }


def _calls(calls: Sequence[Call], id: str) -> list[JsonValue]:
    return [
        {
            "index": index,
            "id": f"{id}-{index}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(args)},
        }
        for index, (name, args) in enumerate(calls)
    ]


def _finish(saying: Saying, reply: Reply) -> str:
    return "tool_calls" if saying.calls else reply.finish
