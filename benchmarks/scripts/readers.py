"""Readers: agents that read a note part by part, and what each of their turns says.

The script of a scripted server; the proofs of the scheduler make a real model say the same.
"""

from __future__ import annotations

import random
import re

from benchmarks.turns import call_turn, result_turn, turn_number
from swarm.nouns.messages import Message, Request

TOOL = "python.read_part"
PARTS = 7
"""Turns with a call; one more gives the result."""

_NOTE = re.compile(r"note (n\d+)(?: in (\d+) parts)?")
_WORDS = [
    "river",
    "stone",
    "market",
    "winter",
    "letter",
    "garden",
    "bridge",
    "summer",
    "window",
    "people",
    "account",
    "number",
    "morning",
    "paper",
    "village",
    "council",
    "report",
    "answer",
    "simple",
    "early",
    "between",
    "farmer",
    "harvest",
    "railway",
    "station",
    "journey",
    "captain",
]


def words(seed: str, chars: int) -> str:
    """So many characters of plain words, always the same for a seed."""
    rng = random.Random(seed)
    text = ""
    while len(text) < chars:
        text += f"{rng.choice(_WORDS)} "
    return text[:chars].rstrip()


def brief_of(note: str, parts: int = PARTS) -> str:
    """What a reader is asked."""
    return f"Read note {note} in {parts} parts."


def reader_of(request: Request) -> str | None:
    """The note that the request's agent reads; None for a request of no reader."""
    found = _found(request)
    return found[1] if found else None


class Reader:
    """How much a reader writes and is given in a turn; the usual sizes are 60 and 200 tokens of 4 characters."""

    def __init__(self, written_chars: int = 240, added_chars: int = 800) -> None:
        self.written_chars = written_chars
        self.added_chars = added_chars

    def read_part(self, note: str, part: int, why: str) -> str:
        """Gives a part of a note."""
        return words(f"{note}/{part}", self.added_chars)

    def reply(self, request: Request) -> str:
        """The turn of a reader: the next part, or the result; anyone else is told that all is done."""
        found = _found(request)
        if found is None:
            return result_turn("All is done.")
        turn, note = turn_number(request), found[1]
        if turn > int(found[2] or PARTS):
            return result_turn(words(f"result {note}", self.written_chars - 14))
        head = call_turn(TOOL, note=note, part=turn, why="")
        why = words(f"why {note}/{turn}", max(1, self.written_chars - len(head)))
        return call_turn(TOOL, note=note, part=turn, why=why)


USUAL = Reader()
reply = USUAL.reply
"""What the scripted server calls."""


def _found(request: Request) -> re.Match[str] | None:
    users: list[Message] = [message for message in request.messages if message.role == "user"]
    return _NOTE.search(users[0].content) if len(request.messages) > 1 else None
