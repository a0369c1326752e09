"""Workbooks: XLSX files, by openpyxl; their first shown sheet, as the set's own app has it."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

from mcp.server.mcpserver.exceptions import ToolError

from benchmarks.officebench.apps.places import existing, inside, writable
from benchmarks.officebench.apps.printing import print_rows

ENDING = ".xlsx"
NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,12})?")
Cell = str | int | float


class Books:
    """The tools over the workbooks of a workspace."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def excel_create(self, file: str) -> str:
        """Create a new, empty Excel file (.xlsx)."""
        path = writable(self._root, file, ENDING)
        if path.exists():
            raise ToolError(f"{file!r} exists already; write its cells")
        importlib.import_module("openpyxl").Workbook().save(path)
        return f"created {file}"

    def excel_read(self, file: str) -> str:
        """Read an Excel file: each cell as (row, column) value, counted from 1; row 1 has the headers."""
        rows = sheet_rows(existing(self._root, file))
        lines = ["\t".join(f"({row}, {column}) {value}" for row, column, value in cells) for cells in rows]
        return "\n".join(line for line in lines if line) or "(no cells)"

    def excel_set_cell(self, file: str, row: int, column: int, value: Cell) -> str:
        """Write one cell of an Excel file; rows and columns count from 1."""
        return self._change(file, row, column, [value])

    def excel_write_row(self, file: str, row: int, values: list[Cell]) -> str:
        """Write a whole row of an Excel file, from column 1 on; rows count from 1."""
        return self._change(file, row, 1, values)

    def excel_delete_cell(self, file: str, row: int, column: int) -> str:
        """Empty one cell of an Excel file; rows and columns count from 1."""
        return self._change(file, row, column, [None])

    def excel_convert_to_pdf(self, file: str, pdf: str) -> str:
        """Print the table of an Excel file into a PDF file."""
        rows = sheet_rows(existing(self._root, file))
        target = writable(self._root, pdf, ".pdf")
        print_rows([[str(value) for _, _, value in cells] for cells in rows], target)
        return f"printed {file} to {pdf}"

    def _change(self, file: str, row: int, column: int, values: list[Any]) -> str:
        if row < 1 or column < 1 or row > 100_000 or column + len(values) > 1_000:
            raise ToolError(f"row {row}, column {column} can't be written; both count from 1")
        path = inside(self._root, file)
        if path.suffix.lower() != ENDING or not path.is_file():
            raise ToolError(f"there is no Excel file {file[:80]!r}; create it first with excel_create")
        book = importlib.import_module("openpyxl").load_workbook(path)
        for place, value in enumerate(values, column):
            cell = book.active.cell(row=row, column=place)
            cell.value = as_typed(value)
        book.save(path)
        what = "emptied" if values == [None] else f"wrote {', '.join(map(str, values))[:80]!r} to"
        return f"{what} row {row}, column {column} of {file}"


def as_typed(value: Cell | None) -> Cell | None:
    """A value as a person's typing it into a cell has it: digits are a number, nothing is empty."""
    if not isinstance(value, str):
        return value
    if NUMBER.fullmatch(value):
        return float(value) if "." in value else int(value)
    return value or None


def sheet_rows(path: Path) -> list[list[tuple[int, int, Any]]]:
    """The cells with something in them, by rows: row, column, value."""
    sheet = importlib.import_module("openpyxl").load_workbook(path).active
    return [[(c.row, c.column, c.value) for c in row if c.value is not None] for row in sheet.iter_rows()]
