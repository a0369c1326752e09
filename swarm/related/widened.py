"""A table with all that belongs to its rows, as one SELECT: what its parents have on them, how many rows of its
children belong to each and what they come to, and what two tables say of the same thing, side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from swarm.related.link import Link, links
from swarm.related.looked_at import ColumnValues, Relation
from swarm.related.naming import is_named
from swarm.tabular.names import written

END = "_wide"
"""Of the name that a widened table has in SQL."""
MOST_NAMED = 8
"""Different values of a column of which a task may name some."""
MOST_MEASURES = 6
"""Columns of a child that are added up."""
DECIMALS = 6
"""Of sums and differences: what is behind them is noise of binary fractions."""

_COMPARES = re.compile(
    r"\b(?:compar|differ|discrepan|mismatch|deviat|match|agree|equal|inconsisten|wrong|correct)",
    re.IGNORECASE,
)
"""How a task says that figures are held against each other."""
_DEVIATES = re.compile(r"\b(?:compar|differ|discrepan|mismatch|deviat|inconsisten)", re.IGNORECASE)
"""How it says so of nothing else: rows may match a condition, too, or agree with somebody."""


@dataclass(frozen=True)
class Widened:
    """A table as a SELECT over those that lie there."""

    name: str
    """As it is told of: that of the table itself, or ``a_and_b`` of two."""
    query: str
    """The SELECT."""
    remark: str = ""
    """What is to be known of its columns."""
    words: tuple[str, ...] = ()
    """Words between numbers that are taken as none, each as a sentence."""
    doubts: tuple[tuple[str, str], ...] = ()
    """What speaks against a result that uses a column: how its name, or a part of it, is written, and a sentence."""
    is_of_two: bool = False
    """Whether it holds what two tables say of the same thing."""
    is_plain: bool = False
    """Whether it is the table as it lies there."""

    @property
    def called(self) -> str:
        """Its name in SQL, which no other table has."""
        return f"{self.name}{END}"


def widened(sources: Sequence[Relation], task: str) -> list[Widened]:
    """The tables, each with what belongs to its rows. Tables that only say more of others' rows are part of these,
    and those of which two say the same thing of are one."""
    found = links(sources)
    pairs = [
        link
        for link in found
        if link.is_between and _place(sources, link.child) < _place(sources, link.parent)
    ]
    paired = {source.name for link in pairs for source in (link.child, link.parent)}
    tables = [_Family(source, found, paired, task) for source in sources if source.name not in paired]
    shown = [table.widened for table in tables if not (table.is_part or table.is_held)]
    # What has sums of others on it comes last: a small model takes what it read last.
    ranked = sorted(shown, key=lambda one: bool(one.remark))
    return [*ranked, *(_side_by_side(link) for link in pairs)]


def _place(sources: Sequence[Relation], source: Relation) -> int:
    return next(number for number, one in enumerate(sources) if one is source)


def _name(*parts: str) -> str:
    return written("_".join(part for part in parts if part))


def _side_by_side(link: Link) -> Widened:
    """Two tables that say something of the same things, a row for each thing that either has."""
    one, other = link.child, link.parent
    keys = dict(zip(link.columns, link.keys, strict=True))
    columns = [f"COALESCE({_of(one, a)}, {_of(other, b)}) AS {written(a)}" for a, b in keys.items()]
    common = [
        name for name in one.columns if name in other.columns and name not in keys and name not in link.keys
    ]
    for source, own in ((one, {*link.columns}), (other, {*link.keys})):
        columns += [
            f"{_of(source, column.name)} AS {_name(source.name, column.name) if column.name in common else written(column.name)}"
            for column in source.columns.values()
            if column.name not in own and column.filled
        ]
    columns += [_differs(one.columns[name], one, other) for name in common if one.columns[name].filled]
    joined = " AND ".join(f"{_of(one, a)} = {_of(other, b)}" for a, b in keys.items())
    where = [
        f"COALESCE({_of(one, a)}, {_of(other, b)}) IN (SELECT {written(own)} FROM {written(source.name)})"
        for a, b in keys.items()
        if len(keys) > 1 and _is_dimension(link, a)
        for source, own in ((one, a), (other, b))
    ]
    what = ", ".join(keys)
    remark = f"a row for each {what} of {one.name} or of {other.name}; NULL where one of them lacks it"
    query = _select(columns, f"{written(one.name)} FULL JOIN {written(other.name)} ON {joined}", where)
    return Widened(f"{one.name}_and_{other.name}", query, remark, is_of_two=True)


def _is_dimension(link: Link, column: str) -> bool:
    """Whether a column of several that make a key says which part is meant, as a month, and not of what: the others
    alone are a key of one of the tables. What one table has none of is then not to be compared."""
    others = [one for one in link.columns if one != column]
    return link.child.is_key(others) or link.parent.is_key(others)


def _differs(column: ColumnValues, one: Relation, other: Relation) -> str:
    mine, theirs = _of(one, column.name), _of(other, column.name)
    if column.is_number and other.columns[column.name].is_number:
        mine, theirs = f"ROUND({mine}, {DECIMALS})", f"ROUND({theirs}, {DECIMALS})"
    same = f"{mine} IS NOT DISTINCT FROM {theirs}"
    return f"CASE WHEN {same} THEN 'equal' ELSE 'different' END AS {_name(column.name, 'differs')}"


class _Family:
    """One table with its parents and children."""

    def __init__(self, source: Relation, found: Sequence[Link], paired: set[str], task: str) -> None:
        self._source = source
        self._links = [link for link in found if not {link.child.name, link.parent.name} & paired]
        self._task = task
        self._joins: list[str] = []
        self._columns: list[str] = [_own(column, source) for column in source.columns.values()]
        self._taken = {*source.columns}
        self._measures = [
            column.name for column in source.columns.values() if self._is_measure(source, column)
        ]
        self._sums: list[str] = []
        self._doubts: list[tuple[str, str]] = []
        self._of_parents: dict[str, str] = {}
        self._join_parents(source, {source.name})
        for link in self._links:
            if link.parent is source:
                self._join_child(link)

    @property
    def is_part(self) -> bool:
        """Whether it only says more of rows of other tables, which have it all on them."""
        children = [link for link in self._links if link.parent is self._source]
        return (
            bool(children)
            and not self._sums
            and len(self._source.rows) <= min(len(link.child.rows) for link in children)
        )

    @property
    def is_held(self) -> bool:
        """Whether the task holds what its rows come to against a figure of a parent, on whose rows all of it is:
        beside one of several rows a small model would hold the figure against a part."""
        return self._is_held(self._source)

    def _is_held(self, child: Relation) -> bool:
        parents = [link.parent for link in self._links if link.child is child and not link.is_between]
        figures = [
            [column for column in one.columns.values() if self._is_measure(one, column)]
            for one in (child, *parents)
        ]
        return (
            len(parents) == 1 and all(len(one) == 1 for one in figures) and bool(_DEVIATES.search(self._task))
        )

    @property
    def widened(self) -> Widened:
        """The table as a SELECT."""
        query = _select(self._columns, " ".join([written(self._source.name), *self._joins]), ())
        remark = "; ".join(self._sums)
        told = [
            f"{written(column.name)} holds {' and '.join(map(repr, column.words))} in place of numbers: NULL here"
            for column in self._source.columns.values()
            if column.words
        ]
        doubts = [
            (column.name, f"{' and '.join(map(repr, column.words))} in {column.name} are taken as no number")
            for column in self._source.columns.values()
            if column.words
        ]
        return Widened(
            self._source.name,
            query,
            remark,
            tuple(told),
            (*self._doubts, *doubts),
            is_plain=not (self._joins or told),
        )

    def _join_parents(self, child: Relation, seen: set[str]) -> None:
        for link in self._links:
            if link.child is not child or link.parent.name in seen:
                continue
            seen.add(link.parent.name)
            self._joins.append(f"LEFT JOIN {written(link.parent.name)} ON {_on(link)}")
            for column in link.parent.columns.values():
                if column.name not in link.keys and column.filled:
                    self._take(link.parent, column)
            self._join_parents(link.parent, seen)

    def _take(self, parent: Relation, column: ColumnValues) -> None:
        name = column.name if column.name not in self._taken else f"{parent.name}_{column.name}"
        if name in self._taken:
            return
        self._taken.add(name)
        self._columns.append(f"{_of(parent, column.name)} AS {written(name)}")
        if self._is_measure(parent, column):
            self._of_parents[name] = _of(parent, column.name)

    def _join_child(self, link: Link) -> None:
        child = link.child
        summed = [column for column in child.columns.values() if self._is_measure(child, column)][
            :MOST_MEASURES
        ]
        for end, where in self._parts(link):
            alias = _name(child.name, end)
            keys = ", ".join(written(column) for column in link.columns)
            sums = "".join(f", SUM({written(one.name)}) AS {written(one.name)}" for one in summed)
            made = f"SELECT {keys}, COUNT(*) AS number_of_rows{sums} FROM {written(child.name)}{where} GROUP BY {keys}"
            joined = " AND ".join(
                f"{alias}.{written(column)} = {_of(self._source, key)}"
                for column, key in zip(link.columns, link.keys, strict=True)
            )
            self._joins.append(f"LEFT JOIN ({made}) AS {alias} ON {joined}")
            is_held = self._is_held(child)
            if not is_held:
                self._columns.append(
                    f"COALESCE({alias}.number_of_rows, 0) AS {_name('count', child.name, end)}"
                )
            self._columns += [
                f"ROUND(COALESCE({alias}.{written(one.name)}, 0), {DECIMALS}) AS {self._sum_name(child, one, end)}"
                for one in summed
            ]
            self._left_over(child, summed, alias, end)
        orphans = len(child.columns[link.columns[0]].distinct - self._source.columns[link.keys[0]].distinct)
        if summed:
            which = " or ".join(where.removeprefix(" WHERE ") for _, where in self._parts(link) if where)
            rows = f"those {child.name} of the row with {which}" if which else f"all {child.name} of the row"
            one = self._sum_name(child, summed[0]) if len(summed) == 1 else f"sum_{child.name}_…"
            self._sums.append(f"{one} is the sum over {rows}, 0 without any")
        if orphans:
            lost = f"{orphans} {link.columns[0]} of {child.name} are no row of {self._source.name}"
            self._doubts += [(f"{begin}_{child.name}_", lost) for begin in ("sum", "count")]
            self._doubts += [(f"_minus_{child.name}", lost), ("_differs", lost)]
            self._sums += [lost] * bool(summed)

    def _sum_name(self, child: Relation, column: ColumnValues, end: str = "") -> str:
        """How the sum of a child's figure is called: as the figure itself where it is held against another."""
        if self._is_held(child) and not end and column.name not in self._source.columns:
            return written(column.name)
        return _name("sum", child.name, column.name, end)

    def _left_over(self, child: Relation, summed: Sequence[ColumnValues], alias: str, end: str) -> None:
        """What is left of the one figure of a row when the one of its children is taken off: a balance."""
        own = [(name, _of(self._source, name)) for name in self._measures] + [*self._of_parents.items()]
        if len(own) == len(summed) == 1:
            (name, figure), taken = own[0], f"COALESCE({alias}.{written(summed[0].name)}, 0)"
            left = f"ROUND({figure} - {taken}, {DECIMALS}) + 0"
            self._columns.append(f"{left} AS {_name(name, 'minus', child.name, end)}")
            if _COMPARES.search(self._task):
                differs = f"CASE WHEN {left} = 0 THEN 'equal' ELSE 'different' END"
                self._columns.append(f"{differs} AS {_name(name, 'differs', end)}")

    def _parts(self, link: Link) -> list[tuple[str, str]]:
        """The rows of a child that the task speaks of, by the value of a column that holds few; all of them where
        it names none: the end of the columns' names, and the condition."""
        for column in link.child.columns.values():
            if column.name in link.columns or not 1 < len(column.distinct) <= MOST_NAMED:
                continue
            named = sorted(value for value in map(str, column.distinct) if is_named(self._task, value))
            if named:
                signs = named if column.is_number else [_text(value) for value in named]
                return [
                    (re.sub(r"\W+", "_", value), f" WHERE {written(column.name)} = {sign}")
                    for value, sign in zip(named, signs, strict=True)
                ]
        return [("", "")]

    def _is_measure(self, source: Relation, column: ColumnValues) -> bool:
        """Whether a column's numbers can be added up: they name nothing and are no key."""
        used = {
            name
            for link in self._links
            for one, names in ((link.child, link.columns), (link.parent, link.keys))
            if one is source
            for name in names
        }
        plain = column.name.casefold()
        is_name = plain in {"id", "year", "month", "day", "line", "nr", "no", "number"} or plain.endswith((
            "_id",
            "_no",
        ))
        return column.is_number and column.name not in used and not is_name


def _own(column: ColumnValues, source: Relation) -> str:
    """A column of the table itself; the words between its numbers are none."""
    plain = _of(source, column.name)
    if not column.words:
        return plain
    number = f"REPLACE({plain}, ',', '.')" if column.has_comma else plain
    words = ", ".join(map(_text, column.words))
    # Another word than these is an error when it comes, and no NULL.
    return f"CASE WHEN {plain} IN ({words}, '') THEN NULL ELSE CAST({number} AS DOUBLE) END AS {written(column.name)}"


def _on(link: Link) -> str:
    pairs = zip(link.columns, link.keys, strict=True)
    return " AND ".join(f"{_of(link.parent, key)} = {_of(link.child, column)}" for column, key in pairs)


def _of(source: Relation, column: str) -> str:
    return f"{written(source.name)}.{written(column)}"


def _text(value: str) -> str:
    quoted = value.replace("'", "''")
    return f"'{quoted}'"


def _select(columns: Sequence[str], tables: str, where: Sequence[str]) -> str:
    condition = f"\nWHERE {' AND '.join(where)}" if where else ""
    return f"SELECT {', '.join(columns)}\nFROM {tables}{condition}"
