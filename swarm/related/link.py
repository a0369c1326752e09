"""Which table's rows stand for rows of another: found by values that are the same and names that are alike."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

from swarm.related.looked_at import ColumnValues, Relation

LEAST_SHARED = 0.6
"""Of the different values of a column that names rows of another table, those that are found there."""
LEAST_ALIKE = 0.9
"""The same where no name says so."""
LEAST_TEXTS = 3
"""Different texts that are found in another table by more than chance."""
LEAST_COMMON = 0.5
"""Of the different values of two columns of one name, those that both have."""
UNNAMED = frozenset({"id", "name", "file", "text", "line", "no", "nr", "number", "key", "code"})
"""Names that many tables give to something of their own."""
KEYS = ("", "id", "no", "nr", "number", "code", "key", "name")
"""What follows the name of a thing where a column names it: ``customer``, ``customer_id``."""


@dataclass(frozen=True)
class Link:
    """Each row of one table has at most one of another, where both have the same values in some columns."""

    child: Relation
    columns: tuple[str, ...]
    parent: Relation
    keys: tuple[str, ...]
    """Of the parent, one for each of the columns."""

    @property
    def is_between(self) -> bool:
        """Whether it holds the other way round too."""
        return self.child.is_key(self.columns)


def links(sources: Sequence[Relation]) -> list[Link]:
    """The links between some tables; of two tables the one that their names speak for most."""
    found = (_link(child, parent) for child, parent in permutations(sources, 2))
    return [link for link in found if link is not None]


def _link(child: Relation, parent: Relation) -> Link | None:
    ranked: list[tuple[int, bool, float, Link]] = []
    for key in parent.columns.values():
        if key.is_measure or not key.filled or not parent.is_key([key.name]):
            continue
        for column in child.columns.values():
            shared = _shared(column, key)
            named = _named(child, column.name, parent, key.name)
            if column.is_number and named < _OF_PARENT and not _is_key_name(column.name):
                continue
            if shared >= LEAST_SHARED and (named or _is_plain(column, shared)):
                ranked.append((
                    named,
                    not column.is_number,
                    shared,
                    Link(child, (column.name,), parent, (key.name,)),
                ))
    together = _together(child, parent)
    if together is not None and not any(one[0] == _OF_PARENT for one in ranked):
        return together
    return max(ranked, key=lambda one: one[:3])[3] if ranked else None


def _together(child: Relation, parent: Relation) -> Link | None:
    """The link by several columns that have the same names in both, as a place and a month."""
    common = tuple(
        one.name
        for one in parent.columns.values()
        if one.name.casefold() not in UNNAMED
        and not one.is_measure
        and (other := child.columns.get(one.name)) is not None
        and not other.is_measure
        and one.is_number == other.is_number
        and (not one.is_number or _is_key_name(one.name))
        and len(one.distinct & other.distinct)
        >= LEAST_COMMON * max(min(len(one.distinct), len(other.distinct)), 1)
    )
    return Link(child, common, parent, common) if len(common) > 1 and parent.is_key(common) else None


def _shared(column: ColumnValues, key: ColumnValues) -> float:
    """The share of a column's different values that another has."""
    if column.is_measure or not column.filled or column.is_number != key.is_number:
        return 0.0
    return len(column.distinct & key.distinct) / len(column.distinct)


def _is_plain(column: ColumnValues, shared: float) -> bool:
    """Whether the values alone show it: numbers that count on from 1 are found everywhere."""
    return not column.is_number and len(column.distinct) >= LEAST_TEXTS and shared >= LEAST_ALIKE


def _is_key_name(name: str) -> bool:
    """Whether a column of whole numbers is called as one that names something, and does not count it."""
    return _KEY.search(name) is not None


_KEY = re.compile(
    r"(?:^|_|(?<=[a-z]))(?:id|no|nr|num|number|code|key|sku|ean|isbn|plu|zip|year|month|week|day|date|hour)s?$",
    re.IGNORECASE,
)
_OF_PARENT, _SAME, _ALIKE = 3, 2, 1


def _named(child: Relation, column: str, parent: Relation, key: str) -> int:
    """How far the names say that a column names rows of another table; 0 where they don't."""
    mine, theirs, thing = _plain(column), _plain(key), _singular(parent.name)
    if mine in {thing + end for end in (*KEYS, theirs)} or _singular(column) == thing:
        return _OF_PARENT
    if theirs.startswith(_singular(child.name)):
        return 0
    if mine == theirs:
        return 0 if mine in UNNAMED else _SAME
    ends = {mine, theirs} & UNNAMED
    is_part = mine.endswith(theirs) or theirs.endswith(mine)
    return _ALIKE if is_part and not ends and min(len(mine), len(theirs)) > 2 else 0


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _singular(name: str) -> str:
    plain = _plain(name)
    if plain.endswith("ies"):
        return f"{plain[:-3]}y"
    return plain[:-1] if plain.endswith("s") and not plain.endswith("ss") else plain
