"""A server that tells all it knows, its keys with it, in the way that is asked for, and is of no use.

python -P telltale.py exits|silent|refuses|fails|shouts|dies [ARGS]
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TypeAlias, cast

Json: TypeAlias = "dict[str, object]"
ill = sys.argv[1]
known = f"bad login: {sys.argv[2:]} {os.environ} " + " ".join([*sys.argv[2:], *os.environ.values()])


def send(message: Json) -> None:
    """Writes a message as a line."""
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def tell(words: str) -> None:
    """Writes to stderr."""
    sys.stderr.write(words + "\n")
    sys.stderr.flush()


def handle(message: Json) -> None:
    """Works on one message."""
    id, method = message.get("id"), message["method"]
    if ill == "shouts":
        sys.stdout.write(known + "\n")
    if ill == "refuses" and id is not None:
        send({"id": id, "error": {"code": -32603, "message": known}})
    elif method == "initialize":
        about: Json = {"capabilities": {"tools": {}}, "serverInfo": {"name": "telltale", "version": "1"}}
        send({"id": id, "result": {"protocolVersion": "2025-06-18", **about}})
    elif method == "tools/list":
        send({"id": id, "result": {"tools": [{"name": "find", "inputSchema": {"type": "object"}}]}})
    elif method == "tools/call" and ill == "dies":
        tell(f"RuntimeError: {known}")
        sys.exit(1)
    elif method == "tools/call":
        send({"id": id, "result": {"isError": True, "content": [{"type": "text", "text": known}]}})
    elif id is not None:
        send({"id": id, "error": {"code": -32601, "message": known}})


if ill == "exits":
    tell(f"RuntimeError: {known}")
    sys.exit(1)
if ill == "silent":
    tell(known)
    time.sleep(60)
for line in sys.stdin:
    handle(cast("Json", json.loads(line)))
