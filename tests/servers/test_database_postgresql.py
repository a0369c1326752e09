"""The MCP server ``database`` over PostgreSQL, where there is one.

``SWARM_TEST_POSTGRESQL`` is the URL of a server in which the tests may make a database of their own,
with an account that may do that, e.g. ``postgresql+psycopg://postgres@127.0.0.1:5432/postgres``. The
driver is no dependency of the package: without it, or without the URL, nothing here runs.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Generator
from pathlib import Path
from typing import cast

import pytest
import sqlalchemy
from mcp import Client
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, RequestParamsMeta, TextContent
from pydantic import TypeAdapter
from sqlalchemy.pool import NullPool

from mcp_servers import database

URL = os.environ.get("SWARM_TEST_POSTGRESQL", "")
pytestmark = pytest.mark.skipif(not URL, reason="SWARM_TEST_POSTGRESQL names no server")

Rows = list[dict[str, object]]

SHOP = """
    CREATE TABLE orders(id int PRIMARY KEY, price text, total numeric(30,2), d date, ts timestamptz, iv interval, t time, j jsonb, a int[], "Order No" text);
    INSERT INTO orders VALUES
        (1, '1,200.50', 1234567890123456789012345678.55, 'infinity', '-infinity', '1 mon', '24:00', '{"a": 1}', '{1,2}', 'x'),
        (2, '39.5', 'NaN', '0044-03-15 BC', '2024-01-01 00:00+00', '3 days', '12:00', NULL, NULL, NULL);
    CREATE SCHEMA sales;
    CREATE TABLE sales.items(id int PRIMARY KEY, order_id int REFERENCES orders(id));
    CREATE MATERIALIZED VIEW many AS SELECT count(*) AS n FROM orders;
    CREATE TABLE secret(a int);
    CREATE TABLE log(a int);
    CREATE FUNCTION noisy() RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (1); RETURN 1; END $$;
    GRANT USAGE ON SCHEMA sales TO swarm_reader;
    GRANT CREATE ON SCHEMA public TO swarm_reader;
    GRANT SELECT ON orders, sales.items, many TO swarm_reader;
    GRANT ALL ON log TO swarm_reader;
