"""Tables that lie in the workspace as CSV, TSV, JSON, JSON Lines or XLSX files or in web pages: found, and loaded whole."""

from __future__ import annotations

from pydantic import JsonValue

from swarm import ToolContext, ToolResult, tool
from swarm.tabular.file_table import FileTable
from swarm.tabular.files import Group, found, loaded
from swarm.tabular.names import written
from swarm.tabular.possible import Unread


@tool(effect="pure")
def find(context: ToolContext) -> ToolResult:
    """Table files of the workspace, files of one folder with the same columns as one table."""
    tables = found(context.workspace)
    data: list[JsonValue] = [table.model_dump(mode="json") for table in tables]
    return ToolResult(text="\n".join(map(_line, tables)) or "no table files", data=data)


@tool(effect="pure")
def load(pattern: str, context: ToolContext) -> ToolResult:
    """All rows of the table files that a pattern matches, with the file of each when there are several."""
    rows = loaded(context.workspace, pattern)
    if isinstance(rows, FileTable):
        known = rows.description
        text = f"about {known.about_rows:,} rows of {len(known.files)} files, to be queried where they are"
        return ToolResult(text=text, data=rows.data)
    data: list[JsonValue] = [dict(row) for row in rows]
    return ToolResult(text=f"{len(rows)} row{'s' * (len(rows) != 1)}", data=data)


def _line(table: Group | Unread) -> str:
    if isinstance(table, Unread):
        return f"{table.pattern}: not read: {table.unread}"
    return f"{written(table.name)}({', '.join(map(written, table.columns))}) from {table.pattern}"
