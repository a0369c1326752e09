"""How figures and foreign text are worded for a screen."""

from __future__ import annotations

import unicodedata

from rich.cells import cell_len, set_cell_size


def printable(text: str) -> str:
    """The text without what a terminal would obey: escape sequences, direction marks, bells.

    Models and tools write what is shown, so none of it may steer the terminal. Line ends and tabs stay.
    """
    return "".join(sign for sign in text if sign in "\n\t" or not _steers(sign))


def _steers(sign: str) -> bool:
    return unicodedata.category(sign) in {"Cc", "Cf", "Cs"}


def one_line(text: str, width: int) -> str:
    """The text on one line of at most ``width`` columns, an ellipsis where it is cut."""
    # Only a beginning is looked at: a result may be a book, and this is called at every redraw.
    start = text[: 4 * width + 40]
    return cut(" ".join(printable(start).split()) + ("…" if len(start) < len(text) else ""), width)


def cut(line: str, width: int) -> str:
    """The line in at most ``width`` columns, an ellipsis where it is cut."""
    return line if cell_len(line) <= width else set_cell_size(line, width - 1) + "…"


def count(number: int) -> str:
    """A count in at most five characters: ``950``, ``12.3k``, ``1.20M``."""
    if number < 1_000:
        return str(number)
    if number < 100_000:
        return f"{number / 1_000:.1f}k"
    if number < 1_000_000:
        return f"{number // 1_000}k"
    return f"{number / 1_000_000:.2f}M"


def duration(seconds: float) -> str:
    """A span of time: ``4.2s``, ``1:05``, ``2:03:09``."""
    if seconds < 10:
        return f"{max(seconds, 0.0):.1f}s"
    if seconds < 60:
        return f"{seconds:.0f}s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
