"""The client for model servers, through litellm: the only module that imports it."""

from __future__ import annotations

import asyncio
import functools
import gc
import os
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Self, cast

from pydantic import JsonValue

from swarm.clock.awake import Deadline
from swarm.errors import MalformedReply, ModelUnavailable
from swarm.models.client.completion import Completion, reply_of
from swarm.models.client.failures import OF_SERVER, Failure, failure_of
from swarm.models.client.refused import Refusals
from swarm.models.client.retry import FIRST_PAUSE_SECONDS, Breaker, Retries, Setback, tell
from swarm.models.grammars.guided import is_guided
from swarm.models.grammars.schemas import Schema, sent
from swarm.models.model import Endpoint
from swarm.models.servers.counting import Counter
from swarm.models.servers.probe import changes, refreshed
from swarm.nouns.limits import Usage
from swarm.nouns.messages import Message, Reply, Request

if TYPE_CHECKING:
    from swarm.models.client.transport import Exchange, Transport

KEEP_LOADED = "30m"
"""How long Ollama keeps the model loaded after a request; its own default of 5 minutes is shorter
than one long tool call."""

_STAND_IN = ({"role": "user", "content": "see extra_body"},)
"""What litellm is given in place of the messages, which are in the body."""

_Parameters = dict[str, object]


class _Sent(NamedTuple):
    """A request as its server is sent it: with a schema, a grammar, a schema as a grammar, or none of them."""

    messages: tuple[Message, ...]
    schema: Schema | None
    grammar: str


_Complete = Callable[..., Awaitable[object]]


