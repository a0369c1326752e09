"""The kinds of files that hold tables, by how their names end."""

from __future__ import annotations

DELIMITED = (".csv", ".tsv")
JSON = (".json", ".jsonl", ".ndjson")
BOOKS = (".xlsx", ".xlsm")
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
