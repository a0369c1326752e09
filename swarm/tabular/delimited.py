"""Text files with separated cells (CSV, TSV): which separator, which line has the names, and all cells.

What a file means must be plain: all lines have as many cells as the line of names. Where they have not,
or where two separators would both do, the file is refused with the line.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from swarm.errors import ToolError
from swarm.tabular.encoding import decoded, encoding_of_head
from swarm.tabular.number_spelling import spelling_of

SEPARATORS = (",", ";", "\t", "|")
HEAD_BYTES = 1 << 16
"""How much of a file is looked at to see how it is written."""
CELL_CHARACTERS = 16_000_000
"""The longest cell that is read."""
MOST_TITLES = 20
REMARK = "#"
"""Begins a line that is no row, where it has not as many cells as one."""
_UNSURE = "some lines that begin with # have as many cells as a row and others not, so that they may be rows or remarks"
_SEP_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_TOTAL = re.compile(
    r"(grand |sub ?)?totals?|sums?|summe|gesamt(summe)?|insgesamt|somme|totale|totaal|suma|razem|celkem|итого|всего",
    re.IGNORECASE,
)
_TOTAL_OF = re.compile(rf"(?:{_TOTAL.pattern})\b.*", re.IGNORECASE | re.DOTALL)
_YEAR = re.compile(r"(19|20)\d\d")
_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?")

Record = list[str]


@dataclass(frozen=True)
class Dialect:
    """How a file is written."""

    encoding: str
    separator: str
    skipped: int
    """Lines before the line of names."""
    header: tuple[str, ...]
    """The cells of the line of names."""
    sample: tuple[tuple[str, ...], ...]
    """The first rows."""
    is_whole: bool
    """Whether the sample is all there is."""
    has_bare_returns: bool = False
    """Whether a line of the beginning ends with ``\\r`` alone."""


def sniffed(path: Path) -> Dialect:
    """How the file is written, by its beginning.

    Raises:
        ToolError: it is empty, no text, or its lines are of no one width; says which line.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES + 1)
    is_whole = len(head) <= HEAD_BYTES
    name = encoding_of_head(head, is_whole=is_whole)
    text = _text_of(head, name, is_whole=is_whole)
    dialect = _dialect(text, name, path.suffix.lower(), is_whole=is_whole)
    return replace(dialect, has_bare_returns="\r" in text.replace("\r\n", ""))


def read(path: Path) -> tuple[Dialect, list[Record]]:
    """How the file is written, and its rows, each as wide as the header.

    Raises:
        ToolError: it is no table of one width, or not all of it is text; says where.
        OSError: it cannot be read.
    """
    dialect = sniffed(path)
    rows = [list(row) for row in dialect.sample]
    if not dialect.is_whole:
        text = io.StringIO(decoded(path), newline="")
        for _ in range(dialect.skipped):
            text.readline()
        found = _fitting(text.read(), dialect.separator, is_whole=True)
        if isinstance(found, str):
            raise ToolError(found)
        rows = [list(row) for row in found[2]]
    refuse_total(rows)
    return dialect, rows


def _text_of(head: bytes, name: str, *, is_whole: bool) -> str:
    try:
        text = codecs.getincrementaldecoder(name)().decode(head, final=is_whole)
    except UnicodeError as error:
        raise ToolError(f"it is no valid {name.upper()}; save it as UTF-8") from error
    return text if is_whole else text[: max(text.rfind("\n"), text.rfind("\r")) + 1]


def _dialect(text: str, encoding: str, suffix: str, *, is_whole: bool) -> Dialect:
    if not text.strip():
        raise ToolError("it is empty" if is_whole else "its first line is too long to be one of names")
    lines = io.StringIO(text, newline="")
    first = lines.readline()
    said = _SEP_LINE.fullmatch(first.strip("\r\n"))
    if said:
        found = _fitting(text[len(first) :], said[1], is_whole=is_whole)
        if isinstance(found, str):
            raise ToolError(found)
        return _checked(Dialect(encoding, said[1], found[0] + 1, *found[1:], is_whole))
    separators = ("\t", ",", ";", "|") if suffix == ".tsv" else SEPARATORS
    # A sign that never comes separates nothing; of one column alone any would do.
    likely = [sign for sign in separators if sign in text] or [separators[0]]
    tried = {sign: _fitting(text, sign, is_whole=is_whole) for sign in likely}
    fits = {sign: found for sign, found in tried.items() if not isinstance(found, str)}
    wide = {sign: found for sign, found in fits.items() if len(found[1]) > 1}
    if suffix == ".tsv" and "\t" in wide:
        wide = {"\t": wide["\t"]}
    sign = _chosen(wide or fits, tried, text)
    return _checked(Dialect(encoding, sign, *(wide or fits)[sign], is_whole))


