"""What servers say otherwise than the protocol has it, read as what is meant.

The SDK refuses a whole answer for one wrong part, and leaves a call unanswered for a line it can't read.
Here a wrong part is mended or left out by itself, and what says that a call is over ends it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import cast

from mcp.client import Transport
from mcp.shared._stream_protocols import ReadStream, WriteStream
from mcp.shared.message import SessionMessage
from mcp_types import ErrorData, JSONRPCError, JSONRPCMessage, JSONRPCResponse, jsonrpc_message_adapter
from pydantic import ValidationError

from swarm.hub.protocol.lines import Messages

UNREADABLE = -32099
"""Our own code for an answer that came and can't be read: the call is over, and what it did is unknown."""
SAID = -32098
"""Our own code for a server's own error whose code is none."""
WRAPS = "x-swarm-wraps"
"""Where a tool's ``_meta`` remembers that its structured answers are wrapped in the key ``result``."""
BLOCKS = {"text": "text", "image": "data", "audio": "data", "resource": "resource", "resource_link": "uri"}
"""The kinds of content, and what each must have."""

Json = dict[str, object]


@asynccontextmanager
async def mended(inner: Transport) -> AsyncGenerator[tuple[Messages, WriteStream[SessionMessage]]]:
    """A transport whose answers the SDK can read."""
    async with inner as (messages, outlet):
        yield _Mended(messages), outlet


class _Mended(Messages):
    """The messages of a transport, with lists of tools and answers to calls mended."""

    def __init__(self, messages: ReadStream[SessionMessage | Exception]) -> None:
        self._messages = messages

    async def receive(self) -> SessionMessage | Exception:
        item = await self._messages.receive()
        if isinstance(item, SessionMessage) and isinstance(item.message, JSONRPCResponse):
            result = item.message.result
            tools: object = result.get("tools")
            if isinstance(tools, list):
                for tool in cast("list[object]", tools):
                    if isinstance(tool, dict):
                        mend_tool(cast("Json", tool))
            elif "protocolVersion" not in result and ("content" in result or "structuredContent" in result):
                mend_answer(result)
        return item

    async def aclose(self) -> None:
        await self._messages.aclose()


def mend_tool(tool: Json) -> None:
    """Makes of a tool what its server means: no null is a value, and an empty list may be an empty map.

    What is declared of its answers goes: the SDK would refuse those that differ, and a server that has
    answered has done the call.
    """
    for key in [key for key, value in tool.items() if value is None]:
        del tool[key]
    schema = tool.get("inputSchema")
    if isinstance(schema, dict):
        given = cast("Json", schema)
        if given.get("type") is None:
            given["type"] = "object"
        for key in ("properties", "$defs", "definitions"):
            if given.get(key, {}) in (None, []):
                given[key] = {}
        if given.get("required", []) in (None, {}):
            given["required"] = []
        for key in [key for key, value in given.items() if value is None]:
            del given[key]
    if not isinstance(tool.get("_meta", {}), dict):
        del tool["_meta"]
    output = tool.pop("outputSchema", None)
    if isinstance(output, dict) and _wraps(cast("Json", output)):
        tool["_meta"] = {**cast("Json", tool.get("_meta", {})), WRAPS: True}


def _wraps(output: Json) -> bool:
    """Whether answers are wrapped: FastMCP marks it, the Python SDK names the schema after its function."""
    properties = output.get("properties")
    if not isinstance(properties, dict) or properties.keys() != {"result"}:
        return False
    return bool(output.get("x-fastmcp-wrap-result")) or str(output.get("title")).endswith("Output")


