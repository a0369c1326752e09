"""What a statement says, seen in its syntax tree: which tables and columns it uses, and what it orders by.

DuckDB refuses sums, averages and comparisons of texts with numbers by itself. What it would answer and
what is wrong all the same is found here: texts that begin with numbers, put in the order of letters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

Node = Mapping[str, JsonValue]
ORDERING = frozenset({
    "COMPARE_LESSTHAN",
    "COMPARE_GREATERTHAN",
    "COMPARE_LESSTHANOREQUALTO",
    "COMPARE_GREATERTHANOREQUALTO",
})
ORDERING_FUNCTIONS = frozenset([
    "min",
    "max",
    "least",
    "greatest",
    "arg_min",
    "arg_max",
    "argmin",
    "argmax",
    "min_by",
    "max_by",
    "median",
    "quantile",
    "quantile_disc",
])
KEEPING = frozenset([
    "lower",
    "upper",
    "trim",
    "ltrim",
    "rtrim",
    "coalesce",
    "ifnull",
    "nullif",
    "replace",
    "regexp_replace",
    "substr",
    "substring",
    "left",
    "right",
    "concat",
    "||",
    "any_value",
    "first",
    "last",
    "min",
    "max",
])
"""Functions whose result is in the order of their argument."""
NUMBERS = re.compile(r"int|double|float|real|decimal|numeric", re.IGNORECASE)
_NUMBER = re.compile(r"[^\w\s]?\s*[-+]?\d[\d.,'\u2019 ]*")
_DAY_FIRST = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b.*")


@dataclass(frozen=True)
class Statement:
    """The syntax tree of one SELECT."""

    tree: Node

    @classmethod
    def of(cls, serialized: str) -> Statement:
        """The tree as DuckDB writes it (``json_serialize_sql``)."""
        return cls(json.loads(serialized))

    def nodes(self) -> Iterator[Node]:
        """All nodes of the tree."""
        return _walked(self.tree)

    def tables(self) -> set[str]:
        """Names of tables that stand in it, in small letters."""
        return {
            str(node["table_name"]).casefold() for node in self.nodes() if node.get("type") == "BASE_TABLE"
        }

    def columns(self) -> set[str] | None:
        """Words that may name a column, in small letters; None where ``*`` stands for all."""
        words: set[str] = set()
        for node in self.nodes():
            if node.get("class") == "STAR" or node.get("using_columns"):
                return None
            if node.get("class") == "COLUMN_REF":
                words |= {name.casefold() for name in _names(node)}
            if node.get("ref_type") == "NATURAL":
                return None
        return words

    def functions(self) -> set[str]:
        """Names of the functions and operators it calls, in small letters."""
        return {str(node["function_name"]).casefold() for node in self.nodes() if "function_name" in node}

    def is_ordering(self) -> bool:
        """Whether it orders or compares anything."""
        return any(True for _ in self._ordering())

    def unchanged(self, columns: Collection[str]) -> set[str]:
        """Those of the columns, in small letters, whose names stand for nothing that is computed."""
        computed = {
            str(node["alias"]).casefold()
            for node in self.nodes()
            if node.get("alias") and node.get("class") not in (None, "COLUMN_REF", "STAR")
        }
        return {column.casefold() for column in columns} - computed

    def tries(self) -> bool:
        """Whether it makes numbers of texts and lets go of what is none."""
        return any(node.get("try_cast") is True and NUMBERS.search(_type_name(node)) for node in self.nodes())

    def ordered(self, columns: Mapping[str, Collection[str]]) -> str:
        """The first of the columns, given by table, that it orders or compares; empty where it does with none."""
        known = {name.casefold(): {one.casefold() for one in names} for name, names in columns.items()}
        for node in self.nodes():
            table, alias = node.get("table_name"), node.get("alias")
            if node.get("type") == "BASE_TABLE" and alias and str(table).casefold() in known:
                known[str(alias).casefold()] = known[str(table).casefold()]
        named = self._named(known)
        for expression in self._ordering():
            for reference in _references(expression):
                if _is_one_of(reference, known) or reference[-1] in named:
                    return reference[-1]
        return ""

    def _named(self, known: Mapping[str, Collection[str]]) -> set[str]:
        """Other names that the statement gives to the columns."""
        return {
            str(node["alias"]).casefold()
            for node in self.nodes()
            if node.get("alias")
            and node.get("class") in ("COLUMN_REF", "FUNCTION")
            and any(_is_one_of(reference, known) for reference in _references(node))
        }

    def _ordering(self) -> Iterator[Node]:
        """Expressions whose order counts."""
        for node in self.nodes():
            if node.get("type") in ORDERING:
                yield from _objects(node.get("left"), node.get("right"))
            elif node.get("class") == "BETWEEN":
                yield from _objects(node.get("input"))
            elif (
                node.get("class") in ("FUNCTION", "WINDOW")
                and node.get("function_name") in ORDERING_FUNCTIONS
            ):
                yield from _arguments(node)
            if node.get("class") == "WINDOW":
                yield from _ordered_by(node.get("orders"), ())
            selected = node.get("select_list")
            for modifier in _objects(*_list(node.get("modifiers"))):
                if modifier.get("type") == "ORDER_MODIFIER":
                    yield from _ordered_by(modifier.get("orders"), _list(selected))


def begins_with_numbers(texts: Iterable[str]) -> bool:
    """Whether texts are numbers for the most part, whose order is not that of the letters."""
    known = sorted(set(texts))
    if sum(bool(_DAY_FIRST.fullmatch(text)) for text in known) * 2 > len(known):
        return len(known) > 1
    found = [match for text in known if (match := _NUMBER.match(text))]
    if len(found) < 2 or len(found) * 2 < len(known):
        return False
    numbers = [int(re.sub(r"\D", "", match[0]).rjust(1, "0")[:4000]) for match in found]
    negative = any("-" in match[0] for match in found)
    return negative or numbers != sorted(numbers)


def _walked(value: JsonValue | Node) -> Iterator[Node]:
    waiting: list[object] = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            yield one  # pyright: ignore[reportUnknownVariableType]  # parsed JSON: keys are texts
            waiting += reversed([*one.values()])  # pyright: ignore[reportUnknownArgumentType]
        elif isinstance(one, list):
            waiting += reversed(one)  # pyright: ignore[reportUnknownArgumentType]


def _list(value: JsonValue) -> Sequence[JsonValue]:
    return value if isinstance(value, list) else ()


def _objects(*values: JsonValue) -> list[Node]:
    return [value for value in values if isinstance(value, dict)]


def _names(node: Node) -> list[str]:
    return [str(name) for name in _list(node.get("column_names"))]


def _arguments(node: Node) -> list[Node]:
    """The arguments of a function: expressions, or objects that hold one each."""
    found = _objects(*_list(node.get("arguments")), *_list(node.get("children")))
    return [inner if isinstance(inner := one.get("expression"), dict) else one for one in found]


def _ordered_by(orders: JsonValue, selected: Sequence[JsonValue]) -> Iterator[Node]:
    for order in _objects(*_list(orders)):
        expression = order.get("expression")
        if not isinstance(expression, dict):
            continue
        literal = expression.get("literal")
        place = str(literal.get("text")) if isinstance(literal, dict) else ""
        if place.isdigit() and 0 < int(place) <= len(selected):
            yield from _objects(selected[int(place) - 1])
        yield expression


def _references(node: Node) -> Iterator[list[str]]:
    """Columns in whose order an expression is."""
    if node.get("class") == "COLUMN_REF":
        yield [name.casefold() for name in _names(node)]
    elif node.get("class") == "FUNCTION" and node.get("function_name") in KEEPING:
        for argument in _arguments(node):
            yield from _references(argument)


def _is_one_of(reference: Sequence[str], known: Mapping[str, Collection[str]]) -> bool:
    if len(reference) > 1 and reference[-2] in known:
        return reference[-1] in known[reference[-2]]
    return any(reference[-1] in names for names in known.values())


def _type_name(node: Node) -> str:
    said = node.get("type_expr") or node.get("cast_type")
    return str(said.get("type_name") or said.get("id")) if isinstance(said, dict) else ""
