"""What lies in a workspace, and how a model reads of it: in a few lines, or with the first lines of files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pydantic import BaseModel, ConfigDict, JsonValue

from swarm.formed.table import FILES, LINES, FormedTable
from swarm.models.servers.counting import estimate
from swarm.survey.concealed import Concealer
from swarm.survey.description import cut, signature
from swarm.survey.groups import FileGroup
from swarm.survey.kinds import NOTE, PLAIN, SECRETS
from swarm.tabular.categories import MOST_ROWS
from swarm.tabular.names import written

OVERVIEW_TOKENS = 600
"""Of all that is no table, as the planner reads it."""
TABLES_TOKENS = 2_400
"""Of the tables there: a column that a planner is not told of is planned for wrongly."""
SAMPLES_TOKENS = 900
SHARE_OF_WINDOW = 0.15
"""Of a model's window, what the overview may take; the tables may take four times that."""
MOST_GROUPS = 12
MOST_TEXTS = 16
MOST_STORED = 60
MOST_UNREAD = 8
MOST_HIDDEN = 8
CELL_CHARACTERS = 60
_WIDTHS = (60, 30, 16, 8, 4, 0)
"""Columns of a table that are shown, the fewer the more tables there are."""
MOST_HEAD = 300
MOST_ALIKE = 4
"""Tables with the same columns that are shown each."""
_DEPTHS = (12, 8, 6, 4, 3, 2, 1)
"""Lines of a file that are shown."""


class TextGroup(BaseModel):
    """Text files that one pattern matches: of one folder with one ending, or of the folders below it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pattern: str
    paths: tuple[str, ...]
    files: int = 0
    """How many there are where that is known to be more than are listed."""


class TableGroup(BaseModel):
    """Table files that make one table."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    pattern: str
    columns: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    """``NUMBER`` or ``TEXT`` by column, as far as is known."""
    first: tuple[tuple[JsonValue, ...], ...] = ()
    """The first rows."""
    rows: int | None = None
    """How many there are; None where nobody has counted."""
    categories: dict[str, tuple[str, ...]] = {}
    """The values of columns that hold few."""
    text: str = ""
    """Of a table of a database, what its server tells: columns with types, the number of rows, some of them."""


