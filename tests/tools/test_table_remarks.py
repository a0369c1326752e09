"""Lines that begin with ``#`` among the rows of a table, and columns that hold few values."""

from __future__ import annotations

from pathlib import Path

import pytest

from swarm.errors import ToolError
from swarm.tabular.categories import LEAST_ROWS, categories, together
from swarm.tabular.files import LARGE_BYTES, Group, found, loaded
from swarm.tabular.query_engine import selected

ROWS = [{"time": "01:00", "value": 3}, {"time": "02:00", "value": 4}]
GOOD: dict[str, str] = {
    "between rows": "time,value\n01:00,3\n# the battery was changed\n02:00,4\n",
    "with a separator of another sign": "time;value\n01:00;3\n# a, b, c\n02:00;4\n",
    "at the end": "time,value\n01:00,3\n02:00,4\n# end\n",
    "wider than a row": "time,value\n# a,b,c,d\n01:00,3\n02:00,4\n",
}


@pytest.mark.parametrize("case", GOOD)
def test_remarks_are_no_rows(tmp_path: Path, case: str) -> None:
    (tmp_path / "a.csv").write_text(GOOD[case], encoding="utf-8")

    assert [dict(row) for row in loaded(tmp_path, "a.csv")] == ROWS


def test_rows_that_begin_so_are_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,n\n#1,3\n#2,4\n", encoding="utf-8")

    assert [row["id"] for row in loaded(tmp_path, "a.csv")] == ["#1", "#2"]


@pytest.mark.parametrize(
    "text",
    ["id,who,n\n#4711,Ann\n4712,Bob,3\n", "tag,posts\n#sale,10,3\nother,3\n"],
)
def test_a_row_that_lacks_a_cell_is_no_remark(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")

    with pytest.raises(ToolError, match=r"line 2 has [23] cells"):
        loaded(tmp_path, "a.csv")


@pytest.mark.parametrize("text", ["id,n\n#1,3\n# remark\n2,4\n", "id,n\n# remark\n#1,3\n2,4\n"])
def test_what_may_be_a_row_or_a_remark_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")

    with pytest.raises(ToolError, match="may be rows or remarks"):
        loaded(tmp_path, "a.csv")


def test_remarks_of_a_large_file_are_no_rows(tmp_path: Path) -> None:
    lines = [f"{number},word{number}" + "\n# a remark" * (number % 1_000 == 500) for number in range(90_000)]
    text = "id,word\n" + "\n".join(lines) + "\n"
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")

    assert len(text) > LARGE_BYTES
    rows = loaded(tmp_path, "a.csv")
    assert selected("SELECT COUNT(*) AS n, SUM(id) AS s FROM a", {"a": rows})[1] == [
        {"n": 90_000, "s": 89_999 * 45_000}
    ]


def test_columns_that_hold_few_texts_are_told_with_them(tmp_path: Path) -> None:
    states = ["open", "paid", "void"]
    lines = [f"R{number},{states[number % 3]},{number % 2},{number}" for number in range(30)]
    (tmp_path / "a.csv").write_text("id,state,flag,n\n" + "\n".join(lines) + "\n", encoding="utf-8")

    (group,) = found(tmp_path)

    assert isinstance(group, Group)
    assert group.categories == {"state": ("open", "paid", "void")}


def test_a_column_is_one_of_few_only_where_it_is_so_in_all_files_and_rows() -> None:
    many = [["a" if number % 2 else "b", f"x{number}", "z" * 40] for number in range(LEAST_ROWS)]

    assert categories(["k", "x", "long"], many) == {"k": ("b", "a")}
    assert categories(["k"], many[: LEAST_ROWS - 1]) == {}
    assert together([{"k": ("a",), "m": ("b", "c")}, {"k": ("c",)}]) == {"k": ("a", "c")}
    assert together([]) == {}
