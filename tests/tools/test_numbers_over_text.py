"""No sum, average or comparison over texts becomes a result, however often and in whatever way it is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import JsonValue

from swarm import ToolError
from swarm.tabular.files import loaded
from swarm.tabular.query_engine import selected

Row = dict[str, JsonValue]
TABLES: dict[str, list[Row]] = {
    "t": [
        {
            "name": "Kettle",
            "price": "24,90",
            "mixed": "9",
            "n": 1,
            "day": "2024-03-01",
            "european": "02.01.2024",
        },
        {
            "name": "Lamp",
            "price": "24.90",
            "mixed": "n/a",
            "n": 2,
            "day": "2024-04-01",
            "european": "01.02.2024",
        },
        {"name": "Tea", "price": "7", "mixed": "10", "n": 3, "day": "2024-05-01", "european": "03.01.2023"},
    ]
}


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize(
    "expression",
    [
        "SUM(price)",
        'SUM("price")',
        "sum ( t.price )",
        "AVG(price)",
        "TOTAL(price)",
        "SUM(price * n)",
        "SUM(price + 0)",
        "SUM(n + price)",
        "price - 1",
        "-price",
        "SUM(CAST(price AS REAL))",
        "SUM(CAST(mixed AS INTEGER))",
        "SUM(TRY_CAST(mixed AS DOUBLE))",
        "AVG(DISTINCT price)",
        "SUM(price) OVER ()",
        "SUM(CASE WHEN n > 1 THEN price ELSE 0 END)",
        "SUM(coalesce(price, 0))",
        "MAX(price)",
        "MIN(mixed)",
        "MAX(lower(mixed))",
        "MAX(european)",
        "median(mixed)",
        "round(price, 1)",
        "abs(price)",
    ],
)
def test_no_value_is_made_of_texts(expression: str, times: int) -> None:
    for _ in range(times):
        with pytest.raises(ToolError):
            selected(f"SELECT {expression} AS x FROM t", TABLES)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name FROM t WHERE price > 8",
        "SELECT name FROM t WHERE price > '8'",
        "SELECT name FROM t WHERE mixed < 9.5",
        "SELECT name FROM t WHERE mixed BETWEEN '1' AND '9'",
        "SELECT name, mixed FROM t ORDER BY mixed",
        "SELECT name, mixed FROM t ORDER BY 2 DESC",
        "SELECT name, mixed AS m FROM t ORDER BY m",
        "SELECT m FROM (SELECT mixed AS m FROM t) ORDER BY m",
        "WITH q AS (SELECT mixed FROM t) SELECT MAX(mixed) FROM q",
        "SELECT name, rank() OVER (ORDER BY mixed) FROM t",
        "SELECT name FROM t ORDER BY european",
        "SELECT a.name FROM t a JOIN t b ON a.mixed < b.mixed",
        "SELECT name FROM t WHERE mixed = 9",
        "SELECT name FROM t WHERE name IN (1, 2)",
    ],
)
def test_texts_are_not_compared_as_numbers(sql: str) -> None:
    with pytest.raises(ToolError):
        selected(sql, TABLES)


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT MAX(day) AS d FROM t", [{"d": "2024-05-01"}]),
        ("SELECT name FROM t WHERE day > '2024-04-15'", [{"name": "Tea"}]),
        ("SELECT name FROM t ORDER BY name DESC LIMIT 1", [{"name": "Tea"}]),
        ("SELECT name FROM t WHERE mixed = '9'", [{"name": "Kettle"}]),
        ("SELECT COUNT(price) AS n FROM t", [{"n": 3}]),
        ("SELECT SUM(n) AS n FROM t WHERE name LIKE 'k%'", [{"n": 1}]),
        (
            "SELECT strftime('%m', day) AS m, SUM(n) AS n FROM t GROUP BY 1 ORDER BY 1 LIMIT 1",
            [{"m": "03", "n": 1}],
        ),
        ("SELECT substr(day, 1, 4) AS y, COUNT(*) AS n FROM t GROUP BY y", [{"y": "2024", "n": 3}]),
        ("SELECT SUM(CAST(replace(price, ',', '.') AS DOUBLE)) AS x FROM t", [{"x": 56.8}]),
        ("SELECT SUM(CAST(mixed AS INTEGER)) AS x FROM t WHERE mixed <> 'n/a'", [{"x": 19}]),
        ("SELECT n / 2 AS half FROM t WHERE n = 1", [{"half": 0.5}]),
        ("SELECT SUM(n = 1) AS ones, total(n) AS x FROM t", [{"ones": 1, "x": 6.0}]),
        ("select name from t where n == 2;", [{"name": "Lamp"}]),
        ("```sql\nSELECT n FROM t WHERE n <> 1 ORDER BY n LIMIT 1\n```", [{"n": 2}]),
    ],
)
def test_honest_queries_are_answered(sql: str, rows: list[Row]) -> None:
    assert selected(sql, TABLES)[1] == rows


@pytest.mark.parametrize(
    "sql",
    [
        'SELECT SUM("prise") AS total FROM t',
        'SELECT "prise" FROM t',
        """SELECT name FROM t WHERE "prise" = '7'""",
        'SELECT name FROM t ORDER BY "prise"',
        'SELECT COUNT("prise") FROM t',
        'SELECT t."prise" FROM t',
        'SELECT name FROM t GROUP BY name, "prise"',
    ],
)
def test_a_misspelled_name_in_quotes_is_told_like_any(sql: str) -> None:
    with pytest.raises(ToolError, match="did you mean 'price'"):
        selected(sql, TABLES)


def test_names_that_are_words_of_sql_are_shown_as_they_must_be_written(tmp_path: Path) -> None:
    (tmp_path / "trips.csv").write_text("Order,Group,From,Total\n1,a,Ulm,5\n", encoding="utf-8")
    rows = loaded(tmp_path, "trips.csv")

    with pytest.raises(ToolError, match=r'trips\("order", "group", "from", total\)'):
        selected("SELECT order, total FROM trips", {"trips": rows})

    assert selected('SELECT "order", total FROM trips', {"trips": rows})[1] == [{"order": 1, "total": 5}]


@pytest.mark.parametrize("bad", ["01067", "n/a", "12345678901234567890", "7 kg"])
def test_a_cell_far_down_makes_all_of_its_column_text(tmp_path: Path, bad: str) -> None:
    lines = "".join(f"{number},{number % 7}\n" for number in range(300_000))
    (tmp_path / "big.csv").write_text(f'id,value\n{lines}300000,"{bad}"\n', encoding="utf-8")
    tables = {"big": loaded(tmp_path, "big.csv")}

    assert selected("SELECT COUNT(*) AS n, SUM(id) AS x FROM big", tables)[1] == [
        {"n": 300_001, "x": 45_000_150_000}
    ]
    assert selected("SELECT value FROM big WHERE id = 300000", tables)[1] == [{"value": bad}]
    with pytest.raises(ToolError):
        selected("SELECT SUM(value) FROM big", tables)
    with pytest.raises(ToolError):
        selected("SELECT SUM(value) FROM big WHERE id < 10", tables)
