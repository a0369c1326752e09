"""An MCP server whose every effect is a line of a file, without the SDK: it starts in a few milliseconds.

    python -I -S post.py FOLDER

It honours the key of ``order`` alone, as a careful server does; ``send`` does what it is told each time.
A line is one write to a file opened with O_APPEND, so no kill tears it. ``FOLDER/moment.json`` may
say at which effect its caller is to be killed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import TypeAlias, cast

Json: TypeAlias = "dict[str, object]"

PEOPLE = ("anna", "ben", "clara")
SLOW_SECONDS = 0.002
"""Longest pause before an effect, and again before its reply, so that kills fall between them."""
STUCK_SECONDS, STUCK_SHARE = 1.0, 0.03
"""Some effects take so long that a resume comes before them, where their server outlives its caller."""
TEXTS = {
    "look": "Tells who there is, or what somebody has.",
    "seen": "Tells whether something was done to somebody: what is note, order or send.",
    "note": "Notes that somebody was seen to.",
    "order": "Orders something for somebody, once for each key.",
    "send": "Sends somebody a letter.",
}
EFFECTS = ("note", "order", "send")


def line_of(tool: str, who: str, key: str, text: str) -> str:
    """The line of an effect."""
    return json.dumps({"tool": tool, "who": who, "key": key, "text": text}) + "\n"


class Post:
    """The server's tools over its file of effects."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "effects.jsonl"
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        moment = folder / "moment.json"
        self._moment = cast(Json, json.loads(moment.read_text("utf-8"))) if moment.is_file() else {}
        self._made = 0

    def call(self, tool: str, args: Json, key: str) -> str:
        """What a tool answers."""
        who = str(args.get("who", ""))
        if tool == "look":
            return f"people: {' '.join(PEOPLE)}" if who == "all" else f"{who} has {who}-1 and {who}-2"
        if tool == "seen":
            what = str(args.get("what", ""))
            return (
                "yes" if any((made["tool"], made["who"]) == (what, who) for made in self._effects()) else "no"
            )
        return self._effect(tool, who, key)

    def answered(self) -> None:
        """Says that an answer has been sent."""
        self._die("answered")

    def _effect(self, tool: str, who: str, key: str) -> str:
        self._made += 1
        self._die("before")
        _pause()
        if random.random() < STUCK_SHARE:
            time.sleep(STUCK_SECONDS)
        first = [made for made in self._effects() if made["key"] == key] if tool == "order" else []
        if first:
            return str(first[0]["text"])
        text = f"{tool} is done for {who}, confirmed"
        os.write(self._file, line_of(tool, who, key, text).encode())
        self._die("after")
        _pause()
        return text

    def _effects(self) -> list[Json]:
        return [json.loads(line) for line in self._path.read_text("utf-8").splitlines()]

    def _die(self, when: str) -> None:
        if self._moment.get("when") == when and self._moment.get("effect") == self._made:
            os.kill(os.getppid(), signal.SIGKILL)
            if self._moment.get("whom") == "all":
                os.kill(os.getpid(), signal.SIGKILL)


def _pause() -> None:
    time.sleep(random.random() * SLOW_SECONDS)


def _tools() -> list[Json]:
    schema: Json = {"type": "object", "properties": {"who": {"type": "string"}}, "required": ["who"]}
    seen: Json = {
        **schema,
        "properties": {"who": {"type": "string"}, "what": {"type": "string"}, "again": {"type": "integer"}},
    }
    return [
        {"name": name, "description": text, "inputSchema": seen if name == "seen" else schema}
        for name, text in TEXTS.items()
    ]


def _send(message: Json) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def _handle(post: Post, message: Json) -> None:
    id, params = message.get("id"), cast(Json, message.get("params") or {})
    match message["method"]:
        case "initialize":
            about: Json = {"protocolVersion": "2025-11-25", "serverInfo": {"name": "post", "version": "1"}}
            _send({"id": id, "result": {**about, "capabilities": {"tools": {}}}})
        case "tools/list":
            _send({"id": id, "result": {"tools": _tools()}})
        case "tools/call":
            tool, args = str(params["name"]), cast(Json, params.get("arguments") or {})
            key = str(cast(Json, params.get("_meta") or {}).get("swarm/key", ""))
            text = post.call(tool, args, key)
            _send({"id": id, "result": {"content": [{"type": "text", "text": text}]}})
            if tool in EFFECTS:
                post.answered()
        case _ if id is not None:
            _send({"id": id, "error": {"code": -32601, "message": "no such method"}})
        case _:
            return


def main() -> None:
    """Serves until its input ends."""
    folder = Path(sys.argv[1])
    (folder / "pids" / str(os.getpid())).touch()
    post = Post(folder)
    for line in sys.stdin:
        _handle(post, cast(Json, json.loads(line)))


if __name__ == "__main__":
    main()
