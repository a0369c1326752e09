"""PDF files and pictures: by pypdf and pypdfium2, Pillow, and Tesseract where it is installed, else RapidOCR."""

from __future__ import annotations

import importlib
import shutil
import subprocess
from pathlib import Path

from mcp.server.mcpserver.exceptions import ToolError

from benchmarks.officebench.apps.places import existing, writable

PICTURES = (".jpg", ".jpeg", ".png")
SECONDS = 60.0
DOTS = 150 / 72
"""Pixels for a point, of the picture of a page: 150 for an inch."""


class Pages:
    """The tools over the PDF files and pictures of a workspace."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def pdf_read(self, file: str) -> str:
        """Read the text of a PDF file."""
        text = pdf_text(existing(self._root, file))
        return text.strip() or "(no text, only pictures: convert it to an image and read that with ocr_read)"

    def pdf_convert_to_image(self, file: str, image: str) -> str:
        """Make an image (.jpg or .png) of the first page of a PDF file."""
        path = existing(self._root, file)
        target = writable(self._root, image, *PICTURES)
        page = importlib.import_module("pypdfium2").PdfDocument(str(path))[0]
        page.render(scale=DOTS).to_pil().convert("RGB").save(target)
        return f"made {image} of the first page of {file}"

    def pdf_convert_to_word(self, file: str, word: str) -> str:
        """Put the text of a PDF file into a new Word file (.docx)."""
        lines = pdf_text(existing(self._root, file)).splitlines()
        target = writable(self._root, word, ".docx")
        document = importlib.import_module("docx").Document()
        for line in lines:
            document.add_paragraph("".join(letter for letter in line if letter.isprintable()))
        document.save(str(target))
        return f"wrote {len(lines)} lines of {file} to {word}"

    def image_convert_to_pdf(self, image: str, pdf: str) -> str:
        """Put an image into a new PDF file."""
        path = existing(self._root, image)
        target = writable(self._root, pdf, ".pdf")
        with importlib.import_module("PIL.Image").open(path) as picture:
            picture.convert("RGB").save(target, "PDF", resolution=100.0)
        return f"put {image} into {pdf}"

    def ocr_read(self, image: str) -> str:
        """Read the text that stands in an image, line by line."""
        path = existing(self._root, image)
        if path.suffix.lower() not in PICTURES:
            raise ToolError(f"{image[:80]!r} is no image; convert a PDF file with pdf_convert_to_image first")
        return _recognized(path).strip() or "(no text was recognized)"


def pdf_text(path: Path) -> str:
    """The text of all pages."""
    reader = importlib.import_module("pypdf").PdfReader(path)
    return "\n".join(str(page.extract_text()) for page in reader.pages)


def _recognized(path: Path) -> str:
    if program := shutil.which("tesseract"):
        command = [program, str(path), "-"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        if done.returncode:
            raise ToolError(f"Tesseract can't read {path.name!r}: {done.stderr.strip()[-120:]}")
        return done.stdout
    engine = importlib.import_module("rapidocr_onnxruntime").RapidOCR(intra_op_num_threads=1)
    found: list[tuple[object, str, float]] | None = engine(str(path))[0]
    return "\n".join(line[1] for line in found or [])
