"""Putting a streamed chat completion together again, as if it had come whole."""

from __future__ import annotations

import json
from typing import cast

from pydantic import BaseModel, ConfigDict, Field, JsonValue

DONE = "[DONE]"


class _Delta(BaseModel):
    model_config = ConfigDict(extra="ignore")

    content: str | None = None


class _Choice(BaseModel):
    model_config = ConfigDict(extra="ignore")

    delta: _Delta = _Delta()
    finish_reason: str | None = None


class _Chunk(BaseModel):
    model_config = ConfigDict(extra="ignore")

    choices: list[_Choice] = Field(default_factory=list[_Choice])
    model: str = ""
    usage: dict[str, JsonValue] | None = None
    error: JsonValue = None


class Assembly:
    """The answer so far. Feed it the lines of a ``text/event-stream`` (WHATWG HTML, section 9.2)."""

    def __init__(self) -> None:
        self.is_done = False
        """Whether the stream has ended as it should."""
        self._text: list[str] = []
        self._finish: str | None = None
        self._model = ""
        self._usage: dict[str, JsonValue] = {}
        self._error: JsonValue = None

    def feed(self, line: str) -> None:
        """Takes one line; comments, which servers send to keep a connection open, say nothing.

        Raises:
            ValueError: the line is no chunk of a chat completion.
        """
        name, _, value = line.partition(":")
        if name not in ("data", "error") or self.is_done:
            return
        if value.strip() == DONE:
            self.is_done = True
            return
        chunk = _Chunk.model_validate_json(value)
        self._error = chunk.error or self._error
        self._model = chunk.model or self._model
        self._usage = chunk.usage or self._usage
        for choice in chunk.choices:
            self._text.append(choice.delta.content or "")
            self._finish = choice.finish_reason or self._finish

    def status(self) -> int:
        """The HTTP status the answer would have had, come whole."""
        if self._error is None:
            return 200
        code = self._error.get("code") if isinstance(self._error, dict) else None
        return code if isinstance(code, int) and code >= 400 else 500

    def body(self) -> bytes:
        """The whole answer as JSON."""
        if self._error is not None:
            return json.dumps({"error": self._error}).encode()
        message: JsonValue = {"role": "assistant", "content": "".join(self._text)}
        choices: list[JsonValue] = [{"index": 0, "finish_reason": self._finish, "message": message}]
        whole: dict[str, JsonValue] = {
            "id": "",
            "object": "chat.completion",
            "created": 0,
            "model": self._model,
            "choices": choices if self._finish else [],
            "usage": self._usage or None,
        }
        return json.dumps(whole).encode()


def streamed(body: bytes) -> bytes:
    """The body of a chat request, changed to ask for a stream with its usage at the end."""
    request = cast("dict[str, JsonValue]", json.loads(body))
    return json.dumps(request | {"stream": True, "stream_options": {"include_usage": True}}).encode()
