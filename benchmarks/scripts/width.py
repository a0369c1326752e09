"""The script of the width proof: twelve lines read one by one, then a result."""

from __future__ import annotations

import re

from benchmarks.turns import call_turn, result_turn, turn_number
from swarm.nouns.messages import Request

AGENTS = 300
LINES = 12
_STEP = re.compile(r"Your step: Read (item-\d+) ")


def name_of(number: int) -> str:
    """Name of an item."""
    return f"item-{number:03}"


def reply(request: Request) -> str:
    """All names; or an agent's next turn: the next line of its item, or its result after the last."""
    if len(request.messages) == 1:
        return result_turn("All items were read.")
    found = _STEP.search(request.messages[1].content)
    if found is None:
        return result_turn([name_of(number) for number in range(1, AGENTS + 1)])
    turn = turn_number(request)
    if turn <= LINES:
        return call_turn("files.read", path=f"items/{found[1]}.txt", start=turn, lines=1)
    return result_turn(f"line {LINES} of {found[1]}")
