"""Making a conversation shorter in one go: old tool results to handles, then the oldest part to notes.

What comes out depends on the messages alone, so a resumed run makes the same prompts again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Sequence

from swarm.agent.turn import name_action
from swarm.models.grammars.schemas import closed
from swarm.models.servers.counting import PER_MESSAGE, estimate
from swarm.nouns.messages import Message
from swarm.nouns.prompt import fill
from swarm.work.context import one_line

KEPT = 400
"""Characters that stay of an old result."""
CALLS_SHOWN = 16
"""Calls of the dropped part that are still named, one line each: about 400 tokens."""
NOTES_SCHEMA = closed({"notes": {"type": "string", "minLength": 1}})
_NOTES = re.compile(r'"notes"\s*:\s*"((?:[^"\\]|\\.)*)', re.DOTALL)
_HANDLE = re.compile(r"kept as (t-\w+)")

Keep = Callable[[str, int], Awaitable[str]]
"""Gives the head of a text, of that many characters, and the handle under which the whole is kept."""


async def with_handles(
    messages: Sequence[Message], goal: float, keep: Keep, *, newest: bool
) -> list[Message]:
    """The messages with their old tool results cut, the oldest first; the newest only when asked for."""
    cut = list(messages)
    for index in range(3, len(cut) if newest else tail_of(messages, goal), 2):
        content = cut[index].content
        if len(content) > KEPT * 2:
            cut[index] = Message(role="user", content=await keep(content, KEPT))
    return cut


def tail_of(messages: Sequence[Message], goal: float) -> int:
    """Where the newest turns begin that fill half of the goal: at least the last call and its result."""
    start = len(messages) - 2
    while start > 2 and size(messages[start - 2 :]) <= goal / 2:
        start -= 2
    return max(2, start)


def with_notes(messages: Sequence[Message], start: int, step: str, notes: str) -> list[Message]:
    """The messages with the turns before ``start`` replaced by notes on them, behind the step."""
    pairs = zip(messages[2:start:2], messages[3:start:2], strict=True)
    calls = [_line(said, got) for said, got in pairs][-CALLS_SHOWN:]
    told = fill("resumed", step=step, notes=notes or "nothing", calls="\n".join(calls))
    return [messages[0], Message(role="user", content=told), *messages[start:]]


def _line(said: Message, got: Message) -> str:
    handle = _HANDLE.search(got.content)
    kept = f" ({handle[1]})" if handle else ""
    return f"- {one_line(name_action(said.content), 60)}: {one_line(got.content.partition(chr(10))[2] or got.content, 40)}{kept}"


def size(messages: Sequence[Message]) -> float:
    """About how many tokens messages have, told apart by nothing but their text."""
    return sum(estimate(message.content) + PER_MESSAGE for message in messages)


def asking_for_notes(messages: Sequence[Message], tokens: int) -> tuple[Message, ...]:
    """The conversation up to its last call, so that what the server has cached of it is used, and the
    question for notes of at most so many tokens."""
    # 100 tokens are about 60 words where numbers and names abound.
    question = Message(role="user", content=fill("notes", words=str(tokens * 6 // 10)))
    return (*messages[: len(messages) - 1], question)


def notes_in(reply: str) -> str:
    """The notes of a reply, also of one that was cut off; empty when it holds none."""
    found = _NOTES.search(reply)
    if found is None:
        return ""
    text = found[1].removesuffix("\\")
    try:
        return str(json.loads(f'"{text}"', strict=False)).strip()
    except ValueError:
        return text.strip()
