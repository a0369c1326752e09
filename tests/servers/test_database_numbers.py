"""The MCP server ``database`` and values that are no numbers: no sum, average or comparison over text.

The honest queries are as important: none of them may be refused.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import TextContent
from pydantic import TypeAdapter

from mcp_servers import database

Rows = list[dict[str, object]]

SCHEMA = """
CREATE TABLE customers(id INTEGER PRIMARY KEY, name TEXT, city TEXT, zip TEXT, since DATE);
CREATE TABLE orders(id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id), region TEXT, day TEXT,
  price REAL, qty INTEGER, "order no" TEXT, code TEXT, data TEXT, amount TEXT, net REAL GENERATED ALWAYS AS (price * qty) VIRTUAL);
INSERT INTO customers VALUES (1,'Ada','Ulm','01234','2024-01-02'),(2,'Ben','Kiel','89077','2024-02-03'),(3,'Cyd','Ulm','04109',NULL);
INSERT INTO orders(id, customer_id, region, day, price, qty, "order no", code, data, amount) VALUES
 (1,1,'North','2024-01-05',10.5,2,'A-1','007','{"a": 1, "tags": ["x","y"]}','12.50'),
 (2,2,'South','2024-01-06',20.25,1,'A-2','012','{"a": 2}','9'),
 (3,2,'North','2024-02-07',0.1,7,NULL,'100','{"a": "z"}','100');
