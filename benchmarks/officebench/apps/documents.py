"""Word files, by python-docx."""

from __future__ import annotations

import importlib
from pathlib import Path

from mcp.server.mcpserver.exceptions import ToolError

from benchmarks.officebench.apps.places import existing, writable
from benchmarks.officebench.apps.printing import print_lines

ENDING = ".docx"


class Documents:
    """The tools over the Word files of a workspace."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def word_create(self, file: str) -> str:
        """Create a new, empty Word file (.docx)."""
        path = writable(self._root, file, ENDING)
        if path.exists():
            raise ToolError(f"{file!r} exists already; write to it")
        importlib.import_module("docx").Document().save(str(path))
        return f"created {file}"

    def word_read(self, file: str) -> str:
        """Read the text of a Word file."""
        return "\n".join(document_lines(existing(self._root, file))) or "(no text)"

    def word_write(self, file: str, text: str) -> str:
        """Add text at the end of a Word file, a paragraph for each line; a missing file is created."""
        path = writable(self._root, file, ENDING)
        library = importlib.import_module("docx")
        document = library.Document(str(path)) if path.is_file() else library.Document()
        for line in text.splitlines() or [""]:
            document.add_paragraph(line)
        document.save(str(path))
        return f"wrote {len(text)} letters to the end of {file}"

    def word_convert_to_pdf(self, file: str, pdf: str) -> str:
        """Print the text of a Word file into a PDF file."""
        lines = document_lines(existing(self._root, file))
        print_lines(lines, writable(self._root, pdf, ".pdf"))
        return f"printed {file} to {pdf}"


def document_lines(path: Path) -> list[str]:
    """Paragraphs and rows of tables, in their order."""
    found: list[str] = []
    for part in importlib.import_module("docx").Document(str(path)).iter_inner_content():
        if hasattr(part, "rows"):
            found += [" | ".join(str(cell.text) for cell in row.cells) for row in part.rows]
        else:
            found.append(str(part.text))
    return found
