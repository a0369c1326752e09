"""An MCP server without an SDK that answers what it is told to, as servers do that others wrote.

python -P raw.py SPEC.json

SPEC: {"tools": [...], "answers": {TOOL: a result}, "errors": {TOOL: an error}, "lines": {TOOL: a raw line}}.
In a line ID stands for the id of the request. "first": "initialize" ends it at any other first message,
"first": "silence" leaves such a message unanswered; "leaves": true ends it after a call; "log": FILE gets
the methods it was asked. "protocol" is its revision.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TypeAlias, cast

Json: TypeAlias = "dict[str, object]"
spec = cast("Json", json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
TOOL: Json = {"name": "find", "inputSchema": {"type": "object"}}


def send(message: Json) -> None:
    """Writes a message as a line."""
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def call(id: object, name: str) -> None:
    """Answers a call as the spec says."""
    part = {key: cast("Json", spec.get(key) or {}) for key in ("lines", "errors", "answers")}
    if name in part["lines"]:
        line = str(part["lines"][name]).replace("ID", json.dumps(id))
        sys.stdout.buffer.write(line.encode("latin-1"))
        sys.stdout.flush()
    elif name in part["errors"]:
        send({"id": id, "error": part["errors"][name]})
    else:
        send({"id": id, "result": part["answers"].get(name, {"content": [{"type": "text", "text": "ok"}]})})
    if spec.get("leaves"):
        sys.exit(0)


def handle(message: Json, is_first: bool) -> None:
    """Works on one message."""
    id, method = message.get("id"), str(message.get("method"))
    if "log" in spec:
        with Path(str(spec["log"])).open("a", encoding="utf-8") as log:
            log.write(method + "\n")
    if is_first and method != "initialize" and spec.get("first") == "initialize":
        sys.stderr.write("expected initialize\n")
        sys.exit(1)
    if id is None or (method == "server/discover" and spec.get("first") == "silence"):
        return
    match method:
        case "initialize":
            about: Json = {"capabilities": {"tools": {}}, "serverInfo": {"name": "raw", "version": "1"}}
            send({"id": id, "result": {"protocolVersion": spec.get("protocol", "2025-06-18"), **about}})
        case "tools/list":
            send({"id": id, "result": {"tools": spec.get("tools") or [TOOL]}})
        case "tools/call":
            call(id, str(cast("Json", message["params"])["name"]))
        case _:
            send({"id": id, "error": {"code": -32601, "message": "Method not found"}})


for number, line in enumerate(sys.stdin):
    handle(cast("Json", json.loads(line)), number == 0)
