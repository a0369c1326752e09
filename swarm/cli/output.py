"""What commands print: lines, aligned columns, findings, and how sizes and times are worded."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime

TAKES_NO_MORE = "standard output takes no more"


def print_line(text: str) -> None:
    """One line, or a text, on stdout, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def print_columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """The rows on stdout below their head, two spaces between columns; cut to the width of a terminal."""
    from swarm.view.words import cut, printable

    lines = [tuple(printable(cell) for cell in row) for row in (head, *rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    for line in lines:
        cells = [f"{cell:<{space}}" for cell, space in zip(line, widths, strict=True)]
        sys.stdout.write(f"{cut('  '.join(cells).rstrip(), width())}\n")


def print_finding(what: str, words: str, *, is_gap: bool) -> None:
    """One thing that was looked at, marked where something is wrong with it."""
    from swarm.view.words import printable

    print_line(f"{'GAP' if is_gap else 'ok '}  {what:<9} {printable(' '.join(words.split()))}")


def width() -> int:
    """Columns of the terminal; more than enough where stdout is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000


def json_words(content: Mapping[str, object]) -> str:
    """The content as one line of JSON."""
    return json.dumps(content, ensure_ascii=False)


def size_words(size_bytes: int) -> str:
    """A size as people read it: ``812 kB``, ``16.4 MB``."""
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 1e6 else f"{size_bytes / 1e3:.0f} kB"


def time_words(seconds: float) -> str:
    """A time since 1970 as the clock on the wall shows it, to the second."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")
