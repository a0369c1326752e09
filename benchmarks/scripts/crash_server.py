"""An MCP server with a tool of each effect class, without the SDK, that kills where it is told to.

    python -I -S crash_server.py FOLDER

Each effect is a line of ``FOLDER/effects.jsonl``, each request one of ``FOLDER/requests.jsonl``.
``FOLDER/moment.json`` may say at which moment of the first effect whom to kill; it counts once.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn, TypeAlias, cast

Json: TypeAlias = "dict[str, object]"

CLASSES = ("pure", "idempotent", "keyed", "verifiable", "irreversible")
STATE = "state"
"""The tool that reads back what ``verifiable`` changes."""


def lines_of(path: Path) -> list[Json]:
    """The lines of a file of effects or requests."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


class Server:
    """The server's tools over its folder."""

    def __init__(self, folder: Path) -> None:
        self._effects, self._requests = folder / "effects.jsonl", folder / "requests.jsonl"
        self._moment = folder / "moment.json"

    def call(self, tool: str, key: str) -> str:
        """What a tool answers, as a line to be sent."""
        _append(self._requests, {"tool": tool, "key": key})
        if tool == STATE:
            return json.dumps({"now": str(len(lines_of(self._effects))), "after": "1"})
        self._die("before")
        if tool != "keyed" or all(effect["key"] != key for effect in lines_of(self._effects)):
            _append(self._effects, {"tool": tool, "key": key})
        self._die("after")
        return "it is done"

    def half(self, line: str) -> None:
        """Sends half of an answer and dies with its caller, where that is the moment."""
        if self._is_now("half"):
            sys.stdout.write(line[: len(line) // 2])
            sys.stdout.flush()
            self._die("half")

    def _is_now(self, when: str) -> bool:
        return self._moment.exists() and json.loads(self._moment.read_text("utf-8"))["when"] == when

    def _die(self, when: str) -> None:
        if not self._is_now(when):
            return
        whom = json.loads(self._moment.read_text("utf-8"))["whom"]
        self._moment.unlink()
        if whom != "server":
            os.kill(os.getppid(), signal.SIGKILL)
        if whom != "run":
            _be_killed()


def _be_killed() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nothing outlives SIGKILL")


def _append(path: Path, line: Json) -> None:
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(file, (json.dumps(line) + "\n").encode())
    os.close(file)


def _tools() -> list[Json]:
    schema: Json = {"type": "object"}
    meta = {"verifiable": {"swarm/readBack": STATE}}
    return [
        {"name": name, "inputSchema": schema, "_meta": {"swarm/effect": name, **meta.get(name, {})}}
        for name in (*CLASSES, STATE)
    ]


def _answer(server: Server, message: Json) -> Json:
    params = cast(Json, message.get("params") or {})
    match message["method"]:
        case "initialize":
            about: Json = {"protocolVersion": "2025-11-25", "serverInfo": {"name": "crash", "version": "1"}}
            return {"result": {**about, "capabilities": {"tools": {}}}}
        case "tools/list":
            return {"result": {"tools": _tools()}}
        case "tools/call":
            tool = str(params["name"])
            text = server.call(tool, str(cast(Json, params.get("_meta") or {}).get("swarm/key", "")))
            structured = {"structuredContent": json.loads(text)} if tool == STATE else {}
            return {"result": {"content": [{"type": "text", "text": text}], **structured}}
        case _:
            return {"error": {"code": -32601, "message": "no such method"}}


def main() -> None:
    """Serves until its input ends."""
    folder = Path(sys.argv[1])
    (folder / "pids" / str(os.getpid())).touch()
    server = Server(folder)
    for line in sys.stdin:
        message = cast(Json, json.loads(line))
        if "id" not in message:
            continue
        answer = json.dumps({"jsonrpc": "2.0", "id": message["id"], **_answer(server, message)}) + "\n"
        if message["method"] == "tools/call" and cast(Json, message["params"])["name"] != STATE:
            server.half(answer)
        sys.stdout.write(answer)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
