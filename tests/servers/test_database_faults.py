"""The MCP server ``database`` where a file or a table cannot be read: it says which and why, and reads the rest."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from mcp import Client
from mcp_types import CallToolResult

from mcp_servers import database
from tests.servers.conftest import text_of

pytestmark = pytest.mark.anyio

GOOD = (
    "CREATE TABLE stock(id INTEGER PRIMARY KEY, item TEXT); INSERT INTO stock VALUES (1, 'bolt'), (2, 'nut')"
)


@dataclass(frozen=True)
class Fault:
    """A way for something to be unreadable: how it is made, and a part of what is said of it."""

    name: str
    make: Callable[[Path], object]
    reason: str

    def __str__(self) -> str:
        return self.name


def make(path: Path, script: str = GOOD) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


def sqlite_bytes(folder: Path, script: str = GOOD) -> bytearray:
    make(folder / "made", script)
    data = bytearray((folder / "made").read_bytes())
    (folder / "made").unlink()
    return data


def patched(folder: Path, at: int, value: int) -> None:
    data = sqlite_bytes(folder)
    data[at] = value
    (folder / "bad.db").write_bytes(data)


def duck_bytes(folder: Path) -> bytearray:
    with closing(duckdb.connect(str(folder / "made"))) as connection:
        connection.execute("CREATE TABLE t AS SELECT range AS i, 'x' || range AS text FROM range(5000)")
    data = bytearray((folder / "made").read_bytes())
    (folder / "made").unlink()
    return data


def broken_duck(folder: Path) -> None:
    data = duck_bytes(folder)
    data[4096:5096] = bytes(1000)
    (folder / "bad.db").write_bytes(data)


def broken_schema(folder: Path) -> None:
    data = sqlite_bytes(folder)
    data[100:140] = random.Random(1).randbytes(40)
    (folder / "bad.db").write_bytes(data)


def newer_duck(folder: Path) -> None:
    data = duck_bytes(folder)
    data[12] = 255
    (folder / "bad.db").write_bytes(data)


FILES = [
    Fault(
        "windows thumbnails",
        lambda f: (f / "bad.db").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") * 200),
        "is no database of SQLite or DuckDB",
    ),
    Fault(
        "text",
        lambda f: (f / "bad.db").write_text("id,item\n1,bolt\n", encoding="utf-8"),
        "is no database of SQLite or DuckDB",
    ),
    Fault("one byte", lambda f: (f / "bad.db").write_bytes(b"S"), "is no database of SQLite or DuckDB"),
    Fault(
        "encrypted",
        lambda f: (f / "bad.db").write_bytes(random.Random(2).randbytes(8192)),
        "or it is encrypted",
    ),
    Fault(
        "zip",
        lambda f: (f / "bad.db").write_bytes(b"PK\3\4" + bytes(500)),
        "is no database of SQLite or DuckDB",
    ),
    Fault(
        "download page",
        lambda f: (f / "bad.db").write_text("<!DOCTYPE html><html>", encoding="utf-8"),
        "begins with b'<!DOCTYPE html><'",
    ),
    Fault(
        "pointer of git lfs",
        lambda f: (f / "bad.db").write_text("version https://git-lfs.github.com/spec/v1\n", encoding="utf-8"),
        "is no database of SQLite or DuckDB",
    ),
    Fault("empty", lambda f: (f / "bad.db").touch(), "the file is empty (0 bytes)"),
    Fault("header alone", lambda f: (f / "bad.db").write_bytes(sqlite_bytes(f)[:100]), "malformed"),
    Fault("half a page", lambda f: (f / "bad.db").write_bytes(sqlite_bytes(f)[:2000]), "malformed"),
    Fault("page size", lambda f: patched(f, 16, 3), "file is not a database"),
    Fault("newer file format", lambda f: patched(f, 19, 9), "file is not a database"),
    Fault("newer schema format", lambda f: patched(f, 47, 9), "unsupported file format"),
    Fault("first page", broken_schema, "malformed"),
    Fault("fifo", lambda f: os.mkfifo(f / "bad.db"), "is no regular file"),
    Fault(
        "link", lambda f: (f / "bad.db").symlink_to(f / "good.db"), "is a link, and links are not followed"
    ),
    Fault(
        "link to nothing",
        lambda f: (f / "bad.db").symlink_to(f / "gone.db"),
        "is a link, and links are not followed",
    ),
    Fault(
        "half of a DuckDB file",
        lambda f: (f / "bad.db").write_bytes(duck_bytes(f)[:5000]),
        "it cannot be opened",
    ),
    Fault("block of a DuckDB file", broken_duck, "Corrupt database file"),
    Fault("DuckDB header", lambda f: (f / "bad.db").write_bytes(duck_bytes(f)[:12]), "it cannot be opened"),
    Fault("newer DuckDB", newer_duck, "it cannot be opened"),
]


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """A file that another connection is writing to."""
    make(folder / "bad.db")
    with closing(sqlite3.connect(folder / "bad.db", isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def locked_duck(folder: Path) -> Generator[None]:
    """A DuckDB file that another process has open."""
    code = f"import duckdb; c = duckdb.connect({str(folder / 'bad.db')!r}); c.execute('CREATE TABLE t(a INT)'); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        yield
        other.communicate("\n")


@contextmanager
def unreadable(folder: Path) -> Generator[None]:
    """A file that this user may not read."""
    if os.geteuid() == 0:
        pytest.skip("root may read every file")
    make(folder / "bad.db")
    (folder / "bad.db").chmod(0)
    yield
    (folder / "bad.db").chmod(0o600)


HELD = [
    Fault("locked", locked, "is locked by another program"),
    Fault("locked DuckDB", locked_duck, "is locked by another program"),
    Fault("no permission", unreadable, "Permission denied"),
]


async def answers(folder: Path, bad: dict[str, object], good: dict[str, object]) -> list[CallToolResult]:
    """What the server says of everything, of the bad part, and of the good one."""
    async with Client(database.build(["--root", str(folder), "--seconds", "2"])) as client:
        return [
            await client.call_tool("tables", {}),
            await client.call_tool("schema", {}),
            await client.call_tool("query", bad),
            await client.call_tool("query", good),
        ]


async def check_file(folder: Path, fault: Fault) -> None:
    make(folder / "good.db")
    with ExitStack() as stack:
        made = fault.make(folder)
        if hasattr(made, "__enter__"):
            stack.enter_context(made)  # type: ignore[arg-type]  # it is a context manager
        of_bad: dict[str, object] = {"sql": "SELECT * FROM missing", "database": "bad.db"}
        tables, schema, bad, good = await answers(folder, of_bad, {"sql": "SELECT item FROM stock"})

    assert not tables.is_error
    assert "stock (2 rows)" in text_of(tables)
    assert fault.reason in text_of(tables)
    assert "bad.db" in text_of(tables)
    assert not schema.is_error
    assert "stock(id INTEGER PK, item TEXT) -- 2 rows" in text_of(schema)
    assert fault.reason in text_of(schema)
    assert bad.is_error
    assert fault.reason in text_of(bad) or "no database 'bad.db'" in text_of(bad)
    assert good.structured_content == {"result": [{"item": "bolt"}, {"item": "nut"}]}


@pytest.mark.parametrize("fault", FILES, ids=str)
async def test_a_file_that_cannot_be_read_is_named_and_the_others_work(tmp_path: Path, fault: Fault) -> None:
    await check_file(tmp_path, fault)


@pytest.mark.parametrize("fault", HELD, ids=str)
async def test_a_file_that_is_held_is_named_and_the_others_work(tmp_path: Path, fault: Fault) -> None:
    await check_file(tmp_path, fault)


@pytest.mark.parametrize("fault", FILES, ids=str)
async def test_a_file_that_cannot_be_read_is_an_error_where_it_is_alone(tmp_path: Path, fault: Fault) -> None:
    fault.make(tmp_path)

    async with Client(database.build(["--root", str(tmp_path), "--seconds", "2"])) as client:
        for tool, given in {"tables": {}, "schema": {}, "query": {"sql": "SELECT 1 FROM t"}}.items():
            result = await client.call_tool(tool, given)
            assert result.is_error
            assert fault.reason in text_of(result)


def changed(path: Path, sql: str) -> None:
    """Changes the list of tables itself, as no program should."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.executescript(sql)
        connection.commit()


