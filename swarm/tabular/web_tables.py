"""Tables in web pages: the cells of each ``<table>`` as texts, each in the column that it stands in.

It is small and strict: what would put a value into a wrong column or count it twice is refused by its place.
Elements and attributes are those of the HTML Living Standard, section 4.9.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import takewhile
from pathlib import Path

from swarm.errors import ToolError
from swarm.tabular.encoding import decoded
from swarm.tabular.number_spelling import spelling_of

MOST_BYTES = 16 * 1024 * 1024
MOST_SPAN = 1_000
"""Columns or rows of one cell; the standard has 1,000 columns."""
_CHARSET = re.compile(rb"<meta[^>]{0,200}\bcharset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_HEAD_BYTES = 1_024
"""Where a page says its encoding (section 4.2.5.4)."""
_MUTE = frozenset({"script", "style", "template", "textarea", "select"})
_BREAKS = frozenset([
    "br",
    "p",
    "div",
    "li",
    "ul",
    "ol",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "dd",
    "dt",
    "section",
    "article",
    "pre",
])


@dataclass
class _Cell:
    is_name: bool
    columns: int
    rows: int
    said: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        return " ".join("".join(self.said).split())


@dataclass
class _OpenTable:
    rows: list[list[_Cell]] = field(default_factory=list[list[_Cell]])
    named: int = 0
    """How many of the first rows stand in a ``<thead>``."""
    cell: _Cell | None = None
    is_in_head: bool = False
    is_nested: bool = False
    """Whether it holds another table."""


@dataclass(frozen=True)
class PageTable:
    """A table of a page: the names of its columns, and its rows, each as wide as these."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class _PageReader(HTMLParser):
    """The tables of a page, in the order in which they begin."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[_OpenTable] = []
        self.open: list[_OpenTable] = []
        self.mute = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _MUTE:
            self.mute += 1
        elif tag == "table":
            for outer in self.open:
                outer.is_nested = True
            self.open.append(_OpenTable())
            self.tables.append(self.open[-1])
        elif self.open:
            self._within(self.open[-1], tag, dict(attrs))

    def _within(self, table: _OpenTable, tag: str, attributes: dict[str, str | None]) -> None:
        if tag in {"thead", "tbody", "tfoot", "tr", "td", "th", "caption"}:
            table.cell = None
        if tag in {"thead", "tbody", "tfoot"}:
            table.is_in_head = tag == "thead"
        elif tag == "tr":
            table.rows.append([])
            table.named += table.is_in_head
        elif tag in {"td", "th"}:
            if not table.rows:
                table.rows.append([])
            table.cell = _Cell(tag == "th", _span(attributes, "colspan"), _span(attributes, "rowspan"))
            table.rows[-1].append(table.cell)
        elif tag in _BREAKS and table.cell is not None:
            table.cell.said.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _MUTE:
            self.mute = max(0, self.mute - 1)
        elif tag == "table" and self.open:
            self.open.pop()
        elif self.open and tag in {"td", "th", "tr", "thead", "tbody", "tfoot", "caption"}:
            self.open[-1].cell = None
            self.open[-1].is_in_head = self.open[-1].is_in_head and tag != "thead"
        elif self.open and tag in _BREAKS and self.open[-1].cell is not None:
            self.open[-1].cell.said.append(" ")

    def handle_data(self, data: str) -> None:
        if not self.mute and self.open and self.open[-1].cell is not None:
            self.open[-1].cell.said.append(data)


def _span(attributes: dict[str, str | None], name: str) -> int:
    """How many columns or rows a cell takes; 0 for all rows that are left, and 1 where nothing valid is said."""
    said = re.match(r"\s*(\d+)", attributes.get(name) or "")
    number = int(said[1]) if said and len(said[1]) < 9 else 1
    return number if number or name == "rowspan" else 1


def page_tables(path: Path) -> list[PageTable | ToolError]:
    """The tables of a page, in their order; for one that can't be used, why. A lone cell, row or column
    without names is layout and no table.

    Raises:
        ToolError: it is no text, or it ends within a table.
        OSError: it cannot be read.
    """
    if b"<table" not in path.read_bytes().lower():
        return []
    reader = _PageReader()
    reader.feed(_text(path))
    reader.close()
    if reader.open:
        raise ToolError("it ends within a table, so it was cut off; get the whole page")
    found: list[PageTable | ToolError] = []
    for table in reader.tables:
        try:
            if (one := _read(table)) is not None:
                found.append(one)
        except ToolError as error:
            found.append(error)
    return found


def _text(path: Path) -> str:
    """The text of a page: as its bytes show, else in the encoding that it says it is in."""
    try:
        return decoded(path)
    except ToolError:
        data = path.read_bytes()
        said = _CHARSET.search(data[:_HEAD_BYTES])
        if said is None:
            raise
        try:
            return data.decode(_codec(said[1].decode("ascii")))
        except (LookupError, UnicodeError):
            raise ToolError(
                f"it says that it is {said[1].decode('ascii')!r} and is not; save it as UTF-8"
            ) from None


def _codec(label: str) -> str:
    """The codec that a label of the web means: Latin-1 and ASCII are windows-1252 (Encoding Standard, 4.2)."""
    return "cp1252" if label.lower() in {"iso-8859-1", "latin1", "us-ascii", "ascii"} else label


def _read(table: _OpenTable) -> PageTable | None:
    rows = [row for row in table.rows if row]
    named = sum(1 for _ in takewhile(lambda row: all(cell.is_name for cell in row), rows))
    named = max(named, min(table.named, len(rows)))
    width = max((sum(cell.columns for cell in row) for row in rows), default=0)
    if not named and (len(rows) < 2 or width < 2):
        return None
    if table.is_nested:
        raise ToolError("a cell of it holds another table, so it is layout, or no plain table")
    if width > MOST_SPAN:
        raise ToolError(f"it has over {MOST_SPAN:,} columns")
    grid = _grid(rows, max(named, 1))
    head, body = grid[: max(named, 1)], grid[max(named, 1) :]
    header = [" ".join(dict.fromkeys(text for text in column if text)) for column in zip(*head, strict=True)]
    if not named:
        _refuse_data(header, body)
    kept = [tuple(row) for row in body if any(row)]
    return PageTable(tuple(header), tuple(kept))


def _grid(rows: Sequence[Sequence[_Cell]], named: int) -> list[list[str]]:
    """The texts by row and column, cells over several of them put into each.

    Raises:
        ToolError: a value would be counted twice, or a row is of another width.
    """
    grid: list[list[str]] = []
    below: dict[int, tuple[int, str]] = {}
    """By column, for how many more rows a cell of a row above goes on, and its text."""
    for number, row in enumerate(rows):
        is_name = number < named
        line: list[str] = []
        for cell in row:
            _carry(line, below)
            _refuse_double(cell, number, is_name=is_name)
            left = (named if is_name else len(rows)) - number
            for _ in range(cell.columns):
                if cell.rows != 1:
                    below[len(line)] = (min(cell.rows or left, left) - 1, cell.text)
                line.append(cell.text)
        _carry(line, below)
        if grid and len(line) != len(grid[0]):
            cells = f"{len(line)} cell{'s' * (len(line) != 1)}"
            raise ToolError(f"row {number + 1} of it has {cells}, the line of names has {len(grid[0])}")
        grid.append(line)
    return grid


def _carry(line: list[str], below: dict[int, tuple[int, str]]) -> None:
    """Goes on with the cells of rows above that reach into this row at its next columns."""
    while below.get(len(line), (0, ""))[0] > 0:
        left, text = below[len(line)]
        below[len(line)] = (left - 1, text)
        line.append(text)


def _refuse_double(cell: _Cell, number: int, *, is_name: bool) -> None:
    if is_name:
        return
    if cell.columns > 1:
        raise ToolError(f"row {number + 1} of it has a cell over {cell.columns} columns ({cell.text[:40]!r})")
    if cell.rows != 1 and spelling_of([cell.text]) is not None:
        raise ToolError(
            f"row {number + 1} of it has a number over several rows ({cell.text[:40]!r}), which a sum would "
            "count for each of them"
        )


def _refuse_data(header: Sequence[str], body: Sequence[Sequence[str]]) -> None:
    """Refuses a first row of plain cells that holds numbers where the others do."""
    for name, *cells in zip(header, *body, strict=True):
        if spelling_of([name]) is not None and spelling_of([cell for cell in cells if cell]) is not None:
            raise ToolError(
                f"its first row looks like data ({', '.join(header)[:60]!r}), and it has no row of names (<th>)"
            )
