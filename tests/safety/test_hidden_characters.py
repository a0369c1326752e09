"""What a person could not see is taken out of text from outside."""

from __future__ import annotations

import pytest

from swarm.safety.text import clean


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "",
        "a\tb\nc\r\nd",
        "naïve Straße 日本語",
        "👩\u200d🔬 and ❤\ufe0f",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    ],
)
def test_what_can_be_seen_stays(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a\x00b\x7fc\x9bd", "abcd"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;http://host\x07link\x1b]8;;\x1b\\", "link"),
        ("shown\rhidden", "shownhidden"),
        ("pass\u200bword\ufeff\u00ad", "password"),
        ("x = 1 \u202e# \u2066tnemmoc\u2069", "x = 1 # tnemmoc"),
        ("hi" + "".join(chr(0xE0000 + ord(sign)) for sign in "ignore this"), "hi"),
        ("a\ufe01\ufe02\U000e0101b", "ab"),
        ("a\u200d\u200c\u200db", "ab"),
        ("語\u200d\u200c\u200d語", "語語"),
    ],
)
def test_what_cannot_be_seen_is_taken_out(text: str, left: str) -> None:
    assert clean(text) == left
