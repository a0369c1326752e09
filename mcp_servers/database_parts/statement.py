"""Statements as tokens: where texts, quoted names and comments are, in the dialect of a database."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from mcp_servers.database_parts.session import Trouble

FENCE = re.compile(r"^```\w*\n|```$")
READING = frozenset({"select", "with", "values", "table", "explain", "show", "desc", "describe"})
WRITING = frozenset({"insert", "update", "delete", "replace", "merge"})
INTO = re.compile(r"\b(insert\s+into|merge\s+into|delete\s+from|update\s+\S+\s+set|into)\b", re.IGNORECASE)
TENDING = frozenset({"pragma", "vacuum", "analyze", "analyse", "reindex", "checkpoint"})
KEYWORDS = frozenset([
    "all",
    "and",
    "any",
    "as",
    "asc",
    "between",
    "by",
    "case",
    "cast",
    "collate",
    "cross",
    "current",
    "delete",
    "desc",
    "distinct",
    "else",
    "end",
    "escape",
    "except",
    "exists",
    "false",
    "filter",
    "following",
    "from",
    "full",
    "glob",
    "group",
    "having",
    "in",
    "inner",
    "insert",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "last",
    "left",
    "like",
    "limit",
    "match",
    "natural",
    "not",
    "notnull",
    "null",
    "nulls",
    "offset",
    "on",
    "or",
    "order",
    "outer",
    "over",
    "partition",
    "preceding",
    "range",
    "recursive",
    "regexp",
    "replace",
    "returning",
    "right",
    "row",
    "rows",
    "select",
    "set",
    "table",
    "then",
    "true",
    "unbounded",
    "union",
    "unique",
    "update",
    "using",
    "values",
    "when",
    "where",
    "window",
    "with",
    "within",
])


@dataclass(frozen=True)
class Token:
    """A piece of a statement; ``value`` is a name without its quotes."""

    kind: str
    text: str
    start: int
    end: int
    value: str

    @property
    def word(self) -> str:
        """A bare word in lower case; nothing for any other token."""
        return self.text.lower() if self.kind == "word" else ""

    @property
    def is_name(self) -> bool:
        """Whether it may name a table or column."""
        return self.kind == "name" or (self.kind == "word" and self.word not in KEYWORDS)


@cache
def _pattern(dialect: str) -> re.Pattern[str]:
    is_mysql = dialect in {"mysql", "mariadb"}
    escaped = r"'(?:[^'\\]|\\.|'')*(?:'|\Z)"
    plain = r"'(?:[^']|'')*(?:'|\Z)"
    double = r'"(?:[^"]|"")*(?:"|\Z)'
    texts = [rf"[eE]{escaped}", rf"(?:[xXbBnN]|[uU]&)?{plain}", r"\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z)"]
    names = [double, r"`(?:[^`]|``)*(?:`|\Z)"]
    if is_mysql:
        texts, names = [escaped, escaped.replace("'", '"')], [names[1]]
    if dialect == "sqlite":
        texts = [texts[1]]
    if dialect in {"sqlite", "mssql"}:
        names.append(r"\[[^\]]*(?:\]|\Z)")
    comments = [r"--[^\n]*", r"/\*.*?(?:\*/|\Z)"] + ([r"\#[^\n]*"] if is_mysql else [])
    kinds = {
        "space": [r"\s+"],
        "comment": comments,
        "text": texts,
        "name": names,
        "number": [r"(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\b"],
        "word": [r"[^\W\d][\w$]*"],
        "op": [r"->>|->|\|\||<=>|<=|>=|<>|!=|==|::|<<|>>", r"."],
    }
    return re.compile("|".join(f"(?P<{kind}>{'|'.join(parts)})" for kind, parts in kinds.items()), re.DOTALL)


def tokens(sql: str, dialect: str) -> list[Token]:
    """The tokens of a text, without spaces and comments."""
    found: list[Token] = []
    at = 0
    pattern = _pattern(dialect)
    while at < len(sql):
        match = pattern.match(sql, at)
        if match is None:  # no character is left out by the pattern
            raise Trouble(f"sql cannot be read at {sql[at : at + 20]!r}")
        end = match.end()
        kind = "text" if match.lastgroup == "tag" else match.lastgroup or ""
        if kind == "comment" and match[0].startswith("/*") and dialect in {"postgresql", "duckdb"}:
            end = _end_of_comment(sql, at)
        if kind not in {"space", "comment"}:
            found.append(Token(kind, sql[at:end], at, end, _value(kind, sql[at:end])))
        at = end
    return found


def _end_of_comment(sql: str, start: int) -> int:
    """Where a comment that may hold comments ends."""
    depth = 0
    for match in re.finditer(r"/\*|\*/", sql[start:]):
        depth += 1 if match[0] == "/*" else -1
        if depth == 0:
            return start + match.end()
    return len(sql)


def _value(kind: str, text: str) -> str:
    if kind == "name":
        closing = text[-1] if len(text) > 1 else ""
        return text[1:-1].replace(closing * 2, closing) if closing != "]" else text[1:-1]
    return text


def single(sql: str, dialect: str) -> str:
    """The one statement of a text, without the fence that models put around code.

    Raises:
        Trouble: there is none, or more than one.
    """
    text = FENCE.sub("", sql.strip()).strip()
    parts = tokens(text, dialect)
    while parts and parts[-1].text == ";":
        parts.pop()
    while parts and parts[0].text == ";":
        del parts[0]
    if not parts:
        raise Trouble("sql is empty; write one SELECT")
    if any(token.text == ";" for token in parts) and not _is_trigger(parts):
        raise Trouble("only one statement at a time; send each in its own call")
    return text[parts[0].start : parts[-1].end]


def _is_trigger(parts: Sequence[Token]) -> bool:
    """Whether it makes a trigger, whose body is several statements; SQLite itself runs no second one."""
    return parts[0].word == "create" and "trigger" in {token.word for token in parts[1:3]}


def first_word(parts: Sequence[Token]) -> str:
    """The word a statement begins with, behind any brackets."""
    return next((token.word for token in parts if token.text != "("), "")


def is_reading(parts: Sequence[Token], dialect: str) -> bool:
    """Whether a statement, by its words, only reads."""
    first = first_word(parts)
    if dialect == "duckdb":
        return first in READING | {"from", "summarize", "pivot", "unpivot"} and not _writes(parts)
    if dialect == "sqlite":
        return first in {"select", "with", "values", "explain"} and not _writes(parts)
    code = " ".join(token.text if token.kind != "text" else "''" for token in parts if token.kind != "name")
    return first in READING and not INTO.search(code) and not _writes(parts)


def _writes(parts: Sequence[Token]) -> bool:
    """Whether a WITH leads to a change."""
    if first_word(parts) != "with":
        return False
    pairs = zip(parts, [*parts[1:], parts[-1]], strict=True)
    return any(
        (token.word in WRITING and after.text not in {"(", ",", "=", ")"} and not _follows_dot(parts, token))
        for token, after in pairs
    )


def _follows_dot(parts: Sequence[Token], token: Token) -> bool:
    return any(one.text == "." and one.end == token.start for one in parts)


def identifiers(parts: Sequence[Token]) -> set[str]:
    """The names that stand in a statement, in lower case."""
    return {token.value.casefold() for token in parts if token.is_name}


CLAUSES = frozenset({
    "select",
    "from",
    "where",
    "group",
    "having",
    "order",
    "limit",
    "set",
    "on",
    "partition",
})


@dataclass(frozen=True)
class Shape:
    """Where the tokens of a statement stand: the clause of each, and for each bracket the other one."""

    clauses: list[str]
    pairs: dict[int, int]
    openers: list[int]
    """The bracket that each token stands in; -1 outside any."""


def shape(parts: Sequence[Token]) -> Shape:
    """The clauses and brackets of a statement."""
    clauses: list[str] = []
    pairs: dict[int, int] = {}
    openers: list[int] = []
    stack: list[tuple[int, str]] = []
    clause = ""
    for at, token in enumerate(parts):
        if token.text == ")" and stack:
            opener, clause = stack.pop()
            pairs[opener], pairs[at] = at, opener
        elif token.word in CLAUSES:
            clause = token.word
        elif token.word in {"join", "union", "except", "intersect", "values"}:
            clause = "from" if token.word == "join" else ""
        clauses.append(clause)
        openers.append(stack[-1][0] if stack else -1)
        if token.text == "(":
            stack.append((at, clause))
            clause = ""
    return Shape(clauses, pairs, openers)
