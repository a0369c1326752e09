"""The table files of a folder: which there are, which make one table together, and their rows."""

from __future__ import annotations

import fnmatch
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, JsonValue

from swarm.errors import ToolError
from swarm.nouns.tool import Row
from swarm.tabular import delimited
from swarm.tabular import record_files as records
from swarm.tabular import web_tables as pages
from swarm.tabular.categories import MOST_ROWS as MOST_LOOKED_AT
from swarm.tabular.categories import Categories, categories, together
from swarm.tabular.endings import BOOKS, DELIMITED, PAGES
from swarm.tabular.file_table import Description, File, FileTable
from swarm.tabular.names import column_names, unique
from swarm.tabular.number_spelling import Spelling, agreed, spelling_of
from swarm.tabular.possible import Unread, candidates

MOST_ROWS = 200_000
"""Of files that are read into memory as a whole."""
MOST_BYTES = 64 * 1024 * 1024
LARGE_BYTES = 1024 * 1024
"""From this size on a CSV file is queried in its place, and the journal holds a description of it alone."""
MOST_TYPED = 50
"""Rows that the types of columns are shown by before a table is loaded."""
SHEET = "#"


class Group(BaseModel):
    """Table files that make one table."""

    model_config = ConfigDict(frozen=True)

    name: str
    pattern: str
    columns: tuple[str, ...]
    files: int
    kinds: tuple[str, ...] = ()
    """``NUMBER`` or ``TEXT`` by column, as the first rows show."""
    first: tuple[tuple[JsonValue, ...], ...] = ()
    """Two rows."""
    rows: int | None = None
    """How many there are, where all files were read whole."""
    categories: dict[str, tuple[str, ...]] = {}
    """The values of columns that hold few, as far as the first rows show."""


@dataclass(frozen=True)
class _Head:
    path: str
    sheet: str
    columns: tuple[str, ...]
    first: tuple[tuple[records.Cell, ...], ...] = ()
    """The first rows."""
    rows: int | None = None
    categories: Categories = field(default_factory=dict[str, tuple[str, ...]])

    @property
    def key(self) -> tuple[str, str, tuple[str, ...], str, str]:
        """What files of one table have in common."""
        at = PurePosixPath(self.path)
        # Outside any folder old.csv and new.csv are two tables; only names like sales-2024.csv are a series.
        series = re.sub(r"\d+", "", at.stem) if at.parent == PurePosixPath() else ""
        return str(at.parent), at.suffix.lower(), self.columns, series, self.sheet


def found(workspace: Path) -> list[Group | Unread]:
    """The tables that lie in a folder, and each table file that is none with the reason.

    Raises:
        ToolError: the folder cannot be read.
    """
    groups: dict[object, list[_Head]] = defaultdict(list)
    unread: list[Unread] = []
    for path in candidates(workspace, unread, is_whole=False):
        try:
            for head in _heads(workspace, path, unread):
                groups[head.key].append(head)
        except (ToolError, OSError) as error:
            unread.append(Unread(pattern=path, unread=_reason(error)))
    several = _split([*groups.values()])
    names = unique([_name(heads) for heads in several])
    return [*map(_group, names, several), *unread]


def loaded(workspace: Path, pattern: str) -> list[Row] | FileTable:
    """The rows of the table files that a pattern of ``found`` names; of large files a table that stays there.

    Raises:
        ToolError: no file matches, or one cannot be read as a table; says which, where and why.
    """
    path, _, sheet = pattern.partition(SHEET) if not (workspace / pattern).is_file() else (pattern, "", "")
    paths = _matching(workspace, path)
    try:
        size = sum((workspace / one).stat().st_size for one in paths)
    except OSError as error:
        raise ToolError(f"{pattern!r} can't be read: {error.strerror}") from error
    if size > LARGE_BYTES and all(one.lower().endswith(DELIMITED) for one in paths):
        return _described(workspace, paths)
    tables = [_named_rows(workspace, one, sheet) for one in paths]
    return _joined(paths, tables)


def _reason(error: ToolError | OSError) -> str:
    return str(error) if isinstance(error, ToolError) else f"it can't be read ({error.strerror or error})"


