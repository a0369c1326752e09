"""Takes single bad tools out of a server's list, so that one of them does not cost the whole server.

The SDK refuses a whole ``tools/list`` for one malformed entry.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import TypeAlias, cast

import mcp_types
from mcp.client import Transport
from mcp.shared._stream_protocols import ReadStream, WriteStream
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCResponse
from mcp_types.methods import SERVER_RESULTS, validate_server_result
from pydantic import ValidationError

from swarm.hub.protocol.lines import Messages
from swarm.project.wording import first_problem

Json: TypeAlias = "dict[str, object]"

LONGEST_NAME = 128
NAME = re.compile(rf"[A-Za-z0-9_.-]{{1,{LONGEST_NAME}}}")
"""Names of tools (MCP 2025-11-25, Server Features, Tools); others could pass for our own words in a prompt."""
MOST_SHOWN = 80
MOST_MENDS = 8
LATEST = "2026-07-28"


@asynccontextmanager
async def screened(
    inner: Transport, refused: dict[str, str]
) -> AsyncGenerator[tuple[Messages, WriteStream[SessionMessage]]]:
    """A transport whose lists of tools hold only entries that can be read; ``refused`` learns, by the name
    of a tool, why it was left out."""
    async with inner as (messages, outlet):
        yield _ScreenedMessages(messages, refused), outlet


class _LeftOut(Exception):
    """A tool that is left out; the text says why."""


class _ScreenedMessages(Messages):
    """The messages of a transport, with the lists of tools screened."""

    def __init__(self, messages: ReadStream[SessionMessage | Exception], refused: dict[str, str]) -> None:
        self._messages = messages
        self._refused = refused
        self._version = LATEST
        """Of the protocol, as the server said when it was asked."""

    async def receive(self) -> SessionMessage | Exception:
        return self._screened(await self._messages.receive())

    async def aclose(self) -> None:
        await self._messages.aclose()

    def _screened(self, item: SessionMessage | Exception) -> SessionMessage | Exception:
        if isinstance(item, SessionMessage) and isinstance(item.message, JSONRPCResponse):
            result = item.message.result
            if isinstance(version := result.get("protocolVersion"), str):
                self._version = version
            # Only the answer to tools/list has this key at its top.
            if isinstance(tools := result.get("tools"), list):
                result["tools"] = [
                    one for tool in cast("list[object]", tools) if (one := self._good(tool, result))
                ]
        return item

    def _good(self, tool: object, result: Mapping[str, object]) -> Json | None:
        """The entry as the SDK takes it, or None."""
        try:
            good = _usable(tool)
            for _ in range(MOST_MENDS):
                if (error := self._fault(good, result)) is None:
                    break
                _drop(good, error)
            return good
        except _LeftOut as error:
            self._refused[_name(tool)] = str(error)
            return None

    def _fault(self, tool: Json, result: Mapping[str, object]) -> ValidationError | None:
        """What the SDK has against the entry, which it would hold against the whole list."""
        try:
            mcp_types.Tool.model_validate(tool, by_name=False)
            if ("tools/list", self._version) in SERVER_RESULTS:
                validate_server_result("tools/list", self._version, {**result, "tools": [tool]})
        except ValidationError as error:
            # Of the list itself the SDK says so itself.
            return error if _of_tool(error) else None
        return None


def _usable(tool: object) -> Json:
    """A copy of the entry, where it names a tool that can be called.

    Raises:
        _LeftOut: the tool cannot be used.
    """
    if not isinstance(tool, dict):
        raise _LeftOut("Input should be a valid dictionary or instance of Tool")
    entry = dict(cast("Json", tool))
    name = entry.get("name")
    if not isinstance(name, str):
        raise _LeftOut("its name is no text" if "name" in entry else "it has no name")
    if not NAME.fullmatch(name):
        raise _LeftOut(f"a tool's name is 1 to {LONGEST_NAME} letters, digits, '_', '-' or '.'")
    execution = entry.get("execution")
    if isinstance(execution, dict) and cast("Json", execution).get("taskSupport") == "required":
        raise _LeftOut("it can only be called as a task, which is not supported")
    schema = entry.get("inputSchema")
    if isinstance(schema, dict) and cast("Json", schema).get("type") != "object":
        raise _LeftOut("the type of its input is not 'object'")
    return entry


def _drop(tool: Json, error: ValidationError) -> None:
    """Takes out what is malformed beside the input schema: a tool can be called without it.

    Raises:
        _LeftOut: it is the name or the schema itself.
    """
    place = [part for part in error.errors(include_url=False)[0]["loc"] if part not in ("tools", 0)]
    key = str(place[0]) if place else ""
    if key == "inputSchema" and len(place) > 1 and place[1] in ("$schema", "required"):
        schema = cast("Json", tool["inputSchema"])
        tool["inputSchema"] = {name: value for name, value in schema.items() if name != place[1]}
    elif key in tool and key not in ("name", "inputSchema"):
        del tool[key]
    else:
        raise _LeftOut(_told(error))


def _of_tool(error: ValidationError) -> bool:
    first = error.errors(include_url=False)[0]["loc"]
    return (
        not first
        or first[0] == "tools"
        or first[0] not in ("cacheScope", "resultType", "nextCursor", "ttlMs")
    )


def _told(error: ValidationError) -> str:
    return first_problem(error).removeprefix("tools.0.")


def _name(tool: object) -> str:
    """The name for people: what would break a line or look like another name is escaped."""
    if isinstance(tool, dict):
        name = cast("Json", tool).get("name")
        if not isinstance(name, str):
            return "a tool without a name"
        shown = name if NAME.fullmatch(name) else ascii(name)
        return shown if len(shown) <= MOST_SHOWN else f"{shown[:MOST_SHOWN]}…"
    return "an entry that is no tool"
