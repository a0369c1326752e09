"""What the faces of the scripted server share: reading a chat body, and what a face is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from swarm.errors import ModelError
from swarm.messages import Message, Reply, Request
from swarm.testing.http import HttpRequest, HttpResponse

FaceKind = Literal["llamacpp", "vllm", "lmstudio", "ollama"]

DAY_SECONDS = 86_400.0
"""Deadline of a request inside the server: the client's is the one that counts."""

PIECE_CHARS = 64


class Face(Protocol):
    """The protocol of one kind of server."""

    def page(self, path: str) -> JsonValue:
        """What a GET of that path shows; None when there is no such page."""
        ...

    def is_chat(self, path: str) -> bool:
        """Whether a POST to that path asks the model."""
        ...

    def other(self, request: HttpRequest) -> JsonValue:
        """What a POST that does not ask the model gives; None when there is no such path."""
        ...

    def question(self, body: bytes) -> Request:
        """The request a chat body holds.

        Raises:
            ValueError: the body is not one.
        """
        ...

    def reply(self, body: bytes, reply: Reply) -> HttpResponse:
        """The reply as this kind of server words it, whole or streamed as the body asked."""
        ...

    def failure(self, error: ModelError) -> HttpResponse:
        """The failure as this kind of server words it."""
        ...


class ContentPart(BaseModel):
    """A piece of a message's content."""

    model_config = ConfigDict(extra="ignore")

    text: str = ""


class WireMessage(BaseModel):
    """A message as clients send it: content whole or in parts."""

    model_config = ConfigDict(extra="ignore")

    role: Literal["system", "user", "assistant"]
    content: str | list[ContentPart]

    def message(self) -> Message:
        """The message as ours."""
        if isinstance(self.content, str):
            return Message(role=self.role, content=self.content)
        return Message(role=self.role, content="".join(part.text for part in self.content))


class ChatBody(BaseModel):
    """What every chat body has."""

    model_config = ConfigDict(extra="ignore")

    model: str = ""
    messages: list[WireMessage] = Field(min_length=1)


def pieces_of(text: str) -> Iterator[str]:
    """The text in pieces, as a stream sends them; larger than a token, to be cheap."""
    for start in range(0, len(text), PIECE_CHARS):
        yield text[start : start + PIECE_CHARS]
