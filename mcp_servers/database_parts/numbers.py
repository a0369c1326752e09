"""Where a statement takes texts for numbers, and what is done about it.

SQL would make 1 of the text '1,200.50', and finds '9' greater than '10'. So a column that is added,
compared or sorted is looked into first: where it holds texts, its values are converted exactly, and
a text that is no number ends the statement with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mcp_servers.database_parts.session import Name, Session, Trouble
from mcp_servers.database_parts.spelling import is_plain, looks_like_number
from mcp_servers.database_parts.statement import KEYWORDS, Shape, Token, identifiers, shape, tokens

SEEN = 1_000  # Different values of a column that are looked at.

AGGREGATES = frozenset({"sum", "avg", "total"})
EXTREMES = frozenset({"min", "max", "greatest", "least"})
NUMERIC = frozenset({
    "abs",
    "round",
    "sqrt",
    "pow",
    "power",
    "log",
    "exp",
    "floor",
    "ceil",
    "ceiling",
    "mod",
    "sign",
    "trunc",
})
PASSING = frozenset({"coalesce", "ifnull"})
"""Functions that give what they are given."""
TEXTUAL = frozenset({
    "replace",
    "trim",
    "ltrim",
    "rtrim",
    "substr",
    "substring",
    "strftime",
    "printf",
    "format",
    "hex",
})
"""Functions that give a text: SQLite compares it with a number by finding it greater, always."""
ORDERING = frozenset({"<", ">", "<=", ">="})
EQUALITY = frozenset({"=", "==", "!=", "<>"})
ARITHMETIC = frozenset({"+", "-", "*", "/", "%"})
SORTS_END = frozenset({
    "",
    ",",
    ")",
    "asc",
    "desc",
    "nulls",
    "limit",
    "offset",
    "rows",
    "range",
    "groups",
    "fetch",
})

SUMMED = NUMERIC | PASSING | {"sum", "count", "length", "julianday", "unixepoch", "iif", "nullif", "instr"}
"""Functions that give a number, or what they are given."""

How = Literal["number", "order", "compare", "equal"]


@dataclass(frozen=True)
class Use:
    """Tokens whose value is taken for a number, from the first to the last.

    ``texts`` are tokens of texts that it is compared with; ``is_open`` says that it is compared with
    something whose kind is not seen.
    """

    how: How
    first: int
    last: int
    by: str
    texts: tuple[int, ...] = ()
    is_open: bool = False


@dataclass(frozen=True)
class Profile:
    """What a column holds: different texts, SEEN at most, and how many different numbers."""

    texts: tuple[str, ...]
    numbers: int = 0

    @property
    def is_number_like(self) -> bool:
        """Whether most of its values are numbers to a person."""
        looks = sum(1 for text in self.texts if looks_like_number(text))
        return (looks + self.numbers) * 2 > len(self.texts) + self.numbers

    @property
    def is_in_order(self) -> bool:
        """Whether its texts sort as their numbers do."""
        if self.numbers or not all(is_plain(text) for text in self.texts):
            return False
        return sorted(self.texts) == sorted(self.texts, key=lambda text: (float(text), text))


@dataclass(frozen=True)
class Edit:
    """A statement with its texts converted, and whether anything was."""

    sql: str
    is_changed: bool = False


def told(trouble: Trouble, edit: Edit) -> Trouble:
    """A trouble of a database that was to convert a text, with what it means."""
    if not edit.is_changed or not re.search("invalid input syntax|could not convert", trouble.reason, re.I):
        return trouble
    return Trouble(
        f"{trouble.reason}: a column of texts that are numbers is compared as numbers, and this text is none; "
        "leave such rows out with WHERE, or take out what is no digit: CAST(REPLACE(column, ',', '') AS NUMERIC)"
    )


def uses(parts: Sequence[Token], at: Shape) -> list[tuple[Use, str]]:
    """What is taken for a number, each with the column's name; no name for a call that gives a text."""
    found: list[tuple[Use, str]] = []
    for index, token in enumerate(parts):
        after = parts[index + 1].text if index + 1 < len(parts) else ""
        if after == "(":
            name = token.text.lower()
            if token.kind == "word" and name in TEXTUAL and index + 1 in at.pairs:
                use = _use(parts, at, index, at.pairs[index + 1])
                found += [(use, "")] if use and use.how != "order" and not (use.texts or use.is_open) else []
            continue
        if token.is_name and after != "." and _is_operand(parts, at, index):
            first = index
            while first >= 2 and parts[first - 1].text == "." and parts[first - 2].is_name:
                first -= 2
            use = _use(parts, at, first, index)
            found += [(use, token.value.casefold())] if use else []
    return found


