"""Which tables the texts of a workspace make, and the first rows of each."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from swarm.formed import entries, labels
from swarm.formed.row import Row, Text
from swarm.formed.table import (
    COMMENTS,
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
from swarm.survey import kinds
from swarm.survey.concealed import Concealer
from swarm.survey.groups import FileGroup
from swarm.survey.kinds import SOURCES, ending_of
from swarm.tabular.endings import IGNORED
from swarm.tabular.names import unique

MOST_FILES, MOST_BYTES, MOST_OF_FILE = 200, 4 * 1024 * 1024, 512 * 1024
"""Of one table, that are read to show its first rows; of larger ones, as many as fit."""
SECONDS = 6.0
"""For all tables."""
PYTHON = (".py", ".pyi", ".pyw")
MOST_TABLES = 16
FIRST = 2
_MACHINE_MADE = re.compile(r"\.(?:lock|reg|plist)$|(?:^|/)[\w.-]*lock\.(?:json|yaml|yml)$")
"""Files that a program wrote for itself alone."""


def formed(workspace: Path, groups: Sequence[FileGroup]) -> tuple[FormedTable, ...]:
    """The tables that the texts of a workspace make, those of many files before the general ones."""
    until = time.monotonic() + SECONDS
    texts = [group for group in groups if group.is_text and not group.is_hidden and _is_found(group)]
    found: list[FormedTable] = []
    for form, name, some in _wanted(workspace, texts):
        if len(found) == MOST_TABLES or time.monotonic() > until:
            break
        if table := _table(workspace, form, name, some):
            found.append(table)
    named = unique(table.name for table in found)
    return tuple(table.model_copy(update={"name": name}) for table, name in zip(found, named, strict=True))


def _is_found(group: FileGroup) -> bool:
    return (group.is_exact or group.files == 1) and group.kind != kinds.SECRETS


def _wanted(workspace: Path, texts: Sequence[FileGroup]) -> Iterator[tuple[str, str, Sequence[FileGroup]]]:
    """The forms that there may be: each with the name of its table and the groups that it is made of."""
    for group in texts:
        if group.kind in {kinds.PLAIN, kinds.LOG, kinds.NOTE} and (form := _form_of(workspace, group)):
            yield form, _name(group), [group]
    settings = [
        one
        for one in texts
        if one.kind in {kinds.SETTINGS, kinds.DATA} and not _MACHINE_MADE.search(one.first.lower())
    ]
    sources = [group for group in texts if group.kind in SOURCES]
    python = [group for group in sources if group.first.endswith(PYTHON)]
    mails = [group for group in texts if group.kind in {kinds.MAIL, kinds.MAILBOX}]
    for form, some in (SETTINGS, settings), (MAILS, mails), (FUNCTIONS, python), (COMMENTS, sources):
        if some:
            yield form, form, some
    if texts:
        yield LINES, f"all_{LINES}", texts


def _form_of(workspace: Path, group: FileGroup) -> str:
    texts = [*_texts(workspace, [group])]
    if entries.is_log(texts):
        return ENTRIES
    return LABELS if group.kind != kinds.LOG and labels.is_labelled(texts) else ""


def _name(group: FileGroup) -> str:
    """The name of a table of a group: of its folder, else of its file."""
    at = PurePosixPath(group.first)
    stem = at.parent.name if group.files > 1 and at.parent.name else at.stem
    name = re.sub(r"\W+", "_", stem).strip("_").lower() or "texts"
    return f"_{name}" if name[0].isdigit() else name


def _table(workspace: Path, form: str, name: str, groups: Sequence[FileGroup]) -> FormedTable | None:
    texts = [*_texts(workspace, groups)]
    try:
        rows = rows_of(form, texts)
    except (
        ValueError
    ):  # A table that lacks a part would give wrong counts; the files can be read all the same.
        return None
    if not rows:
        return None
    columns = [*dict.fromkeys(column for row in rows for column in row)]
    is_whole = len(texts) == sum(group.files for group in groups) and not any(
        len(text) >= MOST_OF_FILE for _, text in texts
    )
    return FormedTable(
        name=name,
        form=form,
        patterns=tuple(group.pattern if group.is_exact else group.first for group in groups),
        columns=tuple(columns),
        kinds=tuple(_kind(rows, column) for column in columns),
        first=tuple(_shown(row, columns) for row in rows[:FIRST]) if form != LINES else (),
        rows=len(rows) if is_whole else None,
    )


def _kind(rows: Iterable[Row], column: str) -> str:
    cells = [row.get(column) for row in rows]
    return "NUMBER" if any(isinstance(cell, int | float) for cell in cells) else "TEXT"


def _shown(row: Row, columns: Sequence[str]) -> tuple[str | int | float | None, ...]:
    """A row as a prompt may show it: a setting is hidden by its own name."""
    concealer, title = Concealer(), str(row.get("name") or "")
    cells = [(column, row.get(column)) for column in columns]
    return tuple(
        concealer.cell(title if column == "value" else column, cell) if isinstance(cell, str) else cell
        for column, cell in cells
    )


def _texts(workspace: Path, groups: Sequence[FileGroup]) -> Iterator[Text]:
    """Texts of groups with their paths, within the bounds; what is no UTF-8 is left to whoever reads it whole."""
    room, files = MOST_BYTES, MOST_FILES
    for group in groups:
        for path in _paths(workspace, group):
            if room <= 0 or files <= 0:
                return
            try:
                text = _text(workspace / path)
            except (OSError, UnicodeDecodeError):
                continue
            room, files = room - len(text), files - 1
            yield path, text


def _text(path: Path) -> str:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        data = file.read(MOST_OF_FILE)
    cut = len(data) == MOST_OF_FILE
    return (data.rpartition(b"\n")[0] if cut else data).decode("utf-8-sig")


def _paths(workspace: Path, group: FileGroup) -> Iterator[str]:
    """The files of a group in their order."""
    if group.files == 1:
        yield group.first
        return
    for place, inner, names in os.walk(workspace / group.folder):
        if group.is_deep:
            inner[:] = sorted(name for name in inner if not name.startswith(".") and name not in IGNORED)
        else:
            inner.clear()
        at = Path(place).relative_to(workspace)
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
