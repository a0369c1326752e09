"""Which tools an agent is shown where all of them would take too much of its window."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Sequence

from swarm.agent.manual import shortest
from swarm.nouns.tool import Tool

SHARE_OF_TOOLS = 0.25
"""Of the window, for the list of tools."""
CHARS_PER_TOKEN = 3.0
SHORTEST = 3
"""Letters of a word that tells what a tool is for."""
_WORD = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[^\W\d_]+")


def room(window: int) -> int:
    """Characters that the list of tools may have in a window of so many tokens."""
    return int(window * SHARE_OF_TOOLS * CHARS_PER_TOKEN)


def fitting(
    tools: Sequence[Tool], named: Collection[str], wanted: str, characters: int
) -> tuple[tuple[Tool, ...], tuple[Tool, ...]]:
    """The tools whose lines have room together, and those that are left out, both in their order.

    First come those that a card names one by one, then those whose words are most like what is wanted.
    """
    sizes = [len(shortest(tool)) + 1 for tool in tools]
    if sum(sizes) <= characters:
        return tuple(tools), ()
    scores = _scores(tools, wanted)
    ranked = sorted(
        range(len(tools)),
        key=lambda at: (tools[at].full_name not in named, -scores[at], sizes[at] > characters),
    )
    kept: set[int] = set()
    for at in ranked:
        if sizes[at] <= characters:
            characters -= sizes[at]
            kept.add(at)
    return (
        tuple(tool for at, tool in enumerate(tools) if at in kept),
        tuple(tool for at, tool in enumerate(tools) if at not in kept),
    )


def nearest(tools: Sequence[Tool], wanted: str) -> tuple[Tool, ...]:
    """The tools that share words with what is wanted, those with the most and the rarest first."""
    scored = sorted(
        zip(_scores(tools, wanted), range(len(tools)), strict=True), key=lambda one: (-one[0], one[1])
    )
    return tuple(tools[at] for score, at in scored if score)


def _scores(tools: Sequence[Tool], wanted: str) -> list[float]:
    """How much each tool's words are those that are wanted; rare ones among the tools count for more."""
    words = [_words(f"{tool.full_name} {tool.description}") for tool in tools]
    common = Counter(word for one in words for word in one)
    asked = _words(wanted)
    return [sum(math.log(1 + len(tools) / common[word]) for word in one & asked) for one in words]


def _words(text: str) -> set[str]:
    found = {word.casefold() for word in _WORD.findall(text) if len(word) >= SHORTEST}
    return found | {word.removesuffix("s") for word in found if len(word) > SHORTEST}
