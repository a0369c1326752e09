"""An MCP server of the 2025-11-25 revision without the SDK: fast to start, and bad on demand.

python -P bare.py [--silent] [--exit CODE] [--child FIFO]
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias, cast

Json: TypeAlias = "dict[str, object]"

OBJECT: Json = {"type": "object"}
BAD: list[object] = [
    {"name": "no_schema"},
    {"name": "wrong_type", "inputSchema": {"type": "array"}},
    {"name": "no_json_schema", "inputSchema": {"type": "object", "properties": {"a": {"type": "strin"}}}},
    {"name": "lost_reference", "inputSchema": {"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}}},
    {"name": "outside", "inputSchema": {"type": "object", "properties": {"a": {"$ref": "http://host/x"}}}},
    "no tool at all",
]
waiting: list[object] = []
listing = {"as": "tools"}


def send(message: Json) -> None:
    """Writes a message as a line."""
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def answer(id: object, text: str) -> None:
    """Answers a call with a text."""
    send({"id": id, "result": {"content": [{"type": "text", "text": text}]}})


def die(id: object, args: Json) -> None:
    """Dies with a last word."""
    sys.stderr.write("out of luck\n")
    sys.stderr.flush()
    os._exit(3)


def hold(id: object, args: Json) -> None:
    """Never answers; makes a file to show that the call has arrived."""
    Path(str(args["mark"])).touch()


def freeze(id: object, args: Json) -> None:
    """Answers nothing and reads nothing any more, and cannot be asked to end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(60)


def shout(id: object, args: Json) -> None:
    """Prints what is no message, on both outputs, and then answers."""
    sys.stderr.write("x" * 1_000_000)
    sys.stdout.write('Listening...\n\n{"half": \n\x00\x1b[31m\n{}\n')
    sys.stdout.buffer.write(b"\xff\xfe\n")
    answer(id, "quiet again")


def long(id: object, args: Json) -> None:
    """Answers with as many characters as it is asked for."""
    answer(id, "x" * cast("int", args["length"]))


def meet(id: object, args: Json) -> None:
    """Answers when as many calls wait as it is asked for."""
    waiting.append(id)
    if len(waiting) == args["count"]:
        for each in waiting:
            answer(each, "met")
        waiting.clear()


def more(id: object, args: Json) -> None:
    """Gains a tool and says so; lists no tools any more, or wrong ones, where it is asked to."""
    TOOLS["late"] = lambda id, args: answer(id, "better than never")
    listing["as"] = str(args.get("listing", "tools"))
    send({"method": "notifications/tools/list_changed"})
    answer(id, "there is more")


def refuse(id: object, args: Json) -> None:
    """Answers with the error of the protocol that it is asked for."""
    send({"id": id, "error": {"code": args["code"], "message": "not today"}})


def nonsense(id: object, args: Json) -> None:
    """Answers with what is no answer to a call."""
    send({"id": id, "result": {"content": "words"}})


def look(id: object, args: Json) -> None:
    """Answers with what stands in the file ``mark``, and what should stand there at the end."""
    mark = Path("mark")
    state = {"now": mark.read_text("utf-8") if mark.exists() else "", "after": "done"}
    send({"id": id, "result": {"content": [], "structuredContent": state}})


TOOLS: dict[str, Callable[[object, Json], None]] = {
    "pid": lambda id, args: answer(id, str(os.getpid())),
    "environment": lambda id, args: answer(id, json.dumps(dict(os.environ))),
    "die": die,
    "hold": hold,
    "freeze": freeze,
    "shout": shout,
    "long": long,
    "meet": meet,
    "more": more,
    "refuse": refuse,
    "nonsense": nonsense,
    "look": look,
}


def handle(message: Json) -> None:
    """Works on one message."""
    id, params = message.get("id"), cast("Json", message.get("params") or {})
    match message["method"]:
        case "initialize":
            about: Json = {"protocolVersion": "2025-11-25", "serverInfo": {"name": "bare", "version": "1"}}
            send({"id": id, "result": {**about, "capabilities": {"tools": {"listChanged": True}}}})
        case "tools/list":
            good: list[object] = [{"name": name, "inputSchema": OBJECT} for name in TOOLS]
            if listing["as"] != "none":
                send({"id": id, "result": {listing["as"]: good + BAD}})
        case "tools/call":
            TOOLS[cast("str", params["name"])](id, cast("Json", params.get("arguments") or {}))
        case _ if id is not None:
            send({"id": id, "error": {"code": -32601, "message": "no such method"}})
        case _:
            return


def start_child(fifo: Path) -> None:
    """Starts a child that writes to a FIFO, holds it open, and cannot be asked to end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with fifo.open("w", encoding="utf-8") as out:
        subprocess.Popen(
            ["sh", "-c", "echo x; exec sleep 600"], stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )


def main(args: list[str]) -> None:
    """Serves over stdin and stdout, or does the one bad thing it was asked for."""
    if args[:1] == ["--child"]:
        start_child(Path(args[1]))
        args = args[2:]
    if args[:1] == ["--silent"]:
        freeze(None, {})
    if args[:1] == ["--exit"]:
        sys.stderr.write("no licence found\n")
        sys.exit(int(args[1]))
    for line in sys.stdin:
        handle(cast("Json", json.loads(line)))


if __name__ == "__main__":
    main(sys.argv[1:])