def _is_operand(parts: Sequence[Token], at: Shape, index: int) -> bool:
    before = parts[index - 1].word if index else ""
    return before not in {"as", "from", "join", "into", "update", "table"} and not (
        at.clauses[index] == "set" and index + 1 < len(parts) and parts[index + 1].text == "="
    )


def _use(parts: Sequence[Token], at: Shape, first: int, last: int) -> Use | None:
    """How the value of these tokens is used; None where it is not taken for a number."""

    def text(index: int) -> str:
        return parts[index].text.lower() if 0 <= index < len(parts) else ""

    while True:
        before, after = text(first - 1), text(last + 1)
        opener = at.openers[first]
        is_argument = before in {"(", ","} and after in {",", ")"} and opener >= 0
        name = text(opener - 1) if is_argument else ""
        if is_argument and parts[opener - 1].kind == "word" and (name not in KEYWORDS or name == "replace"):
            if name in PASSING:
                first, last = opener - 1, at.pairs.get(opener, last)
                continue
            return _argument(parts, first, last, name, text(opener + 1))
        if before == "(" and after == ")" and name not in {"in", "by", "using", "values", "over"}:
            first, last = first - 1, last + 1
            continue
        return _operand(parts, at, first, last)


def _argument(parts: Sequence[Token], first: int, last: int, name: str, head: str) -> Use | None:
    if name in EXTREMES:
        return Use("order", first, last, name.upper())
    if name in AGGREGATES:
        return Use("number", first, last, name.upper())
    is_first = parts[first - 1].text == "("
    if (name in NUMERIC and is_first) or (name in {"printf", "format"} and "%s" not in head and not is_first):
        return Use("number", first, last, name.upper())
    return None


def _operand(parts: Sequence[Token], at: Shape, first: int, last: int) -> Use | None:
    before = parts[first - 1].text.lower() if first else ""
    after = parts[last + 1].text.lower() if last + 1 < len(parts) else ""
    if (
        after in ARITHMETIC
        or before in ARITHMETIC - {"*"}
        or (before == "*" and _is_factor(parts, first - 2))
    ):
        return Use("number", first, last, after if after in ARITHMETIC else before)
    if at.clauses[first] == "order" and before in {"by", ","} and after in SORTS_END:
        return Use("order", first, last, "ORDER BY")
    if after in ORDERING | EQUALITY:
        return _compared(parts, first, last, after, last + 2)
    if before in ORDERING | EQUALITY:
        return _compared(parts, first, last, before, first - 2)
    other = last + (2 if after != "not" else 3)
    word = parts[other - 1].word if other < len(parts) else ""
    if word == "between":
        kinds = [parts[one].kind for one in (other, other + 2) if one < len(parts)]
        if kinds == ["number", "number"]:
            return Use("compare", first, last, "BETWEEN")
        if kinds == ["text", "text"]:
            return Use("compare", first, last, "BETWEEN", texts=(other, other + 2))
    if word == "in" and other + 1 < len(parts) and parts[other + 1].kind == "number":
        return Use("equal", first, last, "IN")
    return None


def _is_factor(parts: Sequence[Token], index: int) -> bool:
    """Whether a star behind this token multiplies."""
    return index >= 0 and (
        parts[index].kind in {"number", "name"} or parts[index].is_name or parts[index].text == ")"
    )


def _compared(parts: Sequence[Token], first: int, last: int, by: str, other: int) -> Use | None:
    """A comparison with the token at ``other``."""
    if not 0 <= other < len(parts):
        return None
    how: How = "compare" if by in ORDERING else "equal"
    token = parts[other]
    if token.text in {"-", "+"} and other + 1 < len(parts):
        token = parts[other + 1]
    if token.kind == "number":
        return Use(how, first, last, by)
    if how == "equal":
        return None
    if token.kind == "text":
        return Use(how, first, last, by, texts=(other,))
    return Use(how, first, last, by, is_open=token.text in {"(", ")"} and other > last)


def aliases(parts: Sequence[Token]) -> tuple[dict[str, str], set[str], set[str]]:
    """Names given to bare columns, to calls that give a text, and to any other expression."""
    columns: dict[str, str] = {}
    texts: set[str] = set()
    others: set[str] = set()
    pairs = shape(parts).pairs
    for index, token in enumerate(parts):
        if token.word != "as" or index + 1 >= len(parts) or index < 1:
            continue
        name, before = parts[index + 1].value.casefold(), parts[index - 1]
        start = index - 1
        while start >= 2 and parts[start - 1].text == ".":
            start -= 2
        lead = parts[start - 1].text.lower() if start else ""
        if before.is_name and lead in {"select", ",", "distinct"}:
            columns[name] = before.value.casefold()
            continue
        opener = pairs.get(index - 1, -1)
        lead = parts[opener - 2].text.lower() if opener > 1 else ""
        is_text = opener > 0 and parts[opener - 1].text.lower() in TEXTUAL and lead in {"select", ","}
        (texts if is_text else others).add(name)
    return columns, texts, others


