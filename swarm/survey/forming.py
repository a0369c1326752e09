"""Which tables the texts of a workspace make, and the first rows of each."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from swarm.formed import entries, labels
from swarm.formed.row import Cell, Row, Text
from swarm.formed.table import (
    COMMENTS,
    COMPARED,
    ENTRIES,
    FILES,
    FUNCTIONS,
    LABELS,
    LINES,
    MAILS,
    SETTINGS,
    FormedTable,
    rows_of,
)
from swarm.project.secrecy import MASK
from swarm.survey import kinds
from swarm.survey.concealed import Concealer, is_secret_name
from swarm.survey.groups import FileGroup, escaped
from swarm.survey.kinds import SOURCES, ending_of
from swarm.tabular.categories import MOST_ROWS, categories
from swarm.tabular.endings import IGNORED
from swarm.tabular.names import unique

MOST_FILES, MOST_BYTES, MOST_OF_FILE = 200, 1024 * 1024, 512 * 1024
"""Of one table, that are read to show its first rows; of larger ones, as many as fit."""
TOLD_FILES, TOLD_BYTES = 40, 256 * 1024
"""Of one group, that its form is told by; and what the slower forms are shown by."""
SECONDS = 6.0
"""For all tables."""
PYTHON = (".py", ".pyi", ".pyw")
MOST_TABLES = 16
MOST_COMPARED = 8
"""Files of settings that stand side by side."""
FIRST = 2
UNTOLD = frozenset({"file", "date", "time", "zone", "text"})
"""Columns whose values are no kinds of anything."""
MARKED = frozenset({"mark", "owner"})
"""Columns of comments that are told of where a comment has a value of them, or one that was not read may have."""
LONGEST_LINE = 10_000
"""Of a source: a program wrote a longer one, and a lexer takes long over it."""
CONCEALED, SHOWN = 4_000, 200
"""Characters of a cell that are looked into for credentials, and that are kept to be shown."""
_MACHINE_MADE = re.compile(r"\.(?:lock|reg|plist)$|(?:^|/)[\w.-]*lock\.(?:json|yaml|yml)$")
"""Files that a program wrote for itself alone."""
_SLOW = frozenset({COMMENTS, FUNCTIONS, SETTINGS, COMPARED})


@dataclass(frozen=True)
class _GroupTexts:
    """Texts of groups with their paths, and whether these are all there is of them."""

    texts: list[Text]
    is_whole: bool


def formed(workspace: Path, groups: Sequence[FileGroup]) -> tuple[FormedTable, ...]:
    """The tables that the texts of a workspace make, those of many files before the general ones."""
    reader = _TextReader(workspace, time.monotonic() + SECONDS)
    texts = [group for group in groups if group.is_text and not group.is_hidden and _is_found(group)]
    found: list[FormedTable] = []
    for form, name, some in _wanted(reader, texts):
        if len(found) == MOST_TABLES or reader.is_late:
            break
        if table := _table(reader, form, name, some):
            found.append(table)
    named = unique(table.name for table in found)
    return tuple(table.model_copy(update={"name": name}) for table, name in zip(found, named, strict=True))


def _is_found(group: FileGroup) -> bool:
    return (group.is_exact or group.files == 1) and group.kind != kinds.SECRETS


def _wanted(
    reader: _TextReader, texts: Sequence[FileGroup]
) -> Iterator[tuple[str, str, Sequence[FileGroup]]]:
    """The forms that there may be: each with the name of its table and the groups that it is made of."""
    for group in texts:
        if group.kind in {kinds.PLAIN, kinds.LOG, kinds.NOTE} and (form := _form_of(reader, group)):
            yield form, _name(group), [group]
    settings = [
        one
        for one in texts
        if one.kind in {kinds.SETTINGS, kinds.DATA}
        and not _MACHINE_MADE.search(one.first.lower())
        and _is_told(reader, SETTINGS, one)
    ]
    sources = [group for group in texts if group.kind in SOURCES]
    python = [group for group in sources if group.first.endswith(PYTHON)]
    mails = [group for group in texts if group.kind in {kinds.MAIL, kinds.MAILBOX}]
    commented = [one for one in sources if _has_lexer(one.first)]
    # Few files of settings stand side by side, all others below each other.
    compared = [group for group in settings if 1 < group.files <= MOST_COMPARED]
    for group in compared:
        yield COMPARED, f"{_name(group)}_{COMPARED}", [group]
    settings = [group for group in settings if group not in compared]
    for form, some in (SETTINGS, settings), (MAILS, mails), (FUNCTIONS, python), (COMMENTS, commented):
        if some:
            yield form, form, some
    if texts:
        yield LINES, f"all_{LINES}", texts


def _has_lexer(path: str) -> bool:
    from swarm.formed import source_code as source

    return source.is_known(path)


def _form_of(reader: _TextReader, group: FileGroup) -> str:
    if reader.is_late:
        return ""
    texts = reader.texts([group], TOLD_FILES, TOLD_BYTES).texts
    if entries.is_log(texts):
        return ENTRIES
    return LABELS if group.kind != kinds.LOG and labels.is_labelled(texts) else ""


def _is_told(reader: _TextReader, form: str, group: FileGroup) -> bool:
    """Whether the form of all files of a group that are looked at can be told."""
    if reader.is_late:
        return False
    read = reader.texts([group], TOLD_FILES, TOLD_BYTES)
    try:
        return bool(rows_of(form, read.texts))
    except ValueError:
        return False


def _name(group: FileGroup) -> str:
    """The name of a table of a group: of its folder, else of its file."""
    stem = PurePosixPath(group.first).stem
    if group.files > 1:
        stem = PurePosixPath(group.folder).name or (f"all_{group.ending[1:]}" if group.is_deep else stem)
    name = re.sub(r"\W+", "_", stem).strip("_").lower() or "texts"
    return f"_{name}" if name[0].isdigit() else name


def _table(reader: _TextReader, form: str, name: str, groups: Sequence[FileGroup]) -> FormedTable | None:
    most = TOLD_BYTES if form in _SLOW else MOST_BYTES
    read = reader.texts(groups, MOST_FILES, most, is_whole_only=form in _SLOW)
    texts = [one for one in read.texts if form != COMMENTS or _is_written(one[1])]
    try:
        rows = rows_of(form, texts)
    except ValueError:
        # A table that lacks a part would give wrong counts; the files can be read all the same.
        return None
    if not rows:
        return None
    is_whole = read.is_whole and len(texts) == len(read.texts)
    columns = [*dict.fromkeys(column for row in rows for column in row)]
    if form == COMMENTS and is_whole:
        columns = [name for name in columns if name not in MARKED or any(row[name] for row in rows)]
    return FormedTable(
        name=name,
        form=form,
        patterns=tuple(group.pattern if group.is_exact else escaped(group.first) for group in groups),
        columns=tuple(columns),
        kinds=tuple(_kind(rows, column) for column in columns),
        categories=_categories(form, rows, columns),
        first=tuple(_shown(row, columns, form) for row in _first(form, rows)),
        rows=len(rows) if is_whole else None,
    )


def _categories(form: str, rows: Sequence[Row], columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The values of columns that hold few; those of settings are told by no list."""
    if form in {SETTINGS, COMPARED, LINES}:
        return {}
    some = [[row.get(column) for column in columns] for row in rows[:MOST_ROWS]]
    found = categories(columns, some)
    if marks := _marks(form, rows):
        found["mark"] = marks
    return {
        name: values
        for name, values in found.items()
        if name not in UNTOLD and not any(_concealed(name, value) != value for value in values)
    }


