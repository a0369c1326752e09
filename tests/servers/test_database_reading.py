"""The MCP server ``database`` reading files as they lie: beside writers, after crashes, with virtual tables."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest
from mcp import Client
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent
from pydantic import TypeAdapter

from mcp_servers import database
from mcp_servers.database_parts import statement
from mcp_servers.database_parts.session import Trouble

Rows = list[dict[str, object]]


def make(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


def text_of(result: CallToolResult) -> str:
    block = result.content[0]
    assert isinstance(block, TextContent)
    return block.text


def rows_of(result: CallToolResult) -> Rows:
    return TypeAdapter(dict[str, Rows]).validate_python(result.structured_content)["result"]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


NOTES = """
    CREATE TABLE notes(id INTEGER PRIMARY KEY, body TEXT);
    INSERT INTO notes VALUES (1, 'the kettle costs 24.90');
    CREATE VIRTUAL TABLE notes_fts USING fts5(body);
    INSERT INTO notes_fts VALUES ('the kettle costs 24.90');
    CREATE VIRTUAL TABLE old USING fts4(body);
    INSERT INTO old VALUES ('the lamp');
    CREATE VIRTUAL TABLE boxes USING rtree(id, low, high);
    INSERT INTO boxes VALUES (1, 2, 3);
"""


def test_full_text_and_r_tree_tables_are_read_and_their_parts_are_not_listed(tmp_path: Path) -> None:
    make(tmp_path / "notes.db", NOTES)
    databases = database.Databases([tmp_path], [])

    listed = [row["table"] for row in rows_of(databases.tables())]
    found = rows_of(databases.query("SELECT body FROM notes_fts WHERE notes_fts MATCH 'kettle'"))

    assert listed == ["boxes", "notes", "notes_fts", "old"]
    assert found == [{"body": "the kettle costs 24.90"}]
    assert "full-text: WHERE notes_fts MATCH 'word'" in text_of(databases.schema("notes_fts"))


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT count(*) AS n FROM notes", [{"n": 1}]),
        ("SELECT body FROM old WHERE body MATCH 'lamp'", [{"body": "the lamp"}]),
        ("SELECT id FROM boxes WHERE low < 3", [{"id": 1}]),
        ("SELECT value FROM json_each('[1, 2]')", [{"value": 1}, {"value": 2}]),
        ("SELECT name FROM pragma_table_info('notes')", [{"name": "id"}, {"name": "body"}]),
    ],
)
def test_tables_of_sqlites_own_modules_are_read(tmp_path: Path, sql: str, rows: Rows) -> None:
    make(tmp_path / "notes.db", NOTES)

    assert rows_of(database.Databases([tmp_path], []).query(sql)) == rows


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE sqlite_master SET sql = ''",
        "INSERT INTO boxes_node VALUES (9, x'00')",
        "DELETE FROM boxes_rowid",
        "DELETE FROM boxes",
        "INSERT INTO notes_fts VALUES ('x')",
        "INSERT INTO notes_fts(notes_fts) VALUES ('rebuild')",
        "PRAGMA page_size = 512",
    ],
)
def test_what_a_virtual_table_may_prepare_changes_nothing(tmp_path: Path, sql: str) -> None:
    make(tmp_path / "notes.db", NOTES)
    before = (tmp_path / "notes.db").read_bytes()

    with pytest.raises(ToolError, match="only read: write one SELECT"):
        database.Databases([tmp_path], []).query(sql)

    assert (tmp_path / "notes.db").read_bytes() == before


def wal(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t(a); INSERT INTO t VALUES (1), (2)")
    return connection


def test_reading_a_file_in_wal_mode_leaves_nothing_beside_it(tmp_path: Path) -> None:
    wal(tmp_path / "w.db").close()
    databases = database.Databases([tmp_path], [])

    assert text_of(databases.tables()) == "t (2 rows)"
    assert rows_of(databases.query("SELECT a FROM t")) == [{"a": 1}, {"a": 2}]
    assert "t(a) -- 2 rows" in text_of(databases.schema())
    assert names_in(tmp_path) == ["w.db"]


def test_what_a_program_that_is_at_work_has_written_is_read(tmp_path: Path) -> None:
    with closing(wal(tmp_path / "w.db")):
        before = names_in(tmp_path)
        assert text_of(database.Databases([tmp_path], []).tables()) == "t (2 rows)"
        assert names_in(tmp_path) == before


def test_what_a_program_that_crashed_had_written_is_read_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "alive").mkdir()
    (tmp_path / "dead").mkdir()
    with closing(wal(tmp_path / "alive/w.db")):
        for ending in ("", "-wal"):
            shutil.copy(tmp_path / f"alive/w.db{ending}", tmp_path / f"dead/w.db{ending}")
    kept = {path.name: path.read_bytes() for path in (tmp_path / "dead").iterdir()}

    assert text_of(database.Databases([tmp_path / "dead"], []).tables()) == "t (2 rows)"
    assert {path.name: path.read_bytes() for path in (tmp_path / "dead").iterdir()} == kept


def test_a_change_that_was_not_ended_is_not_read_and_left_as_it_is(tmp_path: Path) -> None:
    path, dead = tmp_path / "j.db", tmp_path / "dead"
    dead.mkdir()
    make(path, "CREATE TABLE t(a); INSERT INTO t VALUES (1), (2)")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("PRAGMA cache_spill = 1")
        connection.execute("BEGIN")
        connection.execute("DELETE FROM t")
        connection.execute(
            "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO t SELECT hex(zeroblob(500)) FROM n"
        )
        for ending in ("", "-journal"):
            shutil.copy(f"{path}{ending}", dead / f"j.db{ending}")
    kept = {found.name: found.read_bytes() for found in dead.iterdir()}

    assert len(kept["j.db-journal"]) > 512
    assert text_of(database.Databases([dead], []).tables()) == "t (2 rows)"
    assert {found.name: found.read_bytes() for found in dead.iterdir()} == kept


def test_a_copy_that_is_read_cannot_be_changed(tmp_path: Path) -> None:
    (tmp_path / "dead").mkdir()
    with closing(wal(tmp_path / "w.db")):
        for ending in ("", "-wal"):
            shutil.copy(tmp_path / f"w.db{ending}", tmp_path / f"dead/w.db{ending}")

    with pytest.raises(ToolError, match="only read: write one SELECT"):
        database.Databases([tmp_path / "dead"], []).query("DELETE FROM t")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write in every folder")
def test_a_file_in_wal_mode_in_a_folder_that_is_only_read_is_read(tmp_path: Path) -> None:
    wal(tmp_path / "w.db").close()
    tmp_path.chmod(0o500)
    try:
        assert text_of(database.Databases([tmp_path], []).tables()) == "t (2 rows)"
    finally:
        tmp_path.chmod(0o700)


def test_a_lock_is_waited_for_no_longer_than_a_call_may_take(tmp_path: Path) -> None:
    make(tmp_path / "held.db", "CREATE TABLE t(a)")
    make(tmp_path / "free.db", "CREATE TABLE u(a)")
    databases = database.Databases([tmp_path], [], seconds=1)
    with closing(sqlite3.connect(tmp_path / "held.db", isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        listed = text_of(databases.tables())
        found = rows_of(databases.query("SELECT count(*) AS n FROM u"))
        with pytest.raises(ToolError, match=r"'held\.db' cannot be read: it is locked by another program"):
            databases.query("SELECT 1 FROM t", database="held.db")
        took = time.monotonic() - began

    assert (
        listed
        == "free.db: u (0 rows)\ndatabase 'held.db' cannot be read: it is locked by another program; ask again when that is done"
    )
    assert found == [{"n": 0}]
    assert took < 3 * 1 + 2, "three calls of a second each"


def test_a_table_that_takes_long_leaves_time_to_the_others(tmp_path: Path) -> None:
    endless = "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n)"
    make(
        tmp_path / "a.db",
        f"CREATE VIEW a AS SELECT count(*) AS n FROM {endless}; CREATE TABLE b(x); CREATE TABLE c(x)",
    )

    listed = text_of(database.Databases([tmp_path], [], seconds=1).tables())

    assert (
        listed
        == "b (0 rows)\nc (0 rows)\na cannot be read: stopped after 1 s; ask for less, with WHERE or LIMIT"
    )


def test_a_schema_is_also_rows_with_all_columns(tmp_path: Path) -> None:
    make(
        tmp_path / "one.db",
        'CREATE TABLE customers(id INTEGER PRIMARY KEY, name VARCHAR(80), credit DECIMAL(10,2)); CREATE TABLE "order details"("order id" INTEGER, "unit price" NUMERIC(10,2))',
    )
    make(
        tmp_path / "two.db",
        "CREATE TABLE stock(id INTEGER, qty INTEGER, twice INTEGER AS (qty * 2)); CREATE VIEW lost AS SELECT a FROM gone",
    )

    found = [
        (row["database"], row.get("table"), row.get("columns"))
        for row in rows_of(database.Databases([tmp_path], []).schema())
    ]

    assert found == [
        ("one.db", "customers", ["id", "name", "credit"]),
        ("one.db", '"order details"', ["order id", "unit price"]),
        ("two.db", "lost", None),
        ("two.db", "stock", ["id", "qty", "twice"]),
    ]


def test_more_databases_than_are_taken_are_told(tmp_path: Path) -> None:
    for number in range(52):
        make(tmp_path / f"{number:02}.db", "CREATE TABLE t(a)")

    assert text_of(database.Databases([tmp_path], []).tables()).endswith(
        "more than 50 databases: the first are taken; name others with --url"
    )


def test_a_name_that_is_no_text_is_shown_so_that_it_can_be_sent(tmp_path: Path) -> None:
    make(tmp_path / "ok.db", "CREATE TABLE t(a)")
    Path(tmp_path / "ok.db").rename(tmp_path / os.fsdecode(b"b\xe4d.db"))

    assert rows_of(database.Databases([tmp_path], []).tables()) == [
        {"database": "b\\xe4d.db", "table": "t", "rows": 0}
    ]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("WITH x AS (SELECT 1 AS a) DELETE FROM t WHERE a IN (SELECT a FROM x)", "done; 1 row changed"),
        ("WITH x AS (SELECT 5 AS a) INSERT INTO t SELECT a FROM x", "done; 1 row changed"),
        ("WITH x AS (SELECT 1 AS a) UPDATE t SET a = a + 1", "done; 2 rows changed"),
        ("DELETE FROM t", "done; 2 rows changed"),
        ("DELETE FROM t WHERE a > 9", "done; 0 rows changed"),
        ("REPLACE INTO t VALUES (7)", "done; 1 row changed"),
        ("CREATE TABLE u(a)", "done"),
        (
            "CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM t WHERE a = 1; DELETE FROM t WHERE a = 2; END",
            "done",
        ),
    ],
)
def test_a_change_says_how_many_rows_it_changed(tmp_path: Path, sql: str, said: str) -> None:
    make(tmp_path / "t.db", "CREATE TABLE t(a); INSERT INTO t VALUES (1), (2)")

    assert text_of(database.Databases([tmp_path], [], writable=True).query(sql)) == said


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("ATTACH DATABASE 'x.db' AS x", "ATTACH: this reaches beyond the one database"),
        ("DETACH DATABASE main", "DETACH: this reaches beyond the one database"),
        ("PRAGMA journal_mode = WAL", "PRAGMA journal_mode: this reaches beyond the one database"),
        ("PRAGMA writable_schema = 1", "PRAGMA writable_schema: this reaches beyond the one database"),
        ("COMMIT", "BEGIN or COMMIT: this reaches beyond the one database"),
    ],
)
def test_what_is_refused_where_writing_is_granted_is_not_said_to_be_only_read(
    tmp_path: Path, sql: str, said: str
) -> None:
    make(tmp_path / "t.db", "CREATE TABLE t(a)")

    with pytest.raises(ToolError) as refused:
        database.Databases([tmp_path], [], writable=True).query(sql)

    assert str(refused.value).startswith(said)
    assert "only read" not in str(refused.value)


@pytest.mark.parametrize("writable", [False, True])
def test_the_time_limit_holds_in_both_modes(tmp_path: Path, writable: bool) -> None:
    make(tmp_path / "t.db", "CREATE TABLE t(a)")
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) {} SELECT count(*) FROM n"
    databases = database.Databases([tmp_path], [], writable=writable, seconds=0.3)

    for sql in (endless.format(""), *([endless.format("INSERT INTO t")] if writable else [])):
        with pytest.raises(ToolError, match=r"stopped after 0\.3 s"):
            databases.query(sql)


@pytest.mark.parametrize(
    ("sql", "dialect"),
    [
        ("select 1;  -- done", "sqlite"),
        ("select 1; /* done; */ ;", "sqlite"),
        ("; select 1", "sqlite"),
        ("select ';' as a, [b;c] from (select 1 as [b;c])", "sqlite"),
        (r"select E'it\'s; x'", "postgresql"),
        ("select $tag$a;b$tag$", "postgresql"),
        ("select 1 /* a /* ; */ ; */", "postgresql"),
        (r"select 'it\'s; x', `a;b` # c; d", "mysql"),
        ("from t select [1, 2]; --x", "duckdb"),
    ],
)
def test_statements_are_counted_as_each_database_reads_them(sql: str, dialect: str) -> None:
    assert statement.single(sql, dialect)


@pytest.mark.parametrize(
    ("sql", "dialect"),
    [
        ("select 1; select 2", "sqlite"),
        ("select E'it\\'s'; drop table t", "postgresql"),
        ("select 'a\\'; drop table t", "postgresql"),
        ("select $a$ $b$; $a$; select 2", "postgresql"),
    ],
)
def test_a_second_statement_is_found(sql: str, dialect: str) -> None:
    with pytest.raises(Trouble, match="only one statement at a time"):
        statement.single(sql, dialect)


@pytest.mark.anyio
async def test_the_server_says_the_same_over_mcp(tmp_path: Path) -> None:
    make(tmp_path / "t.db", "CREATE TABLE t(a); CREATE VIEW old AS SELECT a FROM gone")

    async with Client(database.build(["--root", str(tmp_path)])) as client:
        result = await client.call_tool("tables", {})

    block = cast("TextContent", result.content[0])
    assert block.text == "t (0 rows)\nold cannot be read: no such table: main.gone"
    assert not result.is_error