Found = tuple[int, tuple[str, ...], tuple[tuple[str, ...], ...]]


def _chosen(fits: dict[str, Found], tried: dict[str, Found | str], text: str) -> str:
    """The separator that all lines agree on."""
    if not fits:
        counts = {sign: text[:10_000].count(sign) for sign in tried}
        likely = max(counts, key=lambda sign: counts[sign])
        raise ToolError(str(tried[likely]))
    if len(fits) == 1:
        return next(iter(fits))
    if all(len(found[1]) == 1 for found in fits.values()):
        return ","
    # A separator within the names of another's columns is no separator of theirs.
    clean = [
        sign for sign, found in fits.items() if not any(o in n for o in fits if o != sign for n in found[1])
    ]
    if len(clean) == 1:
        return clean[0]
    shown = " and ".join(repr(sign) for sign in fits)
    raise ToolError(
        f"its cells may be separated by {shown}; write 'sep=;' with the right one as its first line"
    )


def _fitting(text: str, separator: str, *, is_whole: bool) -> Found | str:
    """Lines to skip, the header and the rows under a separator; in words why it does not fit."""
    csv.field_size_limit(CELL_CHARACTERS)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    records: list[tuple[int, Record]] = []
    before = 0
    try:
        for record in reader:
            if any(cell.strip() for cell in record):
                records.append((before, record))
            before = reader.line_num
    except csv.Error as error:
        if is_whole or "end of data" not in str(error):
            return f"line {before + 1}: {_reason(error)}"
    if not records:
        return "it is empty"
    start = _first_of_table(records)
    skipped, header = records[start]
    header = _without_spare(header, records[start + 1 :])
    rows: list[tuple[str, ...]] = []
    has_remarks = False
    for line, record in records[start + 1 :]:
        if not _is_wide(record, len(header)):
            if _is_remark(record) and len(header) > 1:
                has_remarks = True
                continue
            cells = f"{len(record)} cell{'s' * (len(record) != 1)}"
            return f"line {line + 1} has {cells}, the line of names has {len(header)}"
        rows.append(tuple(cell.strip() for cell in record[: len(header)]))
    if has_remarks and any(row[0].startswith(REMARK) for row in rows):
        return _UNSURE
    return skipped, tuple(cell.strip() for cell in header), tuple(rows)


def _is_remark(record: Record) -> bool:
    """Whether a line is a remark: ``# and words``, or one piece. ``#4711,Ann`` is a row that lacks a cell."""
    return record[0].startswith(REMARK) and (len(record) == 1 or record[0][1:2] in {"", " ", "\t", REMARK})


def _is_wide(record: Record, width: int) -> bool:
    """Whether a record has a cell for each name, and no text behind these."""
    return len(record) >= width and not any(cell.strip() for cell in record[width:])


def _reason(error: csv.Error) -> str:
    text = str(error)
    if "field limit" in text:
        return f"a cell of over {CELL_CHARACTERS:,} characters"
    if "end of data" in text:
        return "a quote is opened and never closed"
    return "text stands behind a closing quote" if "expected after" in text else text


def _first_of_table(records: Sequence[tuple[int, Record]]) -> int:
    """The first record that is as wide as those below it: what stands above it is a title."""
    widths = [len(record) for _, record in records]
    width = max(widths)
    start = next(n for n, found in enumerate(widths) if found > 1 or width == 1)
    titles = [record for _, record in records[:start]]
    if width == 1:
        return next((n for n, (_, record) in enumerate(records) if not record[0].startswith("#")), 0)
    while start < len(records) - 1 and records[start][1][0].startswith("#") and widths[start] != width:
        start += 1
    if start > MOST_TITLES or (titles and start == len(records) - 1):
        return 0
    # One cell filled of many, above a full line, is a title that a spreadsheet has padded.
    while start < len(records) - 1 and sum(bool(c.strip()) for c in records[start][1]) == 1 < sum(
        bool(c.strip()) for c in records[start + 1][1]
    ):
        start += 1
    return start


def _without_spare(header: Record, rows: Sequence[tuple[int, Record]]) -> Record:
    """The header without the empty cell behind a last separator that the rows do not have."""
    has_spare = len(header) > 1 and not header[-1].strip()
    return (
        header[:-1] if has_spare and rows and all(len(row) == len(header) - 1 for _, row in rows) else header
    )


