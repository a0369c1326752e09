"""What the faces of the scripted server share: reading a chat body, and what a face is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import BaseModel, Field, JsonValue

from swarm.errors import ModelError
from swarm.nouns.messages import Message, Reply, Request, Role
from swarm.testing.double.dialects import Call, turn
from swarm.testing.double.served import Terms
from swarm.testing.http_server import HttpRequest, HttpResponse

FaceKind = Literal["llamacpp", "vllm", "lmstudio", "ollama"]

DAY_SECONDS = 86_400.0
"""Deadline of a request inside the server: the client's is the one that counts."""

PIECE_CHARS = 64

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "tool": "user",
    "assistant": "assistant",
}


@dataclass(frozen=True)
class Saying:
    """What is said: text, or tool calls in the protocol's field, perhaps after thinking aloud."""

    text: str = ""
    calls: Sequence[Call] = ()
    thought: str = ""


class Voice(Protocol):
    """How a kind of server words the reply to one request."""

    @property
    def stream_type(self) -> str:
        """Content type of a stream."""
        ...

    def whole(self, saying: Saying, reply: Reply) -> dict[str, JsonValue]:
        """The body of a reply that is not streamed."""
        ...

    def chunk(self, saying: Saying, *, is_first: bool) -> dict[str, JsonValue]:
        """A piece of a stream."""
        ...

    def last(self, saying: Saying, reply: Reply) -> list[dict[str, JsonValue]]:
        """The pieces that end a stream."""
        ...

    def frame(self, content: JsonValue) -> bytes:
        """A piece as it goes over the wire; None ends the stream."""
        ...


@dataclass(frozen=True)
class ChatQuestion:
    """What a chat body asks for."""

    request: Request
    terms: Terms
    voice: Voice
    is_stream: bool
    with_tools: bool = False
    """Whether the body declares tools, so that a call comes in the protocol's field."""


class Face(Protocol):
    """The protocol of one kind of server."""

    def page(self, request: HttpRequest) -> HttpResponse | None:
        """What a request that does not ask the model gives; None when there is no such page."""
        ...

    def question(self, request: HttpRequest) -> ChatQuestion | None:
        """What a request asks the model; None when its path is none for that.

        Raises:
            ValueError: the body is not one.
        """
        ...

    def refusal(self, status: int, error: ModelError) -> HttpResponse:
        """The failure as this kind of server words it."""
        ...


class ContentPart(BaseModel):
    """A piece of a message's content."""

    text: str = ""


class WireFunction(BaseModel):
    """A tool and its arguments; OpenAI's protocol has them as JSON in a text."""

    name: str
    arguments: str | dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])

    def text(self) -> str:
        """The call as agents write it."""
        arguments = self.arguments
        return turn(self.name, json.loads(arguments) if isinstance(arguments, str) else arguments)


class WireCall(BaseModel):
    """A tool call of an earlier reply."""

    function: WireFunction


class WireMessage(BaseModel):
    """A message as clients send it: content whole or in parts, or tool calls."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[ContentPart] | None = None
    tool_calls: list[WireCall] | None = None

    def message(self) -> Message:
        """The message as ours: a tool's result is the user's word."""
        content = self.content or ""
        text = content if isinstance(content, str) else "".join(part.text for part in content)
        if self.tool_calls:
            text = "\n".join([text, *(call.function.text() for call in self.tool_calls)]).lstrip("\n")
        return Message(role=_ROLES[self.role], content=text)


class ChatBody(BaseModel):
    """What every chat body has."""

    model: str = ""
    messages: list[WireMessage] = Field(min_length=1)
    tools: list[JsonValue] | None = None

    def preamble(self) -> str:
        """What a chat template makes of the tools."""
        return json.dumps(self.tools) if self.tools else ""


def pieces_of(text: str) -> Iterator[str]:
    """The text in pieces, as a stream sends them; larger than a token, to be cheap."""
    for start in range(0, len(text), PIECE_CHARS):
        yield text[start : start + PIECE_CHARS]
