"""What an MCP server answered, as a ``ToolResult``."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from itertools import islice

import mcp_types
from pydantic import JsonValue, TypeAdapter, ValidationError

from swarm.hub.protocol.mending import WRAPS
from swarm.nouns.tool import Tool, ToolResult
from swarm.safety.text import clean

TEXT_CHARACTERS = 2_000_000
"""Longest text a tool may give; what no window holds must be asked for in parts."""
FILES_KEY = "swarm/files"
"""Where a server's ``_meta`` names the files a call has written, relative to the workspace."""

MOST_COMPARED = 2_000
"""Values that are looked for in a text; of more, the first and the last ones."""

_READS = re.compile(r"read|file|fetch|source|open|cat\b", re.IGNORECASE)
_BETWEEN = re.compile(r'("(?:[^"\\]|\\.)*")|\s+')
_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)
_FILES: TypeAdapter[tuple[str, ...]] = TypeAdapter(tuple[str, ...])


def from_answer(
    tool: str, answer: mcp_types.CallToolResult, *, wraps: bool = False, is_ours: bool = False
) -> ToolResult:
    """The answer's texts joined, its structured content, and the files it says it wrote.

    ``tool`` is the tool's name at its server; ``wraps`` says that its data stand in the key ``result``, as
    those of our own servers always do where they are no object. Of a server that is ours the text is what
    a model is to read; of others it may be a summary, behind which the data are shown.
    """
    blocks = [_text(block) for block in answer.content]
    # What gives the text of a file must give it letter by letter.
    text = clean("\n".join(blocks if is_ours or _READS.search(tool) else map(compact, blocks)))
    if answer.is_error:
        # The Python SDK and FastMCP put these before every reason: tokens without news for a model.
        for prefix in (f"Error executing tool {tool}: ", f"Error calling tool {tool!r}: "):
            text = text.removeprefix(prefix)
        text = text if text.strip() or answer.structured_content else "it failed without a reason"
    meta = dict(answer.meta or {})
    try:
        data = cleaned(_JSON.validate_python(answer.structured_content))
        files = _FILES.validate_python(meta.get(FILES_KEY, ()))
    except ValidationError as error:
        return failure(f"the tool's structured answer is no JSON: {error.errors()[0]['msg']}")
    if (wraps or is_ours or meta.get(WRAPS)) and isinstance(data, dict) and data.keys() == {"result"}:
        # Structured content had to be an object through 2025-11-25: servers wrap what is none.
        data = data["result"]
    text = text if is_ours else _with_data(text, data)
    return bounded(ToolResult(text=text, data=data, is_error=answer.is_error, files=files))


def _with_data(text: str, data: JsonValue) -> str:
    """The text with the data behind it that it does not hold."""
    if data is None or holds(text, data):
        return text
    shown = json.dumps(data, ensure_ascii=False)
    if text and len(text) + len(shown) > TEXT_CHARACTERS >= len(text):
        shown = f"(its data have {len(shown):,} characters and are not shown; ask for less)"
    return f"{text}\n{shown}" if text else shown


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


def holds(text: str, data: JsonValue) -> bool:
    """Whether a text tells what data tell: it is their JSON, or each of their values stands in it."""
    if not text:
        return data in ("", None)
    values = list(islice(_values(data), 2 * MOST_COMPARED))
    if len(values) > MOST_COMPARED:
        values = [*values[:200], *values[-200:]]
    if not values:
        return True
    near = text.casefold()
    return all(any(spelling.casefold() in near for spelling in _spellings(value)) for value in values)


def _values(data: JsonValue) -> Iterator[str | float | bool]:
    if isinstance(data, dict):
        for part in data.values():
            yield from _values(part)
    elif isinstance(data, list):
        for part in data:
            yield from _values(part)
    elif data is not None and data != "":
        yield data


def _spellings(value: str | float | bool) -> list[str]:
    if isinstance(value, str):
        # The text itself may be JSON, of which the white space was left out where it is shown.
        return [value, compact(value), json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]]
    if isinstance(value, float) and value.is_integer():
        return [str(value), f"{value:.0f}", f"{value:,.0f}"]
    if isinstance(value, int) and not isinstance(value, bool):
        return [str(value), f"{value:,}"]
    return [str(value)]


def failure(text: str) -> ToolResult:
    """A result that tells the model what went wrong."""
    return ToolResult(text=clean(text), is_error=True)


def useless(tool: Tool, came: str, why: str) -> ToolResult:
    """The result of a call whose answer can't be used; ``came`` says how far it came.

    One that only reads has failed. What another did stays done, and is not done again for its answer.
    """
    if tool.effect == "pure":
        return failure(f"{tool.full_name} failed: {why}")
    text = clean(f"{tool.full_name} {came}, but {why}")
    return ToolResult(text=text, is_error=True, took_effect=True)


def cleaned(value: JsonValue) -> JsonValue:
    """JSON whose texts hold no hidden characters, and whose numbers are such: JSON has no NaN."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, list):
        return [cleaned(part) for part in value]
    if isinstance(value, dict):
        return {clean(key): cleaned(part) for key, part in value.items()}
    return value


def compact(text: str) -> str:
    """JSON without the white space between its parts; any other text as it is."""
    if "\n" not in text or text.lstrip()[:1] not in ("{", "["):
        return text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    return _BETWEEN.sub(lambda found: found[1] or "", text)


def _text(block: mcp_types.ContentBlock) -> str:
    match block:
        case mcp_types.TextContent():
            return block.text
        case mcp_types.ResourceLink():
            told = [block.uri, block.mime_type, block.title, block.description]
            return f"[resource {block.name}: {', '.join(one for one in told if one)}]"
        case mcp_types.EmbeddedResource():
            resource = block.resource
            if isinstance(resource, mcp_types.TextResourceContents):
                return resource.text
            return f"[resource {resource.uri}, {resource.mime_type or 'binary'}, {_size(resource.blob)}]"
        case _:
            return f"[{block.type}, {block.mime_type}, {_size(block.data)}]"


def _size(base64: str) -> str:
    return f"{len(base64) * 3 // 4:,} bytes"
