"""The tables of databases, from what their server tells of them."""

from __future__ import annotations

import re

from swarm.nouns.tool import ToolResult
from swarm.survey.overview import TableGroup

_TABLE = re.compile(
    r"""(?:(?P<place>[^()"`]+?\.\w+):\ )?(?P<name>(?:"(?:[^"]|"")+"|`[^`]+`|\w+)(?:\.(?:"(?:[^"]|"")+"|`[^`]+`|\w+))*)\(""",
    re.VERBOSE,
)
_PART = re.compile(r'"(?:[^"]|"")+"|`[^`]+`|\w+')
_SIGN = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|[(),]|[^\s(),'"`\[]+|\s+|.""", re.DOTALL
)
"""The parts of a list of columns: texts, names, brackets and commas."""
_UNREAD = re.compile(r"^\S[^(]*: (?:not read|can't be read|cannot be read|is locked|not opened)\b")


def stored(schema: ToolResult | None, place: str, unread: list[str]) -> tuple[TableGroup, ...]:
    """The tables of the databases, from the rows of the answer: its text may be cut."""
    if schema is None or schema.is_error:
        return ()
    rows = [row for row in schema.data if isinstance(row, dict)] if isinstance(schema.data, list) else []
    unread += [line.strip() for line in schema.text.splitlines() if _UNREAD.search(line)]
    found: list[TableGroup] = []
    for row in rows:
        said = str(row.get("schema", ""))
        groups = _database_tables(said, str(row.get("database") or place))
        found += [group.model_copy(update={"text": _with_examples(said, schema.text)}) for group in groups]
    return tuple(found) or _database_tables(schema.text, place)


def _with_examples(line: str, text: str) -> str:
    """The line of a table with that of its example rows, where the text still has it."""
    _, _, behind = text.partition(f"{line}\n")
    example = behind.partition("\n")[0]
    return f"{line}\n{example}" if example.startswith("  e.g.") else line


def _database_tables(schema: str, place: str) -> tuple[TableGroup, ...]:
    """The tables that the lines of a schema tell, with all their columns."""
    found: list[TableGroup] = []
    for line in schema.splitlines():
        if (table := _TABLE.match(line)) and not line.startswith(" "):
            columns = tuple(_column_names(line[table.end() :]))
            name = ".".join(_unquoted(part) for part in _PART.findall(table["name"]))
            found.append(TableGroup(name=name, pattern=table["place"] or place, columns=columns))
    return tuple(found)


def _column_names(text: str) -> list[str]:
    """Names of the columns up to the bracket that closes the list; brackets and commas within one stay in it."""
    names: list[str] = []
    depth, start = 0, True
    for sign in _SIGN.finditer(text):
        part = sign[0]
        if part == ")" and not depth:
            return names
        depth += (part == "(") - (part == ")")
        if start and part.strip():
            names.append(_unquoted(part))
            start = False
        elif part == "," and not depth:
            start = True
    return names


def _unquoted(name: str) -> str:
    sign = name[:1]
    return name[1:-1].replace(sign * 2, sign) if sign in ('"', "`") else name.strip("[]")
