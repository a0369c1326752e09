"""What went wrong in a call, judged by what the server said, and whether asking again can help."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from swarm.errors import ContextOverflow, MalformedReply, ModelError, ModelUnavailable
from swarm.models.model import Endpoint

if TYPE_CHECKING:
    from swarm.models.wire import Exchange

OVERFLOW = re.compile(
    r"exceed_context_size|context (size|length|window)|maximum context|prompt is too long", re.IGNORECASE
)
"""How llama.cpp's server, vLLM, LM Studio and Ollama say that a prompt does not fit."""

_SAID_CHARS = 300


@dataclass(frozen=True)
class Failure:
    """A failed attempt."""

    error: ModelError
    may_pass: bool = False
    """Whether the same request may succeed a little later."""
    retry_after: float | None = None
    """Seconds the server asked to be left alone."""


def failure_of(endpoint: Endpoint, exchange: Exchange, error: Exception) -> Failure:
    """The failure behind an exception of the client library."""
    where = f"{endpoint.model!r} at {endpoint.url}"
    if exchange.status is None:
        trouble = exchange.trouble or f"{type(error).__name__}: {error}"
        return Failure(
            ModelUnavailable(f"no answer from {where}: {trouble}; is the server running?"), may_pass=True
        )
    said = _said(exchange.text)
    if exchange.status < 400:
        return Failure(MalformedReply(f"{where} gave an answer that can't be read: {said}", exchange.text))
    if OVERFLOW.search(exchange.text):
        return Failure(
            ContextOverflow(
                f"the prompt does not fit the window of {where} ({endpoint.window} tokens): {said}"
            )
        )
    return _refusal(where, exchange, said)


def _refusal(where: str, exchange: Exchange, said: str) -> Failure:
    status = exchange.status or 0
    if status == 429 or status >= 500:
        return Failure(
            ModelUnavailable(f"{where} failed with status {status}: {said}; see the server's log"),
            may_pass=True,
            retry_after=_seconds(exchange.headers.get("Retry-After")),
        )
    if status in (401, 403, 404):
        return Failure(
            ModelUnavailable(
                f"{where} answered with status {status}: {said}; check the model's name and the address"
            )
        )
    return Failure(ModelError(f"{where} refused the request with status {status}: {said}"))


def _seconds(header: str | None) -> float | None:
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:  # The header may also hold a date; our own pause does as well.
        return None


def _said(text: str) -> str:
    """The message of an error body, in one line."""
    try:
        body = cast("object", json.loads(text))
    except ValueError:
        body = text
    for key in ("error", "message"):
        if isinstance(body, dict):
            body = cast("dict[str, object]", body).get(key, cast("object", body))
    return " ".join(str(body).split())[:_SAID_CHARS] or "nothing"
