"""Texts of many kinds: a tokenizer that reads four characters of one as a token reads one of another."""

from __future__ import annotations

import random
from collections.abc import Callable

Text = Callable[[random.Random, int], str]
"""Gives a text of that many characters."""

_WORDS = (
    "the", "model", "server", "has", "few", "slots", "and", "one", "prompt", "cache", "so", "that", "order",
    "matters", "more", "than", "width;", "over", "many", "hours", "something", "always", "dies.",
)  # fmt: skip


def _joined(piece: Callable[[random.Random], str]) -> Text:
    def text(chance: random.Random, length: int) -> str:
        made = ""
        while len(made) < length:
            made += piece(chance)
        return made[:length]

    return text


def _of(alphabet: str, longest: int) -> Text:
    """Words of random letters, for which no tokenizer was made."""
    return _joined(lambda chance: "".join(chance.choices(alphabet, k=chance.randint(1, longest))) + " ")


TEXTS: dict[str, Text] = {
    "prose": _joined(lambda chance: chance.choice(_WORDS) + " "),
    "letters": _of("abcdefghijklmnopqrstuvwxyz", 9),
    "long words": _of("abcdefghijklmnopqrstuvwxyz", 40),
    "digits": _of("0123456789", 9),
    "json": _joined(lambda chance: f'{{"id": {chance.random()}, "ok": true}}, '),
    "code": _joined(lambda chance: f"    if values[{chance.randint(0, 9)}] != before:\n"),
    "chinese": _of("模型服务器的插槽数量有限提示缓存也只有一个", 30),
    "runs": _joined(lambda _: "=" * 80 + "\n" + " " * 40),
}
