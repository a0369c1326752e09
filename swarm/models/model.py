"""The seam to a model: one method, and what is known of the server behind it."""

from __future__ import annotations

from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

from swarm.messages import Reply, Request

ServerKind = Literal["ollama", "llamacpp", "vllm", "lmstudio", "openai", "scripted"]
"""``openai`` is any other OpenAI-compatible server; ``scripted`` a script in this process."""


class Endpoint(BaseModel):
    """A server that serves a model, as probing or configuration found it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ServerKind
    model: str
    """Name of the model as the server knows it."""
    url: str = ""
    """Base address without ``/v1``; empty for a script."""
    slots: int = 1
    """Requests it works on at once; more would queue."""
    window: int = 4_096
    """Tokens a prompt and its reply may have together, per slot."""
    constrains: bool = True
    """Whether it can hold a reply to a JSON Schema."""
    is_embedded: bool = False
    """Whether this process started it."""


class Model(Protocol):
    """Answers requests. Implementations: ``LitellmModel``, ``ScriptedModel``."""

    @property
    def endpoint(self) -> Endpoint:
        """Where the replies come from."""
        ...

    async def reply(self, request: Request) -> Reply:
        """The model's answer.

        Raises:
            ModelUnavailable: no answer within the deadline, or a failure of the server.
            ContextOverflow: the prompt does not fit the window.
            MalformedReply: the server gave an answer that is none (no choices, no text).
        """
        ...