def _heads(workspace: Path, path: str, unread: list[Unread]) -> list[_Head]:
    """The columns of each table in a file, and its first rows."""
    at = workspace / path
    kind = at.suffix.lower()
    if kind in DELIMITED:
        dialect = delimited.sniffed(at)
        cells = [tuple(cell or None for cell in row) for row in dialect.sample[:MOST_TYPED]]
        rows = len(dialect.sample) if dialect.is_whole else None
        titles = tuple(column_names(dialect.header))
        return [_Head(path, "", titles, tuple(cells), rows, categories(titles, dialect.sample))]
    _refuse_large(at)
    if kind in PAGES:
        return _page_heads(at, path, unread)
    if kind in BOOKS:
        names = records.sheet_names(at)
        if not names:
            raise ToolError("it is empty")
        return [_sheet_head(at, path, name, is_one=len(names) == 1) for name in names]
    objects = records.json_rows(at)
    if objects is None:
        return []  # JSON that is no table, as a program's settings are: nothing is lost
    columns = tuple(dict.fromkeys(key for row in objects for key in row))
    if not columns:
        raise ToolError("it holds no rows")
    first = [tuple(row.get(key) for key in columns) for row in objects[:MOST_TYPED]]
    told = categories(columns, [[row.get(key) for key in columns] for row in objects[:MOST_LOOKED_AT]])
    return [_Head(path, "", columns, tuple(first), len(objects), told)]


def _sheet_head(at: Path, path: str, name: str, *, is_one: bool) -> _Head:
    columns, rows = records.sheet_rows(at, name)
    first = tuple(tuple(row) for row in rows[:MOST_TYPED])
    return _Head(path, "" if is_one else name, tuple(columns), first, len(rows), categories(columns, rows))


def _page_heads(at: Path, path: str, unread: list[Unread]) -> list[_Head]:
    """The tables of a page, by their number where there are several."""
    tables = pages.page_tables(at)
    heads: list[_Head] = []
    for number, table in enumerate(tables, start=1):
        sheet = str(number) if len(tables) > 1 else ""
        if isinstance(table, ToolError):
            unread.append(Unread(pattern=f"{path}{SHEET * bool(sheet)}{sheet}", unread=str(table)))
            continue
        first = tuple(tuple(cell or None for cell in row) for row in table.rows[:MOST_TYPED])
        heads.append(_Head(path, sheet, tuple(column_names(table.header)), first, len(table.rows)))
    return heads


def _refuse_large(path: Path) -> None:
    size = path.stat().st_size
    if path.suffix.lower() in PAGES and size > pages.MOST_BYTES:
        raise ToolError(
            f"it has over {pages.MOST_BYTES // 1024 // 1024} MB, and tables are not looked for in it"
        )
    if size > MOST_BYTES:
        raise ToolError(
            f"it has over {MOST_BYTES // 1024 // 1024} MB; save it as a .csv file, which may be of any size"
        )


def _split(groups: Sequence[list[_Head]]) -> list[list[_Head]]:
    """The groups, those of which a pattern would match another's files as a table for each file."""
    paths = {head.path for heads in groups for head in heads}
    parted: list[list[_Head]] = []
    for heads in groups:
        own = {head.path for head in heads}
        alone = len(heads) == 1 or {path for path in paths if _is_match(path, _pattern(heads))} == own
        parted += [heads] if alone else [[head] for head in heads]
    return parted


def _pattern(heads: Sequence[_Head]) -> str:
    at = PurePosixPath(heads[0].path)
    sheet = f"{SHEET}{heads[0].sheet}" if heads[0].sheet else ""
    if len(heads) == 1:
        return heads[0].path + sheet
    place = re.sub(r"\d+", "*", at.name) if str(at.parent) == "." else f"{at.parent}/*{at.suffix.lower()}"
    return place + sheet


def _name(heads: Sequence[_Head]) -> str:
    at = PurePosixPath(heads[0].path)
    stem = at.stem if len(heads) == 1 or str(at.parent) == "." else at.parent.name
    stem += f"_{heads[0].sheet}" if heads[0].sheet else ""
    return re.sub(r"\W+", "_", stem).strip("_").lower() or "rows"


