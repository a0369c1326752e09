"""Takes single bad tools out of a server's list, so that one of them does not cost the whole server.

The SDK refuses a whole ``tools/list`` for one malformed entry.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import cast

import mcp_types
from mcp.client import Transport
from mcp.shared._stream_protocols import ReadStream, WriteStream
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCResponse
from pydantic import ValidationError

from swarm.hub.lines import Messages
from swarm.project.wording import first_problem


@asynccontextmanager
async def screened(
    inner: Transport, refused: dict[str, str]
) -> AsyncGenerator[tuple[Messages, WriteStream[SessionMessage]]]:
    """A transport whose lists of tools hold only entries that can be read; ``refused`` learns, by the name
    of a tool, why it was left out."""
    async with inner as (messages, outlet):
        yield _Screen(messages, refused), outlet


class _Screen(Messages):
    """The messages of a transport, with the lists of tools screened."""

    def __init__(self, messages: ReadStream[SessionMessage | Exception], refused: dict[str, str]) -> None:
        self._messages = messages
        self._refused = refused

    async def receive(self) -> SessionMessage | Exception:
        return self._screened(await self._messages.receive())

    async def aclose(self) -> None:
        await self._messages.aclose()

    def _screened(self, item: SessionMessage | Exception) -> SessionMessage | Exception:
        # Only the answer to tools/list has this key at its top.
        if isinstance(item, SessionMessage) and isinstance(item.message, JSONRPCResponse):
            result = item.message.result
            if "tools" in result:
                result["tools"] = self._good(result["tools"])
        return item

    def _good(self, tools: object) -> object:
        if not isinstance(tools, list):
            return tools
        return [tool for tool in cast("list[object]", tools) if self._is_good(tool)]

    def _is_good(self, tool: object) -> bool:
        try:
            schema = mcp_types.Tool.model_validate(tool, by_name=False).input_schema
        except ValidationError as error:
            reason = first_problem(error)
        else:
            if schema.get("type") == "object":
                return True
            reason = "the type of its input is not 'object'"
        self._refused[_name(tool)] = reason
        return False


def _name(tool: object) -> str:
    if isinstance(tool, dict):
        name = cast("dict[str, object]", tool).get("name")
        return name if isinstance(name, str) else "a tool without a name"
    return "an entry that is no tool"