Lookup = Callable[[str], list[tuple[str, str]]]
"""The ``(table, column)`` pairs, as they are written, that a name may mean in the statement."""


class _Columns:
    """The columns of one statement, each looked into once."""

    def __init__(self, session: Session, lookup: Lookup, named: Mapping[str, str]) -> None:
        self._session, self._lookup, self._named = session, lookup, named
        self._known: dict[str, Profile] = {}

    def profile(self, name: str) -> Profile:
        """What the columns of a name hold, also where it is another name for them."""
        name = self._named.get(name, name)
        if name not in self._known:
            self._known[name] = profile(self._session, self._lookup(name))
        return self._known[name]

    def is_clean(self, name: str) -> bool:
        """Whether it is a column, and holds no text."""
        return bool(self._lookup(self._named.get(name, name))) and not self.profile(name).texts


def checked(session: Session, statement: str, lookup: Lookup, conversion: tuple[str, str]) -> Edit:
    """The statement with its texts converted by ``conversion``, what is written before and behind.

    Raises:
        Trouble: it compares texts that are numbers, and cannot be converted.
    """
    parts = tokens(statement, session.dialect)
    at = shape(parts)
    named, textual, others = aliases(parts)
    columns = _Columns(session, lookup, named)
    wrapped: dict[tuple[int, int], str] = {}
    replaced: dict[int, str] = {}
    is_sqlite = session.dialect == "sqlite"
    for use, name in uses(parts, at):
        if not name or name in textual:
            if is_sqlite and use.how != "order" and not use.texts and not use.is_open:
                wrapped[use.first, use.last] = "code"
        elif (use.how != "order" or name not in others) and _is_converted(session, use, columns, name, parts):
            wrapped[use.first, use.last] = ""
            replaced |= {index: parts[index].text.strip("'") for index in use.texts}
    if is_sqlite:
        sums = _doubtful_sums(parts, at, columns.is_clean)
        replaced |= {index: f"swarm_{parts[index].word}" for index in sums}
    return _edited(statement, parts, wrapped, replaced, conversion)


def _is_converted(session: Session, use: Use, columns: _Columns, name: str, parts: Sequence[Token]) -> bool:
    """Whether a use needs its column converted; raises Trouble where that cannot be done."""
    found = columns.profile(name)
    verdict = _verdict(session.dialect, use, found, parts)
    if verdict == "refuse" or (verdict and use.how == "order" and _is_closed(parts)):
        raise Trouble(_refusal(use, parts, found))
    return bool(verdict)


def _doubtful_sums(parts: Sequence[Token], at: Shape, is_clean: Callable[[str], bool]) -> list[int]:
    """The words SUM and AVG of which it is not sure that they add nothing but numbers."""
    found: list[int] = []
    for index, token in enumerate(parts):
        end = at.pairs.get(index + 1)
        if token.word in {"sum", "avg"} and end is not None and parts[index + 1].text == "(":
            inner = range(index + 2, end)
            if not all(_is_numeric(parts, one, is_clean) for one in inner):
                found.append(index)
    return found


def _is_numeric(parts: Sequence[Token], index: int, is_clean: Callable[[str], bool]) -> bool:
    """Whether a token within a sum brings no text into it."""
    token = parts[index]
    before, after = parts[index - 1].text.lower(), parts[index + 1].text.lower()
    if token.kind in {"text", "name", "word"} and {before, after} & (ORDERING | EQUALITY | {"like", "is"}):
        return True
    if token.kind == "text":
        return False
    if after == "(" and token.kind == "word":
        return token.word in SUMMED or (token.word in KEYWORDS and token.word != "replace")
    if token.is_name:
        return after == "." or is_clean(token.value.casefold())
    return token.text not in {"||", "->", "->>"}


def _is_closed(parts: Sequence[Token]) -> bool:
    """Whether rows may only be sorted by what is selected."""
    words = {token.word for token in parts}
    return bool(words & {"union", "except", "intersect", "distinct"})


