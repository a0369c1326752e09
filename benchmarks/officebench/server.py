"""The MCP server ``office``: calendars, mails, Excel, Word and PDF files, pictures, below one folder.

    python -P server.py FOLDER

It has the operations of the set's own apps under our names, and two things that they have not: a whole row
is written at once, and an event may have a place and a description. Left out are the shell, the
questions to another model, the clipboard and the switching between apps. It runs in the proof's own
virtual environment, which has the libraries that read and write these files.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations

# ``python -P`` leaves a script's own folder out, for its neighbours not to shadow the standard library.
sys.path.append(str(Path(__file__).resolve().parents[2]))
from benchmarks.officebench.apps.books import Books
from benchmarks.officebench.apps.calendars import Calendars
from benchmarks.officebench.apps.documents import Documents
from benchmarks.officebench.apps.mails import Mails
from benchmarks.officebench.apps.pages import Pages

NOTES = "Calendars, mails, Excel, Word and PDF files and images. Paths are relative, as data/score.xlsx."
READS = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
REPLACES = ToolAnnotations(read_only_hint=False, idempotent_hint=True, destructive_hint=True)
ADDS = ToolAnnotations(read_only_hint=False, idempotent_hint=False, destructive_hint=False)
DELETES = ToolAnnotations(read_only_hint=False, idempotent_hint=False, destructive_hint=True)

Act = Callable[..., str]


def build(root: Path) -> MCPServer:
    """The server over a folder."""
    made = MCPServer("office", version="1", instructions=NOTES, log_level="WARNING")
    calendars, mails, books = Calendars(root), Mails(root), Books(root)
    documents, pages = Documents(root), Pages(root)
    given: dict[Act, ToolAnnotations] = {
        calendars.calendar_list_events: READS,
        calendars.calendar_create_event: ADDS,
        calendars.calendar_delete_event: DELETES,
        mails.email_list: READS,
        mails.email_read: READS,
        mails.email_send: REPLACES,
        books.excel_create: ADDS,
        books.excel_read: READS,
        books.excel_set_cell: REPLACES,
        books.excel_write_row: REPLACES,
        books.excel_delete_cell: REPLACES,
        books.excel_convert_to_pdf: REPLACES,
        documents.word_create: ADDS,
        documents.word_read: READS,
        documents.word_write: ADDS,
        documents.word_convert_to_pdf: REPLACES,
        pages.pdf_read: READS,
        pages.pdf_convert_to_image: REPLACES,
        pages.pdf_convert_to_word: REPLACES,
        pages.image_convert_to_pdf: REPLACES,
        pages.ocr_read: READS,
    }
    for act, hints in given.items():
        made.add_tool(_told(act), annotations=hints, structured_output=False)
    return made


def _told(act: Act) -> Act:
    """The tool, whose failures are told in words whatever library they come from."""

    @functools.wraps(act)
    def call(*args: object, **kwargs: object) -> str:
        try:
            return act(*args, **kwargs)
        except ToolError:
            raise
        except Exception as error:  # whatever a library says of a file
            raise ToolError(f"{type(error).__name__}: {str(error)[:200]}") from error

    return call


if __name__ == "__main__":
    build(Path(sys.argv[1])).run()
