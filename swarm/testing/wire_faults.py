"""The faults of a server as they look on the wire."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace

from pydantic import JsonValue

from swarm.nouns.messages import Reply
from swarm.testing.double.faults import Fault
from swarm.testing.double.served import Refused
from swarm.testing.http_server import ClientConnection, HttpResponse
from swarm.testing.wire import ChatQuestion, Face, Saying

HTML = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><h1>Sign in</h1></body></html>\n"


def turn_away(fault: Fault, face: Face, line: ClientConnection) -> None:
    """Shows a fault that comes before the request is worked on."""
    if fault.kind == "restart":
        line.restart(fault.seconds)
        return
    response = face.refusal(int(fault.kind), Refused(fault))
    wait = (("Retry-After", f"{fault.seconds:g}"),) if fault.kind != "500" else ()
    line.send(replace(response, headers=(*response.headers, *wait)))


@dataclass(frozen=True)
class Spoiled:
    """The answer that a server in order would give, and how a fault spoils it."""

    face: Face
    question: ChatQuestion
    saying: Saying
    reply: Reply

    async def show(self, fault: Fault, line: ClientConnection) -> None:
        """Answers as a server with the fault does."""
        if fault.kind == "html":
            line.send(HttpResponse(body=HTML, content_type="text/html"))
        elif fault.kind == "hang":
            await _for_ever()
        elif self.question.is_stream:
            line.start(HttpResponse(content_type=self.question.voice.stream_type))
            await self._spoil_stream(fault, line)
        else:
            await self._spoil_whole(fault, line)

    async def _spoil_stream(self, fault: Fault, line: ClientConnection) -> None:
        said, ending = self._frames()
        half = 2
        if fault.kind == "empty":
            said, ending = [self.question.voice.frame(self._emptied())], ending[-1:]
            half = 1
        for frame in said[:half]:
            line.piece(frame)
        match fault.kind:
            case "drip":
                await _drip(line, said[half - 1], fault.seconds)
            case "stall":
                await _for_ever()
            case "cut":
                line.cut()
                return
            case "stream-error":
                refusal = self.face.refusal(500, Refused(fault))
                ending = [self.question.voice.frame(json.loads(refusal.body))]
            case "half-json":
                ending = [ending[0][: len(ending[0]) // 2]]
            case "broken-stream":
                # One line is cut short and the next begins where it should have gone on.
                ending = [said[half - 1][:-20] + b"\n\n", *said[half:], *ending]
            case _:
                pass
        for frame in ending:
            line.piece(frame)
        line.end()

    async def _spoil_whole(self, fault: Fault, line: ClientConnection) -> None:
        body = json.dumps(self.question.voice.whole(self.saying, self.reply)).encode()
        half = body[: len(body) // 2]
        match fault.kind:
            case "stream-error":
                line.send(self.face.refusal(500, Refused(fault)))
            case "half-json":
                line.send(HttpResponse(body=half))
            case "broken-stream":
                stream = b"data: " + half + b"\n\ndata: [DONE]\n\n"
                line.send(HttpResponse(body=stream, content_type="text/event-stream"))
            case "empty":
                line.send(HttpResponse(body=json.dumps(self._emptied()).encode()))
            case _:
                line.start(HttpResponse())
                if fault.kind == "drip":
                    # White space before the body, as a proxy sends it to keep a connection.
                    await _drip(line, b" ", fault.seconds)
                line.piece(half)
                if fault.kind == "stall":
                    await _for_ever()
                line.cut()

    def _frames(self) -> tuple[list[bytes], list[bytes]]:
        """The honest stream: what is said, and its end."""
        voice = self.question.voice
        text, middle = self.saying.text, len(self.saying.text) // 2
        sayings = [replace(self.saying, text=""), Saying(text[:middle]), Saying(text[middle:])]
        said = [voice.frame(voice.chunk(one, is_first=not at)) for at, one in enumerate(sayings)]
        last = [voice.frame(content) for content in voice.last(self.saying, self.reply)]
        return said, [*last, voice.frame(None)]

    def _emptied(self) -> dict[str, JsonValue]:
        """The whole answer without choices, or in Ollama's protocol without words."""
        whole = self.question.voice.whole(Saying(), self.reply)
        return whole | ({"choices": []} if "choices" in whole else {})


async def _drip(line: ClientConnection, drop: bytes, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        line.piece(drop)


async def _for_ever() -> None:
    await asyncio.Event().wait()
