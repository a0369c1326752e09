"""The native tools ``results``: earlier results as SQL tables, and their rows as files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import JsonValue

from swarm import ToolError
from swarm.tabular import query_engine as engine
from tools import results

Row = dict[str, JsonValue]

ACTIONS: list[Row] = [
    {"owner": "Ana", "due": "2026-03-12", "hours": 2, "done": True, "tags": ["a", "b"]},
    {"owner": "Ben", "due": None, "hours": 1.5, "done": False, "Due": "2026-04-01"},
]


@dataclass
class Context:
    """What a run would give: its workspace and its earlier results."""

    workspace: Path
    earlier: Mapping[str, list[Row]] = field(default_factory=dict[str, list[Row]])

    def tables(self) -> Mapping[str, list[Row]]:
        return self.earlier

    def text_of(self, handle: str) -> str:
        raise ToolError(f"no result {handle!r}")


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(tmp_path, {"extract": ACTIONS, "people-2": [{"name": "Ana"}, {"name": "Cyd"}]})


def written(context: Context, path: str) -> str:
    return (context.workspace / path).read_text(encoding="utf-8")


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def over(rows: Sequence[Row], sql: str, tmp_path: Path) -> JsonValue:
    return results.query(sql, Context(tmp_path, {"t": [*rows]})).data


def test_tables_are_listed_as_they_are_written_in_a_query(context: Context) -> None:
    result = results.tables(context)

    assert result.text == (
        "extract(owner TEXT, due TEXT, hours REAL, done INTEGER, tags TEXT) -- 2 rows\n"
        "  e.g. ('Ana', '2026-03-12', 2, 1, '[\"a\", \"b\"]'), ('Ben', '2026-04-01', 1.5, 0, NULL)\n"
        '"people-2"(name TEXT) -- 2 rows\n'
        "  e.g. ('Ana'), ('Cyd')"
    )
    assert result.data == [{"table": "extract", "rows": 2}, {"table": "people-2", "rows": 2}]


def test_a_query_joins_results(context: Context) -> None:
    sql = 'SELECT p.name, e.hours FROM "people-2" p FULL OUTER JOIN extract e ON e.owner = p.name ORDER BY 1'

    result = results.query(sql, context)

    assert result.text == "name | hours\n | 1.5\nAna | 2\nCyd | \n(3 rows)"
    assert result.data == [
        {"name": None, "hours": 1.5},
        {"name": "Ana", "hours": 2.0},
        {"name": "Cyd", "hours": None},
    ]


def test_numbers_that_were_extracted_as_text_compare_as_numbers(tmp_path: Path) -> None:
    rows: list[Row] = [{"total": "9.50"}, {"total": "10"}, {"total": 12}, {"total": None}]

    assert over(rows, "SELECT total FROM t WHERE total > 9.6", tmp_path) == [{"total": 10.0}, {"total": 12.0}]


def test_codes_stay_texts(tmp_path: Path) -> None:
    rows: list[Row] = [{"code": "007", "phone": "+491701234567890123", "mix": "1"}, {"mix": "n/a"}]

    assert over(rows, "SELECT code, phone, mix FROM t LIMIT 1", tmp_path) == [
        {"code": "007", "phone": "+491701234567890123", "mix": "1"}
    ]


def test_sums_have_no_binary_noise(tmp_path: Path) -> None:
    rows: list[Row] = [{"x": 0.1}, {"x": 0.2}, {"x": 1234567890.55}]

    assert over(rows, "SELECT sum(x) AS x FROM t WHERE x < 1", tmp_path) == [{"x": 0.3}]
    assert over(rows, "SELECT max(x) AS x FROM t", tmp_path) == [{"x": 1234567890.55}]


def test_an_empty_result_is_an_empty_table(tmp_path: Path) -> None:
    assert over([], "SELECT count(*) AS n FROM t", tmp_path) == [{"n": 0}]


def test_columns_of_one_name_are_numbered(tmp_path: Path) -> None:
    assert over([{"a": 1}], "SELECT a, a, a AS a_2 FROM t", tmp_path) == [{"a": 1, "a_2": 1, "a_2_2": 1}]


def test_a_long_table_is_printed_in_part_and_given_whole(tmp_path: Path) -> None:
    context = Context(tmp_path, {"t": [{"x": "y" * 500} for _ in range(100)]})

    result = results.query("SELECT * FROM t", context)

    assert len(result.text) < 6_200
    assert result.text.endswith("(first 29 of 100 rows)")
    assert isinstance(result.data, list)
    assert len(result.data) == 100


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT ownr FROM extract", "no such column: ownr; did you mean 'owner'?"),
        ("SELECT * FROM extracted", "no such table: extracted; did you mean 'extract'?"),
        (
            "SELECT to_char(due) FROM extract",
            "no such function: to_char; dates with strftime('%Y-%m', column)",
        ),
    ],
)
def test_a_wrong_query_is_answered_with_what_there_is(context: Context, sql: str, reason: str) -> None:
    with pytest.raises(ToolError) as error:
        results.query(sql, context)

    assert str(error.value).startswith(reason)
    assert str(error.value).endswith(
        'The tables are:\nextract(owner, due, hours, done, tags) -- 2 rows\n"people-2"(name) -- 2 rows'
    )


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE extract",
        "SELECT 1; DROP TABLE extract",
        "INSERT INTO extract(owner) VALUES ('x') RETURNING owner",
        "ATTACH '/tmp/other.db' AS other",
        "VACUUM INTO '/tmp/other.db'",
        "PRAGMA writable_schema = 1",
        "CREATE TEMP TABLE t(a)",
        "",
        ";",
    ],
)
def test_nothing_but_one_select_runs(context: Context, sql: str) -> None:
    with pytest.raises(ToolError, match="one SELECT"):
        results.query(sql, context)


def test_a_statement_that_never_ends_is_stopped(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is shortened, so that the suite need not wait for it."""
    monkeypatch.setattr(engine, "SECONDS", 0.2)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"

    with pytest.raises(ToolError, match=r"stopped after 0\.2 s"):
        results.query(endless, context)


