"""The MCP server ``database`` where it may write: a call that is repeated with its key has its effect once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import cast

import duckdb
import pytest
from mcp import Client
from mcp_types import CallToolResult, RequestParamsMeta

from mcp_servers import database
from tests.servers.conftest import text_of

pytestmark = pytest.mark.anyio

INSERT = "INSERT INTO visits VALUES ('Ada')"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE visits (who TEXT UNIQUE)")
    return path


async def query(shop: Path, sql: str, key: str = "", *options: str) -> CallToolResult:
    meta = cast("RequestParamsMeta", {"swarm/key": key} if key else {})
    async with Client(database.build(["--root", str(shop.parent), "--write", *options])) as client:
        return await client.call_tool("query", {"sql": sql}, meta=meta)


def rows(shop: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(shop)) as connection:
        return connection.execute(sql).fetchall()


async def test_a_write_with_a_known_key_gives_the_first_answer_and_changes_nothing(shop: Path) -> None:
    first = await query(shop, f"{INSERT} RETURNING who", "r/a/-/1/1/0")
    again = await query(shop, f"{INSERT} RETURNING who", "r/a/-/1/1/0")

    assert text_of(first) == "who\nAda\n(1 row)"
    assert (again.content, again.structured_content) == (first.content, first.structured_content)
    assert rows(shop, "SELECT who FROM visits") == [("Ada",)]
    assert rows(shop, "SELECT key FROM swarm_calls") == [("r/a/-/1/1/0",)]


async def test_another_key_is_another_call(shop: Path) -> None:
    await query(shop, INSERT, "r/a/-/1/1/0")
    refused = await query(shop, INSERT, "r/a/-/1/2/0")

    assert refused.is_error
    assert "UNIQUE constraint failed" in text_of(refused)


async def test_a_write_that_failed_leaves_no_key_and_may_be_made_again(shop: Path) -> None:
    await query(shop, INSERT)
    assert (await query(shop, INSERT, "r/a/-/1/1/0")).is_error
    await query(shop, "DELETE FROM visits")

    assert text_of(await query(shop, INSERT, "r/a/-/1/1/0")) == "done; 1 row changed"


async def test_a_call_whose_end_was_never_kept_is_not_repeated(shop: Path) -> None:
    await query(shop, INSERT, "r/a/-/1/1/0")
    with closing(sqlite3.connect(shop)) as connection:
        connection.execute("UPDATE swarm_calls SET answer = ''")
        connection.commit()
    refused = await query(shop, INSERT, "r/a/-/1/1/0")

    assert "this was begun before, and its end is not known; look" in text_of(refused)


@pytest.mark.parametrize(
    "sql", ["SELECT who FROM visits", "WITH one AS (SELECT 1) SELECT * FROM one", "ANALYZE"]
)
async def test_what_changes_no_data_leaves_no_table(shop: Path, sql: str) -> None:
    assert not (await query(shop, sql, "r/a/-/1/1/0")).is_error
    assert rows(shop, "SELECT name FROM sqlite_master WHERE name LIKE 'swarm%'") == []


async def test_a_select_that_changes_something_has_its_effect_once_under_one_key(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with closing(duckdb.connect(str(path))) as connection:
        connection.execute("CREATE SEQUENCE numbers")
    first = await query(path, "SELECT nextval('numbers') AS n", "r/a/-/1/1/0")
    again = await query(path, "SELECT nextval('numbers') AS n", "r/a/-/1/1/0")
    other = await query(path, "SELECT nextval('numbers') AS n", "r/a/-/1/2/0")

    assert (first.structured_content, again.structured_content) == ({"result": [{"n": 1}]},) * 2
    assert other.structured_content == {"result": [{"n": 2}]}


async def test_no_table_is_made_without_a_key_or_where_it_is_not_wanted(shop: Path) -> None:
    await query(shop, INSERT)
    await query(shop, "DELETE FROM visits", "r/a/-/1/1/0", "--no-keys")
    assert rows(shop, "SELECT name FROM sqlite_master WHERE name LIKE 'swarm%'") == []


async def test_the_table_of_calls_is_shown_to_nobody(shop: Path) -> None:
    await query(shop, INSERT, "r/a/-/1/1/0")
    async with Client(database.build(["--root", str(shop.parent)])) as client:
        assert text_of(await client.call_tool("tables", {})) == "visits (1 row)"


async def test_the_server_says_which_calls_it_keeps(shop: Path) -> None:
    async def effects(*options: str) -> dict[str, object]:
        async with Client(database.build(["--root", str(shop.parent), *options])) as client:
            return {
                tool.name: (tool.meta or {}).get("swarm/effect") for tool in (await client.list_tools()).tools
            }

    assert await effects("--write") == {"tables": None, "schema": None, "query": "keyed"}
    assert await effects("--write", "--no-keys") == {"tables": None, "schema": None, "query": None}
    assert await effects() == {"tables": None, "schema": None, "query": None}
