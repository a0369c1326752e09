"""Names in double quotes that are no column: SQLite takes them for texts, without a word."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mcp_servers.database_parts.numbers import ARITHMETIC, EQUALITY, ORDERING
from mcp_servers.database_parts.session import Trouble
from mcp_servers.database_parts.statement import KEYWORDS, Shape, Token, first_word, shape

ALWAYS = frozenset({"rowid", "oid", "_rowid_", "excluded"})
COMPARING = (
    ORDERING
    | EQUALITY
    | {"like", "glob", "regexp", "match", "in", "between", "is", "isnull", "notnull", "not"}
)
TIMES = frozenset({
    "date",
    "time",
    "datetime",
    "julianday",
    "strftime",
    "unixepoch",
    "json",
    "quote",
    "hex",
    "char",
})
"""Functions that are also called with one text."""
NAMED_BEFORE = frozenset({
    "as",
    "from",
    "join",
    "into",
    "update",
    "table",
    "over",
    "collate",
    "index",
    "indexed",
    ".",
})


@dataclass(frozen=True)
class Scope:
    """What a statement may name: the columns it reads, by table, and all columns of these tables."""

    read: Collection[str]
    columns: Mapping[str, Sequence[str]]

    def near(self, name: str) -> str:
        """The column that was meant by a name; nothing where none is near."""
        if not re.fullmatch(r"\w[\w ]+", name):
            return ""
        folded = {one.casefold(): one for names in self.columns.values() for one in names}
        meant = difflib.get_close_matches(name.casefold(), list(folded), 1, cutoff=0.75)
        return folded[meant[0]] if meant else ""


def doubtful(parts: Sequence[Token], scope: Scope) -> list[tuple[Token, str]]:
    """Names that SQLite takes for texts where only a column makes sense, or where one is near.

    Each comes with the column it is compared with, which may hold that very text; nothing where a
    text makes no sense.
    """
    if first_word(parts) in {"create", "alter", "drop", "pragma"}:
        return []
    at = shape(parts)
    known = {name.casefold() for name in scope.read} | ALWAYS | _named(parts, at)
    found: list[tuple[Token, str]] = []
    for index, token in enumerate(parts):
        if token.kind != "name" or not token.text.startswith('"') or token.value.casefold() in known:
            continue
        if _is_checked(parts, at, index) or _is_said(parts, token):
            continue
        if _needs_column(parts, at, index):
            found.append((token, ""))
        elif scope.near(token.value):
            found.append((token, _compared_with(parts, at, index)))
    return found


def refusal(token: Token) -> Trouble:
    """What a caller is told of such a name."""
    quoted = "'" + token.value.replace("'", "''") + "'"
    reason = f"no such column: {token.value} (a text is written {quoted}, in single quotes)"
    return Trouble(reason, unknown=token.value)


def _named(parts: Sequence[Token], at: Shape) -> set[str]:
    """Names that the statement itself gives: aliases, and what WITH defines."""
    names: set[str] = set()
    for index, token in enumerate(parts):
        before = parts[index - 1] if index else None
        after = parts[index + 1].text.lower() if index + 1 < len(parts) else ""
        is_alias = before is not None and (
            before.word in {"as", "end", "window"}
            or before.kind in {"number", "text"}
            or before.is_name
            or before.text == ")"
        )
        if token.kind in {"name", "word", "text"} and (is_alias or (after == "as" and token.is_name)):
            names.add(token.value.strip("'").casefold())
        if token.text == "(" and _defines(parts, at, index):
            names |= {one.value.casefold() for one in parts[index : at.pairs[index]] if one.is_name}
    return names


def _defines(parts: Sequence[Token], at: Shape, index: int) -> bool:
    """Whether a bracket lists the columns of a WITH: a name before it, and AS behind."""
    end = at.pairs.get(index, len(parts))
    behind = [token.text.lower() for token in parts[end + 1 : end + 3]]
    return (
        index > 0
        and parts[index - 1].is_name
        and behind in (["as", "("], ["as", "not"], ["as", "materialized"])
    )


def _is_checked(parts: Sequence[Token], at: Shape, index: int) -> bool:
    """Whether SQLite itself refuses an unknown name at this place."""
    before = parts[index - 1].text.lower() if index else ""
    after = parts[index + 1].text.lower() if index + 1 < len(parts) else ""
    if before in NAMED_BEFORE or after in {".", "("} or at.clauses[index] == "from":
        return True
    if at.clauses[index] == "set" and after == "=" and before in {"set", ","}:
        return True
    opener = at.openers[index]
    lead = parts[opener - 1].text.lower() if opener > 0 else ""
    is_list = opener > 1 and parts[opener - 2].text.lower() in {"into", "."} and at.clauses[opener] == ""
    return lead in {"using", "conflict"} or is_list


def _is_said(parts: Sequence[Token], token: Token) -> bool:
    """Whether the statement has these words as an expression: SQLite names a column so."""
    wanted = re.sub(r"\s", "", token.value).casefold()
    code = "".join(one.text for one in parts if one is not token).casefold()
    return "(" in wanted and wanted in code


def _needs_column(parts: Sequence[Token], at: Shape, index: int) -> bool:
    """Whether a text makes no sense there."""
    before = parts[index - 1].text.lower() if index else ""
    after = parts[index + 1].text.lower() if index + 1 < len(parts) else ""
    clause = at.clauses[index]
    if clause == "select" and before in {"select", "distinct", "all", ","}:
        return after != "||"
    if clause in {"order", "group", "partition"} and before in {"by", ","}:
        return True
    if before in ARITHMETIC or after in ARITHMETIC:
        return True
    if before == "(" and after == ")":
        name = parts[at.openers[index] - 1]
        return name.kind == "word" and name.word not in TIMES and name.word not in KEYWORDS
    if after not in COMPARING:
        return False
    other = parts[index + 2] if index + 2 < len(parts) else None
    return before not in {*COMPARING, "and"} - {"and"} and not (
        other and other.is_name and other.kind == "word"
    )


def _compared_with(parts: Sequence[Token], at: Shape, index: int) -> str:
    """The column that a name in double quotes is compared with; nothing where it is not."""
    place = index
    opener = at.openers[index]
    if opener > 0 and parts[opener - 1].word == "in":
        place = opener
    while place > 1 and parts[place - 1].text.lower() in COMPARING:
        place -= 1
        if parts[place - 1].is_name:
            return parts[place - 1].value
    if place > 2 and parts[place - 1].word == "and" and parts[place - 3].word == "between":
        return ""
    after = parts[index + 2] if index + 2 < len(parts) else None
    return after.value if after and parts[index + 1].text in EQUALITY | ORDERING and after.is_name else ""
