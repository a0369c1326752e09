"""The seam to a model: one method, and what is known of the server behind it."""

from __future__ import annotations

from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from swarm.nouns.messages import Reply, Request

ServerKind = Literal["ollama", "llamacpp", "vllm", "lmstudio", "openai", "scripted"]
"""``openai`` is any other OpenAI-compatible server; ``scripted`` a script in this process."""

Capability = Literal["tools", "schema", "grammar", "thinking", "vision", "embeddings"]
"""What a server says a model can do: be told tools in the request's own field, be held to a JSON Schema
or a grammar, think before it answers, see pictures, embed."""


class Endpoint(BaseModel):
    """A server that serves a model, as probing or configuration found it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ServerKind
    model: str
    """Name of the model as the server knows it."""
    url: str = ""
    """Base address without ``/v1``; empty for a script."""
    api_key: str = Field(default="", exclude=True, repr=False)
    """What its server is sent as a bearer token; neither recorded nor shown."""
    slots: int = 1
    """Requests it works on at once; more would queue."""
    samples: int = 1
    """Replies that one request may ask for; the prompt is read once for all of them."""
    slots_guessed: bool = False
    """Whether neither server nor person told the slots: how many are worth it is then found by trying."""
    window: int = 4_096
    """Tokens a prompt and its reply may have together, per slot."""
    constrains: bool = True
    """Whether it can hold a reply to a JSON Schema."""
    streams: bool = True
    """Whether it is asked to stream its replies; without, only their whole has a deadline."""
    is_embedded: bool = False
    """Whether this process started it."""
    family: str = ""
    """What the model descends from, in letters (``qwen``, ``llama``), by its name or else its architecture."""
    digest: str = ""
    """What changes when other weights answer under the same name; empty where nothing tells."""
    capabilities: frozenset[Capability] = frozenset()
    """What the server says of the model; less than it can do where a server says little."""
    resident: int | None = None
    """Models the server holds in memory at once; None where it does not say."""
    is_loaded: bool = True
    """Whether the model is in memory, so that a request to it costs no load."""
    tokenizes: bool = False
    """Whether ``/tokenize`` counts a prompt with the model's own tokenizer."""
    said: frozenset[Literal["slots", "window", "resident", "constrains"]] = frozenset()
    """What a person set: it stays so, whatever the server tells."""

    @property
    def takes_grammar(self) -> bool:
        """Whether it is sent the grammar of a request; without, a reply is held to nothing but its prompt."""
        # vLLM's engines read other dialects of EBNF, and others have no such field: see docs/grammars.md.
        return self.kind == "llamacpp"


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
            ModelError: the server refuses this request and would again.
        """
        ...
