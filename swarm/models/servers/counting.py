"""How many tokens a prompt has, and whether the server has read them all.

Exact where the server counts with the model's own tokenizer (llama.cpp's ``/apply-template`` and
``/tokenize``, vLLM's ``/tokenize``), and asked for only when an estimate does not decide; else an
estimate that each reply's reported count corrects.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from json import dumps
from typing import Protocol, runtime_checkable

from pydantic import JsonValue

from swarm.errors import ContextTruncated, ModelError
from swarm.models.model import Endpoint
from swarm.models.servers.probe import Asker
from swarm.models.servers.self_descriptions import Templated, Tokens
from swarm.nouns.limits import Usage
from swarm.nouns.messages import Message, Reply, Request

Measure = Callable[[tuple[Message, ...]], Awaitable[int]]
"""Gives the prompt tokens that a server reports for these messages."""

MARGIN = 0.5
"""Of an estimate, up and down. Against the tokenizers of cl100k, Qwen2.5 and SmolLM2 it holds for
prose, code, JSON, CSV and 8 languages; runs of one character and emoji go beyond it."""

CHARS_PER_TOKEN_AT_MOST = 8
"""No tokenizer reads more characters a token over a whole text, runs of one character apart: the best
in ``MARGIN``'s measurements read 4.3."""

PER_MESSAGE = 4.0
"""Tokens that a chat template puts around a message: 3 to 6 in the common ones."""

SMALLEST_WINDOW = 512
"""No server is run with less, so a prompt below it was read whole."""

USUAL_WINDOWS = (2_048, 4_096, 8_192, 16_384, 32_768)
"""Defaults of servers (Ollama's was 2,048, then 4,096, LM Studio's is 4,096), for a server that keeps to
a smaller window than it was said to have."""

THREADS_KNOWN = 2_048
"""Conversations whose last count is remembered: an id and three numbers each."""

TOKENIZE_SECONDS = 10.0

_DIGITS, _SPACES, _ASCII = b"0123456789", b" \n\t\r", bytes(range(128))
_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_RUN = re.compile(r"(.)\1{3,}", re.DOTALL)


@lru_cache(512)
def estimate(text: str) -> float:
    """About how many tokens a text has, by what it is made of.

    The weights were fitted to cl100k's tokenizer; digits to the mean of tokenizers that take them one
    by one (Qwen) and by three (Llama 3).
    """
    raw = text.encode(errors="replace")
    rest = raw.translate(None, _DIGITS)
    other = rest.translate(None, _LETTERS)
    signs = other.translate(None, _SPACES)
    wide = len(signs.translate(None, _ASCII))
    digits, letters = len(raw) - len(rest), len(rest) - len(other)
    spaces, marks = len(other) - len(signs), len(signs) - wide
    word = letters / (spaces + marks + 1)
    per_token = 4.6 if word <= 7 else max(2.0, 4.6 * 7 / word)
    return letters / per_token + digits * 0.7 + marks * 0.75 + spaces * 0.06 + wide * 0.42


@dataclass(frozen=True)
class Count:
    """About how many tokens a prompt has."""

    likely: float
    margin: float

    @property
    def low(self) -> float:
        return self.likely - self.margin

    @property
    def high(self) -> float:
        return self.likely + self.margin


@dataclass(frozen=True)
class _Known:
    """The beginning of a conversation that a server has counted."""

    messages: int
    last: int
    """Hash of the last of them."""
    tokens: int