def _group(name: str, heads: Sequence[_Head]) -> Group:
    one = heads[0]
    columns = one.columns
    cells: Columns = {column: [row[n] for row in one.first] for n, column in enumerate(columns)}
    cells = typed(cells) if one.path.lower().endswith((*DELIMITED, *PAGES)) else cells
    if len(heads) > 1:
        cells = {_mark(columns): [PurePosixPath(one.path).stem] * len(one.first), **cells}
    counts = [head.rows for head in heads]
    return Group(
        name=name,
        pattern=_pattern(heads),
        columns=tuple(cells),
        files=len(heads),
        kinds=tuple(_kind(values) for values in cells.values()),
        first=tuple(zip(*(values[:2] for values in cells.values()), strict=True)),
        rows=None if None in counts else sum(count or 0 for count in counts),
        categories={
            column: values
            for column, values in together([head.categories for head in heads]).items()
            if _kind(cells[column]) == "TEXT"
        },
    )


def _kind(cells: Sequence[records.Cell]) -> str:
    known = [cell for cell in cells if cell is not None]
    is_number = all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in known)
    return "NUMBER" if known and is_number else "TEXT"


def _mark(columns: Iterable[str]) -> str:
    """The column that names each row's file."""
    return next(name for name in ("file", "file_name", "from_file", "_file") if name not in columns)


def _is_match(path: str, pattern: str) -> bool:
    """Whether a pattern of ours names the path: brackets are letters of a name, ``*`` stays in a folder."""
    sign = re.escape("*")
    return bool(
        re.fullmatch(re.escape(pattern.partition(SHEET)[0]).replace(sign, "[^/]*"), path, re.IGNORECASE)
    )


def _may_match(path: str, pattern: str) -> bool:
    return path == pattern or _is_match(path, pattern) or fnmatch.fnmatchcase(path, pattern)


def _matching(workspace: Path, pattern: str) -> list[str]:
    unread: list[Unread] = []
    paths = [*candidates(workspace, unread, lambda path: _may_match(path, pattern))]
    matched = [path for path in paths if path == pattern] or [
        path for path in paths if _is_match(path, pattern)
    ]
    matched = matched or [path for path in paths if fnmatch.fnmatchcase(path, pattern)]
    refused = [one for one in unread if one.pattern == pattern or _is_match(one.pattern, pattern)]
    if refused:
        raise ToolError(f"{refused[0].pattern}: {refused[0].unread}")
    if not matched:
        raise ToolError(f"no table file matches {pattern[:80]!r}; tables.find lists those that are there")
    return matched


Columns = dict[str, list[records.Cell]]


def _named_rows(workspace: Path, path: str, sheet: str) -> tuple[Columns, int]:
    """The columns of one file and how many rows it has."""
    at = workspace / path
    try:
        if at.suffix.lower() in DELIMITED:
            dialect, rows = delimited.read(at)
            cells: list[list[records.Cell]] = [[cell or None for cell in row] for row in rows]
            return _columns(column_names(dialect.header), cells), len(cells)
        _refuse_large(at)
        if at.suffix.lower() in PAGES:
            page = _page_table(at, sheet)
            delimited.refuse_total(page.rows)
            cells = [[cell or None for cell in row] for row in page.rows]
            return _columns(column_names(page.header), cells), len(cells)
        if at.suffix.lower() in BOOKS:
            names, sheet_cells = records.sheet_rows(at, sheet)
            delimited.refuse_total([
                ["" if cell is None else str(cell) for cell in row] for row in sheet_cells
            ])
            return _columns(names, sheet_cells), len(sheet_cells)
        objects = records.json_rows(at)
    except (ToolError, OSError) as error:
        raise ToolError(f"{path}: {_reason(error)}") from error
    if objects is None:
        raise ToolError(f"{path}: it holds no table; a table is a list of JSON objects")
    keys = dict.fromkeys(key for row in objects for key in row)
    return {key: [row.get(key) for row in objects] for key in keys}, len(objects)


def _page_table(at: Path, sheet: str) -> pages.PageTable:
    """A table of a page, by its number; the only one where none is named."""
    tables = pages.page_tables(at)
    if not sheet and len(tables) > 1:
        raise ToolError(f"it has {len(tables)} tables; name one, as {at.name}{SHEET}1")
    number = int(sheet) if sheet.isascii() and sheet.isdigit() and len(sheet) < 9 else 1 if not sheet else 0
    if not 1 <= number <= len(tables):
        raise ToolError(f"it has no table {sheet[:80]!r}; it has {len(tables)}")
    table = tables[number - 1]
    if isinstance(table, ToolError):
        raise table
    return table


