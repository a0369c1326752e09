"""The tables that a task is about, as whoever writes one SELECT is told of them: each with all that belongs to its
rows, as SQL declares tables, with first rows and the values of columns that hold few."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import JsonValue

from swarm.errors import ToolError
from swarm.models.servers.counting import estimate
from swarm.program.overlay import Overlay
from swarm.program.program_wire import Order
from swarm.program.querying import Catalogue, Row
from swarm.related.looked_at import ColumnValues, Relation
from swarm.related.naming import is_named
from swarm.related.widened import Widened, widened
from swarm.survey.concealed import Concealer
from swarm.survey.description import cut
from swarm.survey.overview import cell_text
from swarm.tabular.categories import categories
from swarm.tabular.names import written
from swarm.work.context import one_line

MOST_ROWS = 200_000
"""Of a table that is looked at for what belongs to it; of a longer one the first rows are told."""
LOOKED_AT = 2_000
"""Rows of a longer table that are looked at."""
MOST_COLUMNS = 30
MOST_REASON = 160
LEAST_FAR = 2
"""Rows in which a number must stand that lies far from all others to be told of."""
_MARK = re.compile(r"-?9{2,5}(?:\.0*)?|-?1")
"""Numbers that are written where there is none: ``-999``."""


@dataclass(frozen=True)
class Declared:
    """One table."""

    name: str
    columns: tuple[str, ...]
    lines: tuple[str, ...]
    """As it is told of."""
    query: str = ""
    """The SELECT that it is, where it is more than a table that lies there."""
    called: str = ""
    """Its name in SQL, where that is another one."""
    is_of_two: bool = False
    """Whether it holds what two tables say of the same thing: what one of them lacks differs."""
    doubts: tuple[tuple[str, str], ...] = ()
    """What speaks against a result that uses a column, by a part of the column's name."""
    named: tuple[tuple[str, str], ...] = ()
    """Columns of few values with the one that the task names."""

    def within(self, select: str) -> str:
        """A SELECT over this table as SQL runs it."""
        if not self.query:
            return select
        if self.is_of_two:
            select = self._distinct(select)
        name = re.compile(rf"(?i)\b(FROM|JOIN)(\s+){re.escape(written(self.name))}(?![\w.])")
        body = name.sub(lambda found: f"{found[1]}{found[2]}{written(self.called)}", select)
        columns = re.compile(rf"(?<![\w.\"]){re.escape(written(self.name))}\.(?=[\w\"])")
        inside = "\n    ".join(self.query.split("\n"))
        return f"WITH {written(self.called)} AS (\n    {inside}\n)\n{columns.sub('', body)}"

    def _distinct(self, select: str) -> str:
        """The SELECT with columns that are said to be unlike taken as unlike where one of them is NULL too."""
        one = "|".join(re.escape(written(name)) for name in self.columns)
        unlike = re.compile(rf"(?i)(?<![\w.\"])({one})\s*(?:!=|<>)\s*({one})(?![\w.\"])")
        return unlike.sub(r"\1 IS DISTINCT FROM \2", select)


class TableSchema:
    """The tables, and what a SELECT over them gives."""

    def __init__(
        self,
        catalogue: Catalogue,
        tables: Sequence[Declared],
        unread: Sequence[str] = (),
        names: Sequence[str] = (),
    ) -> None:
        self._catalogue = catalogue
        self.tables = tuple(tables)
        self.names = tuple(names)
        """Of all tables that the task is about, those too that are part of others."""
        self.unread = tuple(unread)
        """Tables that the task is about and that can't be read, each with the reason."""

    def rows(self, query: str) -> list[Row]:
        """The rows of a SELECT.

        Raises:
            ValueError: it fails.
        """
        return self._catalogue.select(query, {})

    def told(self, tokens: int) -> str:
        """All that is told of the tables, as far as there is room."""
        lines: list[str] = []
        for table in self.tables:
            for line in table.lines:
                if lines and estimate("\n".join([*lines, line])) > tokens and not line.startswith("CREATE"):
                    continue
                lines.append(line)
        return "\n".join(lines)


@contextmanager
def schema_of(order: Order, names: Sequence[str], task: str) -> Generator[TableSchema]:
    """The schema of some tables, by their names; open as long as it is asked for rows.

    A table that can't be read is left out, and told of in ``unread``.
    """
    with tempfile.TemporaryDirectory(prefix="swarm-schema-", ignore_cleanup_errors=True) as folder:
        scratch = Path(folder, "scratch")
        empty = Path(folder, "written")
        scratch.mkdir()
        empty.mkdir()
        order = replace(order, scratch=str(scratch), written=str(empty))
        catalogue = Catalogue(Overlay(Path(order.workspace), empty), order)
        unread: list[str] = []
        yield TableSchema(catalogue, _declared(catalogue, names, task, unread), unread, names)


