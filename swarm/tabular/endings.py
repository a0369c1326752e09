"""The kinds of files that hold tables, by how their names end."""

from __future__ import annotations

DELIMITED = (".csv", ".tsv")
JSON = (".json", ".jsonl", ".ndjson")
BOOKS = (".xlsx", ".xlsm")
PAGES = (".html", ".htm")
"""Web pages: each table in one is a table."""
OTHERS = (
    ".xls",
    ".xlsb",
    ".ods",
    ".parquet",
    ".feather",
    ".csv.gz",
    ".tsv.gz",
    ".json.gz",
    ".jsonl.gz",
    ".csv.zip",
)
"""Kinds that hold tables and are not read."""
IGNORED = frozenset({"node_modules", "__pycache__", "site-packages"})
"""Folders of installed packages and of what a program keeps for itself: nobody's data."""