CREATE VIEW totals AS SELECT customer_id, SUM(price) AS total, COUNT(*) AS n FROM orders GROUP BY customer_id;
CREATE VIRTUAL TABLE notes USING fts5(title, body);
INSERT INTO notes VALUES ('kettle','the kettle costs 24.90'),('lamp','a lamp');
CREATE VIRTUAL TABLE boxes USING rtree(id, x1, x2);
INSERT INTO boxes VALUES (1, 0, 10), (2, 5, 6);
CREATE TABLE prices(name TEXT, price TEXT);
INSERT INTO prices VALUES ('Kettle','1,200.50'),('Lamp','39.5'),('Cup','n/a');
"""

HONEST = [
    "SELECT count(*) FROM orders",
    "SELECT region, SUM(price) AS total FROM orders GROUP BY region ORDER BY total DESC",
    'SELECT o."order no", c.name FROM orders o JOIN customers c ON c.id = o.customer_id',
    'SELECT "region", AVG("price") AS "mean price" FROM "orders" GROUP BY "region" ORDER BY "mean price"',
    'SELECT * FROM orders WHERE region = "North"',
    'SELECT * FROM orders WHERE region IN ("North", "South")',
    'SELECT * FROM orders WHERE region <> "West"',
    'SELECT * FROM orders WHERE "North" = region',
    'SELECT name FROM customers WHERE city LIKE "U%"',
    'SELECT CASE WHEN price > 10 THEN "high" ELSE "low" END AS level, count(*) FROM orders GROUP BY level',
    "WITH o AS (SELECT * FROM orders WHERE price > 1) SELECT region, count(*) AS n FROM o GROUP BY region",
    'WITH o("the region", "n") AS (SELECT region, count(*) FROM orders GROUP BY region) SELECT "the region", "n" FROM o WHERE "n" > 1',
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT sum(i) FROM n",
    "SELECT id, SUM(price) OVER (PARTITION BY region ORDER BY day) AS running FROM orders",
    "SELECT id, RANK() OVER (ORDER BY price DESC) AS r, LAG(price, 1) OVER (ORDER BY id) FROM orders",
    "SELECT id, AVG(price) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS m FROM orders",
    "SELECT ROW_NUMBER() OVER w AS nr, region FROM orders WINDOW w AS (ORDER BY day)",
    "SELECT json_extract(data, '$.a') AS a FROM orders",
    'SELECT json_extract(data, "$.a") AS a FROM orders',
    "SELECT data ->> '$.a' AS a FROM orders WHERE json_extract(data, '$.a') = 1",
    "SELECT o.id, t.value FROM orders o, json_each(o.data, '$.tags') t",
    "SELECT json_group_array(name) FROM customers",
    "SELECT * FROM notes WHERE notes MATCH 'kettle'",
    'SELECT title, snippet(notes, 1, "[", "]", "...", 5) FROM notes WHERE notes MATCH "kettle" ORDER BY rank',
    "SELECT title, bm25(notes) AS score FROM notes WHERE body MATCH 'lamp' ORDER BY score",
    "SELECT id FROM boxes WHERE x1 >= 5 AND x2 <= 7",
    "SELECT id, net FROM orders WHERE net > 5",
    'SELECT SUM("net") FROM orders',
    "SELECT * FROM totals WHERE total > 5 ORDER BY total",
    'SELECT t."total", c.name FROM totals t JOIN customers c ON c.id = t.customer_id',
    "SELECT name FROM customers WHERE id IN (SELECT customer_id FROM orders WHERE price > 15)",
    "SELECT name FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id AND o.qty > 5)",
    "SELECT name, (SELECT MAX(price) FROM orders o WHERE o.customer_id = c.id) AS top FROM customers c",
    "SELECT * FROM orders WHERE price > (SELECT AVG(price) FROM orders)",
    "SELECT strftime('%Y-%m', day) AS month, SUM(price) FROM orders GROUP BY month ORDER BY month",
    'SELECT strftime("%Y", day) AS year, count(*) FROM orders GROUP BY year',
    "SELECT * FROM orders WHERE strftime('%m', day) = '01'",
    "SELECT * FROM orders WHERE CAST(strftime('%m', day) AS INTEGER) = 1",
    "SELECT julianday(MAX(day)) - julianday(MIN(day)) AS days FROM orders",
    "SELECT MIN(day), MAX(day), MIN(name) FROM orders, customers",
    "SELECT * FROM orders WHERE day >= '2024-01-06' AND day < '2024-02-01'",
    "SELECT * FROM orders WHERE day BETWEEN '2024-01-01' AND '2024-01-31' ORDER BY day",
    'SELECT * FROM orders WHERE day BETWEEN "2024-01-01" AND "2024-01-31"',
    "SELECT group_concat(name, ', ') AS names FROM customers",
    'SELECT group_concat(name, "; ") AS names FROM customers',
    "SELECT name FROM customers UNION SELECT region FROM orders ORDER BY 1",
    "SELECT 'all' AS what, count(*) AS n FROM orders UNION ALL SELECT region, count(*) FROM orders GROUP BY region",
    "SELECT region, day FROM orders EXCEPT SELECT 'North', '2024-01-05'",
    "SELECT * FROM customers WHERE zip = '01234'",
    "SELECT * FROM customers ORDER BY zip",
    "SELECT MAX(zip), MIN(code) FROM customers, orders",
    "SELECT * FROM orders ORDER BY code, region LIMIT 2",
    "SELECT SUM(price * qty) AS turnover, ROUND(AVG(price), 2) AS mean FROM orders",
    "SELECT region, SUM(CASE WHEN qty > 1 THEN price ELSE 0 END) AS s FROM orders GROUP BY region HAVING s > 1",
    "SELECT name, SUM(CAST(price AS REAL)) FROM prices WHERE price GLOB '[0-9]*' AND price NOT LIKE '%,%' GROUP BY name",
    "SELECT SUM(CAST(REPLACE(price, ',', '') AS REAL)) AS total FROM prices WHERE price <> 'n/a'",
    "SELECT name, price FROM prices WHERE price = '1,200.50'",
    "SELECT SUM(amount) AS s, AVG(amount) AS a, MAX(amount) AS m FROM orders",
    "SELECT COALESCE(\"order no\", 'none') AS nr FROM orders ORDER BY nr",
    "SELECT name || ' (' || city || ')' AS who FROM customers",
    "SELECT upper(substr(name, 1, 1)) AS initial, count(DISTINCT city) FROM customers GROUP BY initial",
    "SELECT length(name) AS n FROM customers WHERE length(name) > 2",
    "SELECT DISTINCT city FROM customers ORDER BY city",
    "SELECT c.name, o.day FROM customers c LEFT JOIN orders o USING (id) ORDER BY c.name",
    'SELECT c.name, o.day FROM customers c LEFT JOIN orders o USING ("id")',
    "SELECT printf('%.2f', price) AS shown, printf('%s: %d', region, qty) FROM orders",
    "SELECT total(price), count(*) FILTER (WHERE region = 'North') FROM orders",
    "SELECT iif(qty > 1, 'many', 'one') AS much FROM orders",
    "VALUES (1, 'a'), (2, 'b')",
    "EXPLAIN QUERY PLAN SELECT * FROM orders",
    "SELECT name FROM sqlite_master WHERE type = 'table'",
    "SELECT name FROM pragma_table_info('orders')",
    "PRAGMA table_info(orders)",
    'SELECT "count(*)" FROM (SELECT count(*) FROM orders)',
    "SELECT max(price) AS top, region FROM orders",
    "SELECT x.region FROM (SELECT region, price FROM orders) AS x WHERE x.price > 1",
    'SELECT rowid, * FROM orders WHERE "rowid" = 1',
    "SELECT date('now') >= '2020-01-01' AS later",
    'SELECT date("now") AS today',
    "SELECT count(*) FROM orders WHERE region = 'North' AND code LIKE '0%'",
    'SELECT replace(name, "A", "B") FROM customers',
    "SELECT [region], `price` FROM [orders] WHERE [price] > 1",
    "SELECT nullif(region, '') AS r, total FROM orders LEFT JOIN totals USING (customer_id)",
    "select 1;  -- done",
    "SELECT region, price FROM orders ORDER BY CAST(price AS INTEGER) DESC, 2",
    "SELECT round(price, 1) AS price FROM orders ORDER BY price",
]
"""Each gives as many rows as SQLite by itself gives."""

TEXTS = [
    "SELECT SUM(price) FROM prices",
    "SELECT AVG(price) FROM prices",
    "SELECT TOTAL(price) FROM prices",
    "SELECT MAX(price) FROM prices",
    "SELECT MIN(price) FROM prices",
    "SELECT name FROM prices WHERE price > 100",
    "SELECT name FROM prices WHERE price < 50 OR 1=1",
    "SELECT price * 2 FROM prices",
    "SELECT 2 * price FROM prices",
    "SELECT price + 0 FROM prices",
    "SELECT -price FROM prices",
    "SELECT ROUND(price, 1) FROM prices",
    "SELECT ABS(price) FROM prices",
    "SELECT CAST(price AS REAL) FROM prices",
    "SELECT SUM(CAST(price AS NUMERIC)) FROM prices",
    "SELECT name FROM prices ORDER BY price DESC",
    "SELECT name FROM prices WHERE price BETWEEN 10 AND 50",
    "SELECT name FROM prices WHERE price = 1200.5",
    "SELECT name FROM prices WHERE price > '100'",
    "WITH p AS (SELECT price AS amount FROM prices) SELECT amount * 2 FROM p",
    "SELECT SUM(name) FROM prices",
    "SELECT CAST(REPLACE(price, 'n/a', '') AS REAL) FROM prices",
    "SELECT SUM(COALESCE(price, 0)) FROM prices",
    "SELECT COALESCE(price, 0) * 2 FROM prices",
    "SELECT SUM(price) OVER () FROM prices",
    "SELECT p.price / 2 FROM prices AS p",
    'SELECT "price" - 1 FROM prices',
    "SELECT name FROM prices WHERE price > (SELECT AVG(price) FROM orders)",
    "SELECT REPLACE(price, '.', ',') * 2 FROM prices",
]
"""Each would take a text of the table ``prices`` for a number, or compare such texts."""

TYPOS = [
    'SELECT SUM("prise") AS total FROM orders',
    'SELECT "prise" FROM orders',
    "SELECT id FROM orders WHERE \"nmae\" = 'Kettle'",
    'SELECT region FROM orders ORDER BY "prise"',
    'SELECT AVG("pric") FROM orders GROUP BY "regoin"',
    'SELECT id FROM orders WHERE "prise" > 10',
    'SELECT "qyt" * 2 FROM orders',
    "SELECT name FROM customers WHERE \"ctiy\" IN ('Ulm')",
    'SELECT id FROM orders WHERE price > "qyt" AND "regoin" IS NOT NULL',
    'SELECT "price" FROM customers',
    'SELECT count("prise") FROM orders',
    'SELECT id FROM orders WHERE region = "regoin"',
    'SELECT ROUND("prise", 2) FROM orders',
    'SELECT COALESCE("prise", 0) FROM orders',
]
"""Each names a column in double quotes that is none, and that SQLite would take for a text."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    with closing(sqlite3.connect(folder / "shop.db")) as connection:
        connection.executescript(SCHEMA)
    return folder


