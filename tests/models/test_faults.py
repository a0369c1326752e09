"""The client against every fault that the scripted server knows: how a call ends, and after how many requests."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from swarm.errors import MalformedReply, ModelError, ModelUnavailable
from swarm.models.client.litellm import LitellmModel, load_client
from swarm.models.client.retry import Setback, hearing
from swarm.models.model import Endpoint
from swarm.nouns.messages import Message, Request
from swarm.testing import Fault, ScriptedModel, serving
from swarm.testing.double.faults import WIRE_FAULTS, FaultKind
from swarm.testing.wire import FaceKind

# Importing litellm takes seconds, on a starved machine minutes.
pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

SAID = '{"tool": "files.read", "args": {"path": "notes/a.md"}}'
REQUESTS = 3


@dataclass
class Met:
    """How a call ended."""

    end: str
    """The reply's text, or the kind of error."""
    requests: int
    setbacks: int


async def meet(
    fault: Fault,
    limits: Mapping[str, Any] | None = None,
    *,
    stream: bool = True,
    kind: FaceKind = "llamacpp",
) -> Met:
    """A call to a server with the fault."""
    server = ScriptedModel(lambda _: SAID, faults=[fault])
    heard: list[Setback] = []
    question = Request(messages=(Message(role="user", content="?"),), requests=REQUESTS)
    await load_client()
    async with serving(server, kind) as url:
        endpoint = Endpoint(kind=kind, model="scripted", url=url, streams=stream)
        async with LitellmModel(endpoint, first_pause_seconds=0.001) as model:
            with hearing(heard.append):
                try:
                    end = (await model.reply(replace(question, **(limits or {})))).text
                except ModelError as error:
                    end = type(error).__name__
    return Met(end, len(server.log), len(heard))


GONE, BAD = ModelUnavailable.__name__, MalformedReply.__name__
ALWAYS: dict[FaultKind, tuple[str, int]] = {
    "500": (GONE, REQUESTS),
    "429": (GONE, REQUESTS),
    "503": (GONE, REQUESTS),
    "hang": (GONE, 1),
    "drip": (GONE, 1),
    "stall": (GONE, 1),
    "cut": (GONE, REQUESTS),
    "stream-error": (GONE, REQUESTS),
    "broken-stream": (BAD, 2),
    "half-json": (GONE, REQUESTS),
    "html": (BAD, 2),
    "empty": (BAD, 1),
    "digest": (SAID, 1),
}
"""Restart apart, which can't go on for ever."""

WAITED: dict[FaultKind, dict[str, float]] = {
    "hang": {"first_token_seconds": 0.2},
    "stall": {"between_tokens_seconds": 0.2},
    "drip": {"deadline_seconds": 0.3},
}


@pytest.mark.parametrize("kind", ["llamacpp", "ollama"])
@pytest.mark.parametrize("fault", ALWAYS)
async def test_a_fault_that_stays_ends_a_streamed_call_in_time_and_within_its_requests(
    kind: FaceKind, fault: FaultKind
) -> None:
    met = await meet(Fault(fault, seconds=0.0 if fault != "drip" else 0.01), WAITED.get(fault), kind=kind)

    assert (met.end, met.requests) == ALWAYS[fault]


@pytest.mark.parametrize("fault", ALWAYS)
async def test_it_does_so_where_nothing_is_streamed(fault: FaultKind) -> None:
    limits = {"deadline_seconds": 0.3} if fault in WAITED else {}
    met = await meet(Fault(fault, seconds=0.0 if fault != "drip" else 0.01), limits, stream=False)

    # Half of a whole body is no broken connection but an answer that can't be read.
    assert (met.end, met.requests) == ((BAD, 2) if fault == "half-json" else ALWAYS[fault])


PASSING = [one for one in WIRE_FAULTS if one not in (*WAITED, "empty", "digest")]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("fault", PASSING)
async def test_a_fault_that_passes_costs_a_request_and_nothing_else(fault: FaultKind, stream: bool) -> None:
    met = await meet(Fault(fault, times=1, seconds=0.05), stream=stream)

    assert (met.end, met.requests) == (SAID, 2)
    assert met.setbacks >= 1


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("kind", ["llamacpp", "vllm", "ollama"])
async def test_a_call_in_the_field_for_calls_is_the_reply(kind: FaceKind, stream: bool) -> None:
    assert await meet(Fault("native"), kind=kind, stream=stream) == Met(SAID, 1, 0)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("fault", ["thinking", "reasoning"])
async def test_thinking_is_no_part_of_the_reply(fault: FaultKind, stream: bool) -> None:
    for kind in ("llamacpp", "ollama"):
        assert await meet(Fault(fault), kind=kind, stream=stream) == Met(SAID, 1, 0)


async def test_callers_of_a_server_that_restarts_all_wait_for_it_and_lose_nothing() -> None:
    server = ScriptedModel(lambda _: SAID, faults=[Fault("restart", times=1, after=3, seconds=0.3)])
    question = Request(messages=(Message(role="user", content="?"),))
    replies: list[str] = []

    async def ask(model: LitellmModel) -> None:
        replies.extend([(await model.reply(question)).text for _ in range(3)])

    await load_client()
    async with serving(server) as url:
        endpoint = Endpoint(kind="llamacpp", model="scripted", url=url)
        async with (
            LitellmModel(endpoint, first_pause_seconds=0.02) as model,
            asyncio.timeout(60),
            asyncio.TaskGroup() as group,
        ):
            for _ in range(8):
                group.create_task(ask(model))

    assert replies == [SAID] * 24