def test_rows_that_never_end_are_refused(context: Context) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"

    with pytest.raises(ToolError, match="over 100000 rows"):
        results.query(endless, context)


def test_rows_are_written_as_csv(context: Context) -> None:
    result = results.write("SELECT owner, hours, due FROM extract ORDER BY owner", "actions.csv", context)

    assert written(context, "actions.csv") == "owner,hours,due\nAna,2,2026-03-12\nBen,1.5,2026-04-01\n"
    assert result.text.startswith("wrote 2 rows to actions.csv\nowner | hours | due\nAna | 2 | 2026-03-12\n")
    assert result.files == ("actions.csv",)
    assert result.data == [
        {"owner": "Ana", "hours": 2.0, "due": "2026-03-12"},
        {"owner": "Ben", "hours": 1.5, "due": "2026-04-01"},
    ]


def test_csv_quotes_what_needs_it(tmp_path: Path) -> None:
    context = Context(tmp_path, {"t": [{"a": 'say "hi", all', "b": None}]})

    results.write("SELECT a, b FROM t", "a.csv", context)

    assert written(context, "a.csv") == 'a,b\n"say ""hi"", all",\n'


def test_rows_are_written_as_json(context: Context) -> None:
    results.write("SELECT owner, done FROM extract WHERE owner = 'Ana'", "out/actions.json", context)

    assert written(context, "out/actions.json") == '[\n  {\n    "owner": "Ana",\n    "done": 1\n  }\n]\n'


def test_rows_are_written_as_markdown(context: Context) -> None:
    results.write("SELECT owner, 'a|b' AS x FROM extract", "actions.md", context)

    assert (
        written(context, "actions.md") == "| owner | x |\n| --- | --- |\n| Ana | a\\|b |\n| Ben | a\\|b |\n"
    )


def test_a_query_without_rows_writes_the_heading(context: Context) -> None:
    result = results.write("SELECT owner FROM extract WHERE 0", "none.csv", context)

    assert written(context, "none.csv") == "owner\n"
    assert result.text == "wrote 0 rows to none.csv\nowner\n(0 rows)"


def test_a_repeated_write_leaves_the_same_one_file(context: Context) -> None:
    for _ in range(2):
        results.write("SELECT owner FROM extract", "a.csv", context)

    assert written(context, "a.csv") == "owner\nAna\nBen\n"
    assert names_in(context.workspace) == ["a.csv"]


@pytest.mark.parametrize(
    "path",
    [
        "../a.csv",
        "/tmp/a.csv",
        "x/../../a.csv",
        "..\\a.csv",
        ".swarm/a.csv",
        ".a.csv",
        "",
        "a\0.csv",
        "a.exe",
        "a",
    ],
)
def test_a_path_that_is_not_one_of_the_workspace_is_refused(context: Context, path: str) -> None:
    with pytest.raises(ToolError):
        results.write("SELECT 1", path, context)

    assert names_in(context.workspace) == []


def test_no_link_leads_a_write_out_of_the_workspace(
    context: Context, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "there.csv").write_text("kept\n", encoding="utf-8")
    (context.workspace / "door").symlink_to(outside)
    (context.workspace / "there.csv").symlink_to(outside / "there.csv")
    (context.workspace / "dangling.csv").symlink_to(outside / "made.csv")
    (context.workspace / "folder.csv").mkdir()
    os.mkfifo(context.workspace / "pipe.csv")

    for path in ("door/a.csv", "there.csv", "dangling.csv", "folder.csv", "pipe.csv"):
        with pytest.raises(ToolError, match="cannot be written"):
            results.write("SELECT 1", path, context)

    assert names_in(outside) == ["there.csv"]
    assert (outside / "there.csv").read_text(encoding="utf-8") == "kept\n"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT owner, due, SUM(hours) AS h FROM extract GROUP BY owner",
        'SELECT p.name, e.due, SUM(e.hours) AS h FROM extract e JOIN "people-2" p ON p.name = e.owner GROUP BY p.name',
        "SELECT due, SUM(hours) AS h FROM extract",
    ],
)
def test_a_column_that_a_sum_leaves_open_is_refused_by_name(sql: str, context: Context) -> None:
    with pytest.raises(ToolError, match='column "due" must appear in the GROUP BY clause'):
        results.query(sql, context)
