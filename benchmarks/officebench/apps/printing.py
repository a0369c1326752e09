"""Printing paragraphs and tables into PDF files, by reportlab."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from html import escape
from pathlib import Path

FONT = "Vera"
"""Comes with reportlab, and has the letters of Western languages."""


def print_lines(lines: Sequence[str], target: Path) -> None:
    """A PDF file of these paragraphs."""
    _print([("text", [line]) for line in lines], target)


def print_rows(rows: Sequence[Sequence[str]], target: Path) -> None:
    """A PDF file with a line for each row, its cells with spaces between."""
    _print([("row", row) for row in rows], target)


def _print(parts: Sequence[tuple[str, Sequence[str]]], target: Path) -> None:
    plat = importlib.import_module("reportlab.platypus")
    metrics = importlib.import_module("reportlab.pdfbase.pdfmetrics")
    fonts = importlib.import_module("reportlab.pdfbase.ttfonts")
    style = importlib.import_module("reportlab.lib.styles").ParagraphStyle("plain", fontName=FONT, leading=14)
    metrics.registerFont(fonts.TTFont(FONT, "Vera.ttf"))
    between = {"text": " ", "row": "&nbsp;&nbsp; "}
    flow = [
        plat.Paragraph(between[kind].join(escape(text) for text in texts) or "&nbsp;", style)
        for kind, texts in parts
    ]
    plat.SimpleDocTemplate(str(target)).build(flow or [plat.Paragraph("&nbsp;", style)])
