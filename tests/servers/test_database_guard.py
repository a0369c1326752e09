"""The MCP server ``database`` against statements that try to change, leave or hang it."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from mcp import Client
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult
from pydantic import TypeAdapter

from mcp_servers import database
from tests.servers.conftest import text_of

pytestmark = pytest.mark.anyio


def count_of(result: CallToolResult) -> int:
    return len(TypeAdapter(dict[str, list[object]]).validate_python(result.structured_content)["result"])


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.executescript(
            "CREATE TABLE orders(id INTEGER PRIMARY KEY); CREATE INDEX i ON orders(id); INSERT INTO orders VALUES (1), (2)"
        )
    return tmp_path


async def call(folder: Path, sql: str, *options: str) -> CallToolResult:
    async with Client(database.build(["--root", str(folder), "--seconds", "0.5", *options])) as client:
        return await client.call_tool("query", {"sql": sql})


CHANGES = [
    "DROP TABLE orders",
    "SELECT 1; DROP TABLE orders",
    "SELECT ';'; DELETE FROM orders",
    "/* ; */ DELETE FROM orders",
    "INSERT INTO orders VALUES (3) RETURNING id",
    "WITH x AS (SELECT 1) DELETE FROM orders",
    "EXPLAIN SELECT 1; DROP TABLE orders",
    "CREATE TEMP TABLE t(a)",
    "CREATE VIRTUAL TABLE t USING fts5(a)",
    "PRAGMA writable_schema = 1",
    "PRAGMA journal_mode = WAL",
    "PRAGMA user_version = 7",
    "REINDEX",
    "BEGIN IMMEDIATE",
]
WAYS_OUT = [
    "ATTACH DATABASE '{out}' AS other",
    "VACUUM INTO '{out}'",
    "SELECT load_extension('{out}')",
    "DETACH DATABASE main",
    "PRAGMA temp_store_directory = '{out}'",
    "SELECT writefile('{out}', 'x')",
    "SELECT readfile('/etc/passwd')",
]


@pytest.mark.parametrize("sql", [*CHANGES, *WAYS_OUT])
async def test_nothing_is_changed_that_may_only_be_read(folder: Path, sql: str) -> None:
    before = digest(folder / "shop.db")

    result = await call(folder, sql.format(out=folder / "out.db"))

    assert result.is_error
    assert digest(folder / "shop.db") == before
    assert names_in(folder) == ["shop.db"]


@pytest.mark.parametrize("sql", [*WAYS_OUT, "PRAGMA writable_schema = 1", "SELECT 1; DROP TABLE orders"])
async def test_a_grant_to_write_reaches_no_other_file(folder: Path, sql: str) -> None:
    result = await call(folder, sql.format(out=folder / "out.db"), "--write")

    assert result.is_error
    assert names_in(folder) == ["shop.db"]


async def test_a_statement_that_never_ends_is_stopped(folder: Path) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"

    assert text_of(await call(folder, endless)).endswith(
        "stopped after 0.5 s; ask for less, with WHERE or LIMIT"
    )


async def test_rows_that_never_end_are_cut(folder: Path) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"

    result = await call(folder, endless)

    assert count_of(result) == 200


async def test_huge_values_do_not_fill_the_memory(folder: Path) -> None:
    wide = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT hex(zeroblob(400000)) FROM n"
    )

    cut = await call(folder, wide)
    refused = await call(folder, "SELECT zeroblob(1000000000)")

    assert count_of(cut) == 3
    assert "string or blob too big" in text_of(refused)


async def test_a_pattern_of_like_that_backtracks_is_refused(folder: Path) -> None:
    sql = f"SELECT hex(zeroblob(100000)) LIKE '{'%0_' * 100}1'"

    assert "LIKE or GLOB pattern too complex" in text_of(await call(folder, sql))


async def test_a_database_behind_a_link_is_not_found(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    granted = tmp_path_factory.mktemp("granted")
    (granted / "shop.db").symlink_to(folder / "shop.db")
    (granted / "door").symlink_to(folder)

    assert "there is no database" in text_of(await call(granted, "SELECT * FROM orders"))


async def test_a_failed_statement_leaves_nothing_behind(folder: Path) -> None:
    before = digest(folder / "shop.db")

    result = await call(folder, "INSERT INTO orders VALUES (7), (1)", "--write")

    assert "UNIQUE constraint failed" in text_of(result)
    assert digest(folder / "shop.db") == before


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM orders",
        "COPY orders TO PROGRAM 'sh'",
        "CALL p()",
        "SET TRANSACTION READ WRITE",
        "/* x */ DO $$ $$",
        "SELECT 1 INTO OUTFILE '/tmp/x'",
        "COMMIT",
        "DELETE FROM orders -- SELECT",
    ],
)
def test_on_other_databases_only_reading_statements_leave(folder: Path, sql: str) -> None:
    databases = database.Databases([folder], ["postgresql+psycopg://user@127.0.0.1:1/shop"])

    with pytest.raises(ToolError, match="only read: write one SELECT"):
        databases.query(sql)
