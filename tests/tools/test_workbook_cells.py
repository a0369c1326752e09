"""Cells of a workbook that hold no value: they are named, and never read as empty ones."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from swarm.errors import ToolError
from swarm.tabular.record_files import sheet_rows

WHOLE = Path(__file__).parent / "corpus" / "sheet.xlsx"


def with_cell(folder: Path, cell: str) -> Path:
    """The workbook with another second cell in its first column."""
    path = folder / "ill.xlsx"
    with zipfile.ZipFile(WHOLE) as whole, zipfile.ZipFile(path, "w") as ill:
        for part in whole.namelist():
            content = whole.read(part)
            if part.startswith("xl/worksheets/"):
                text, count = re.subn(
                    r'<c\b[^>]*\br="A2"[^>]*?(?:/>|>.*?</c>)', cell, content.decode(), count=1
                )
                assert count == 1
                content = text.encode()
            ill.writestr(part, content)
    return path


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ('<c r="A2" t="e"><v>#DIV/0!</v></c>', "cell A2 is an error"),
        ('<c t="e" r="A2"><v>#N/A</v></c>', "cell A2 is an error"),
        ('<c r="A2" t="e"><f>1/0</f><v>#DIV/0!</v></c>', "cell A2 is an error"),
        ('<c r="A2"><f>B2+1</f></c>', "cell A2 is a formula without a value"),
        ('<c r="A2"><f>B2+1</f><v></v></c>', "cell A2 is a formula without a value"),
        ('<c r="A2" s="1"><f t="shared" si="0"/><v/></c>', "cell A2 is a formula without a value"),
    ],
)
def test_a_cell_without_a_value_is_named(tmp_path: Path, cell: str, told: str) -> None:
    with pytest.raises(ToolError, match=told):
        sheet_rows(with_cell(tmp_path, cell))


def test_a_formula_with_its_value_is_read(tmp_path: Path) -> None:
    _, rows = sheet_rows(with_cell(tmp_path, '<c r="A2"><f>40+2</f><v>42</v></c>'))

    assert rows[0][0] == 42
