"""What is said to a model and what it says back."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from swarm.nouns.limits import Limits, Usage

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation. Tool calls and tool results travel as text in it.

    A turn is one JSON object under the turn's schema, so any chat template carries it and any
    server that can constrain its output can be used; no tool-call dialect is needed. A sub-agent
    holds all of its messages, so they are small.
    """

    role: Role
    content: str
    digest: bytes = field(init=False, repr=False, compare=False)
    """SHA-256 of the message; computed once, though it is part of every later request of its agent."""
    size: int = field(init=False, repr=False, compare=False)
    """Bytes of its text in UTF-8."""

    def __post_init__(self) -> None:
        whole = f"{self.role}\n{self.content}".encode()
        object.__setattr__(self, "digest", hashlib.sha256(whole).digest())
        object.__setattr__(self, "size", len(whole) - len(self.role) - 1)

    @property
    def spoken(self) -> dict[str, str]:
        """As model servers take it."""
        return {"role": self.role, "content": self.content}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question to a model. It is held for as long as the model takes, so it is small too."""

    messages: tuple[Message, ...]
    output_schema: dict[str, JsonValue] | None = None
    """JSON Schema (2020-12) the reply must satisfy; None asks for prose. The agents of a run have one."""
    max_tokens: int = 1_024
    temperature: float = 0.0
    seed: int = 0
    grammar: str = ""
    """Grammar in llama.cpp's GBNF that a reply in prose is held to, from after a last message of the assistant,
    which it goes on with; see ``Endpoint.takes_grammar``."""
    samples: int = 1
    """Replies wanted, drawn apart from one reading of the prompt; servers that can't give fewer."""
    deadline_seconds: float = 900.0
    """From dispatch to the last token, retries included; not part of the hash, like all that follows."""
    first_token_seconds: float = 600.0
    """From the sending of a request to its first token, summed over retries."""
    between_tokens_seconds: float = 120.0
    """From one token to the next."""
    requests: int = 5
    """Requests to the server it may take: the first and its retries."""
    slot: int | None = None
    """Slot of the server to run on, where the server can pin one."""

    def __post_init__(self) -> None:
        if self.grammar and self.output_schema is not None:
            raise ValueError(
                f"a request has an output_schema and the grammar {self.grammar[:80]!r}: a reply can be held to one "
                "of them; leave one out"
            )

    def digest(self) -> str:
        """SHA-256 of what the answer depends on, as 64 hex digits."""
        head = {name: getattr(self, name) for name in _ANSWERED}
        if self.samples > 1:
            head["samples"] = self.samples
        if self.grammar:
            head["grammar"] = self.grammar
        whole = hashlib.sha256(json.dumps(head, sort_keys=True).encode())
        whole.update(b"".join([message.digest for message in self.messages]))
        return whole.hexdigest()

    def within(self, limits: Limits) -> Request:
        """The same question, with the deadlines and requests that are allowed for one."""
        return replace(
            self,
            deadline_seconds=limits.reply_seconds,
            first_token_seconds=limits.first_token_seconds,
            between_tokens_seconds=limits.between_tokens_seconds,
            requests=limits.requests,
        )


_ANSWERED = ("output_schema", "max_tokens", "temperature", "seed")


class Reply(BaseModel):
    """One answer of a model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    finish: Literal["stop", "length"] = "stop"
    """``length`` when the reply was cut at ``max_tokens``."""
    others: tuple[str, ...] = ()
    """Further samples of the same request, as far as none was cut off."""
    model: str = ""
    """Name of the model as its server reports it."""
    window: int = 0
    """Tokens of the model's window when it was asked; 0 where that was not recorded."""
    usage: Usage = Usage()
    counted: Usage = Usage()
    """What the requests took beside it that had its server count its prompt, where there is no tokenizer."""

    @property
    def spent(self) -> Usage:
        """All that it took."""
        return self.usage + self.counted
