"""The signs of the picture, and how a row ends: its words cut to fit, its figures at the right."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from swarm.nouns.limits import Usage
from swarm.view.state import Stage
from swarm.view.words import count, duration, one_line

LOOKS: dict[Stage, tuple[str, str]] = {
    "done": ("✓", "green"),
    "degraded": ("!", "yellow"),
    "failed": ("✗", "red"),
    "skipped": ("↷", "yellow"),
    "dropped": ("-", "dim"),
    "unfinished": ("…", "dim"),
    "acting": ("▶", "magenta"),
    "thinking": ("●", "cyan"),
    "waiting": ("·", "dim"),
}
"""The sign and the style of each stage, in the order in which steps without a row are counted."""
AGAIN = ("↻", "yellow")
"""The same of a sub-agent that waits for another try, or for a person."""
_TIME_FROM = 60
"""Columns from which on times are shown."""
_TOKENS_FROM = 90
"""Columns from which on tokens are."""
_MOST = 140
"""Columns beyond which figures stand too far from what they are of."""
_LEAST_WORDS = 8
"""Columns below which words tell nothing."""


def figures_of(usage: Usage, started: float | None, ended: float, width: int) -> str:
    """Tokens and time, in columns of their own; empty where a screen of that width has no room for them."""
    if width < _TIME_FROM:
        return ""
    time = f"{duration(ended - started) if started is not None else '':>8}"
    if width < _TOKENS_FROM:
        return time
    tokens = f"{count(usage.prompt_tokens)}→{count(usage.written_tokens)}" if usage.model_calls else ""
    return f"{tokens:>12} {time}"


def tail(row: Text, words: str, figures: str, width: int, style: str = "") -> Text:
    """The row with its words, as far as they fit, and its figures at the right."""
    room = min(width, _MOST) - row.cell_len - cell_len(figures) - 2
    if room >= min(_LEAST_WORDS, cell_len(words)):
        row.append(f"  {set_cell_size(one_line(words, room), room)}", style)
    else:
        row.append(" " * max(room + 2, 0))
    row.append(figures, "dim")
    return row
