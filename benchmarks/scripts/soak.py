"""The script of the soak: each agent looks at the parts of its shelf one by one and gives their pieces.

The clock is fast: a reply that takes minutes on a small machine takes seconds here.
"""

from __future__ import annotations

import re

from benchmarks.turns import call_turn, result_turn, unmarked
from swarm.nouns.messages import Request

FACTOR = 36
"""Simulated seconds in a real one."""
REPLY_SECONDS = 180.0
"""Simulated time of a reply, on the mean: what fifty agents at a time make of a small machine."""
PARTS = 7
_SHELF = re.compile(r"Your step: Count the pieces of (\S+)\.")
_PIECES = re.compile(r"^stock\.look gave:\n(\d+) pieces", re.MULTILINE)


def reply(request: Request) -> str:
    """The next look, the same again after one that failed, or all that was found."""
    if len(request.messages) < 2 or (found := _SHELF.search(request.messages[1].content)) is None:
        return result_turn("All shelves were counted.")
    pieces: list[int] = []
    again = 0
    for message in request.messages[3::2]:
        given = _PIECES.match(unmarked(message.content))
        again = 0 if given else again + 1
        pieces += [int(given[1])] if given else []
    if len(pieces) == PARTS:
        return result_turn([
            {"shelf": found[1], "part": n, "pieces": seen} for n, seen in enumerate(pieces, 1)
        ])
    return call_turn("stock.look", shelf=found[1], part=len(pieces) + 1, again=again)


def latency(request: Request) -> float:
    """Real seconds of a reply: half to one and a half times the mean, by what is asked."""
    share = 0.5 + int(request.digest()[:4], 16) / 0xFFFF
    return share * REPLY_SECONDS / FACTOR