def rows(folder: Path, sql: str, *, writable: bool = False) -> Rows:
    given = database.Databases([folder], [], writable=writable).query(sql).structured_content
    return TypeAdapter(dict[str, Rows]).validate_python(given)["result"]


def refusal(folder: Path, sql: str) -> str:
    with pytest.raises(ToolError) as refused:
        database.Databases([folder], []).query(sql)
    return str(refused.value)


@pytest.mark.parametrize("sql", HONEST)
def test_an_honest_query_is_answered(shop: Path, sql: str) -> None:
    with closing(sqlite3.connect(shop / "shop.db")) as connection:
        expected = connection.execute(sql).fetchall()

    assert len(rows(shop, sql)) == len(expected)


@pytest.mark.parametrize("sql", TEXTS)
def test_a_text_that_is_no_number_is_never_taken_for_one(shop: Path, sql: str) -> None:
    reason = refusal(shop, sql)

    assert "no number" in reason or "as texts" in reason
    assert "CAST" in reason


@pytest.mark.parametrize("sql", TYPOS)
def test_a_misspelt_name_in_double_quotes_is_told_like_any_unknown_column(shop: Path, sql: str) -> None:
    reason = refusal(shop, sql)

    assert reason.startswith("no such column: ")
    assert "in single quotes" in reason
    assert "the tables are:" in reason


