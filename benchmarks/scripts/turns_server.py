"""The model server of the overhead proof: every party gets the same turns, in the form it asks for.

    python -m benchmarks.scripts.turns_server TURNS [SECONDS]

A request with ``tools`` gets a tool call in the protocol's own field, as LangGraph's agent wants it;
any other gets it as the JSON text of a turn. After TURNS turns comes the result. Each reply takes
SECONDS; ``/most`` shows the most requests there were at once, ``/first`` when the first came
(``time.monotonic``, which all processes of a Linux machine share).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import cast

from pydantic import JsonValue

from benchmarks.turns import call_turn, result_turn
from swarm.testing.http_server import HttpRequest, HttpResponse, json_response, serve

TOOL = "lines.read"
MODEL = "turns"
WINDOW = 1_000_000

Object = dict[str, JsonValue]


class TurnsServer:
    """Answers by counting how many turns a conversation has had."""

    def __init__(self, turns: int, seconds: float) -> None:
        self._turns = turns
        self._seconds = seconds
        self._now = 0
        self._most = 0
        self._first: float | None = None

    async def handle(self, request: HttpRequest) -> HttpResponse:
        """The response to one request."""
        match request.path:
            case "/v1/models":
                model: Object = {"id": MODEL, "object": "model", "max_model_len": WINDOW}
                return json_response({"object": "list", "data": [model]})
            case "/most":
                return json_response({"most": self._most})
            case "/first":
                return json_response({"first": self._first})
            case "/v1/chat/completions":
                return await self._chat(cast(Object, json.loads(request.body)))
            case _:
                return json_response({"error": {"message": f"no such path: {request.path}"}}, 404)

    async def _chat(self, asked: Object) -> HttpResponse:
        self._first = self._first or time.monotonic()
        self._now += 1
        self._most = max(self._most, self._now)
        try:
            await asyncio.sleep(self._seconds)
        finally:
            self._now -= 1
        messages = cast("list[Object]", asked["messages"])
        done = sum(message["role"] == "assistant" for message in messages)
        message = self._message(done, has_tools=bool(asked.get("tools")), is_agent=len(messages) > 1)
        size = sum(len(str(one.get("content"))) for one in messages) // 4
        usage: Object = {"prompt_tokens": size, "completion_tokens": 20, "total_tokens": size + 20}
        if asked.get("stream"):
            return HttpResponse(body=_stream(message, usage), content_type="text/event-stream")
        finish = "tool_calls" if "tool_calls" in message else "stop"
        choice: Object = {"index": 0, "finish_reason": finish, "message": message}
        whole: Object = {**_envelope("chat.completion", [choice]), "usage": usage}
        return json_response(whole)

    def _message(self, done: int, *, has_tools: bool, is_agent: bool) -> Object:
        if done >= self._turns - 1 or not is_agent:
            text = "All lines were read."
            return {"role": "assistant", "content": text if has_tools else result_turn(text)}
        if not has_tools:
            return {"role": "assistant", "content": call_turn(TOOL, number=done)}
        call: Object = {"name": "read", "arguments": json.dumps({"number": done})}
        calls: list[JsonValue] = [{"id": f"call-{done}", "type": "function", "function": call}]
        return {"role": "assistant", "content": None, "tool_calls": calls}


def _envelope(object: str, choices: list[JsonValue]) -> Object:
    return {"id": "turn", "object": object, "created": int(time.time()), "model": MODEL, "choices": choices}


def _stream(message: Object, usage: Object) -> bytes:
    def line(choices: list[JsonValue], more: Object) -> bytes:
        return f"data: {json.dumps(_envelope('chat.completion.chunk', choices) | more)}\n\n".encode()

    first = line([{"index": 0, "finish_reason": None, "delta": message}], {})
    last = line([{"index": 0, "finish_reason": "stop", "delta": {}}], {})
    return first + last + line([], {"usage": usage}) + b"data: [DONE]\n\n"


async def _main(turns: int, seconds: float) -> None:
    async with serve(TurnsServer(turns, seconds).handle) as url:
        print(url, flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0))
