"""What went wrong in a call, judged by what the server said, and whether asking again can help."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from swarm.errors import ContextOverflow, MalformedReply, ModelError, ModelUnavailable
from swarm.models.model import Endpoint
from swarm.project.secrecy import hidden, secrets_in

if TYPE_CHECKING:
    from swarm.models.client.transport import Exchange

OVERFLOW = re.compile(
    r"exceed_context_size|context (size|length|window)|maximum context|prompt is too long", re.IGNORECASE
)
"""How llama.cpp's server, vLLM, LM Studio and Ollama say that a prompt does not fit."""

SHARED_FULL = "Context size has been exceeded"
"""How llama.cpp's server says with a 500 that the cache its slots share (``kv_unified``, its default) is full
(ggml-org/llama.cpp#16736): fewer at once fit, and of a prompt that is too long by itself it says another thing."""

BUSY = re.compile(r"busy|overload|queue|pending|capacity|too many", re.IGNORECASE)
"""How a server says with a 503 that it is full (Ollama: ``server busy … maximum pending requests
exceeded``) and not that it is ill or still loading."""

FailureKind = Literal["away", "failed", "busy", "garbled", "late", "final"]
"""``away``: nobody took the connection, so nothing was asked. ``failed``: the server broke off or
reports a failure of its own; it may pass. ``busy``: it is full and says so. ``garbled``: an answer
that can't be read, which may pass once. ``late``: a deadline is over. ``final``: asking again would
give the same."""

OF_SERVER: frozenset[FailureKind] = frozenset({"away", "failed", "late"})
"""Failures of the server, whatever it was asked."""

_SAID_CHARS = 300


@dataclass(frozen=True)
class Failure:
    """A failed request."""

    kind: FailureKind
    error: ModelError
    retry_after: float | None = None
    """Seconds the server asked to be left alone."""


def failure_of(endpoint: Endpoint, exchange: Exchange, error: Exception) -> Failure:
    """The failure behind an exception of the client library."""
    where = f"{endpoint.model!r} at {endpoint.url}"
    match exchange.end:
        case "away":
            why = f"no answer from {where}: {exchange.trouble}; is the server running?"
            return Failure("away", ModelUnavailable(why))
        case "cut":
            why = f"the answer of {where} was cut: {exchange.trouble}; see the server's log"
            return Failure("failed", ModelUnavailable(why))
        case "late":
            limits = "limits.first_token_seconds or limits.between_tokens_seconds"
            why = f"{where} is stuck: {exchange.trouble}; see the server's log, or raise {limits}"
            return Failure("late", ModelUnavailable(why))
        case "garbled":
            return Failure("garbled", _unreadable(where, exchange.trouble, ""))
        case None:
            return _judged(endpoint, where, exchange, error)


def _judged(endpoint: Endpoint, where: str, exchange: Exchange, error: Exception) -> Failure:
    """The failure of a request that was answered, or that the library never sent."""
    if exchange.status is None:
        return Failure("final", ModelError(f"{where} was not asked: {type(error).__name__}: {error}"))
    said = hidden(_said(exchange.text), secrets_in([endpoint.api_key]))
    if exchange.status < 400:
        return Failure("garbled", _unreadable(where, said, exchange.text))
    if exchange.status >= 500 and SHARED_FULL in said:
        why = f"the slots of {where} share one window, and together they filled it: {said}"
        return Failure("busy", ModelUnavailable(why))
    if OVERFLOW.search(exchange.text):
        why = f"the prompt does not fit the window of {where} ({endpoint.window} tokens): {said}"
        return Failure("final", ContextOverflow(why))
    return _refusal(endpoint, exchange, said)


def _unreadable(where: str, said: str, text: str) -> MalformedReply:
    return MalformedReply(f"{where} gave an answer that can't be read: {said}; is it a model server?", text)


def _refusal(endpoint: Endpoint, exchange: Exchange, said: str) -> Failure:
    where, status = f"{endpoint.model!r} at {endpoint.url}", exchange.status or 0
    if status == 429 or status >= 500:
        retry_after = _seconds(exchange.headers.get("Retry-After"))
        is_busy = status == 429 or retry_after is not None or (status == 503 and BUSY.search(said))
        why = f"{where} failed with status {status}: {said}; see the server's log"
        return Failure("busy" if is_busy else "failed", ModelUnavailable(why), retry_after)
    if status in (401, 403):
        what = "does not take its key" if endpoint.api_key else "wants a key"
        why = f"{where} {what} (status {status}: {said}); set SWARM_API_KEY, or api_key in swarm.toml"
        return Failure("final", ModelUnavailable(why))
    if status == 404:
        why = f"{where} answered with status {status}: {said}; check the model's name and the address"
        return Failure("final", ModelUnavailable(why))
    return Failure("final", ModelError(f"{where} refused the request with status {status}: {said}"))


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