def _first(form: str, rows: Sequence[Row]) -> Sequence[Row]:
    """The rows that are shown; of comments one with a mark is among them, as a mark no longer stands in the text."""
    if form == LINES:
        return ()
    owned = [row for row in rows if form == COMMENTS and row.get("owner")]
    marked = owned or [row for row in rows if form == COMMENTS and row.get("mark")]
    return [*marked[:1], *(row for row in rows[:FIRST] if row not in marked[:1])][:FIRST]


def _marks(form: str, rows: Sequence[Row]) -> tuple[str, ...]:
    """The marks of comments: they are of a list of their own, so that few comments, or one mark, are no chance."""
    found = (row.get("mark") for row in rows) if form == COMMENTS else ()
    return tuple(dict.fromkeys(mark for mark in found if isinstance(mark, str)))


def _is_written(text: str) -> bool:
    """Whether a source is one that somebody wrote."""
    return all(len(line) <= LONGEST_LINE for line in text.split("\n"))


def _kind(rows: Iterable[Row], column: str) -> str:
    cells = [row.get(column) for row in rows]
    return "NUMBER" if any(isinstance(cell, int | float) for cell in cells) else "TEXT"


def _shown(row: Row, columns: Sequence[str], form: str) -> tuple[Cell, ...]:
    """A row as a prompt may show it: a setting is hidden by its own name."""
    cells = [(column, row.get(column)) for column in columns]
    values = {"value"} if form == SETTINGS else {*columns} - {"name"} if form == COMPARED else set[str]()
    title = str(row.get("name") or "")
    return tuple(
        cell if cell is None else _concealed(title if column in values else column, cell)
        for column, cell in cells
    )