def test_the_meant_column_is_named(shop: Path) -> None:
    assert "did you mean 'price'?" in refusal(shop, 'SELECT SUM("prise") AS total FROM orders')


def test_the_refusal_names_the_column_and_the_text(shop: Path) -> None:
    assert refusal(shop, "SELECT AVG(price) FROM prices") == (
        "price is taken for a number: the text '1,200.50' is no number, and SQL would make another value of it; "
        "leave such rows out with WHERE, or take out what is no digit: CAST(REPLACE(column, ',', '') AS REAL)"
    )


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT SUM(amount) AS x FROM orders", [121.5]),
        ("SELECT AVG(amount) AS x FROM orders", [40.5]),
        ("SELECT MAX(amount) AS x FROM orders", [100]),
        ("SELECT MIN(amount) AS x FROM orders", [9]),
        ("SELECT id AS x FROM orders WHERE amount > 10", [1, 3]),
        ("SELECT id AS x FROM orders WHERE amount > '10'", [1, 3]),
        ("SELECT id AS x FROM orders WHERE amount BETWEEN 9 AND 13", [1, 2]),
        ("SELECT id AS x FROM orders WHERE amount = 12.5", [1]),
        ("SELECT id AS x FROM orders ORDER BY amount", [2, 1, 3]),
        ("SELECT amount * 2 AS x FROM orders", [25, 18, 200]),
        ("SELECT id AS x FROM orders WHERE strftime('%Y', day) = 2024", [1, 2, 3]),
        ("SELECT id AS x FROM orders WHERE strftime('%m', day) = 1", [1, 2]),
        ("SELECT SUM(CAST(REPLACE(price, ',', '') AS REAL)) AS x FROM prices WHERE price <> 'n/a'", [1240]),
        ("SELECT TOTAL(price) AS x FROM prices WHERE name = 'Lamp'", [39.5]),
        ("SELECT SUM(amount) OVER (ORDER BY id) AS x FROM orders", [12.5, 21.5, 121.5]),
        ("SELECT SUM(qty) AS x FROM orders", [10]),
        ("SELECT SUM(price) AS x FROM orders WHERE id > 99", [None]),
        ("SELECT TOTAL(price) AS x FROM orders WHERE id > 99", [0]),
    ],
)
def test_texts_that_are_numbers_are_computed_exactly(shop: Path, sql: str, expected: list[object]) -> None:
    assert [row["x"] for row in rows(shop, sql)] == expected


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT CAST(amount AS REAL) FROM orders", ["CAST(amount AS REAL)"]),
        ("SELECT amount * 2, MAX(amount) FROM orders", ["amount * 2", "MAX(amount)"]),
    ],
)
def test_a_converted_column_is_named_as_the_caller_wrote_it(shop: Path, sql: str, names: list[str]) -> None:
    assert list(rows(shop, sql)[0]) == names


