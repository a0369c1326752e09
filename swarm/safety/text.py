"""Deterministic rules on text from outside: what a person could not see is taken out."""

from __future__ import annotations

import re

HIDDEN = re.compile(
    # Terminal commands: CSI, OSC (to its terminator) and two-byte escapes (ECMA-48, section 5).
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]"
    # Control characters but tab and line ends; a carriage return only before its line feed.
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\r(?!\n)"
    # Soft hyphen, zero width space, direction marks and overrides, invisible operators, BOM
    # (Unicode Technical Report 36, section 2.10; Trojan Source, CVE-2021-42574).
    r"|[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
    # Tag characters and variation selectors carry hidden ASCII; FE0F, the emoji one, carries none.
    r"|[\ufe00-\ufe0e\U000e0000-\U000e01ef]"
    # Zero width joiners belong between letters of other scripts and in emoji, one at a time.
    r"|(?<![^\x00-\x7f\u200c\u200d])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f\u200c\u200d])"
)


def clean(text: str) -> str:
    """The text without hidden characters: control codes, zero-width and direction marks, tags.

    Visible text, tabs and line ends stay as they are.
    """
    # Most text is a line of plain letters, and this test costs a tenth of the pattern.
    if text.isascii() and text.isprintable():
        return text
    return HIDDEN.sub("", text)
