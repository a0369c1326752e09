"""Putting a streamed answer together again, as if it had come whole."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import cast

from pydantic import BaseModel, Field, JsonValue

DONE = "[DONE]"

_MOST_LINE_BYTES = 2**20
_MOST_BYTES = 2**26
"""No honest answer comes near these; without them a server could fill the memory."""


class _StreamedFunction(BaseModel):
    name: str | None = None
    arguments: JsonValue = None
    """A text that comes in pieces; from Ollama the object itself."""


class _StreamedCall(BaseModel):
    index: int = 0
    function: _StreamedFunction = _StreamedFunction()


class _Delta(BaseModel):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    """What newer vLLM calls ``reasoning_content``."""
    thinking: str | None = None
    """What Ollama calls it."""
    tool_calls: list[_StreamedCall] | None = None


class _StreamedChoice(BaseModel):
    index: int = 0
    delta: _Delta = _Delta()
    finish_reason: str | None = None


class _Chunk(BaseModel):
    choices: list[_StreamedChoice] = Field(default_factory=list[_StreamedChoice])
    model: str = ""
    usage: dict[str, JsonValue] | None = None
    timings: dict[str, JsonValue] | None = None
    """llama.cpp's."""
    error: JsonValue = None


class _OllamaLine(BaseModel):
    message: _Delta = _Delta()
    done: bool = False
    error: JsonValue = None


class Body:
    """An answer that comes whole, as bytes are fed to it."""

    is_done = False
    """Whether it says of itself that it is at its end."""
    is_whole = True
    """Whether it may end here."""

    def __init__(self) -> None:
        self._content = bytearray()

    def feed(self, piece: bytes) -> bool:
        """Takes the next bytes; whether there was a token in them.

        Raises:
            ValueError: they are no part of such an answer.
        """
        self._content += piece
        if len(self._content) > _MOST_BYTES:
            raise ValueError(f"it is larger than {_MOST_BYTES} bytes")
        return False

    def status(self, status: int) -> int:
        """The HTTP status it would have, come whole, where its own head says ``status``."""
        return status

    def body(self) -> bytes:
        """All of it, as it would have come whole."""
        return bytes(self._content)


class _Assembled(ABC):
    """The same of an answer that is streamed: text, thinking and calls so far."""

    def __init__(self) -> None:
        self.is_done = False
        self._size = 0
        self._rest = b""
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._calls: dict[int, _StreamedFunction] = {}
        self._finish: str | None = None
        self._error: JsonValue = None

    @property
    def is_whole(self) -> bool:
        return self.is_done or self._finish is not None or self._error is not None

    def feed(self, piece: bytes) -> bool:
        self._size += len(piece)
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > _MOST_LINE_BYTES or self._size > _MOST_BYTES:
            raise ValueError(f"it has a line of {len(self._rest)} bytes and {self._size} in all")
        has_token = False
        for line in lines:
            has_token |= self._take(line.decode(errors="replace").rstrip("\r"))
        return has_token

    @abstractmethod
    def _take(self, line: str) -> bool:
        """Takes one line; whether there was a token in it."""

    @abstractmethod
    def _whole(self) -> dict[str, JsonValue]:
        """The answer as the server would have sent it, not streamed."""

    def _add(self, delta: _Delta) -> bool:
        thinking = delta.reasoning_content or delta.reasoning or delta.thinking or ""
        self._text.append(delta.content or "")
        self._thinking.append(thinking)
        for call in delta.tool_calls or ():
            self._add_call(call)
        return bool(delta.content or thinking or delta.tool_calls)

    def _add_call(self, call: _StreamedCall) -> None:
        known = self._calls.setdefault(call.index, _StreamedFunction(arguments=""))
        arguments = call.function.arguments
        if isinstance(known.arguments, str) and isinstance(arguments, str):
            arguments = known.arguments + arguments
        self._calls[call.index] = _StreamedFunction(
            name=call.function.name or known.name,
            arguments=known.arguments if arguments is None else arguments,
        )

    def _message(self, thinking_name: str) -> dict[str, JsonValue]:
        message: dict[str, JsonValue] = {"role": "assistant", "content": "".join(self._text)}
        if thinking := "".join(self._thinking):
            message[thinking_name] = thinking
        if self._calls:
            message["tool_calls"] = [
                {"id": str(index), "type": "function", "function": call.model_dump()}
                for index, call in self._calls.items()
            ]
        return message

    def status(self, status: int) -> int:
        if self._error is None:
            return status
        code = self._error.get("code") if isinstance(self._error, dict) else None
        return code if isinstance(code, int) and code >= 400 else 500

    def body(self) -> bytes:
        return json.dumps(self._whole() if self._error is None else {"error": self._error}).encode()