@pytest.mark.parametrize(
    ("cells", "sql"),
    [
        (["5", "n/a"], "SELECT SUM(v) FROM t"),
        ([5, 7, "1.234,50"], "SELECT MAX(v) FROM t"),
        ([5, "7 EUR"], "SELECT v FROM t ORDER BY v"),
        ([5, ""], "SELECT AVG(v) FROM t"),
        (["007", "010"], "SELECT SUM(v) FROM t"),
        (["$5", "$10"], "SELECT v FROM t WHERE v > 6"),
        (["1 200", "900"], "SELECT v + 1 FROM t"),
        (["12%", "9%"], "SELECT MAX(v) FROM t"),
        ([5, b"6"], "SELECT SUM(v) + SUM('x') FROM t"),
        (["0x10", "3"], "SELECT CAST(v AS INTEGER) FROM t"),
        (["5.5", "3"], "SELECT CAST(v AS INTEGER) FROM t"),
        (["2024-01-05"], "SELECT CAST(v AS DATE) FROM t"),
        (["99999999999999999999"], "SELECT CAST(v AS INTEGER) FROM t"),
    ],
)
def test_other_spellings_of_numbers_are_refused_alike(tmp_path: Path, cells: list[object], sql: str) -> None:
    with closing(sqlite3.connect(tmp_path / "t.db")) as connection, connection:
        connection.execute("CREATE TABLE t(v)")
        connection.executemany("INSERT INTO t VALUES (?)", [(cell,) for cell in cells])

    assert "number" in refusal(tmp_path, sql)


def test_a_change_takes_no_text_for_a_number_either(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "t.db")) as connection:
        connection.executescript("CREATE TABLE t(v TEXT, n REAL); INSERT INTO t(v) VALUES ('1,200.50')")

    with pytest.raises(ToolError, match="is no number"):
        rows(tmp_path, "UPDATE t SET n = CAST(v AS REAL)", writable=True)
    with pytest.raises(ToolError, match="is no number"):
        rows(tmp_path, "UPDATE t SET n = v * 2", writable=True)


def test_one_text_behind_many_numbers_is_found(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "t.db")) as connection, connection:
        connection.execute("CREATE TABLE t(v NUMERIC)")
        connection.executemany("INSERT INTO t VALUES (?)", [*((n,) for n in range(5_000)), ("1,200.50",)])

    for sql in (
        "SELECT SUM(v) FROM t",
        "SELECT MAX(v) FROM t",
        "SELECT SUM(CASE WHEN v <> 0 THEN v END) FROM t",
    ):
        assert "no number" in refusal(tmp_path, sql)


def test_whole_numbers_keep_every_digit(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "t.db")) as connection:
        connection.executescript(
            "CREATE TABLE t(v REAL); INSERT INTO t VALUES (9007199254740991), (123456789012.345)"
        )

    assert [row["v"] for row in rows(tmp_path, "SELECT v FROM t")] == [9007199254740991, 123456789012.345]


@pytest.fixture
def duck(tmp_path: Path) -> Path:
    with closing(duckdb.connect(str(tmp_path / "shop.duckdb"))) as connection:
        connection.execute("CREATE TABLE prices(name VARCHAR, price VARCHAR, plain VARCHAR)")
        connection.execute("INSERT INTO prices VALUES ('Kettle', '1,200.50', '9'), ('Lamp', '39.5', '10')")
    return tmp_path


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT SUM(price) FROM prices",
        "SELECT AVG(price) FROM prices",
        "SELECT MAX(price) FROM prices",
        "SELECT name FROM prices ORDER BY price",
        "SELECT name FROM prices WHERE price > 100",
        "SELECT name FROM prices WHERE price > '100'",
        "SELECT price * 2 FROM prices",
        "SELECT CAST(price AS DOUBLE) FROM prices",
        'SELECT SUM("prise") FROM prices',
    ],
)
def test_duckdb_takes_no_text_for_a_number(duck: Path, sql: str) -> None:
    assert refusal(duck, sql)