def _checked(dialect: Dialect) -> Dialect:
    """The dialect, unless its first line is one of data, or many."""
    columns = list(zip(*dialect.sample, strict=True)) if dialect.sample else []
    spelled = [spelling_of(column) for column in columns]
    heads = [head for head, spelling in zip(dialect.header, spelled, strict=False) if spelling]
    is_data = bool(heads) and all(spelling_of([head]) for head in heads)
    if is_data and not all(_YEAR.fullmatch(head) for head in heads):
        raise ToolError(_no_names(dialect.header))
    if any(_DATE.fullmatch(head) for head in dialect.header) and not _has_dates_for_names(dialect.header):
        raise ToolError(_no_names(dialect.header))
    return dialect


def _has_dates_for_names(header: Sequence[str]) -> bool:
    """Whether several days are names, as in a table with one column a day."""
    return sum(bool(_DATE.fullmatch(head)) for head in header) > 1


def _no_names(header: Sequence[str]) -> str:
    shown = ", ".join(repr(cell[:30]) for cell in header[:4])
    return f"its first line looks like data ({shown}); write a first line with the names of the columns"


def refuse_total(rows: Sequence[Sequence[str]]) -> None:
    """Refuses a table whose last row adds up those above it: a sum over it would count all twice.

    Raises:
        ToolError: it has one.
    """
    if len(rows) < 3 or not any(_TOTAL_OF.fullmatch(cell.strip()) for cell in rows[-1]):
        return
    is_named = any(_TOTAL.fullmatch(cell.strip().strip(":")) for cell in rows[-1])
    columns = list(zip(*rows, strict=True))
    sums = [s for column in columns if (s := _is_sum(column)) is not None]
    if any(sums) or (is_named and not all(rows[-1])):
        raise ToolError(
            f"its last line looks like a sum of those above it ({'; '.join(rows[-1])[:80]!r}); remove it"
        )


def _is_sum(column: Sequence[str]) -> bool | None:
    """Whether the last cell of a column of numbers is the sum of the others; None for no numbers."""
    spelling = spelling_of(column)
    if spelling is None or not column[-1]:
        return None
    numbers = [spelling.read(cell) for cell in column[:-1] if cell]
    return abs(sum(numbers) - spelling.read(column[-1])) < 0.006


def last_record(path: Path, dialect: Dialect) -> Record:
    """The last line of a file with cells, as far as its end shows it; empty where it does not."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 65_536))
        tail = file.read()
    lines = [line for line in tail.decode("utf-8", "ignore").splitlines()[1:] if line.strip()]
    if not lines or '"' in lines[-1]:
        return []
    return lines[-1].split(dialect.separator)


def refuse_total_of_large(path: Path, dialect: Dialect) -> None:
    """Refuses a large file whose last line calls itself a sum.

    Raises:
        ToolError: it does.
    """
    last = last_record(path, dialect)
    if any(_TOTAL.fullmatch(cell.strip().strip(":")) for cell in last):
        raise ToolError(
            f"its last line looks like a sum of those above it ({'; '.join(last)[:80]!r}); remove it"
        )


def rewritten(path: Path, dialect: Dialect, target: Path) -> None:
    """Writes the file as UTF-8 with commas, one kind of line end and no titles, row by row.

    Raises:
        ToolError: it is no valid text, or a line is of another width.
    """
    csv.field_size_limit(CELL_CHARACTERS)
    try:
        with (
            path.open(encoding=dialect.encoding, newline="") as file,
            target.open("w", encoding="utf-8", newline="") as copy,
        ):
            for _ in range(dialect.skipped):
                file.readline()
            reader = csv.reader(file, delimiter=dialect.separator, strict=True)
            csv.writer(copy, lineterminator="\n").writerows(_same_width(reader, len(dialect.header)))
    except UnicodeError as error:
        raise ToolError(f"it is no valid {dialect.encoding.upper()}; save it as UTF-8") from error
    except csv.Error as error:
        raise ToolError(f"a line behind the first rows: {_reason(error)}") from error


def _same_width(reader: Iterator[Record], width: int) -> Iterator[Record]:
    remarks = rows = 0
    for number, record in enumerate(reader, start=1):
        if not any(cell.strip() for cell in record):
            continue
        if not _is_wide(record, width):
            if width > 1 and _is_remark(record):
                remarks += 1
                continue
            raise ToolError(f"row {number} has {len(record)} cells, the line of names has {width}")
        rows += width > 1 and number > 1 and record[0].startswith(REMARK)
        if remarks and rows:
            raise ToolError(_UNSURE)
        yield record[:width]
