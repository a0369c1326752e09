"""An MCP server of the 2025-06-18 revision that lists the tools of a JSON file, and echoes each call.

python -P listed.py TOOLS.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TypeAlias, cast

Json: TypeAlias = "dict[str, object]"


def result_of(method: object, params: Json) -> Json | None:
    """What a request gives; None for one that is not known."""
    match method:
        case "initialize":
            about: Json = {"name": "listed", "version": "1"}
            return {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": about}
        case "tools/list":
            return {"tools": json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))}
        case "tools/call":
            text = json.dumps([params["name"], params.get("arguments")])
            return {"content": [{"type": "text", "text": text}]}
        case _:
            return None


for line in sys.stdin:
    message = cast("Json", json.loads(line))
    if "id" in message:
        result = result_of(message["method"], cast("Json", message.get("params") or {}))
        rest: Json = (
            {"result": result} if result else {"error": {"code": -32601, "message": "no such method"}}
        )
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": message["id"], **rest}) + "\n")
        sys.stdout.flush()