def test_duckdb_computes_texts_that_are_numbers_as_numbers(duck: Path) -> None:
    assert rows(duck, "SELECT MAX(plain) AS x FROM prices") == [{"x": 10}]
    assert rows(duck, "SELECT name AS x FROM prices ORDER BY plain") == [{"x": "Kettle"}, {"x": "Lamp"}]
    assert rows(duck, "SELECT MAX(name) AS x FROM prices") == [{"x": "Lamp"}]


def test_the_text_of_a_refusal_is_short(shop: Path) -> None:
    given = database.Databases([shop], []).schema("prices").content[0]

    assert isinstance(given, TextContent)
    assert (
        len(
            refusal(shop, f"SELECT '{'9' * 5_000}x' * 2 FROM prices, (SELECT CAST('{'9' * 5_000}x' AS REAL))")
        )
        < 500
    )


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("CAST(MAX(123456789) AS REAL)", 123456789.0),
        ("123456789::FLOAT4", 123456789.0),
        ("CAST(0.00012 AS NUMERIC)", 0.00012),
        ("CAST(CAST(16777217 AS DECIMAL) AS float)", 16777217.0),
        ("CAST(1.239 AS DECIMAL(10, 2))", 1.24),
        ("'x AS REAL)'", "x AS REAL)"),
        ("7 AS real", 7),
    ],
)
def test_a_number_of_duckdb_keeps_its_digits(duck: Path, expression: str, value: object) -> None:
    (row,) = rows(duck, f"SELECT {expression} FROM prices LIMIT 1")
    assert [*row.values()] == [value]


@pytest.fixture
def dated(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "d.db")) as connection:
        connection.executescript(
            "CREATE TABLE o(d TEXT, iso TEXT, epoch INTEGER);"
            "INSERT INTO o VALUES ('05.01.2026', '2026-01-05', 1767571200), ('17.01.2026', '', 1768608000), "
            "('03.02.2026', NULL, NULL);"
            "CREATE INDEX by_year ON o(strftime('%Y', iso));"
        )
    return tmp_path


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(*) AS n FROM o WHERE strftime('%Y', d) = '2026'",
        "SELECT COUNT(*) AS n FROM o WHERE date(d) >= '2026-01-01'",
        "SELECT strftime('%Y-%m', d) AS m, COUNT(*) AS n FROM o GROUP BY m",
        "SELECT date(epoch) AS day FROM o",
        "SELECT datetime(epoch) AS day FROM o",
        "SELECT julianday(d) - julianday(iso) AS days FROM o",
        "SELECT date(iso, '+1 fortnight') AS day FROM o",
    ],
)
def test_a_date_that_is_none_is_told_and_is_not_counted_as_missing(dated: Path, sql: str) -> None:
    with pytest.raises(ToolError, match=r"is no date|is no day that SQLite counts"):
        rows(dated, sql)


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT COUNT(*) AS n FROM o WHERE strftime('%Y', iso) = '2026'", [{"n": 1}]),
        ("SELECT date(iso) AS day FROM o", [{"day": "2026-01-05"}, {"day": None}, {"day": None}]),
        ("SELECT date(epoch, 'unixepoch') AS day FROM o LIMIT 1", [{"day": "2026-01-05"}]),
        ("SELECT date(iso, '+1 month', 'start of month') AS day FROM o LIMIT 1", [{"day": "2026-02-01"}]),
        ("SELECT date('now') >= '2020-01-01' AS later", [{"later": 1}]),
        ("SELECT substr(d, 7, 4) AS year, COUNT(*) AS n FROM o GROUP BY 1", [{"year": "2026", "n": 3}]),
        ("SELECT strftime('%d.%m.%Y', 2461045.5) AS day", [{"day": "05.01.2026"}]),
    ],
)
def test_dates_that_are_some_or_missing_are_reckoned_with(dated: Path, sql: str, found: object) -> None:
    assert rows(dated, sql) == found
