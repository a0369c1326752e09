"""How large a regular expression becomes: its counted repeats are written out when it is compiled."""

from __future__ import annotations

import re

MOST_CHARACTERS, MOST_STEPS = 1_000, 20_000
"""Of a pattern, and of what it is compiled to: about 6 MB (``regex`` 2025.9 takes some 300 bytes a step)."""
TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?#[^)]*\)|\{(\d*)(?:,(\d*))?\}|.", re.DOTALL)
REREAD = re.compile(r"(?<!\\)\(\?[a-zA-Z]*(?:x|V1)")
"""Flags under which brackets, spaces and ``#`` mean something else."""


def check(pattern: str) -> None:
    """Nothing where a pattern may be compiled.

    Raises:
        ValueError: it would take too much memory, or that cannot be told.
    """
    if len(pattern) > MOST_CHARACTERS:
        raise ValueError(f"a regular expression has at most {MOST_CHARACTERS} characters here")
    if REREAD.search(pattern):
        raise ValueError("the flags x and V1 are not used here; write the pattern without them")
    if (steps := steps_of(pattern)) > MOST_STEPS:
        raise ValueError(
            f"its counted repeats make {min(steps, 10**9):,} steps or more, over {MOST_STEPS}; use smaller counts, or * and +"
        )


def steps_of(pattern: str) -> int:
    """The steps of a pattern, what is counted taken as often as it may be."""
    done, last = [0], [0]
    for token in TOKEN.finditer(pattern):
        if token[0].startswith("(?#"):
            continue
        counts = [int(count) for count in token.groups() if count]
        if token[0] == "(":
            done.append(0)
            last.append(0)
        elif token[0] == ")" and len(done) > 1:
            inner = done.pop() + last.pop()
            done[-1] += last[-1]
            last[-1] = inner
        elif counts:
            last[-1] *= max(1, *counts)
        else:
            done[-1] += last[-1]
            last[-1] = 1
    return sum(done) + sum(last)
