"""What is said to a model and what it says back."""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from swarm.limits import Usage

Role = Literal["system", "user", "assistant"]


class Message(BaseModel):
    """One message of a conversation. Tool calls and tool results travel as text in it.

    A turn is one JSON object under the turn's schema, so any chat template carries it and any
    server that can constrain its output can be used; no tool-call dialect is needed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role
    content: str


class Request(BaseModel):
    """One question to a model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    messages: tuple[Message, ...]
    output_schema: dict[str, JsonValue] | None = None
    """JSON Schema (2020-12) the reply must satisfy; None asks for prose."""
    max_tokens: int = 1_024
    temperature: float = 0.0
    seed: int = 0
    deadline_seconds: float = 900.0
    """From dispatch to the last token; not part of the hash."""
    slot: int | None = None
    """Slot of the server to run on, where the server can pin one; not part of the hash."""

    def digest(self) -> str:
        """SHA-256 of what the answer depends on, as 64 hex digits."""
        content = self.model_dump(mode="json", exclude={"deadline_seconds", "slot"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class Reply(BaseModel):
    """One answer of a model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    finish: Literal["stop", "length"] = "stop"
    """``length`` when the reply was cut at ``max_tokens``."""
    model: str = ""
    """Name of the model as its server reports it."""
    usage: Usage = Usage()
