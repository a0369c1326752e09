"""How numbers are written in texts: those that SQL reads exactly, and those that only a person does."""

from __future__ import annotations

import re

PLAIN = re.compile(r"\s*[+-]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
CODE = re.compile(r"\s*[+-]?0\d+(\.\d+)?\s*")
LOOKS = re.compile(
    r"\s*[-+(]?\s*([$€£¥]|[A-Z]{3}\s)?\s*(0|[1-9]\d{0,2}([.,'  \u202f]\d{3})+|[1-9]\d*)?([.,]\d+)?"
    r"\s*\)?\s*(%|[$€£¥]|[A-Z]{3})?\s*"
)
"""What a person reads as a number, though SQL may not: grouped digits, a decimal comma, a currency."""


def is_plain(text: str) -> bool:
    """Whether SQL makes exactly that number of a text; a code that begins with 0 is none."""
    return PLAIN.fullmatch(text) is not None


def looks_like_number(text: str) -> bool:
    """Whether a person reads a number."""
    return is_plain(text) or (bool(LOOKS.fullmatch(text)) and any(character.isdigit() for character in text))


def exact(text: str, *, code: bool = False) -> int | float | None:
    """The number that a text is, with ``code`` also one that begins with 0; None where it is no number."""
    if not is_plain(text) and not (code and CODE.fullmatch(text)):
        return None
    try:
        return int(text)
    except ValueError:
        return float(text)


def no_number(text: str, by: str) -> str:
    """Why a statement ended at a text."""
    shown = f"{text[:60]!r}{'…' * (len(text) > 60)}"
    return (
        f"{by}: the text {shown} is no number, and SQL would make another value of it; "
        "leave such rows out with WHERE, or take out what is no digit: CAST(REPLACE(column, ',', '') AS REAL)"
    )