def _verdict(dialect: str, use: Use, profile: Profile, parts: Sequence[Token]) -> str:
    """What is done about a use: nothing, ``convert``, or ``refuse``."""
    if not profile.texts:
        return ""
    is_like, is_sorted = profile.is_number_like, profile.is_in_order
    convert = "refuse" if dialect in {"mysql", "mariadb"} else "convert"
    if use.texts:
        if not is_like:
            return ""
        plain = all(is_plain(parts[one].text.strip("'")) for one in use.texts)
        return (
            convert
            if plain
            else "refuse"
            if all(looks_like_number(parts[one].text.strip("'")) for one in use.texts)
            else ""
        )
    if use.how == "order" or (use.how == "compare" and use.is_open):
        if not is_like or is_sorted:
            return ""
        return "refuse" if use.is_open else convert
    if dialect == "sqlite":
        return convert if use.how != "equal" or is_like else ""
    # PostgreSQL and DuckDB refuse the rest themselves; MySQL converts as SQLite does.
    is_exact = all(is_plain(text) for text in profile.texts)
    return "" if convert == "convert" or is_exact or (use.how == "equal" and not is_like) else "refuse"


def _refusal(use: Use, parts: Sequence[Token], profile: Profile) -> str:
    column = "".join(token.text for token in parts[use.first : use.last + 1])
    some = ", ".join(f"{text[:40]!r}" for text in sorted(profile.texts, key=is_plain)[:2])
    return (
        f"{use.by} would compare {column} as texts, e.g. {some}: '9' comes after '10' then; "
        f"use CAST({column} AS REAL), where needed with REPLACE({column}, ',', '') in it"
    )


def profile(session: Session, places: Sequence[tuple[str, str]]) -> Profile:
    """What the columns of these places hold between them."""
    texts: dict[str, None] = {}
    numbers = 0
    for table, column in places:
        found, count = _values(session, table, column)
        texts |= {
            str(value, "utf-8", "replace") if isinstance(value, bytes) else str(value): None
            for value in found
        }
        numbers += count
    return Profile(tuple(texts), numbers if texts else 0)


def _values(session: Session, table: str, column: str) -> tuple[list[object], int]:
    """Different texts of a column, and how many numbers it has beside them, SEEN at most of each."""
    texts = f"SELECT DISTINCT {column} FROM {table} WHERE"
    try:
        if session.dialect != "sqlite":
            return [value for (value,) in session.rows(f"{texts} {column} IS NOT NULL LIMIT {SEEN}")], 0
        # Texts sort behind all numbers: with an index this is one look.
        (kind,) = session.rows(f"SELECT typeof(max({column})) FROM {table}")[0]
        if kind not in {"text", "blob"}:
            return [], 0
        texts = f"{texts} typeof({column}) IN ('text', 'blob') LIMIT {SEEN}"
        numbers = f"SELECT 1 FROM {table} WHERE typeof({column}) IN ('integer', 'real') LIMIT {SEEN}"
        return [value for (value,) in session.rows(texts)], len(session.rows(numbers))
    except Trouble:  # the statement itself meets the same, and says so
        return [], 0


def _edited(
    statement: str,
    parts: Sequence[Token],
    wrapped: Mapping[tuple[int, int], str],
    replaced: Mapping[int, str],
    conversion: tuple[str, str],
) -> Edit:
    if not (wrapped or replaced):
        return Edit(statement)
    opens: dict[int, str] = {}
    closes: dict[int, str] = {}
    for (first, last), kind in wrapped.items():
        before, behind = ("swarm_code(", ", {column})") if kind == "code" else conversion
        column = statement[parts[first].start : parts[last].end].replace("'", "''")
        opens[first] = opens.get(first, "") + before
        closes[last] = closes.get(last, "") + behind.replace("{column}", f"'{column}'")
    out: list[str] = []
    end = 0
    for index, token in enumerate(parts):
        text = replaced.get(index, token.text)
        out += [statement[end : token.start], opens.get(index, ""), text, closes.get(index, "")]
        end = token.end
    return Edit("".join(out), is_changed=True)


def places_of(session: Session, statement: str) -> Lookup:
    """Where a name may be found, by the tables whose names stand in the statement."""
    words = identifiers(tokens(statement, session.dialect))
    tables = [name for name in session.names() if name.table.casefold() in words]
    columns: dict[str, list[tuple[str, str]]] = {}
    for table in tables:
        for column in _text_columns(session, table):
            written = session.quote.quote(column)
            columns.setdefault(column.casefold(), []).append((table.written, written))
    return lambda name: columns.get(name, [])


def _text_columns(session: Session, table: Name) -> list[str]:
    try:
        return [column.name for column in session.columns(table) if column.is_text]
    except Trouble:
        return []
