"""The client for model servers, through litellm: the only module that imports it."""

from __future__ import annotations

import asyncio
import functools
import os
import random
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Protocol, Self, cast

from pydantic import JsonValue

from swarm.errors import MalformedReply, ModelUnavailable
from swarm.limits import Usage
from swarm.messages import Reply, Request
from swarm.models.failures import Failure, failure_of
from swarm.models.model import Endpoint

if TYPE_CHECKING:
    from swarm.models.wire import Wire

RETRIES = 4
"""Times a request is sent again after a failure that may pass."""

FIRST_PAUSE_SECONDS = 0.5
"""Pause before the first retry; it doubles with each, and a server's Retry-After goes before it."""

KEEP_LOADED = "30m"
"""How long Ollama keeps the model loaded after a request; its own default of 5 minutes is shorter
than one long tool call."""

_Parameters = dict[str, object]
_Completion = Callable[..., Awaitable[object]]


class _Details(Protocol):
    cached_tokens: int | None


class _Usage(Protocol):
    prompt_tokens: int | None
    completion_tokens: int | None
    prompt_tokens_details: _Details | None


class _Message(Protocol):
    content: str | None


class _Choice(Protocol):
    finish_reason: str | None
    message: _Message


class _Response(Protocol):
    model: str | None
    choices: Sequence[_Choice]
    usage: _Usage


class LitellmModel:
    """A ``Model`` behind a local server. Close it, or use it as a context manager."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._wire: Wire | None = None
        self._handler: object = None

    @property
    def endpoint(self) -> Endpoint:
        """The server behind it."""
        return self._endpoint

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections to the server."""
        if self._wire:
            await self._wire.close()

    async def reply(self, request: Request) -> Reply:
        """The model's answer. Failures that may pass are retried until the deadline.

        Raises:
            ModelUnavailable: no answer within the deadline, or a failure of the server.
            ContextOverflow: the prompt does not fit the window.
            MalformedReply: the server gave an answer that is none (no choices, no text).
            ModelError: the server refuses this request and would again.
        """
        try:
            async with asyncio.timeout(request.deadline_seconds):
                return await self._persist(request)
        except TimeoutError as error:
            raise ModelUnavailable(
                f"{self._endpoint.url} gave no whole reply within {request.deadline_seconds:g} s; the server may "
                "be overloaded or stuck: see its log, or raise limits.reply_seconds"
            ) from error

    async def _persist(self, request: Request) -> Reply:
        await load_client()
        for attempt in range(RETRIES):
            answer = await self._ask(request)
            if isinstance(answer, Reply):
                return answer
            if not answer.may_pass:
                raise answer.error
            pause = FIRST_PAUSE_SECONDS * 2**attempt * random.uniform(0.75, 1.25)
            await asyncio.sleep(answer.retry_after if answer.retry_after is not None else pause)
        answer = await self._ask(request)
        if isinstance(answer, Reply):
            return answer
        raise answer.error

    async def _ask(self, request: Request) -> Reply | Failure:
        from swarm.models.wire import EXCHANGE, Exchange

        exchange = Exchange()
        token = EXCHANGE.set(exchange)
        started = time.monotonic()
        try:
            response = await _litellm()(**self._parameters(request), client=self._client())
            return _reply(cast("_Response", response), time.monotonic() - started, exchange.text)
        except MalformedReply as error:
            return Failure(error)
        except Exception as error:  # noqa: BLE001 - litellm raises anything; the exchange says what happened
            return failure_of(self._endpoint, exchange, error)
        finally:
            EXCHANGE.reset(token)

    def _client(self) -> object:
        from litellm.llms.custom_httpx.http_handler import (  # pyright: ignore[reportMissingTypeStubs]
            AsyncHTTPHandler,
        )

        from swarm.models.wire import Wire

        if self._handler is None:
            self._wire = Wire(streams=self._endpoint.kind == "llamacpp")
            self._handler = AsyncHTTPHandler(transport=self._wire, follow_redirects=False)
        return self._handler

    def _parameters(self, request: Request) -> _Parameters:
        parameters: _Parameters = {
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "seed": request.seed,
            "num_retries": 0,
            "max_retries": 0,
        }
        if request.output_schema is not None:
            form: JsonValue = {"name": "turn", "strict": True, "schema": request.output_schema}
            parameters["response_format"] = {"type": "json_schema", "json_schema": form}
        return parameters | self._of_kind(request)

    def _of_kind(self, request: Request) -> _Parameters:
        endpoint = self._endpoint
        if endpoint.kind == "ollama":
            return {
                "model": f"ollama_chat/{endpoint.model}",
                "api_base": endpoint.url,
                "num_ctx": endpoint.window,
                "keep_alive": KEEP_LOADED,
                # Without these Ollama drops the oldest messages of a long prompt and says nothing.
                "extra_body": {"truncate": False, "shift": False},
            }
        parameters: _Parameters = {
            "model": f"hosted_vllm/{endpoint.model}",
            "api_base": f"{endpoint.url}/v1",
        }
        if endpoint.kind == "llamacpp":
            slot = {} if request.slot is None else {"id_slot": request.slot}
            parameters["extra_body"] = {"cache_prompt": True} | slot
        return parameters


def _reply(response: _Response, seconds: float, raw: str) -> Reply:
    if not response.choices or not (text := response.choices[0].message.content):
        raise MalformedReply("the server answered without a text: no choices, or an empty one", raw)
    usage = response.usage
    details = usage.prompt_tokens_details
    cached = (details.cached_tokens if details else 0) or 0
    return Reply(
        text=text,
        finish="length" if response.choices[0].finish_reason == "length" else "stop",
        model=(response.model or "").removeprefix("ollama_chat/"),
        usage=Usage(
            prefilled_tokens=max(0, (usage.prompt_tokens or 0) - cached),
            cached_tokens=cached,
            written_tokens=usage.completion_tokens or 0,
            model_calls=1,
            model_seconds=seconds,
        ),
    )


async def load_client() -> None:
    """Loads the client library, which takes seconds, so that the first request need not wait for it."""
    if _litellm.cache_info().currsize == 0:
        await asyncio.to_thread(_load)


_LOADING = threading.Lock()


def _load() -> None:
    with _LOADING:
        _litellm()


@functools.cache
def _litellm() -> _Completion:
    """litellm's completion, imported at the first use: the import costs 6 s of CPU and 190 MB."""
    # Read at the import: without the first it asks the network for prices, without the second it
    # loads a .env file of the working folder into the environment.
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ["LITELLM_MODE"] = "PRODUCTION"
    import litellm
    from litellm._internal_context import is_internal_call

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
        # An internal call skips litellm's logging task, which nobody awaits and which costs as much
        # as the rest of the call; there are no callbacks that would want it.
        is_internal_call.set(True)
        asked = str(parameters["model"])
        price_as_free(asked)
        response = await cast("_Completion", litellm.acompletion)(**parameters)
        price_as_free(f"{asked.partition('/')[0]}/{cast('_Response', response).model}")
        return response

    return complete