class LitellmModel:
    """A ``Model`` behind a local server. Close it, or use it as a context manager."""

    def __init__(self, endpoint: Endpoint, *, first_pause_seconds: float = FIRST_PAUSE_SECONDS) -> None:
        self._endpoint = endpoint
        self._first_pause_seconds = first_pause_seconds
        self._breaker = Breaker(first_pause_seconds)
        self._has_failed = False
        self._is_known = endpoint.is_loaded
        """Whether its server was asked about it when it was in memory."""
        self._refusals = Refusals()
        self._is_counting = False
        """Whether it was told that its server counts prompts by requests."""
        self._wire: Transport | None = None
        self._handler: object = None
        self.counter = Counter(endpoint)
        """Counts its prompts, and sees when one was not read whole."""

    @property
    def endpoint(self) -> Endpoint:
        """The server behind it, as it was when it was last looked at."""
        return self._endpoint

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections to the server."""
        await self.counter.close()
        if self._wire:
            await self._wire.close()

    async def reply(self, request: Request) -> Reply:
        """The model's answer. Failures that may pass are retried within the request's budget and deadline."""
        await load_client()
        ends_at = asyncio.get_running_loop().time() + request.deadline_seconds
        retries = Retries(request.requests, ends_at, self._first_pause_seconds)
        try:
            async with Deadline(request.deadline_seconds):
                reply = await self._persist(request, retries)
                if not reply.usage.tokens:  # Its server counts nothing, so nothing can be checked either.
                    return reply.model_copy(
                        update={"usage": reply.usage + self.counter.guess(request, reply)}
                    )
                counted: list[Usage] = []
                await self.counter.check(request, reply.usage, partial(self._count, counted))
                return reply.model_copy(update={"counted": sum(counted, Usage())}) if counted else reply
        except TimeoutError as error:
            before = f"; before, {retries.last.error}" if retries.last else ""
            raise ModelUnavailable(
                f"{self._endpoint.url} gave no whole reply within {request.deadline_seconds:g} s; the server may "
                f"be overloaded or stuck: see its log, or raise limits.reply_seconds{before}"
            ) from error

    async def _count(self, counted: list[Usage], messages: tuple[Message, ...]) -> int:
        """Tokens of a prompt as the server reports them; what that took is added to ``counted``."""
        from swarm.models.client.transport import Exchange

        if not self._is_counting:
            self._is_counting = True
            text = f"{self._endpoint.url} has no tokenizer: prompts that may have been cut are counted by short requests"
            tell(Setback("changed", f"{text}, which are model calls of the run", 0.0))
        asked = Request(messages=messages, max_tokens=8)
        reply = await self._ask(asked, self._sent(asked), Exchange())
        if isinstance(reply, Failure):
            raise reply.error
        counted.append(reply.usage)
        return reply.usage.prompt_tokens

    async def _persist(self, request: Request, retries: Retries) -> Reply:
        from swarm.models.client.transport import Exchange

        if self._has_failed and not self._breaker.is_open:
            await self._look_again()
            self._is_known = self._endpoint.is_loaded
        clock = asyncio.get_running_loop().time
        exchange = Exchange(heard=self._breaker.answered)
        if self._endpoint.streams:
            exchange.first_seconds = request.first_token_seconds
            exchange.between_seconds = request.between_tokens_seconds
        began = clock()
        is_held_up = self._breaker.is_open
        if is_held_up:
            tell(Setback("failed", f"waits for a server that fails: {self._breaker.trouble}", 0.0))
        while True:
            await self._breaker.passage(request.deadline_seconds)
            sent = clock()
            answer = await self._ask_loosening(request, exchange)
            if isinstance(answer, Failure):
                is_held_up = True
                await self._pause(answer, retries)
                continue
            self._breaker.answered()
            if not self._is_known:
                self._is_known = True
                await self._look_again()
            if not is_held_up:
                return answer
            return answer.model_copy(update={"usage": answer.usage + Usage(retry_seconds=sent - began)})

    async def _pause(self, failure: Failure, retries: Retries) -> None:
        """Waits before the next request; raises the failure when there is none."""
        if failure.kind in OF_SERVER:
            self._has_failed = True
            self._breaker.failed(str(failure.error))
        else:
            self._breaker.answered()
        is_known = failure.kind == "away" and retries.last is not None and retries.last.kind == "away"
        pause = retries.pause(failure)
        if pause is None:
            raise failure.error
        if not is_known:
            tell(Setback(failure.kind, str(failure.error), pause))
        await asyncio.sleep(pause)

    async def _look_again(self) -> None:
        """Learns what is there: a server that failed may have restarted with other weights or slots, and
        of a model that was not loaded little was known."""
        self._has_failed = False
        found = await refreshed(self._endpoint)
        if change := changes(self._endpoint, found):
            if self._endpoint.is_loaded or self._endpoint.digest:
                tell(Setback("changed", change, 0.0))
            self.counter.moved(found)
        self._endpoint = found

    async def _ask_loosening(self, request: Request, exchange: Exchange) -> Reply | Failure:
        """Asks; with a looser schema, or without a grammar, where the server refuses the one it is sent."""
        unheld: Usage | None = None
        while True:
            sent = self._sent(request)
            answer = await self._ask(request, sent, exchange)
            if not isinstance(answer, Failure):
                answer = answer.model_copy(update={"usage": answer.usage + unheld}) if unheld else answer
                is_guided_by = sent.schema is not None and sent.grammar
                if not is_guided_by or all(map(is_guided, (answer.text, *answer.others))):
                    return answer
                unheld = answer.usage
                said, told = "a reply fits no schema", self._refusals.learn_guide(sent.grammar)
            elif answer.kind in ("final", "failed"):
                said, told = str(answer.error), self._learned(sent, answer, exchange.text)
            else:
                return answer
            if told is None:
                return answer
            if told:
                tell(Setback("changed", f"{said}; {told}", 0.0))

    def _learned(self, sent: _Sent, failure: Failure, text: str) -> str | None:
        """What a person is told of what follows from a refusal; None where nothing does."""
        told = None
        if sent.grammar:
            learn = self._refusals.learn_grammar if sent.schema is None else self._refusals.learn_guide
            told = learn(sent.grammar, text)
        if told is None and failure.kind == "final":
            told = self._refusals.learn(sent.schema, str(failure.error)) or None
        return told

    def _sent(self, request: Request) -> _Sent:
        endpoint = self._endpoint
        if self._refusals.takes_none:
            endpoint = endpoint.model_copy(update={"constrains": False})
        messages, schema = sent(request, endpoint)
        if schema is None:
            grammar = self._refusals.unrefused(request.grammar) if endpoint.takes_grammar else ""
            return _Sent(messages, None, grammar)
        schema = self._refusals.loosened(schema)
        # What stands after a beginning is no whole object.
        is_begun = request.messages[-1].role == "assistant"
        grammar = self._refusals.guide(schema) if endpoint.is_embedded and not is_begun else ""
        return _Sent(messages, schema, grammar)

    async def _ask(self, request: Request, sent: _Sent, exchange: Exchange) -> Reply | Failure:
        from swarm.models.client.transport import EXCHANGE

        token = EXCHANGE.set(exchange)
        started = time.monotonic()
        try:
            response = await _litellm()(**self._parameters(request, sent), client=self._client())
            seconds = time.monotonic() - started
            return reply_of(cast("Completion", response), exchange.text, seconds, exchange.token_after)
        except MalformedReply as error:
            return Failure("final", error)
        except Exception as error:  # noqa: BLE001 - litellm raises anything; the exchange says what happened
            return failure_of(self._endpoint, exchange, error)
        finally:
            EXCHANGE.reset(token)

    def _client(self) -> object:
        from litellm.llms.custom_httpx.http_handler import (  # pyright: ignore[reportMissingTypeStubs]
            AsyncHTTPHandler,
        )

        from swarm.models.client.transport import Transport

        if self._handler is None:
            self._wire = Transport(self._endpoint.api_key)
            self._handler = AsyncHTTPHandler(transport=self._wire, follow_redirects=False)
        return self._handler

    def _parameters(self, request: Request, sent: _Sent) -> _Parameters:
        parameters: _Parameters = {
            "messages": _STAND_IN,
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "seed": request.seed,
            "num_retries": 0,
            "max_retries": 0,
        }
        if sent.schema is not None and not sent.grammar:
            form: JsonValue = {"name": "turn", "strict": True, "schema": sent.schema}
            parameters["response_format"] = {"type": "json_schema", "json_schema": form}
        return parameters | self._of_kind(request, sent)

    def _of_kind(self, request: Request, sent: _Sent) -> _Parameters:
        endpoint = self._endpoint
        # In the body, where litellm does not see it: it copies and checks each message several times, and
        # would take a stream apart that the wire puts together.
        body: _Parameters = {"messages": [message.spoken for message in sent.messages]}
        if endpoint.streams:
            body["stream"] = True
        if endpoint.kind == "ollama":
            return {
                "model": f"ollama_chat/{endpoint.model}",
                "api_base": endpoint.url,
                "num_ctx": endpoint.window,
                "keep_alive": KEEP_LOADED,
                # Without these Ollama drops the oldest messages of a long prompt and says nothing.
                "extra_body": body | {"truncate": False, "shift": False},
            }
        if endpoint.streams:
            body["stream_options"] = {"include_usage": True}
        if request.samples > 1:
            body["n"] = request.samples
        if endpoint.kind == "llamacpp":
            body["cache_prompt"] = True
            if sent.grammar:
                body["grammar"] = sent.grammar
            if request.slot is not None:
                body["id_slot"] = request.slot
        return {
            "model": f"hosted_vllm/{endpoint.model}",
            "api_base": f"{endpoint.url}/v1",
            "extra_body": body,
        }


async def load_client() -> None:
    """Loads the client library, which takes seconds, so that the first request need not wait for it."""
    if _litellm.cache_info().currsize == 0:
        await asyncio.to_thread(_litellm)


@contextmanager
def _uncollected() -> Generator[None]:
    """Imports in the block are a fifth faster: what they make stays for good, and the garbage collector
    would walk through it again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@functools.cache
def _litellm() -> _Complete:
    """litellm's completion, imported at the first use: the import costs 6 s of CPU and 190 MB."""
    # Read at the import: without the first it asks the network for prices, without the second it
    # loads a .env file of the working folder into the environment.
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ["LITELLM_MODE"] = "PRODUCTION"
    with _uncollected():
        import litellm
    litellm.suppress_debug_info = True
    # Ours come from the server; litellm's would tokenize every prompt.
    litellm.disable_token_counter = True
    prices = cast("dict[str, object]", litellm.model_cost)  # pyright: ignore[reportUnknownMemberType]

    def price_as_free(model: str) -> None:
        # litellm prices each call. A model it does not know it searches all its patterns for, and
        # asks Ollama about, each time.
        free = {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0, "mode": "chat"}
        prices.setdefault(model, free | {"litellm_provider": model.partition("/")[0]})

    async def complete(**parameters: object) -> object:
        asked = str(parameters["model"])
        price_as_free(asked)
        response = await cast("_Complete", litellm.acompletion)(**parameters)
        price_as_free(f"{asked.partition('/')[0]}/{cast('Completion', response).model}")
        return response

    return complete