class ServerSentEvents(_Assembled):
    """``text/event-stream`` (WHATWG HTML, section 9.2) of the OpenAI-compatible servers."""

    def __init__(self) -> None:
        super().__init__()
        self._model = ""
        self._others: dict[int, list[str]] = {}
        """Texts of the choices behind the first, where several are asked for."""
        self._ends: dict[int, str] = {}
        """How each of these ended."""
        self._counts: dict[str, JsonValue] = {"usage": None}

    def _take(self, line: str) -> bool:
        # Comments, which servers send to keep a connection open, have no name before the colon.
        name, _, value = line.partition(":")
        if name not in ("data", "error") or self.is_done:
            return False
        if value.strip() == DONE:
            self.is_done = True
            return False
        chunk = _Chunk.model_validate_json(value)
        self._error = chunk.error or self._error
        self._model = chunk.model or self._model
        if chunk.usage:
            self._counts["usage"] = self._counted(chunk.usage)
        if chunk.timings:
            self._counts["timings"] = chunk.timings
        has_token = False
        for choice in chunk.choices:
            if choice.index:
                self._others.setdefault(choice.index, []).append(choice.delta.content or "")
                has_token |= bool(choice.delta.content)
                if choice.finish_reason:
                    self._ends[choice.index] = choice.finish_reason
                continue
            has_token |= self._add(choice.delta)
            self._finish = choice.finish_reason or self._finish
        return has_token

    @property
    def is_whole(self) -> bool:
        return self._error is not None or (
            super().is_whole and (self.is_done or self._ends.keys() >= self._others.keys())
        )

    def _counted(self, usage: dict[str, JsonValue]) -> dict[str, JsonValue]:
        """The usage of all choices; llama.cpp tells that of each."""
        before, written = self._counts["usage"], usage.get("completion_tokens")
        if not (self._others and isinstance(before, dict) and isinstance(written, int)):
            return usage
        known = before.get("completion_tokens")
        return {**usage, "completion_tokens": written + (known if isinstance(known, int) else 0)}

    def _whole(self) -> dict[str, JsonValue]:
        message = self._message("reasoning_content")
        choice: JsonValue = {"index": 0, "finish_reason": self._finish, "message": message}
        others: list[JsonValue] = [
            {
                "index": index,
                "finish_reason": self._ends.get(index, "length"),
                "message": {"role": "assistant", "content": "".join(pieces)},
            }
            for index, pieces in sorted(self._others.items())
        ]
        return {
            "id": "",
            "object": "chat.completion",
            "created": 0,
            "model": self._model,
            "choices": [choice, *others] if self._finish else [],
            **self._counts,
        }


class LineStream(_Assembled):
    """``application/x-ndjson`` of Ollama: an object a line, the last one with ``done`` and the counts."""

    def __init__(self) -> None:
        super().__init__()
        self._last = "{}"

    def _take(self, line: str) -> bool:
        if not line.strip() or self.is_done:
            return False
        part = _OllamaLine.model_validate_json(line)
        self._error = part.error or self._error
        if part.done:
            self.is_done, self._last = True, line
        # Calls come whole; what index they have depends on the version.
        for index, call in enumerate(part.message.tool_calls or (), len(self._calls)):
            call.index = index
        return self._add(part.message)

    def _whole(self) -> dict[str, JsonValue]:
        last = cast("dict[str, JsonValue]", json.loads(self._last))
        return {**last, "message": self._message("thinking")}


Answer = Body | ServerSentEvents | LineStream


def answer_of_type(content_type: str) -> Answer:
    """An empty answer of the type that the head of a response names."""
    match content_type:
        case "text/event-stream":
            return ServerSentEvents()
        case "application/x-ndjson":
            return LineStream()
        case _:
            return Body()