def entry(kind: str, sql: str) -> str:
    quoted = sql.replace("'", "''")
    return f"INSERT INTO sqlite_master VALUES ('{kind}', 'bad', 'bad', 0, '{quoted}')"


def zeroed(path: Path) -> None:
    """A table whose first page is lost."""
    make(path, "CREATE TABLE bad(a); INSERT INTO bad VALUES (1)")
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'bad'").fetchone()
    data = bytearray(path.read_bytes())
    data[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    path.write_bytes(data)


def without(path: Path, script: str, lost: str) -> None:
    make(path, script)
    changed(path, f"DELETE FROM sqlite_master WHERE name = '{lost}'")


def view(sql: str, before: str = "", after: str = "") -> Callable[[Path], None]:
    return lambda path: make(path, f"{before};CREATE VIEW bad AS {sql};{after}")


TABLES = [
    Fault("view of a lost table", view("SELECT a FROM gone"), "no such table: main.gone"),
    Fault("view of a lost column", view("SELECT price FROM stock"), "no such column: price"),
    Fault(
        "view of an unknown function",
        view("SELECT levenshtein(item, 'x') AS d FROM stock"),
        "no such function: levenshtein",
    ),
    Fault(
        "view of itself",
        view("SELECT * FROM other", after="CREATE VIEW other AS SELECT * FROM bad"),
        "circularly defined",
    ),
    Fault(
        "view of an unknown collation",
        view("SELECT item FROM stock WHERE item = 'x' COLLATE de_DE"),
        "no such collation sequence: de_DE",
    ),
    Fault(
        "view with too few names",
        lambda p: make(p, "CREATE VIEW bad(a, b) AS SELECT id FROM stock"),
        "expected 2 columns",
    ),
    Fault(
        "view of broken JSON",
        view("SELECT * FROM stock WHERE json_extract('{bad', '$.a') = 1"),
        "malformed JSON",
    ),
    Fault(
        "view that overflows",
        view("SELECT * FROM stock WHERE abs(-9223372036854775807 - 1) > id"),
        "integer overflow",
    ),
    Fault(
        "view of an ambiguous column",
        view("SELECT id FROM stock, stock AS other"),
        "ambiguous column name: id",
    ),
    Fault(
        "view of two unlike halves",
        view("SELECT 1 UNION SELECT 1, 2"),
        "do not have the same number of result columns",
    ),
    Fault(
        "view that never ends",
        view(
            "SELECT count(*) AS n FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n)"
        ),
        "stopped after 2 s",
    ),
    Fault(
        "view with a wrong use of a sum",
        view("SELECT id FROM stock WHERE sum(id) > 1"),
        "misuse of aggregate",
    ),
    Fault(
        "unknown module",
        lambda p: changed(p, entry("table", "CREATE VIRTUAL TABLE bad USING spatialite(a)")),
        "no such module: spatialite",
    ),
    Fault(
        "full-text table without its parts",
        lambda p: without(p, "CREATE VIRTUAL TABLE bad USING fts5(a)", "bad_data"),
        "vtable constructor failed: bad",
    ),
    Fault(
        "R-tree without its parts",
        lambda p: without(p, "CREATE VIRTUAL TABLE bad USING rtree(i, a, b)", "bad_node"),
        "bad",
    ),
    Fault(
        "full-text table of an unknown tokenizer",
        lambda p: changed(p, entry("table", "CREATE VIRTUAL TABLE bad USING fts5(a, tokenize = icu)")),
        "no such tokenizer: icu",
    ),
    Fault("lost page", zeroed, "malformed"),
    Fault(
        "definition of a newer SQLite",
        lambda p: changed(p, entry("table", "CREATE TABLE bad(a ANY) MOSTLY STRICT")),
        "malformed",
    ),
    Fault(
        "definition that is none", lambda p: changed(p, entry("view", "CREATE VIEW bad AS SELEC 1")), "bad"
    ),
    Fault(
        "page beyond the file",
        lambda p: changed(
            p, "INSERT INTO sqlite_master VALUES ('table', 'bad', 'bad', 999, 'CREATE TABLE bad(a)')"
        ),
        "malformed",
    ),
    Fault(
        "view of a broken view",
        view("SELECT * FROM other", after="CREATE VIEW other AS SELECT a FROM gone"),
        "no such table: main.gone",
    ),
]


@pytest.mark.parametrize("fault", TABLES, ids=str)
async def test_a_table_that_cannot_be_read_is_named_and_the_others_work(tmp_path: Path, fault: Fault) -> None:
    make(tmp_path / "shop.db")
    fault.make(tmp_path / "shop.db")

    tables, schema, bad, good = await answers(
        tmp_path, {"sql": "SELECT * FROM bad"}, {"sql": "SELECT item FROM stock"}
    )

    assert not tables.is_error
    assert "stock (2 rows)" in text_of(tables)
    assert "bad cannot be read: " in text_of(tables)
    assert fault.reason in text_of(tables)
    assert "stock(id INTEGER PK, item TEXT) -- 2 rows" in text_of(schema)
    assert "cannot be read: " in text_of(schema)
    assert bad.is_error
    assert fault.reason in text_of(bad)
    assert good.structured_content == {"result": [{"item": "bolt"}, {"item": "nut"}]}