def _columns(names: Sequence[str], rows: Sequence[Sequence[records.Cell]]) -> Columns:
    return {name: [row[n] for row in rows] for n, name in enumerate(names)}


def _joined(paths: Sequence[str], tables: Sequence[tuple[Columns, int]]) -> list[Row]:
    """The rows of several files as one table, each column with one type over all of them."""
    total = sum(count for _, count in tables)
    if total > MOST_ROWS and not all(path.lower().endswith(DELIMITED) for path in paths):
        raise ToolError(
            f"{paths[0]}: more than {MOST_ROWS:,} rows; save them as a .csv file, which may have any number"
        )
    names = list(dict.fromkeys(name for columns, _ in tables for name in columns))
    whole: Columns = {}
    if len(paths) > 1:
        stems = [PurePosixPath(path).stem for path in paths]
        whole[_mark(names)] = [
            stem for stem, (_, count) in zip(stems, tables, strict=True) for _ in range(count)
        ]
    cells: Columns = {
        name: [cell for columns, count in tables for cell in columns.get(name, [None] * count)]
        for name in names
    }
    whole |= typed(cells) if paths[0].lower().endswith((*DELIMITED, *PAGES)) else cells
    return [dict(zip(whole, row, strict=True)) for row in zip(*whole.values(), strict=True)]


def typed(columns: Columns) -> Columns:
    """Columns of texts, those as numbers of which all cells spell numbers."""
    texts = {name: [cell for cell in cells if isinstance(cell, str)] for name, cells in columns.items()}
    spelled = agreed({name: spelling_of(cells, name) for name, cells in texts.items()}, texts)
    return {
        name: cells
        if (spelling := spelled[name]) is None
        else [spelling.read(cell) if isinstance(cell, str) else None for cell in cells]
        for name, cells in columns.items()
    }


def _described(workspace: Path, paths: Sequence[str]) -> FileTable:
    """The table of large files, by their beginnings."""
    dialects = [_sniffed(workspace, path) for path in paths]
    names = column_names(dialects[0].header)
    for path, dialect in zip(paths, dialects, strict=True):
        if column_names(dialect.header) != names:
            raise ToolError(
                f"{path}: its columns are not those of {paths[0]}; load each file by its own name"
            )
    columns = {n: [row[n] for dialect in dialects for row in dialect.sample] for n in range(len(names))}
    cells = dict(zip(names, columns.values(), strict=True))
    spelled = agreed({name: spelling_of(cells[name], name) for name in names}, cells)
    size = sum((workspace / path).stat().st_size for path in paths)
    shown = sum(min((workspace / path).stat().st_size, delimited.HEAD_BYTES) for path in paths)
    about = sum(len(dialect.sample) for dialect in dialects) * size // max(shown, 1)
    first = [_typed_row(names, row, spelled) for row in dialects[0].sample[:2]]
    mark = _mark(names) if len(paths) > 1 else ""
    if mark:
        first = [{mark: PurePosixPath(paths[0]).stem, **row} for row in first]
    kinds = {name: "TEXT" if spelled[name] is None else "NUMBER" for name in names}
    table = FileTable(
        workspace,
        Description(
            files=tuple(File.seen(workspace, path) for path in paths),
            columns=(mark, *names) if mark else tuple(names),
            kinds={mark: "TEXT", **kinds} if mark else kinds,
            first=tuple(first),
            about_rows=about,
            mark=mark,
        ),
    )
    table.dialects = tuple(dialects)
    return table


def _sniffed(workspace: Path, path: str) -> delimited.Dialect:
    try:
        dialect = delimited.sniffed(workspace / path)
        delimited.refuse_total_of_large(workspace / path, dialect)
    except (ToolError, OSError) as error:
        raise ToolError(f"{path}: {_reason(error)}") from error
    return dialect


def _typed_row(
    names: Sequence[str], row: Sequence[str], spelled: dict[str, Spelling | None]
) -> dict[str, JsonValue]:
    typed: dict[str, JsonValue] = {}
    for name, cell in zip(names, row, strict=True):
        spelling = spelled[name]
        typed[name] = (spelling.read(cell) if spelling else cell) if cell else None
    return typed
