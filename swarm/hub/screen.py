"""Takes single bad tools out of a server's list, so that one of them does not cost the whole server.

The SDK refuses a whole ``tools/list`` for one malformed entry.
"""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self, cast

import mcp_types
from mcp.client import Transport
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCResponse
from pydantic import ValidationError


class _Messages(Protocol):
    async def receive(self) -> SessionMessage | Exception: ...

    async def aclose(self) -> None: ...

    async def __anext__(self) -> SessionMessage | Exception: ...


class _Outlet(Protocol):
    async def send(self, item: SessionMessage, /) -> None: ...

    async def aclose(self) -> None: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> bool | None: ...


class Screened:
    """A transport whose lists of tools hold only entries that can be read."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.refused: dict[str, str] = {}
        """Why a tool was left out, by its name."""

    async def __aenter__(self) -> tuple[_Screen, _Outlet]:
        messages, outlet = await self._inner.__aenter__()
        return _Screen(messages, self.refused), outlet

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> bool | None:
        return await self._inner.__aexit__(exc_type, exc_val, exc_tb)


class _Screen:
    """The messages of a transport, with the lists of tools screened."""

    def __init__(self, messages: _Messages, refused: dict[str, str]) -> None:
        self._messages = messages
        self._refused = refused

    async def receive(self) -> SessionMessage | Exception:
        return self._screened(await self._messages.receive())

    async def aclose(self) -> None:
        await self._messages.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        return self._screened(await self._messages.__anext__())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        await self.aclose()

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
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            reason = f"{place}: {first['msg']}" if place else first["msg"]
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
