"""What a scripted model is asked beyond the question, what it notes of it, and how it refuses."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from swarm.errors import ContextOverflow, ModelUnavailable
from swarm.nouns.limits import Usage
from swarm.nouns.messages import Reply, Request
from swarm.testing.double.faults import Fault


@dataclass
class Received:
    """One request a scripted model got, in order of arrival; filled in as it is served."""

    number: int
    """From 1."""
    digest: str
    """``Request.digest()``: the same question asked again has the same digest."""
    arrived: float
    """Seconds on the clock ``time.monotonic``, as the next two."""
    started: float | None = None
    """When it got a slot."""
    finished: float | None = None
    slot: int | None = None
    usage: Usage = field(default_factory=Usage)
    error: str = ""
    """Why it ended without a reply."""
    model: str = ""
    fault: str = ""
    """The fault it met."""
    is_truncated: bool = False
    """Whether a part of its prompt was dropped."""


@dataclass(frozen=True)
class Terms:
    """What a request to a server says beyond the question."""

    model: str = ""
    """Empty for the server's only or first one."""
    window: int | None = None
    """None for the server's."""
    reserved_tokens: int = 0
    """Tokens of the window that the prompt must leave free, as vLLM does for the reply."""
    truncates: bool = False
    """Whether the oldest messages of a prompt that is too long are dropped in silence (Ollama)."""
    shifts: bool = False
    """Whether a reply may outgrow the window (Ollama)."""
    preamble: str = ""
    """What the chat template puts before the messages: the tools."""


@dataclass
class Serving:
    """A request that has its slot; its prompt is computed, its reply is not yet written."""

    request: Request
    served: Received
    reply: Reply
    """All of it; the usage is there when the block of the turn has ended."""
    fault: Fault | None
    pieces: AsyncGenerator[str]
    """The reply at the pace it is written at."""


class PromptTooLong(ContextOverflow):
    """The prompt does not fit the window: ``size`` tokens, of ``window``."""

    def __init__(self, model: str, size: int, window: int, reserved: int = 0) -> None:
        self.size, self.window, self.reserved = size, window, reserved
        super().__init__(
            f"the prompt has {size} tokens and the window of {model!r} is {window}; "
            "shorten the prompt or give the model a larger window"
        )


class ModelBusy(ModelUnavailable):
    """The queue is full."""


class ModelUnknown(ModelUnavailable):
    """No model of that name is served."""


class Refused(ModelUnavailable):
    """A fault turned the request away at the door."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(f"the scripted model shows the fault {fault.kind!r}")