class Counter:
    """Counts prompts for one endpoint, and learns from what its server reports."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self.window = endpoint.window
        """Tokens of the window; less than the endpoint says once its server was caught truncating."""
        self._ratio = 1.0
        self._known: OrderedDict[int, _Known] = OrderedDict()
        self._tokenizes = endpoint.tokenizes or endpoint.kind in ("llamacpp", "vllm")
        self._refuses = endpoint.kind in ("llamacpp", "vllm", "scripted")
        self._asker: Asker | None = None
        self._template: tuple[float, float] | None = None
        self._leaves_out_cached = False
        self.is_guessing = False
        """Whether the server was seen to count nothing, so that what a reply says of tokens is an estimate."""
        self._largest = 0
        """Tokens of the largest prompt that was read: the window has at least so many."""

    def moved(self, endpoint: Endpoint) -> None:
        """Takes note of a server that came back with another window or other weights."""
        self._endpoint, self.window, self._largest = endpoint, endpoint.window, 0
        self._template = None
        self._known.clear()

    async def close(self) -> None:
        """Closes the connection to the tokenizer."""
        if self._asker:
            await self._asker.close()

    def count(self, request: Request) -> Count:
        """What is known of the prompt's size without asking; only what is new in a conversation is
        estimated, the rest was counted by the server."""
        known = self._beginning(request.messages)
        tokens = known.tokens if known else 0
        new = self._ratio * _estimated(request.messages[known.messages if known else 0 :])
        if request.output_schema is not None and not self._endpoint.constrains:
            # A server that can't hold a reply to a schema is told the schema in the prompt.
            new += estimate(dumps(request.output_schema))
        return Count(tokens + new, new * MARGIN)

    def learn(self, messages: Sequence[Message], tokens: int) -> None:
        """Takes a server's count of these messages for true."""
        known = self._beginning(messages)
        new = _estimated(messages[known.messages if known else 0 :])
        if new >= SMALLEST_WINDOW / 2:
            seen = (tokens - (known.tokens if known else 0)) / new
            self._ratio = min(2.0, max(0.7, (self._ratio + seen) / 2))
        key = _conversation(messages)
        self._known[key] = _Known(len(messages), hash(messages[-1].content), tokens)
        self._known.move_to_end(key)
        if len(self._known) > THREADS_KNOWN:
            self._known.popitem(last=False)

    def refused(self, request: Request) -> None:
        """Takes note that a prompt was too long for the server: its window is smaller than that."""
        self.window = max(SMALLEST_WINDOW, min(self.window, int(self.count(request).likely)))

    def guess(self, request: Request, reply: Reply) -> Usage:
        """About the tokens of a prompt and its reply, for a server that counts none."""
        self.is_guessing = True
        written = round(estimate(reply.text)) + reply.usage.thought_tokens
        return Usage(prefilled_tokens=round(self.count(request).likely), written_tokens=written)

    async def exact(self, messages: Sequence[Message]) -> int | None:
        """The count of the model's own tokenizer; None where the server offers none."""
        if not self._tokenizes:
            return None
        if self._asker is None:
            self._asker = Asker(self._endpoint.url, TOKENIZE_SECONDS, key=self._endpoint.api_key)
        said: JsonValue = [{**message.spoken} for message in messages]
        content: JsonValue = {"model": self._endpoint.model, "messages": said}
        if self._endpoint.kind != "vllm":
            templated = await self._asker.post("/apply-template", {"messages": said}, Templated)
            if templated is None:
                self._tokenizes = False
                return None
            content = {"content": templated.prompt, "add_special": True, "parse_special": True}
        counted = await self._asker.post("/tokenize", content, Tokens)
        self._tokenizes = counted is not None
        return len(counted.tokens) if counted else None

    async def check(self, request: Request, usage: Usage, measure: Measure) -> None:
        """Learns from a reply whose prompt was read whole.

        A doubt that no tokenizer settles is settled by having the server count the prompt in parts
        that surely fit, which costs about as much as reading it once more.

        Raises:
            ContextTruncated: the server has dropped a part of the prompt, or of it while it wrote.
        """
        count, read = self.count(request), usage.prompt_tokens
        if count.high <= SMALLEST_WINDOW:
            return
        if self._endpoint.kind == "ollama" and read <= self.window < usage.tokens:
            raise self._truncated(read, usage.tokens)
        is_near = self._is_near(request.messages, read, count.high)
        self._largest = max(self._largest, read)
        if is_near or read < count.low:
            whole, margin = await self._measured(request.messages, read, measure)
            # So near the window that a few tokens decide, a prompt that left its reply no room is at fault.
            is_full = is_near and read <= self.window < min(read + request.max_tokens, whole + margin)
            if is_full or whole - margin > (self.window if self._leaves_out_cached else read):
                raise self._truncated(read, whole)
        if not self._leaves_out_cached:
            self.learn(request.messages, read)

    def _is_near(self, messages: Sequence[Message], read: int, high: float) -> bool:
        """Whether the count could be that of a prompt cut at the edge of a window."""
        if self._refuses:
            return False
        seen = max(read, self._largest)
        if seen <= self.window < high:
            return True
        edges = [size for size in USUAL_WINDOWS if seen <= size < min(high, self.window)]
        if not edges or self._endpoint.kind == "ollama":  # Ollama keeps to the window that it is told.
            return False
        # A server drops message after message until the rest fits.
        dropped = (1 + MARGIN) * max(estimate(message.content) for message in messages)
        return any(read > edge - dropped for edge in edges)

    def _beginning(self, messages: Sequence[Message]) -> _Known | None:
        known = self._known.get(_conversation(messages))
        if known is None or known.messages > len(messages):
            return None
        return known if hash(messages[known.messages - 1].content) == known.last else None

    async def _measured(
        self, messages: tuple[Message, ...], read: int, measure: Measure
    ) -> tuple[float, float]:
        """The tokens of the prompt, and how far off that may be."""
        exact = await self.exact(messages)
        if exact is not None:
            return exact, 16 + exact / 100
        try:
            around, each = self._template or await self._learn_template(measure)
            if not self._leaves_out_cached and read < _least(messages):
                return _least(messages), 0.0
            whole = around + each * len(messages)
            # A prompt that was cut fills a good part of the window, whatever its size: a third of that fits.
            fits = self.window if self._leaves_out_cached else min(self.window, max(read, SMALLEST_WINDOW))
            parts = _parts([message.content for message in messages], fits / 3)
            for part in parts:
                whole += await measure((Message(role="user", content=part),)) - around - each
        except ModelError:
            return _least(messages), 0.0
        # A token more or less where texts are joined or split.
        return whole, 8.0 + 2 * len(parts) + len(messages)

    async def _learn_template(self, measure: Measure) -> tuple[float, float]:
        """Tokens that the chat template puts around a conversation, and around each message.

        A server that counts less when asked again leaves out what it has cached: Ollama did so up to
        0.3 and in 0.30 (ollama/ollama#3427, #16428).
        """
        said = Message(role="user", content="x")
        one = await measure((said,))
        three = await measure((said, Message(role="assistant", content="x"), said))
        again = await measure((said,))
        if again < one or again <= 1:
            self._leaves_out_cached = True
            self._known.clear()
        each = max(0.0, (three - one) / 2 - 1)
        self._template = one - 1 - each, each
        return self._template

    def _truncated(self, read: float, whole: float) -> ContextTruncated:
        self.window = max(SMALLEST_WINDOW, min(self.window, int(read)))
        return ContextTruncated(
            f"{self._endpoint.model!r} at {self._endpoint.url} read {read:.0f} of about {whole:.0f} tokens and"
            f" dropped the rest without a word (its window was thought to be {self._endpoint.window}); give"
            " the server a larger window, or set window under [model] in swarm.toml to its true one"
        )


@runtime_checkable
class Counted(Protocol):
    """A model that keeps a counter of its own."""

    @property
    def counter(self) -> Counter: ...


def _conversation(messages: Sequence[Message]) -> int:
    """What tells a conversation from others: its instructions and its task."""
    return hash((messages[0].content, messages[min(1, len(messages) - 1)].content))


def _estimated(messages: Sequence[Message]) -> float:
    return sum(estimate(message.content) + PER_MESSAGE for message in messages)


def _least(messages: Sequence[Message]) -> float:
    """Tokens that no tokenizer goes below."""
    return sum(len(_RUN.sub(r"\1", message.content)) for message in messages) / CHARS_PER_TOKEN_AT_MOST


def _parts(texts: Sequence[str], most: float) -> list[str]:
    """The texts joined and split so that each part has at most about that many tokens."""
    parts: list[str] = []
    room = 0.0
    for text in texts:
        pieces = max(1, int(estimate(text) / most) + 1)
        size = -(-len(text) // pieces) or 1
        for start in range(0, max(1, len(text)), size):
            piece = text[start : start + size]
            if room < (tokens := estimate(piece)):
                parts.append(piece)
                room = most
            else:
                parts[-1] += f"\n{piece}"
            room -= tokens
    return parts