def _concealed(name: str, cell: str | float) -> Cell:
    """A cell as it may be shown: by its name, as the value of a setting of that name, and by itself."""
    concealer, text = Concealer(), str(cell)[:CONCEALED]
    is_listed = text[:1] in {"[", "{"} and is_secret_name(name, text)
    as_setting = concealer.text(f"{name}: {text}") if is_secret_name(name, text) else ""
    if is_listed or (MASK in as_setting and MASK not in text):
        return MASK
    shown = concealer.cell(name, text)
    if shown == text and not isinstance(cell, str):
        return cell
    return shown[:SHOWN]


class _TextReader:
    """Reads texts of a workspace, within a time for all of them."""

    def __init__(self, workspace: Path, until: float) -> None:
        self._workspace = workspace
        self._until = until

    @property
    def is_late(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self._until

    def texts(
        self, groups: Sequence[FileGroup], files: int, room: int, *, is_whole_only: bool = False
    ) -> _GroupTexts:
        """Texts of groups, within bounds; what is no UTF-8 is left to whoever reads it whole.

        A text that is cut at the bound of a file is left out where only whole ones are wanted.
        """
        found: list[Text] = []
        is_whole = True
        for path in (path for group in groups for path in self._paths(group)):
            if room <= 0 or len(found) >= files or self.is_late:
                return _GroupTexts(found, is_whole=False)
            try:
                text, is_cut = self._text(path)
            except (OSError, UnicodeDecodeError):
                is_whole = False
                continue
            is_whole = is_whole and not is_cut
            room -= len(text)
            if not (is_cut and is_whole_only):
                found.append((path, text))
        return _GroupTexts(found, is_whole and not self.is_late)

    def _text(self, path: str) -> tuple[str, bool]:
        """The text of a file, and whether it is cut: then it ends with a line."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        with os.fdopen(os.open(self._workspace / path, flags), "rb") as file:
            data = file.read(MOST_OF_FILE + 1)
        is_cut = len(data) > MOST_OF_FILE
        text = (data.rpartition(b"\n")[0] if is_cut else data).decode("utf-8-sig")
        if "\0" in text:
            raise UnicodeDecodeError("utf-8", b"\0", 0, 1, "it holds NUL bytes")
        return text.replace("\r\n", "\n"), is_cut

    def _paths(self, group: FileGroup) -> Iterator[str]:
        """The files of a group in their order."""
        if group.files == 1:
            yield group.first
            return
        for place, inner, names in os.walk(self._workspace / group.folder):
            if self.is_late:
                return
            if group.is_deep:
                inner[:] = sorted(name for name in inner if not name.startswith(".") and name not in IGNORED)
            else:
                inner.clear()
            at = Path(place).relative_to(self._workspace)
            for name in sorted(names):
                if not name.startswith(".") and ending_of(name) == group.ending:
                    yield (at / name).as_posix()


def files_table(paths: Sequence[str]) -> FormedTable:
    """The table of all files."""
    return FormedTable(
        name=f"all_{FILES}",
        form=FILES,
        patterns=("**/*",),
        columns=("file", "folder", "name", "ending", "bytes", "sha256"),
        kinds=("TEXT", "TEXT", "TEXT", "TEXT", "NUMBER", "TEXT"),
        rows=len(paths),
    )
