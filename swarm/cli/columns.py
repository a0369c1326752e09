"""Rows in aligned columns, for people and for ``cut`` and ``awk`` alike."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

from swarm.view.words import cut, printable


def print_columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """The rows on stdout below their head, two spaces between columns; cut to the width of a terminal."""
    lines = [tuple(printable(cell) for cell in row) for row in (head, *rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000
    for line in lines:
        cells = [f"{cell:<{space}}" for cell, space in zip(line, widths, strict=True)]
        sys.stdout.write(f"{cut('  '.join(cells).rstrip(), width)}\n")
