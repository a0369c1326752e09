"""What an HTML page says."""

from __future__ import annotations

import re
from html.parser import HTMLParser


class _Words(HTMLParser):
    """The title and the words of a page, a line for each block."""

    BLOCKS = frozenset([
        "address",
        "article",
        "br",
        "dd",
        "div",
        "dt",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "li",
        "main",
        "ol",
        "p",
        "pre",
        "section",
        "tr",
        "ul",
        "title",
    ])
    MUTE = frozenset(["script", "style", "template", "svg"])

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.mute = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.mute += tag in self.MUTE
        self.said += ["\n"] * (tag in self.BLOCKS) + [" | "] * (tag in {"td", "th"})

    def handle_endtag(self, tag: str) -> None:
        self.mute -= tag in self.MUTE and self.mute > 0
        self.said += ["\n"] * (tag in self.BLOCKS)

    def handle_data(self, data: str) -> None:
        if not self.mute:
            self.said.append(re.sub(r"\s+", " ", data))


def words_of(text: str) -> str:
    """What a page says, line by line."""
    words = _Words()
    words.feed(text)
    words.close()
    lines = (" ".join(line.split()).strip(" |") for line in "".join(words.said).split("\n"))
    return "\n".join(line for line in lines if line)