def _declared(catalogue: Catalogue, names: Sequence[str], task: str, unread: list[str]) -> list[Declared]:
    sources: list[Relation] = []
    found: list[Declared] = []
    for name in names:
        try:
            size = catalogue.size(name) if name in catalogue.names() else 0
            if size > MOST_ROWS:
                some = catalogue.select(f"SELECT * FROM {written(name)} LIMIT {LOOKED_AT}", {})
                found.append(_told(Relation(name, some), task, size=size))
            elif size:
                sources.append(Relation(name, catalogue.rows(name)))
        except (ValueError, OSError, ToolError) as error:
            unread.append(f"{name} could not be read: {one_line(str(error), MOST_REASON)}")
    for one in widened(sources, task):
        source = next((source for source in sources if source.name == one.name), None)
        if one.is_plain and source is not None:
            found.append(_told(source, task))
            continue
        try:
            rows = catalogue.select(
                f"WITH {written(one.called)} AS ({one.query}) SELECT * FROM {written(one.called)}", {}
            )
        except ValueError:
            found += [] if source is None else [_told(source, task)]
            continue
        told = _told(Relation(one.name, rows), task, one)
        joined = replace(told, query=one.query, called=one.called, is_of_two=one.is_of_two)
        found.append(replace(joined, doubts=one.doubts))
    return found


def _told(source: Relation, task: str, one: Widened | None = None, size: int | None = None) -> Declared:
    """A table as it is declared, with its first rows; ``size``: how many it has, where the source has not all."""
    columns = [*source.columns.values()][:MOST_COLUMNS]
    total = len(source.rows) if size is None else size
    pairs = [f"{written(column.name)} {'NUMBER' if column.is_number else 'TEXT'}" for column in columns]
    head = f"CREATE TABLE {written(source.name)} ({', '.join(cut(pairs, MOST_COLUMNS, 'columns'))}) -- {total:,} rows"
    concealer = Concealer()
    shown = [
        "-- " + ", ".join(cell_text(concealer, column.name, _json(column.values[at])) for column in columns)
        for at in range(min(len(source.rows), 2))
    ]
    remarks = [f"-- {one.remark}"] if one and one.remark else []
    named: list[tuple[str, str]] = []
    for column, values in _categories(columns).items():
        remarks.append(_one_of(source.columns[column], values, is_all=size is None))
        said = [value for value in values if is_named(task, value)]
        remarks += [f"-- the task speaks of {written(column)} {' and '.join(map(repr, said))}"] * bool(said)
        named += [(column, value) for value in said]
    remarks += [f"-- {line}" for column in columns for line in _far(column)]
    remarks += [f"-- {line}" for line in one.words] if one else []
    names = tuple(column.name for column in columns)
    return Declared(source.name, names, (head, *shown[:1], *remarks, *shown[1:]), named=tuple(named))


def _categories(columns: Sequence[ColumnValues]) -> Mapping[str, tuple[str, ...]]:
    rows = [list(row) for row in zip(*(column.values for column in columns), strict=True)]
    return categories([column.name for column in columns], rows)


def _one_of(column: ColumnValues, values: Sequence[str], *, is_all: bool) -> str:
    """The values of a column that holds few, in words."""
    lacks = len(column.filled) < len(column.values)
    concealer = Concealer()
    shown = ", ".join(cell_text(concealer, column.name, value) for value in values)
    return (
        f"-- {written(column.name)} is {'one of' if is_all else 'for example'}: {shown}{' or NULL' * lacks}"
    )


def _json(value: object) -> JsonValue:
    return value if isinstance(value, str | int | float | bool) else None


def _far(column: ColumnValues) -> list[str]:
    """A number that stands for none, as ``-999``: far from all others, and more than once."""
    if not column.is_number:
        return []
    counted = Counter(value for value in column.filled if isinstance(value, int | float))
    numbers = sorted(counted)
    if len(numbers) < 8:
        return []
    for far, others in ((numbers[0], numbers[1:]), (numbers[-1], numbers[:-1])):
        least, most = others[0], others[-1]
        is_far = far < least - (most - least) or far > most + (most - least)
        if counted[far] >= LEAST_FAR and _MARK.fullmatch(f"{far}") and is_far:
            return [
                f"{written(column.name)} is {far} in {counted[far]} rows, in the others {least} to {most}"
            ]
    return []
