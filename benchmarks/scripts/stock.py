"""The MCP server of the soak, without the SDK: tells what lies in a part of a shelf; one call in twenty fails.

python -I -S stock.py
"""

from __future__ import annotations

import json
import sys
import zlib
from typing import TypeAlias, cast

Json: TypeAlias = "dict[str, object]"

FAILING = 20
"""One call of so many fails; the same call made again does not."""
TEXT_CHARS = 600
_PROPERTIES = {"shelf": "string", "part": "integer", "again": "integer"}
TOOL: Json = {
    "name": "look",
    "description": "Tells what lies in a part of a shelf; again counts how often it was asked before.",
    "inputSchema": {
        "type": "object",
        "properties": {name: {"type": kind} for name, kind in _PROPERTIES.items()},
        "required": list(_PROPERTIES),
    },
    "annotations": {"readOnlyHint": True},
}


def pieces_in(shelf: str, part: int) -> int:
    """How many pieces lie there."""
    return zlib.crc32(f"{shelf}/{part}".encode()) % 90 + 10


def _answer(args: Json) -> Json:
    shelf, part, again = str(args["shelf"]), cast(int, args["part"]), cast(int, args["again"])
    if not again and zlib.crc32(f"fails {shelf}/{part}".encode()) % FAILING == 0:
        return {
            "content": [{"type": "text", "text": f"the scale of {shelf} stuck at part {part}"}],
            "isError": True,
        }
    said = f"{pieces_in(shelf, part)} pieces lie in part {part} of {shelf}. "
    text = (said + f"{shelf} was swept, part {part} too. " * TEXT_CHARS)[:TEXT_CHARS]
    return {"content": [{"type": "text", "text": text}]}


def _result(message: Json) -> Json | None:
    params = cast(Json, message.get("params") or {})
    match message["method"]:
        case "initialize":
            about: Json = {"protocolVersion": "2025-11-25", "serverInfo": {"name": "stock", "version": "1"}}
            return {**about, "capabilities": {"tools": {}}}
        case "tools/list":
            return {"tools": [TOOL]}
        case "tools/call":
            return _answer(cast(Json, params["arguments"]))
        case _:
            return None


def main() -> None:
    """Serves until its input ends."""
    for line in sys.stdin:
        message = cast(Json, json.loads(line))
        if (id := message.get("id")) is None:
            continue
        result = _result(message)
        said: Json = (
            {"error": {"code": -32601, "message": "no such method"}} if result is None else {"result": result}
        )
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": id, **said}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
