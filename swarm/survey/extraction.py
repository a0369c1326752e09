"""Run as a process: the text of the document on its standard input, by a library that may not be installed.

    python -P extraction.py PDF|DOCX

It imports nothing of the package, so that it starts quickly.
"""

from __future__ import annotations

import importlib
import io
import resource
import sys
from collections.abc import Iterator

MOST_BYTES = 32 * 1024 * 1024
MOST_CHARACTERS = 4_000
MOST_PAGES = 3
MEMORY_BYTES = 2 * 1024 * 1024 * 1024


def pages(data: bytes) -> Iterator[str]:
    """The texts of the first pages of a PDF file."""
    reader = importlib.import_module("pypdf").PdfReader(io.BytesIO(data))
    for number, page in enumerate(reader.pages):
        if number == MOST_PAGES:
            return
        yield str(page.extract_text())


def paragraphs(data: bytes) -> Iterator[str]:
    """The paragraphs of a DOCX file."""
    for paragraph in importlib.import_module("docx").Document(io.BytesIO(data)).paragraphs:
        yield str(paragraph.text)


def main(kind: str) -> None:
    """Prints the beginning of the text."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    data = sys.stdin.buffer.read(MOST_BYTES)
    room = MOST_CHARACTERS
    for part in pages(data) if kind == "PDF" else paragraphs(data):
        sys.stdout.buffer.write(f"{part[:room]}\n".encode("utf-8", "replace"))
        room -= len(part)
        if room <= 0:
            return


if __name__ == "__main__":
    main(sys.argv[1])
