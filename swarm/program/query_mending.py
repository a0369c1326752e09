"""What code mends in the queries and tables of a small model where it is plain what they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from swarm.program.saving import Plain

Row = Mapping[str, Plain]
_UNDERSCORE = re.compile(r"(?i)\bLIKE\s+'_%'(?!\s*ESCAPE)")
_TEXT = re.compile(r"'(?:[^']|'')*'|--[^\n]*")
_SELECT = re.compile(r"(?i)\bselect\b")
_BARE = re.compile(r"column \"?(?:\w+\.)?(?P<name>\w+)\"? must (?:appear in|be part of)")
_TOKEN = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|\w+(?:\s*\.\s*(?:\w+|\"[^\"]*\"))?|[()]|.", re.DOTALL
)
AGGREGATES = frozenset([
    "sum",
    "count",
    "avg",
    "min",
    "max",
    "total",
    "median",
    "mode",
    "list",
    "group_concat",
    "string_agg",
    "any_value",
    "first",
    "last",
    "stddev",
    "variance",
])


def literal_underscore(query: str) -> str:
    """The query with ``LIKE '_%'`` for texts that begin with an underscore, of which the task speaks; taken as SQL
    has it, any text matches."""
    return _UNDERSCORE.sub(r"LIKE '\\_%' ESCAPE '\\'", query)


def with_names(query: str, patterns: Mapping[str, str]) -> str:
    """The query with tables by their names, where it names the files that they are made of: ``FROM logs/*.log``."""
    for pattern, name in patterns.items():
        form = rf"(?i)(\b(?:from|join)\s+)(['\"`]?){re.escape(pattern)}\2(?=[\s;)]|$)"
        texts = [found.span() for found in _TEXT.finditer(query)]
        for found in reversed([*re.finditer(form, query)]):
            if not any(start < found.start() < end for start, end in texts):
                query = f'{query[: found.start()]}{found[1]}"{name}"{query[found.end() :]}'
    return query


def with_one_value(query: str, error: str) -> str:
    """The query with a column that is neither grouped by nor aggregated taken as its one value in each group; a
    group that has several fails. Empty where the error is another one, or the column is not selected plainly.

    It is what SQL itself allows where a key is grouped by (ISO 9075-2, functional dependencies).
    """
    found = _BARE.search(error)
    # Which SELECT the error is about is plain where there is one alone.
    if found is None or len(_SELECT.findall(query)) != 1:
        return ""
    name = found["name"].casefold()
    mended, is_mended = _selected(query, name)
    return mended if is_mended else ""


def _selected(query: str, name: str) -> tuple[str, bool]:
    """The query with each such column in its list of columns put as its one value."""
    tokens = _TOKEN.findall(query)
    words = [token.casefold() for token in tokens]
    inside: list[bool] = []
    """For each bracket that is open, whether it is one of an aggregate."""
    before, is_done = "", False
    for at, word in enumerate(words):
        if word == "(":
            inside.append(before in AGGREGATES)
        elif word == ")" and inside:
            inside.pop()
        elif word == "from" and not inside:
            break
        column = re.split(r"\s*\.\s*", word)[-1].strip('"')
        if column == name and word[:1] not in "'-" and before not in {"as", ")"} and not any(inside):
            behind = next((one for one in words[at + 1 :] if one.strip()), "")
            is_whole = before in {"select", "distinct", ","} and behind in {",", "from"}
            tokens[at] = _one_value(tokens[at], name) + f' AS "{name}"' * is_whole
            is_done = True
        before = word if word.strip() else before
    return "".join(tokens), is_done


def _one_value(column: str, name: str) -> str:
    several = f"error('{name} has several values in a group; group by it, or take its SUM, MIN or MAX')"
    same = f"MIN({column}) IS NOT DISTINCT FROM MAX({column}) AND COUNT({column}) IN (0, COUNT(*))"
    return f"(CASE WHEN {same} THEN MIN({column}) ELSE {several} END)"


def as_asked(rows: Sequence[Row], wanted: Sequence[str]) -> list[dict[str, Plain]] | None:
    """Rows with just the columns that are asked for, under these names; None where they are as they should be, or
    it is not plain which is which.

    Columns that have their names are taken by them and the others left out. Where as many are there as are asked
    for, and all but one have their names and places, the last is what is asked for at its place; so are two columns
    that have the same name in two tables.
    """
    columns = [*dict.fromkeys(name for row in rows for name in row)]
    if not rows or columns == [*wanted]:
        return None
    own = [_folded(name) for name in columns]
    asked = [_folded(name) for name in wanted]
    if len({*own}) < len(own) or len({*asked}) < len(asked):
        return None
    if {*asked} <= {*own}:
        sources = [columns[own.index(name)] for name in asked]
    elif len(own) == len(asked) and _is_in_order(own, asked):
        sources = columns
    else:
        return None
    return [{name: row.get(source) for name, source in zip(wanted, sources, strict=True)} for row in rows]


def _is_in_order(own: Sequence[str], asked: Sequence[str]) -> bool:
    """Whether what has the same name stands at the same place, and it is plain what the others are."""
    pairs = [(mine, theirs) for mine, theirs in zip(own, asked, strict=True) if mine != theirs]
    left = [mine for mine, _ in pairs]
    is_plain = len(left) == 1 or (len(left) == 2 and left[1] == f"{left[0]}2")
    return is_plain and len(pairs) < len(own) and not {*left} & {*asked}


def _folded(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())