def mend_answer(result: Json) -> None:
    """Makes of the answer to a call what its server means."""
    content = result.get("content")
    blocks = cast("list[object]", content) if isinstance(content, list) else [content]
    result["content"] = [_block(block) for block in blocks if block is not None]
    for key in [key for key in ("isError", "structuredContent", "_meta") if result.get(key, 0) is None]:
        del result[key]
    if "isError" in result and not isinstance(result["isError"], bool):
        result["isError"] = str(result["isError"]).lower() not in ("", "0", "false", "no")
    if not isinstance(result.get("_meta", {}), dict):
        del result["_meta"]
    if "structuredContent" in result and not isinstance(result["structuredContent"], dict):
        # Only the newest revision lets it be anything else; it is unwrapped again.
        result["structuredContent"] = {"result": result["structuredContent"]}
        result["_meta"] = {**cast("Json", result.get("_meta", {})), WRAPS: True}


def _block(block: object) -> Json:
    """A part of an answer: what is none of the known kinds is shown as the text it is."""
    if isinstance(block, str):
        return {"type": "text", "text": block}
    if not isinstance(block, dict):
        return {"type": "text", "text": json.dumps(block, ensure_ascii=False)}
    given = {key: value for key, value in cast("Json", block).items() if value is not None}
    kind = str(given.get("type", "text"))
    needed = BLOCKS.get(kind)
    if needed == "text" and needed in given and not isinstance(given[needed], str):
        return {"type": "text", "text": json.dumps(given[needed], ensure_ascii=False)}
    if needed is None or needed not in given:
        return {"type": "text", "text": json.dumps(given, ensure_ascii=False)}
    if kind == "resource_link" and "name" not in given:
        given["name"] = str(given["uri"])
    if kind in ("image", "audio") and "mimeType" not in given:
        given["mimeType"] = "unknown"
    return {"type": kind, **given}


def read_line(line: bytes) -> list[JSONRPCMessage]:
    """The messages of a line: one as a rule, several of a batch, none where it is noise.

    What is no UTF-8 and what is half a character stands as U+FFFD.
    """
    try:
        return [jsonrpc_message_adapter.validate_json(line, by_name=False)]
    except ValueError:
        pass
    try:
        said: object = json.loads(line.decode("utf-8-sig", errors="replace"))
    except (ValueError, RecursionError):
        return []
    parts = cast("list[object]", said) if isinstance(said, list) else [said]
    return list(_messages(parts))


def _messages(parts: Iterable[object]) -> Iterable[JSONRPCMessage]:
    for part in parts:
        if not isinstance(part, dict):
            continue
        message = cast("Json", _whole({"jsonrpc": "2.0", **cast("Json", part)}))
        try:
            yield jsonrpc_message_adapter.validate_python(message, by_name=False)
        except ValidationError:
            if (over := _over(message)) is not None:
                yield over


def _over(message: Json) -> JSONRPCMessage | None:
    """What a message says that answers a request, though not as the protocol has it."""
    at = message.get("id")
    if not isinstance(at, int | str) or "method" in message:
        return None
    if "error" in message and message["error"] is not None:
        return JSONRPCError(
            jsonrpc="2.0", id=at, error=ErrorData(code=SAID, message=_words(message["error"]))
        )
    if isinstance(message.get("result"), dict):
        return JSONRPCResponse(jsonrpc="2.0", id=at, result=cast("Json", message["result"]))
    if "result" not in message:
        return unreadable(at, "it has neither a result nor an error")
    return JSONRPCResponse(
        jsonrpc="2.0", id=at, result={"content": [_block(message["result"])] if message["result"] else []}
    )


def unreadable(at: int | str, why: str) -> JSONRPCError:
    """The end of a request whose answer came and can't be read."""
    return JSONRPCError(jsonrpc="2.0", id=at, error=ErrorData(code=UNREADABLE, message=why))


def _words(error: object) -> str:
    if isinstance(error, dict):
        said = cast("Json", error).get("message")
        return said if isinstance(said, str) and said else json.dumps(error, ensure_ascii=False)
    return error if isinstance(error, str) else json.dumps(error, ensure_ascii=False)


def _whole(value: object) -> object:
    """JSON whose texts hold no half of a character."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(part) for part in cast("list[object]", value)]
    if isinstance(value, dict):
        return {str(_whole(key)): _whole(part) for key, part in cast("Json", value).items()}
    return value
