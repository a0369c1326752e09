"""The reply in a server's answer: its text or calls, without its thinking, and what it cost."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from pydantic import AliasPath, BaseModel, Field, JsonValue

from swarm.errors import MalformedReply
from swarm.nouns.limits import Usage
from swarm.nouns.messages import Reply

CHARS_PER_TOKEN = 4
"""Of English text in today's tokenizers, near enough to say how much of a reply was thinking."""

_THINKING = re.compile(r"\s*(?:<think(?:ing)?>|\[THINK\])?(.*?)(?:</think(?:ing)?>|\[/THINK\])", re.DOTALL)
"""Thinking that a server left in the text. The opening mark may be missing, because chat templates
(DeepSeek R1's, QwQ's) put it into the prompt."""

_THINKS = re.compile(r"\s*(?:<think(?:ing)?>|\[THINK\])")


class _Details(Protocol):
    cached_tokens: int | None


class _CompletionUsage(Protocol):
    prompt_tokens: int | None
    completion_tokens: int | None
    prompt_tokens_details: _Details | None


class _Function(Protocol):
    name: str | None
    arguments: str | None


class _CompletionCall(Protocol):
    function: _Function


class _CompletionMessage(Protocol):
    content: str | None
    tool_calls: Sequence[_CompletionCall] | None


class _CompletionChoice(Protocol):
    finish_reason: str | None
    message: _CompletionMessage


class Completion(Protocol):
    """litellm's response, as far as it is read here."""

    model: str | None
    choices: Sequence[_CompletionChoice]
    usage: _CompletionUsage


class Timings(BaseModel):
    """What llama.cpp's server and Ollama tell of the time an answer took."""

    prompt_ms: float | None = Field(None, validation_alias=AliasPath("timings", "prompt_ms"))
    """llama.cpp's."""
    prompt_eval_duration: int | None = None
    """Ollama's, in nanoseconds, as the next."""
    load_duration: int = 0


def reply_of(completion: Completion, raw: str, seconds: float, token_after: float | None) -> Reply:
    """The reply in an answer whose body is ``raw``, that took so long and came so long after it was asked for.

    Calls that the server put into the protocol's own field become text, one JSON object a line.

    Raises:
        MalformedReply: there is none.
    """
    if not completion.choices:
        raise MalformedReply("the server answered without a reply: no choices", raw)
    choice = completion.choices[0]
    thinking, text = _parts(choice.message)
    others = [
        said
        for other in completion.choices[1:]
        if other.finish_reason != "length" and (said := _parts(other.message)[1]).strip()
    ]
    is_cut = choice.finish_reason == "length"
    if not text.strip() and others:  # One sample that says nothing takes none of the others with it.
        text, is_cut = others.pop(0), False
    if not text.strip():
        why = "it only thought; raise limits.reply_tokens" if thinking else "it is empty"
        raise MalformedReply(f"the server answered without a text: {why}", raw)
    return Reply(
        text=text,
        finish="length" if is_cut else "stop",
        others=tuple(others),
        model=(completion.model or "").removeprefix("ollama_chat/"),
        usage=_usage(completion.usage, thinking, seconds) + _times(raw, token_after),
    )


def _parts(message: _CompletionMessage) -> tuple[str, str]:
    """Thinking and text."""
    thinking = str(getattr(message, "reasoning_content", None) or "")
    if message.tool_calls:
        return thinking, "\n".join(_canonical(call.function) for call in message.tool_calls)
    text = message.content or ""
    if text.lstrip().startswith(("{", "[{")):  # JSON, which may well speak of the marks.
        return thinking, text.lstrip()
    if found := _THINKING.match(text):
        return thinking + found[1], text[found.end() :].lstrip()
    if _THINKS.match(text):
        return thinking + text, ""
    return thinking, text.lstrip() if thinking else text


def _canonical(function: _Function) -> str:
    args: JsonValue = function.arguments or {}
    if isinstance(args, str):
        with suppress(ValueError):  # Broken ones stay text: what they mean is not judged here.
            args = json.loads(args)
    return json.dumps({"tool": function.name, "args": args}, ensure_ascii=False)


def _usage(usage: _CompletionUsage, thinking: str, seconds: float) -> Usage:
    details = usage.prompt_tokens_details
    cached = (details.cached_tokens if details else 0) or 0
    return Usage(
        prefilled_tokens=max(0, (usage.prompt_tokens or 0) - cached),
        cached_tokens=cached,
        written_tokens=usage.completion_tokens or 0,
        thought_tokens=len(thinking) // CHARS_PER_TOKEN,
        model_calls=1,
        model_seconds=seconds,
    )


def _times(raw: str, token_after: float | None) -> Usage:
    told = Timings.model_validate_json(raw)
    waited = token_after or 0.0
    if told.prompt_ms is not None:
        prefill, load = told.prompt_ms / 1e3, 0.0
    elif told.prompt_eval_duration is not None:
        prefill, load = told.prompt_eval_duration / 1e9, told.load_duration / 1e9
    else:
        return Usage(prefill_seconds=waited)
    return Usage(prefill_seconds=prefill, load_seconds=load, queued_seconds=max(0.0, waited - prefill - load))