class Survey(BaseModel):
    """What lies in a workspace."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    paths: tuple[str, ...] = ()
    texts: tuple[TextGroup, ...] = ()
    groups: tuple[FileGroup, ...] = ()
    """All files that are no tables, as they were looked at; each of ``texts`` is one of them."""
    formed: tuple[FormedTable, ...] = ()
    """The tables that the texts make, for programs."""
    opaque: dict[str, int] = {}
    """How many files there are of kinds that are not read."""
    tables: tuple[TableGroup, ...] = ()
    database: str = ""
    """The schema of the database as its server tells it; empty when there is none."""
    database_tables: tuple[TableGroup, ...] = ()
    unlisted: str = ""
    """What the listing of files does not hold, in words; empty where it is whole."""
    left_out: tuple[str, ...] = ()
    """Folders that were not looked into."""
    unread: tuple[str, ...] = ()
    """What lies there and could not be read, each with its reason."""

    @property
    def patterns(self) -> tuple[str, ...]:
        """What an ``each`` over files may name."""
        return tuple(group.pattern for group in self.texts)

    @property
    def has_tables(self) -> bool:
        """Whether there is anything to query before a step has run."""
        return bool(self.tables or self.database_tables or self.database)

    @property
    def lacks(self) -> tuple[str, ...]:
        """What lies there and is not in the survey, each with its reason."""
        lacking = (f"some files, which are not listed: {self.unlisted}",) if self.unlisted else ()
        return (*self.unread, *lacking)

    @property
    def text_paths(self) -> frozenset[str]:
        """The text files that lie there, but for lists of credentials."""
        secret = {group.pattern for group in self.groups if group.kind == SECRETS}
        return frozenset(path for group in self.texts if group.pattern not in secret for path in group.paths)

    def lines(self, window: int = 0) -> str:
        """The survey as the planner reads it, in about ``OVERVIEW_TOKENS``, less in a small window; names
        are written as SQL needs them."""
        share = window * SHARE_OF_WINDOW if window else OVERVIEW_TOKENS
        tokens = min(OVERVIEW_TOKENS, share)
        texts = _within(tokens / 2, [_text_line(group) for group in self.texts], "groups of text files")
        lines = [
            f"Text files: {'; '.join(texts) or 'none'}",
            f"Tables: {self._tables(min(TABLES_TOKENS, share * 4)) or 'none'}",
        ]
        others = [*self._others(tokens / 8), *self._unopened(tokens / 8)]
        lines += [f"{name}: {said}" for name, said in others if said]
        if self.unread:
            names = [line.partition(": ")[0] for line in self.unread]
            unread = _within(tokens / 4, self.unread, "that were not read", MOST_UNREAD, names)
            lines.append(f"Not read: {'; '.join(unread)}")
        if self.unlisted:
            lines.append(f"Not all files are listed: {self.unlisted[:400]}")
        return "\n".join(lines)

    def samples(self, tokens: int = SAMPLES_TOKENS, task: str = "") -> str:
        """The survey as the writer of a program reads it: the files of each group with the first lines of one
        of them, and each table with its columns, how many rows it has and two of them.

        Of what lies beside that which the task names, where it names anything, there is the name alone: a small
        model makes use of all that it is shown.
        """
        about = _About.of(self, task)
        tables = [lines for alike in _alike([*filter(about.is_meant, self.tables)]) for lines in alike]
        tables += [_table_lines(table) for table in self.database_tables if about.is_meant(table)]
        tables += [_formed_lines(table) for table in self.formed if about.is_meant(table)]
        meant = [group for group in self.groups if about.is_meant(group)]
        groups = [_group_lines(group) for group in _by_kind(meant)]
        firsts = len({group.kind for group in meant})
        beside = _within(tokens / 8, about.beside(self), "more")
        tails = [f"Also there: {'; '.join(beside)}"] * bool(beside)
        tails += [f"{name}: {said}" for name, said in self._unopened(tokens / 10) if said]
        if self.unread:
            tails.append(
                f"Not read: {'; '.join(_within(tokens / 8, self.unread, 'that were not read', MOST_UNREAD))}"
            )
        if self.unlisted:
            tails.append(f"Not all files are listed: {self.unlisted[:200]}")
        room = tokens - sum(estimate(line) for line in tails)
        return "\n".join([*_shared(room, groups, firsts, tables), *tails]) or "The workspace is empty."

    def declared(self, tokens: int = SAMPLES_TOKENS, task: str = "") -> str:
        """The tables that a task may be about, as SQL declares them, each with its first rows, and the small texts
        beside them whole; empty where there is no such table."""
        about = _About.of(self, task)
        tables: list[TableGroup | FormedTable] = [*self.tables, *self.database_tables, *self.formed]
        meant = [_declared(table) for table in tables if about.is_meant(table)]
        if not meant:
            return ""
        texts = [one for one in self.groups if one.files == 1 and one.is_whole and about.is_meant(one)]
        notes = [_group_lines(one) for one in texts if one.kind in {PLAIN, NOTE}]
        others = [table for table in tables if not about.is_meant(table) and not about.is_general(table)]
        beside = _within(tokens / 8, [signature(one.name, one.columns, 8) for one in others], "tables")
        tails = [f"-- also there: {'; '.join(beside)}"] * bool(beside)
        room = tokens - sum(estimate(line) for line in tails)
        return "\n".join([*_shared(room, notes, len(notes), meant), *tails])

    def meant(self, task: str) -> list[str]:
        """The names of the tables that a task may be about; those of all files and lines where it is about no other
        table."""
        about = _About.of(self, task)
        tables: list[TableGroup | FormedTable] = [*self.tables, *self.database_tables, *self.formed]
        return [one.name for one in tables if about.is_meant(one)] or [
            one.name for one in self.formed if about.is_general(one)
        ]

    def notes(self, task: str) -> str:
        """The small notes that a task may be about, whole."""
        about = _About.of(self, task)
        texts = [one for one in self.groups if one.files == 1 and one.is_whole and about.is_meant(one)]
        return "\n".join(line for one in texts if one.kind in {PLAIN, NOTE} for line in _group_lines(one))

    def _tables(self, tokens: float) -> str:
        """The tables with their columns, as many of these as there is room for."""
        shown = ""
        for width in _WIDTHS:
            files = [f"{signature(t.name, t.columns, width)} from {t.pattern}" for t in self.tables]
            files = cut(files, MOST_GROUPS, "table files", [t.pattern for t in self.tables])
            stored = [f"{signature(t.name, t.columns, width)} in {t.pattern}" for t in self.database_tables]
            stored = cut(stored, MOST_STORED, "tables", [written(t.name) for t in self.database_tables])
            shown = "; ".join([*files, *stored])
            if estimate(shown) <= tokens:
                break
        return shown

    def _others(self, tokens: float) -> Iterable[tuple[str, str]]:
        """What is neither a text that a pattern finds nor a table."""
        hidden = [_hidden_line(group) for group in self.groups if group.is_hidden]
        known = {group.pattern for group in self.texts}
        apart = [
            f"{group.pattern} ({_count(group)})" if group.files > 1 else group.pattern
            for group in self.groups
            if group.pattern not in known and not group.is_hidden
        ]
        yield "Hidden files", "; ".join(_within(tokens, hidden, "hidden files", MOST_HIDDEN))
        yield "Other files", "; ".join(_within(tokens, apart, "groups of files"))

    def _unopened(self, tokens: float) -> Iterable[tuple[str, str]]:
        """What was counted and not opened."""
        opaque = [f"{count:,} {kind}{'s' * (count != 1)}" for kind, count in self.opaque.items()]
        yield "Files that are not read", ", ".join(_within(tokens, opaque, "kinds"))
        yield "Not looked into", ", ".join(_within(tokens, [f"{name}/" for name in self.left_out], "folders"))


@dataclass(frozen=True)
class _About:
    """What a task is about, as far as it names files, folders and tables; all there is where it names none."""

    task: str
    is_all: bool

    @classmethod
    def of(cls, survey: Survey, task: str) -> _About:
        found = cls(task, is_all=False)
        there: list[TableGroup | FileGroup] = [*survey.tables, *survey.database_tables, *survey.groups]
        return found if task and any(found.is_meant(one) for one in there) else cls(task, is_all=True)

    def is_meant(self, one: TableGroup | FileGroup | FormedTable) -> bool:
        """Whether the task may be about it; what any file makes is only told of."""
        if isinstance(one, FormedTable):
            return not self.is_general(one) and (self.is_all or any(map(self._has, one.patterns)))
        return (
            self.is_all
            or self._has(one.pattern)
            or (isinstance(one, TableGroup) and has_word(self.task, one.name))
        )

    @staticmethod
    def is_general(one: TableGroup | FormedTable) -> bool:
        """Whether it is a table that any workspace has."""
        return isinstance(one, FormedTable) and one.form in {FILES, LINES}

    def _has(self, pattern: str) -> bool:
        """Whether the task names a file, or a folder that it lies in."""
        at = PurePosixPath(pattern.partition("#")[0])
        folders = [part for part in at.parent.parts if "*" not in part]
        names = [str(at), at.name, at.stem] if "*" not in at.name else []
        return any(has_word(self.task, name) for name in (*folders, *names))

    def beside(self, survey: Survey) -> list[str]:
        """What the task is not about: tables with their columns, files by their patterns."""
        tables: list[TableGroup | FormedTable] = [*survey.formed, *survey.tables, *survey.database_tables]
        shown = [f"table {signature(one.name, one.columns, 8)}" for one in tables if not self.is_meant(one)]
        return [*shown, *(one.pattern for one in survey.groups if not self.is_meant(one))]


def is_about(survey: Survey, task: str, table: TableGroup) -> bool:
    """Whether a task names a table, its file, or a folder that it lies in."""
    about = _About.of(survey, task)
    return not about.is_all and about.is_meant(table)


def has_word(text: str, name: str) -> bool:
    """Whether a name stands in a text, in the singular or the plural."""
    stem = re.escape(name if "." in name else name.removesuffix("s") or name)
    return re.search(rf"(?<![\w-]){stem}s?(?![\w-])", text, re.IGNORECASE) is not None


def _within(
    tokens: float, parts: Sequence[str], what: str, most: int = MOST_TEXTS, names: Sequence[str] = ()
) -> list[str]:
    """As many of the first parts as have room, at least one, and how many more there are, by their names."""
    kept = min(most, len(parts))
    while kept > 1 and estimate("; ".join(parts[:kept])) > tokens:
        kept -= 1
    return cut(parts, kept, what, names)


def _text_line(group: TextGroup) -> str:
    count = max(group.files, len(group.paths))
    return group.pattern if count == 1 else f"{group.pattern} ({count} files)"


def _count(group: FileGroup) -> str:
    return f"{group.files} file{'s' * (group.files != 1)}"


def _hidden_line(group: FileGroup) -> str:
    if group.kind != SECRETS or not group.lines:
        return group.pattern
    names = [line.partition("=")[0].partition(":")[0].strip() for line in group.lines if "***" in line]
    return f"{group.pattern} with {', '.join(cut(names, 12, 'names'))}, values hidden"


def _by_kind(groups: Sequence[FileGroup]) -> list[FileGroup]:
    """The groups, one of each kind before the second of any; what is hidden and no list of variables last."""
    counted = Counter[str]()
    ranked: list[tuple[bool, int, int]] = []
    for number, group in enumerate(groups):
        is_last = group.is_hidden and group.kind != SECRETS
        counted[group.kind] += not is_last
        ranked.append((is_last, counted[group.kind], number))
    return [groups[number] for _, _, number in sorted(ranked)]


def _size(size_bytes: int) -> str:
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:.1f} {unit}"
    return f"{size_bytes} bytes"


def _group_lines(group: FileGroup) -> list[str]:
    """A group as a head and the first lines of one of its files."""
    count = f"{_count(group)}, " if group.files > 1 else ""
    head = f"{group.pattern} ({count}{group.kind}, {_size(group.size_bytes)})"
    if group.hidden:
        head += f", {group.hidden} value{'s' * (group.hidden != 1)} hidden as ***"
    if group.sampled and group.files > 1:
        head += f"; first lines of {PurePosixPath(group.sampled).name}"
    return [head + ":" * bool(group.lines), *(f"  {line}" for line in group.lines)]


def _alike(tables: Sequence[TableGroup]) -> Iterable[list[list[str]]]:
    """The tables of files as lines, many with the same columns as one of them and the names of the others."""
    groups: dict[tuple[str, ...], list[TableGroup]] = {}
    for table in tables:
        groups.setdefault(table.columns, []).append(table)
    for first, *others in groups.values():
        if len(others) < MOST_ALIKE:
            yield [_table_lines(table) for table in (first, *others)]
            continue
        head, *rows = _table_lines(first)
        names = ", ".join(cut([f"{written(one.name)} from {one.pattern}" for one in others], 3, "tables"))
        yield [[f"{head}; of the same columns {names}", *rows]]


def _table_lines(table: TableGroup) -> list[str]:
    """A table as a head with its columns, and rows."""
    concealer = Concealer()
    if table.text:
        first, *rest = concealer.text(table.text).split("\n")
        return [f"table {first}, in {table.pattern}", *rest]
    kinds = table.kinds or ("",) * len(table.columns)
    columns = [f"{written(name)} {kind}".strip() for name, kind in zip(table.columns, kinds, strict=False)]
    rows = "" if table.rows is None else f", {table.rows:,} row{'s' * (table.rows != 1)}"
    head = f"table {written(table.name)}({', '.join(cut(columns, 30, 'columns'))}) from {table.pattern}{rows}"
    shown = [
        "  "
        + ", ".join(
            cell_text(concealer, name, value) for name, value in zip(table.columns, row, strict=False)
        )
        for row in table.first
    ]
    return [head, *shown]


def _formed_lines(table: FormedTable) -> list[str]:
    """A table made of texts, as any other; of many patterns the first is told."""
    columns = [f"{written(name)} {kind}" for name, kind in zip(table.columns, table.kinds, strict=False)]
    others = len(table.patterns) - 1
    place = table.patterns[0] + f" and {others} more" * (others > 0)
    rows = "" if table.rows is None else f", {table.rows:,} row{'s' * (table.rows != 1)}"
    head = f"table {written(table.name)}({', '.join(cut(columns, 30, 'columns'))}) of {place}{rows}"
    concealer = Concealer()
    return [
        head,
        *(f"  {', '.join(cell_text(concealer, '', value) for value in row)}" for row in table.first),
    ]


def _declared(table: TableGroup | FormedTable) -> list[str]:
    """A table as ``CREATE TABLE`` has it, which models know best, and its first rows as remarks."""
    kinds = table.kinds or ("",) * len(table.columns)
    pairs = zip(table.columns, kinds, strict=False)
    columns = cut([f"{written(name)} {kind}".strip() for name, kind in pairs], 30, "columns")
    place = f"made of {table.patterns[0]}" if isinstance(table, FormedTable) else f"in {table.pattern}"
    rows = "" if table.rows is None else f"{table.rows:,} row{'s' * (table.rows != 1)}, "
    head = f"CREATE TABLE {written(table.name)} ({', '.join(columns)}) -- {rows}{place}"
    if isinstance(table, TableGroup) and table.text:
        return [head, *(f"-- {line.strip()}" for line in Concealer().text(table.text).split("\n")[1:])]
    concealer, named = Concealer(), isinstance(table, TableGroup)
    shown = [
        ", ".join(
            cell_text(concealer, name if named else "", value)
            for name, value in zip(table.columns, row, strict=False)
        )
        for row in table.first
    ]
    # Of a table that was not looked at as a whole other rows may hold other values.
    is_whole = table.rows is not None and table.rows <= MOST_ROWS
    told = [
        f"-- {written(name)} is {'one of' if is_whole else 'for example'}: "
        + ", ".join(cell_text(concealer, name, value) for value in values)
        for name, values in table.categories.items()
    ]
    return [head, *(f"-- {row}" for row in shown[:1]), *told, *(f"-- {row}" for row in shown[1:])]


def cell_text(concealer: Concealer, column: str, value: JsonValue) -> str:
    """A cell as a model is shown it: on one line, cut, and hidden where its column is one of secrets."""
    text = "" if value is None else concealer.cell(column, value)
    text = " ".join(text.split())
    return text if len(text) <= CELL_CHARACTERS else f"{text[:CELL_CHARACTERS]}…"


def _shared(
    tokens: float, groups: Sequence[list[str]], firsts: int, tables: Sequence[list[str]]
) -> list[str]:
    """The heads of all, and as many lines of each as all have room for; where that is none, of the ``firsts``
    groups, which are of a kind each. What is cut is said.

    Tables come first: a program that reads one by a wrong name fails at its first line.
    """
    for depth, others in (*((depth, depth) for depth in _DEPTHS), (2, 0), (1, 0), (0, 0)):
        lines = [line for one in tables for line in _first(one, min(others, 2))]
        lines += [line for one in groups[:firsts] for line in _first(one, depth)]
        lines += [line for one in groups[firsts:] for line in _first(one, others)]
        if estimate("\n".join(lines)) <= tokens:
            return lines
    needs = [sum(estimate(one[0]) + 1 for one in part) for part in (tables, groups)]
    share = max(tokens / 2, tokens - needs[1])
    shown = _heads(share, tables, "tables")
    return [*shown, *_heads(tokens - estimate("\n".join(shown)), groups, "groups of files")]


def _heads(tokens: float, parts: Sequence[list[str]], what: str) -> list[str]:
    """As many heads as have room, and how many more there are."""
    kept: list[str] = []
    room = tokens - 8
    for one in parts:
        head = one[0].partition("; first lines of ")[0].rstrip(":")
        head = head if len(head) <= MOST_HEAD else f"{head[:MOST_HEAD]}…"
        room -= estimate(head) + 1
        if room < 0:
            break
        kept.append(head)
    left = len(parts) - len(kept)
    return [*kept, f"… {left} more {what}"] if left else kept


def _first(lines: Sequence[str], depth: int) -> list[str]:
    if not depth:
        return [lines[0].partition("; first lines of ")[0].rstrip(":")]
    return [*lines[: depth + 1], *["  …"] * (len(lines) > depth + 1)]
