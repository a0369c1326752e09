"""What an MCP server answered, as a ``ToolResult``."""

from __future__ import annotations

import json

import mcp_types
from pydantic import JsonValue, TypeAdapter, ValidationError

from swarm.guard.rules import clean
from swarm.tool import ToolResult

TEXT_CHARACTERS = 2_000_000
"""Longest text a tool may give; what no window holds must be asked for in parts."""
FILES_KEY = "swarm/files"
"""Where a server's ``_meta`` names the files a call has written, relative to the workspace."""

_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)
_FILES: TypeAdapter[tuple[str, ...]] = TypeAdapter(tuple[str, ...])


def from_answer(tool: str, answer: mcp_types.CallToolResult) -> ToolResult:
    """The answer's texts joined, its structured content, and the files it says it wrote.

    ``tool`` is the tool's name at its server.
    """
    text = clean("\n".join(_text(block) for block in answer.content))
    if answer.is_error:
        # The Python SDK's servers put this before every reason: tokens without news for a model.
        text = text.removeprefix(f"Error executing tool {tool}: ")
    try:
        data = cleaned(_unwrapped(_JSON.validate_python(answer.structured_content)))
        files = _FILES.validate_python((answer.meta or {}).get(FILES_KEY, ()))
    except ValidationError as error:
        return failure(f"the tool's structured answer is no JSON: {error.errors()[0]['msg']}")
    return bounded(ToolResult(text=text, data=data, is_error=answer.is_error, files=files))


def bounded(result: ToolResult) -> ToolResult:
    """The result itself, or what to do when its text is too long; text that is missing is made of data."""
    text = result.text
    if not text and result.data is not None:
        text = json.dumps(result.data, ensure_ascii=False)
    if len(text) > TEXT_CHARACTERS:
        return failure(
            f"the answer has {len(text):,} characters, more than {TEXT_CHARACTERS:,}; "
            "ask for less (a range, a filter, a limit)"
        )
    return result if text is result.text else result.model_copy(update={"text": text})


def failure(text: str) -> ToolResult:
    """A result that tells the model what went wrong."""
    return ToolResult(text=clean(text), is_error=True)


def cleaned(value: JsonValue) -> JsonValue:
    """JSON whose texts hold no hidden characters."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [cleaned(part) for part in value]
    if isinstance(value, dict):
        return {clean(key): cleaned(part) for key, part in value.items()}
    return value


def _unwrapped(value: JsonValue) -> JsonValue:
    # Structured content had to be an object through 2025-11-25: servers wrap what is none in this key.
    if isinstance(value, dict) and value.keys() == {"result"}:
        return value["result"]
    return value


def _text(block: mcp_types.ContentBlock) -> str:
    match block:
        case mcp_types.TextContent():
            return block.text
        case mcp_types.ResourceLink():
            return f"[resource {block.uri}]"
        case mcp_types.EmbeddedResource():
            resource = block.resource
            if isinstance(resource, mcp_types.TextResourceContents):
                return resource.text
            return f"[resource {resource.uri}, {resource.mime_type or 'binary'}]"
        case _:
            return f"[{block.type}, {block.mime_type}, {len(block.data) * 3 // 4:,} bytes]"