"""


@pytest.fixture(scope="module")
def shop() -> Generator[sqlalchemy.URL]:
    """The URL of a database with a shop in it, of an account that may only read it."""
    server = sqlalchemy.create_engine(URL, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        for sql in (
            "DROP DATABASE IF EXISTS swarm_shop",
            "DROP ROLE IF EXISTS swarm_reader",
            "CREATE DATABASE swarm_shop",
            "CREATE ROLE swarm_reader LOGIN",
        ):
            connection.exec_driver_sql(sql)
    owner = server.url.set(database="swarm_shop")
    engine = sqlalchemy.create_engine(owner, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for sql in SHOP.split(";\n"):
            if sql.strip():
                connection.exec_driver_sql(sql, execution_options={"no_parameters": True})
    yield owner.set(username="swarm_reader")
    with server.connect() as connection:
        connection.exec_driver_sql("DROP DATABASE swarm_shop WITH (FORCE)")
        connection.exec_driver_sql("DROP ROLE swarm_reader")


def opened(url: sqlalchemy.URL, *, writable: bool = False, seconds: float = 10) -> database.Databases:
    return database.Databases(
        [Path()], [url.render_as_string(hide_password=False)], writable=writable, seconds=seconds
    )


def text_of(result: CallToolResult) -> str:
    block = result.content[0]
    assert isinstance(block, TextContent)
    return block.text


def rows_of(result: CallToolResult) -> Rows:
    return TypeAdapter(dict[str, Rows]).validate_python(result.structured_content)["result"]


def test_tables_of_all_schemas_are_listed_and_those_that_may_not_be_read_named(shop: sqlalchemy.URL) -> None:
    assert text_of(opened(shop).tables()) == (
        "log (0 rows)\nmany (1 row)\norders (2 rows)\nsales.items (0 rows)\n"
        "secret cannot be read: permission denied for table secret"
    )
    assert (
        text_of(opened(shop).schema("sales.items"))
        == "sales.items(id INTEGER PK, order_id INTEGER -> orders.id) -- 0 rows"
    )


def test_every_value_is_exact(shop: sqlalchemy.URL) -> None:
    assert [
        list(row.values()) for row in rows_of(opened(shop).query("SELECT * FROM orders ORDER BY id"))
    ] == [
        [
            1,
            "1,200.50",
            "1234567890123456789012345678.55",
            "infinity",
            "-infinity",
            "1 mon",
            "24:00:00",
            '{"a": 1}',
            "[1, 2]",
            "x",
        ],
        [2, "39.5", "NaN", "0044-03-15 BC", "2024-01-01 00:00:00+00", "3 days", "12:00:00", None, None, None],
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "select 1;  -- done",
        r"select E'it\'s; x' as a",
        "select $$a;b$$ as x",
        "/* a /* ; */ b */ select 1",
        "table many",
        "show server_version",
        "explain select 1",
    ],
)
def test_statements_are_counted_as_postgresql_reads_them(shop: sqlalchemy.URL, sql: str) -> None:
    assert rows_of(opened(shop).query(sql))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT max(price) FROM orders",
        "SELECT id FROM orders ORDER BY price",
        "SELECT id FROM orders WHERE price > '100'",
        "SELECT sum(price) FROM orders",
        "SELECT price * 2 FROM orders",
        "SELECT id FROM orders WHERE price > 100",
        "SELECT CAST(price AS numeric) FROM orders",
    ],
)
def test_no_text_is_taken_for_a_number(shop: sqlalchemy.URL, sql: str) -> None:
    with pytest.raises(ToolError):
        opened(shop).query(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT noisy()",
        "WITH x AS (DELETE FROM log RETURNING a) SELECT * FROM x",
        "CREATE TABLE x(a int)",
        "SELECT 1 AS a INTO x",
    ],
)
def test_nothing_is_changed_that_may_only_be_read(shop: sqlalchemy.URL, sql: str) -> None:
    with pytest.raises(ToolError, match="only read: write one SELECT"):
        opened(shop).query(sql)


@pytest.mark.parametrize(
    ("sql", "writable"),
    [
        ("SELECT pg_sleep(60)", False),
        ("SELECT pg_sleep(60)", True),
        ("DO $$ BEGIN PERFORM pg_sleep(60); END $$", True),
    ],
)
def test_the_time_limit_holds_in_both_modes(shop: sqlalchemy.URL, sql: str, writable: bool) -> None:
    with pytest.raises(ToolError, match="stopped after 1 s"):
        opened(shop, writable=writable, seconds=1).query(sql)


def test_unknown_names_are_answered_and_hints_are_kept(shop: sqlalchemy.URL) -> None:
    with pytest.raises(ToolError, match=r"did you mean 'orders'\? the tables are:"):
        opened(shop).query("SELECT 1 FROM order_s")
    with pytest.raises(ToolError, match="HINT:"):
        opened(shop).query("SELECT sum(price) FROM orders")
    with pytest.raises(ToolError, match=r"^division by zero$"):
        opened(shop).query("SELECT 1 / 0")


def test_a_host_that_says_nothing_is_waited_for_no_longer_than_the_limit(shop: sqlalchemy.URL) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = shop.set(port=silent.getsockname()[1], host="127.0.0.1", password="secret")
        with pytest.raises(ToolError, match="did not answer within 1 s") as refused:
            opened(url, seconds=1).tables()

    assert "secret" not in str(refused.value)


def test_an_account_that_can_read_the_servers_files_is_refused(shop: sqlalchemy.URL) -> None:
    owner = sqlalchemy.make_url(URL).set(database="swarm_shop")

    with pytest.raises(ToolError, match="use an account that may only read, or start with --allow-superuser"):
        opened(owner).tables()


async def asked(sql: str, *options: str, key: str = "") -> CallToolResult:
    """What the server that a command line starts answers to a query."""
    meta = cast("RequestParamsMeta", {"swarm/key": key} if key else {})
    async with Client(database.build(options)) as client:
        return await client.call_tool("query", {"sql": sql}, meta=meta)


def written(url: sqlalchemy.URL) -> str:
    return url.render_as_string(hide_password=False)


@pytest.mark.anyio
async def test_such_an_account_is_taken_where_the_person_says_so_with_a_warning_at_the_start(
    shop: sqlalchemy.URL, capsys: pytest.CaptureFixture[str]
) -> None:
    owner = written(sqlalchemy.make_url(URL).set(database="swarm_shop"))
    sql = "SELECT count(*) AS n FROM orders"
    refused = await asked(sql, "--url", owner)
    capsys.readouterr()
    taken = await asked(sql, "--url", owner, "--allow-superuser")

    assert refused.is_error
    assert "--allow-superuser" in text_of(refused)
    assert (taken.is_error, rows_of(taken)) == (False, [{"n": 2}])
    assert "which can read or write the server's own files" in capsys.readouterr().err
    changed = await asked("DELETE FROM orders", "--url", owner, "--allow-superuser")
    assert changed.is_error


@pytest.mark.anyio
async def test_a_reading_account_gets_no_warning(
    shop: sqlalchemy.URL, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not (await asked("SELECT 1", "--url", written(shop))).is_error
    assert capsys.readouterr().err == ""


@pytest.mark.anyio
async def test_a_select_whose_function_writes_has_its_effect_once_under_one_key(shop: sqlalchemy.URL) -> None:
    arguments = ("--url", written(shop), "--write")
    first = await asked("SELECT noisy()", *arguments, key="r/a/-/1/1/0")
    again = await asked("SELECT noisy()", *arguments, key="r/a/-/1/1/0")
    logged = await asked("SELECT count(*) AS n FROM log", *arguments)

    assert (first.is_error, again.content) == (False, first.content)
    assert rows_of(logged) == [{"n": 1}]


def test_three_million_rows_cost_no_memory(shop: sqlalchemy.URL) -> None:
    result = opened(shop, seconds=120).query(
        "SELECT i, repeat('x', 100) FROM generate_series(1, 3000000) AS i", limit=5
    )

    assert len(rows_of(result)) == 5
    assert "first 5 rows of more" in text_of(result)
