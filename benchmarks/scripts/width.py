"""The script of the width proof: twelve lines read one by one, then a result."""

from __future__ import annotations

import re

from benchmarks.turns import call_turn, result_turn, said, turn_number
from swarm.messages import Request

LINES = 12
_FILE = re.compile(r"\bitems/item-\d+\.txt\b")


def reply(request: Request) -> str:
    """The agent's next turn: reading the next line of its file, or its result after the last."""
    found = _FILE.search(said(request))
    assert found, request.messages[1].content
    turn = turn_number(request)
    if turn <= LINES:
        return call_turn("files.read", path=found[0], start=turn, lines=1)
    return result_turn(f"Read {found[0]}.")
