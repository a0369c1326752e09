"""Whether a task names a value that stands in a table."""

from __future__ import annotations

import re

LEAST_LETTERS = 4
"""Of a value that is looked for in whatever case: shorter ones, as ``in`` and ``no``, are words of any sentence."""


def is_named(task: str, value: str) -> bool:
    """Whether a task names a value, in the singular or the plural; a short one as it is written, and a short one in
    small letters between quotes alone."""
    word = re.escape(value)
    if re.search(rf"['\"`\u201c\u201e\u00ab]{word}['\"`\u201d\u201c\u00bb]", task, re.IGNORECASE):
        return True
    if len(value) >= LEAST_LETTERS:
        stem = re.escape(value.removesuffix("s"))
        return re.search(rf"(?<![\w-]){stem}s?(?![\w-])", task, re.IGNORECASE) is not None
    return value != value.lower() and re.search(rf"(?<![\w-]){word}(?![\w-])", task) is not None
