"""The MCP server ``database``, through its tools: what a well-meaning caller gets."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters
from mcp_types import CallToolResult
from pydantic import TypeAdapter

from mcp_servers import database
from tests.servers.conftest import text_of

pytestmark = pytest.mark.anyio

ORDERS = """
    CREATE TABLE customers(id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE orders(
        id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id), region TEXT, day DATE,
        total REAL, "order no" TEXT
    );
    INSERT INTO customers VALUES (1, 'Ada'), (2, 'Ben');
    INSERT INTO orders VALUES
        (1, 1, 'North', '2026-01-05', 10.1, 'A-1'),
        (2, 2, 'South', '2026-01-06', 20.2, 'A-2'),
        (3, 2, 'North', '2026-02-07', 0.1, NULL);
"""


def make(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


async def call(arguments: list[str], tool: str, **given: object) -> CallToolResult:
    async with Client(database.build(arguments)) as client:
        return await client.call_tool(tool, given)


def count_of(result: CallToolResult) -> int:
    return len(TypeAdapter(dict[str, list[object]]).validate_python(result.structured_content)["result"])


@pytest.fixture
def shop(tmp_path: Path) -> list[str]:
    make(tmp_path / "sales.db", ORDERS)
    return ["--root", str(tmp_path)]


async def test_tables_come_with_their_row_counts(shop: list[str]) -> None:
    result = await call(shop, "tables")

    assert text_of(result) == "customers (2 rows)\norders (3 rows)"
    assert result.structured_content == {
        "result": [
            {"database": "sales.db", "table": "customers", "rows": 2},
            {"database": "sales.db", "table": "orders", "rows": 3},
        ]
    }


async def test_a_schema_shows_all_that_a_query_needs(shop: list[str]) -> None:
    assert text_of(await call(shop, "schema")) == (
        "customers(id INTEGER PK, name TEXT) -- 2 rows\n"
        "  e.g. (1, 'Ada'), (2, 'Ben')\n"
        "  name: 'Ada', 'Ben'\n"
        "orders(id INTEGER PK, customer_id INTEGER -> customers.id, region TEXT, day DATE, total REAL,"
        ' "order no" TEXT) -- 3 rows\n'
        "  e.g. (1, 1, 'North', '2026-01-05', 10.1, 'A-1'), (2, 2, 'South', '2026-01-06', 20.2, 'A-2')\n"
        "  region: 'North', 'South'\n"
        "  order no: 'A-1', 'A-2'"
    )


async def test_a_schema_of_one_table_is_found_in_any_letter_case(shop: list[str]) -> None:
    assert text_of(await call(shop, "schema", table="CUSTOMERS")).startswith("customers(id INTEGER PK")


async def test_an_unknown_table_is_answered_with_the_one_that_was_meant(shop: list[str]) -> None:
    result = await call(shop, "schema", table="order")

    assert text_of(result) == "schema: no table 'order'; did you mean 'orders'? there is customers, orders"


async def test_a_query_gives_rows_as_data_and_as_a_compact_table(shop: list[str]) -> None:
    sql = "SELECT region, sum(total) AS total FROM orders GROUP BY region"

    result = await call(shop, "query", sql=sql)

    assert text_of(result) == "region | total\nNorth | 10.2\nSouth | 20.2\n(2 rows)"
    assert result.structured_content == {
        "result": [{"region": "North", "total": 10.2}, {"region": "South", "total": 20.2}]
    }


async def test_more_rows_than_the_limit_are_left_out_and_said_to_be(shop: list[str]) -> None:
    result = await call(shop, "query", sql="SELECT id FROM orders ORDER BY id", limit=2)

    assert text_of(result) == "id\n1\n2\n(first 2 rows of more: use WHERE, GROUP BY or limit)"


async def test_a_long_table_is_printed_in_part_and_given_whole(shop: list[str]) -> None:
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150) SELECT i, hex(zeroblob(50)) AS x FROM n"

    result = await call(shop, "query", sql=numbers)

    assert len(text_of(result)) < 6_200
    assert text_of(result).endswith("more rows]\n(150 rows)")
    assert count_of(result) == 150


async def test_every_value_becomes_json(shop: list[str]) -> None:
    sql = "SELECT 0.1 + 0.2 AS noise, x'00ff' AS bytes, 1e999 AS endless, NULL AS absent, 1 AS a, 2 AS a"

    result = await call(shop, "query", sql=sql)

    assert result.structured_content == {
        "result": [{"noise": 0.3, "bytes": "0x00ff", "endless": "Infinity", "absent": None, "a": 1, "a_2": 2}]
    }


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM orders;",
        "```sql\nSELECT count(*) FROM orders\n```",
        "SELECT count(*) FROM orders -- all; of them",
        "SELECT count(*) FROM orders WHERE region <> ';' AND '%s' <> ':x'",
        "WITH o AS (SELECT * FROM orders) SELECT count(*) FROM o",
    ],
)
async def test_one_statement_may_be_written_in_many_ways(shop: list[str], sql: str) -> None:
    assert (await call(shop, "query", sql=sql)).structured_content == {"result": [{"count(*)": 3}]}


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT totl FROM orders", "no such column: totl; did you mean 'total'? the tables are:"),
        ("SELECT * FROM order_s", "no such table: order_s; did you mean 'orders'? the tables are:"),
        ("SELECT year(day) FROM orders", "no such function: year; this is SQLite: dates with strftime"),
        ("SELEC 1", 'near "SELEC": syntax error; the tables are:'),
    ],
)
async def test_a_wrong_statement_is_answered_with_what_there_is(
    shop: list[str], sql: str, reason: str
) -> None:
    result = await call(shop, "query", sql=sql)

    assert result.is_error
    assert text_of(result).startswith(f"query: {reason}")
    assert text_of(result).endswith(
        'customers(id, name)\norders(id, customer_id, region, day, total, "order no")'
    )


async def test_without_a_database_every_tool_says_what_to_do(tmp_path: Path) -> None:
    for tool, arguments in {"tables": {}, "schema": {}, "query": {"sql": "SELECT 1"}}.items():
        result = await call(["--root", str(tmp_path)], tool, **arguments)

        assert result.is_error
        assert text_of(result).endswith(
            "there is no database; put a .db file in the workspace or start with --url"
        )


async def test_a_database_that_comes_after_the_start_is_found(tmp_path: Path) -> None:
    async with Client(database.build(["--root", str(tmp_path)])) as client:
        make(tmp_path / "later/stock.sqlite", "CREATE TABLE stock(item TEXT)")
        result = await client.call_tool("tables", {})

    assert text_of(result) == "stock (0 rows)"


async def test_with_one_database_no_tool_asks_which(shop: list[str]) -> None:
    async with Client(database.build(shop)) as client:
        tools = (await client.list_tools()).tools

    assert {tool.name: list(tool.input_schema["properties"]) for tool in tools} == {
        "tables": [],
        "schema": ["table"],
        "query": ["sql", "limit"],
    }
    assert [tool.name for tool in tools if len(tool.description or "") > 120] == []
    assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)


async def test_of_several_databases_the_tables_of_a_statement_say_which(
    shop: list[str], tmp_path: Path
) -> None:
    make(tmp_path / "sub/stock.db", "CREATE TABLE stock(item TEXT); INSERT INTO stock VALUES ('bolt')")

    async with Client(database.build(shop)) as client:
        tools = (await client.list_tools()).tools
        listed = await client.call_tool("tables", {})
        known = await client.call_tool("query", {"sql": "SELECT item FROM stock"})
        named = await client.call_tool("query", {"sql": "SELECT 1 AS one", "database": "stock"})
        unknown = await client.call_tool("query", {"sql": "SELECT 1 AS one"})

    assert "database" in tools[2].input_schema["properties"]
    assert text_of(listed).splitlines()[-1] == "sub/stock.db: stock (1 row)"
    assert known.structured_content == {"result": [{"item": "bolt"}]}
    assert named.structured_content == {"result": [{"one": 1}]}
    assert text_of(unknown) == "query: say which database: give database= one of 'sales.db', 'sub/stock.db'"


async def test_a_url_names_a_file_below_the_folder(tmp_path: Path) -> None:
    make(tmp_path / "data/shop.bin", ORDERS)

    result = await call(["--root", str(tmp_path), "--url", "sqlite:///data/shop.bin"], "tables")

    assert text_of(result) == "customers (2 rows)\norders (3 rows)"


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_bytes(b"this is not a database at all, " * 100)

    result = await call(["--root", str(tmp_path)], "tables")

    assert text_of(result) == (
        "tables: database 'broken.db' cannot be read: it is no database of SQLite or DuckDB, or it is encrypted:"
        " it begins with b'this is not a da'"
    )


@pytest.mark.parametrize(
    ("url", "reason"),
    [("nonsense", "--url is no database URL"), ("sqlite:///gone.db", "gone.db', which is no file")],
)
def test_a_wrong_url_ends_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str, reason: str
) -> None:
    with pytest.raises(SystemExit):
        database.build(["--root", str(tmp_path), "--url", url])

    assert reason in capsys.readouterr().err


async def test_a_missing_driver_is_named(tmp_path: Path) -> None:
    result = await call(["--root", str(tmp_path), "--url", "firebird://user:secret@host/x"], "tables")

    assert result.is_error
    assert "driver that is not installed" in text_of(result)
    assert "secret" not in text_of(result)


async def test_what_is_granted_to_write_is_written(shop: list[str], tmp_path: Path) -> None:
    async with Client(database.build([*shop, "--write"])) as client:
        query = (await client.list_tools()).tools[2]
        changed = await client.call_tool(
            "query", {"sql": "UPDATE orders SET total = 1 WHERE region = 'North'"}
        )
        given = await client.call_tool(
            "query", {"sql": "INSERT INTO customers VALUES (3, 'Cyd') RETURNING id"}
        )

    assert query.annotations is not None
    assert query.annotations.read_only_hint is False
    assert text_of(changed) == "done; 2 rows changed"
    assert given.structured_content == {"result": [{"id": 3}]}
    with closing(sqlite3.connect(tmp_path / "sales.db")) as connection:
        assert connection.execute("SELECT sum(total) FROM orders WHERE region = 'North'").fetchone() == (2,)
        assert connection.execute("SELECT count(*) FROM customers").fetchone() == (3,)


async def test_the_server_works_over_stdio(shop: list[str], tmp_path: Path) -> None:
    command = StdioServerParameters(
        command=sys.executable, args=["-P", database.__file__, *shop], cwd=tmp_path
    )
    async with Client(command, read_timeout_seconds=30) as client:
        result = await client.call_tool("query", {"sql": "SELECT name FROM customers"})

    assert result.structured_content == {"result": [{"name": "Ada"}, {"name": "Ben"}]}
