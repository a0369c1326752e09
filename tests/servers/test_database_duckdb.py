"""The MCP server ``database`` over DuckDB files."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent
from pydantic import TypeAdapter

from mcp_servers import database

Rows = list[dict[str, object]]

SHOP = """
    CREATE TABLE orders(id INTEGER PRIMARY KEY, total DECIMAL(30, 2), day DATE, term INTERVAL, tags INTEGER[], big HUGEINT);
    INSERT INTO orders VALUES
        (1, 1234567890123456789012345678.55, 'infinity', INTERVAL '1 mon', [1, 2], 170141183460469231731687303715884105727),
        (2, 2.50, '2024-01-05', INTERVAL '1 day', NULL, 3);
    CREATE SCHEMA sales;
    CREATE TABLE sales.items(id INTEGER PRIMARY KEY, "order" INTEGER, name VARCHAR);
    CREATE TABLE parts("order" INTEGER REFERENCES orders(id));
    CREATE VIEW totals AS SELECT sum(total) AS total FROM orders;
    CREATE TABLE gone(a INTEGER);
    CREATE VIEW stale AS SELECT * FROM gone;
    DROP TABLE gone;
    CREATE SEQUENCE numbers;
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    with closing(duckdb.connect(str(tmp_path / "shop.duckdb"))) as connection:
        connection.execute(SHOP)
    return tmp_path


def text_of(result: CallToolResult) -> str:
    block = result.content[0]
    assert isinstance(block, TextContent)
    return block.text


def rows_of(result: CallToolResult) -> Rows:
    return TypeAdapter(dict[str, Rows]).validate_python(result.structured_content)["result"]


def opened(folder: Path, *, writable: bool = False, seconds: float = 5) -> database.Databases:
    return database.Databases([folder], [], writable=writable, seconds=seconds)


def test_a_file_is_found_and_its_tables_of_all_schemas_are_listed(shop: Path) -> None:
    assert text_of(opened(shop).tables()) == (
        "orders (2 rows)\nparts (0 rows)\ntotals (1 row)\nsales.items (0 rows)\n"
        "stale cannot be read: Catalog Error: Table with name gone does not exist!"
    )


def test_the_schema_names_types_keys_and_examples(shop: Path) -> None:
    lines = text_of(opened(shop).schema()).splitlines()

    assert lines[:2] == [
        "orders(id INTEGER PK, total DECIMAL(30,2), day DATE, term INTERVAL, tags INTEGER[], big HUGEINT) -- 2 rows",
        "  e.g. (1, '1234567890123456789012345678.55', 'infinity', '1 month', '[1, 2]', '170141183460469231731687303715884105727'),"
        " (2, 2.5, '2024-01-05', '1 day', NULL, 3)",
    ]
    assert 'parts("order" INTEGER -> orders.id) -- 0 rows' in lines
    assert 'sales.items(id INTEGER PK, "order" INTEGER, name VARCHAR) -- 0 rows' in lines


def test_every_value_is_exact(shop: Path) -> None:
    assert rows_of(opened(shop).query("SELECT * FROM orders ORDER BY id LIMIT 1")) == [
        {
            "id": 1,
            "total": "1234567890123456789012345678.55",
            "day": "infinity",
            "term": "1 month",
            "tags": "[1, 2]",
            "big": "170141183460469231731687303715884105727",
        }
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "FROM orders SELECT id",
        "SUMMARIZE sales.items",
        "DESCRIBE orders",
        "SHOW TABLES",
        "PIVOT orders ON id USING count(*)",
    ],
)
def test_what_only_duckdb_has_is_read(shop: Path, sql: str) -> None:
    assert rows_of(opened(shop).query(sql))


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO sales.items VALUES (1, 1, 'a')",
        "CREATE TABLE x(a INTEGER)",
        "DROP TABLE orders",
        "SELECT nextval('numbers')",
        "UPDATE orders SET total = 0",
        "CHECKPOINT",
    ],
)
def test_nothing_is_changed_that_may_only_be_read(shop: Path, sql: str) -> None:
    before = (shop / "shop.duckdb").read_bytes()

    with pytest.raises(ToolError, match="only read: write one SELECT"):
        opened(shop).query(sql)

    assert (shop / "shop.duckdb").read_bytes() == before
    assert [path.name for path in shop.iterdir()] == ["shop.duckdb"]


@pytest.mark.parametrize("writable", [False, True])
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('{out}')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '{out}'",
        "SELECT * FROM glob('/etc/*')",
        "COPY orders TO '{out}'",
        "ATTACH '{out}' AS other",
        "EXPORT DATABASE '{out}'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '9GB'",
        "PRAGMA temp_directory = '/tmp'",
    ],
)
def test_no_statement_leads_out_of_the_file(shop: Path, sql: str, writable: bool) -> None:
    with pytest.raises(ToolError):
        opened(shop, writable=writable).query(sql.format(out=shop / "out.csv"))

    assert [path.name for path in shop.iterdir()] == ["shop.duckdb"]


@pytest.mark.parametrize("writable", [False, True])
def test_a_statement_that_takes_long_is_interrupted(shop: Path, writable: bool) -> None:
    with pytest.raises(ToolError, match=r"stopped after 0\.5 s"):
        opened(shop, writable=writable, seconds=0.5).query("SELECT count(*) FROM range(1000000000000)")


def test_many_rows_are_not_all_fetched(shop: Path) -> None:
    result = opened(shop).query("SELECT * FROM range(100000000) AS t(i)", limit=5)

    assert [row["i"] for row in rows_of(result)] == [0, 1, 2, 3, 4]
    assert "first 5 rows of more" in text_of(result)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("INSERT INTO sales.items VALUES (1, 1, 'a'), (2, 1, 'b')", "done; 2 rows changed"),
        ("WITH x AS (SELECT 1 AS a) DELETE FROM orders WHERE id IN (SELECT a FROM x)", "done; 1 row changed"),
        ("CREATE TABLE x(a INTEGER)", "done"),
        ("INSERT INTO sales.items VALUES (3, 1, 'c') RETURNING id", "id\n3\n(1 row)"),
    ],
)
def test_what_is_granted_to_write_is_written(shop: Path, sql: str, said: str) -> None:
    assert text_of(opened(shop, writable=True).query(sql)) == said


def test_unknown_names_are_answered_with_what_there_is(shop: Path) -> None:
    with pytest.raises(ToolError, match=r"did you mean 'total'\? the tables are:"):
        opened(shop).query("SELECT totl FROM orders")
    with pytest.raises(ToolError, match=r"did you mean 'orders'\? the tables are:"):
        opened(shop).query("SELECT 1 FROM ordrs")


@pytest.mark.parametrize("name", ["data/shop.bin", "shop.db"])
def test_the_kind_of_a_file_is_seen_in_it_whatever_its_ending(shop: Path, name: str) -> None:
    (shop / name).parent.mkdir(exist_ok=True)
    (shop / "shop.duckdb").rename(shop / name)
    databases = database.Databases([shop], [f"duckdb:///{name}"])

    assert rows_of(databases.query("SELECT count(*) AS n FROM orders")) == [{"n": 2}]


def test_a_mistyped_path_is_refused_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="which is no file"):
        database.Databases([tmp_path], ["duckdb:///shp.duckdb"])

    assert list(tmp_path.iterdir()) == []
