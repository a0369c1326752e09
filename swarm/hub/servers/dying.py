"""What a program said last, as far as it tells why it ended."""

from __future__ import annotations

import re

WORD = re.compile(r"[^\W\d_]{2}")
FAREWELL = re.compile(
    r"Node\.js v\d|A complete log of this run|Note that you can also install|or tarball|at .+:\d+:\d+\)?$"
    r"|npm (?:error|ERR!) (?:code|path|errno|syscall)\b|For further information|note: run with|[}\])]",
    re.IGNORECASE,
)
"""How lines begin that a runtime ends with and that say nothing of the cause."""
NAMED = re.compile(
    r"(?:\w+\.)*\w*(?:Error|Exception|Exit|Warning)\b(?: \[\w+\])?:"
    r"|(?:error|fatal|panic|npm error|npm ERR!)\b",
    re.IGNORECASE,
)
"""How lines begin that name an error, as Python, Node, Rust, Go and npm write them."""
EDGES = " \t│|╭╰╮╯─+"
"""What frames a text in a terminal."""


def telling(text: str) -> str:
    """The line that names the error, the last of them; else the last one that has words; empty without."""
    lines = [line.strip(EDGES) for line in text.splitlines()]
    said = [line for line in lines if WORD.search(line)]
    news = [line for line in said if not FAREWELL.match(line)]
    named = [line for line in news if NAMED.match(line)]
    found = named or news or said
    return found[-1] if found else ""
