"""What cannot be read as a table is said, by name and with its reason: never an empty or partial table."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import JsonValue

from swarm import ToolError
from swarm.nouns.tool import Row
from swarm.tabular.file_table import FileTable
from swarm.tabular.files import loaded
from swarm.tabular.query_engine import selected
from tools import tables

GOOD = b"name,price\nKettle,5\n"
LARGE = b"name,price\n" + b"Kettle,5\n" * 200_000


@dataclass
class Context:
    """What a run would give: just a workspace."""

    workspace: Path

    def tables(self) -> Mapping[str, Sequence[Row]]:
        return {}

    def text_of(self, handle: str) -> str:
        raise ToolError(f"no result {handle!r}")


def _holds(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _link(path: Path) -> None:
    (path.parent / "there.txt").write_bytes(GOOD)
    path.symlink_to(path.parent / "there.txt")


def _folder(path: Path) -> None:
    path.mkdir()


FAULTS: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "empty": ("x.csv", _holds(b""), "empty"),
    "blank lines": ("x.csv", _holds(b"\n\n"), "empty"),
    "a fifo": ("x.csv", os.mkfifo, "no regular file"),
    "a folder": ("x.csv", _folder, "folder"),
    "a link": ("x.csv", _link, "link"),
    "a loop of links": ("x.csv", _loop, "link"),
    "a short line": ("x.csv", _holds(b"a,b,c\n1,2,3\n4,5\n"), "line 3 has 2 cells"),
    "a long line": ("x.csv", _holds(b"a,b\n1,2\n4,5,6\n"), "line 3 has 3 cells"),
    "an open quote": ("x.csv", _holds(b'a,b\n1,"2\n3,4\n'), "quote"),
    "text behind a quote": ("x.csv", _holds(b'a,b\n1,"2"x\n'), "quote"),
    "NUL bytes": ("x.csv", _holds(b"a,b\n1,\x002\n"), "NUL"),
    "a huge cell": ("x.csv", _holds(b"a,b\n1," + b"x" * 16_100_000 + b"\n"), "characters|too long|MB"),
    "no names": ("x.csv", _holds(b"1,2\n3,4\n"), "looks like data"),
    "two separators": ("x.csv", _holds(b"a;b,c\n1;2,3\n"), "separated by"),
    "cut UTF-8": ("x.csv", _holds("a,b\n1,ö".encode()[:-1]), "cut off"),
    "cut UTF-16": ("x.csv", _holds("a,b\n1,2\n".encode("utf-16")[:-1]), "UTF-16"),
    "broken JSON": ("x.json", _holds(b'[{"a": 1},\n{"a" 2}]'), "line 2"),
    "cut JSON": ("x.json", _holds(b'[{"a": 1}'), "line 1"),
    "a broken line of JSON": ("x.jsonl", _holds(b'{"a": 1}\n{"a": \n'), "line 2"),
    "a line that is no object": ("x.jsonl", _holds(b"[1]\n"), "line 1"),
    "JSON with NaN": ("x.json", _holds(b'[{"a": NaN}]'), "NaN"),
    "deep JSON": ("x.json", _holds(b"[" * 100_000), "nested too deeply"),
    "no workbook": ("x.xlsx", _holds(b"PK\x03\x04 and so on"), "no workbook"),
    "a cut workbook": ("x.xlsx", _holds(b"PK\x03\x04"), "no workbook"),
    "a cut gzip": ("x.csv.gz", _holds(gzip.compress(GOOD)[:-9]), "not read; save it"),
    "an old workbook": ("x.xls", _holds(b"\xd0\xcf\x11\xe0"), "not read; save it"),
    "a kind that is not read": ("x.parquet", _holds(b"PAR1"), "not read; save it"),
}
LATE: dict[str, tuple[bytes, str]] = {
    "a short line far down": (LARGE + b"Lamp\n", "has 1 cell"),
    "a long line far down": (LARGE + b"Lamp,5,6\n", "has 3 cells"),
    "an open quote far down": (LARGE + b'Lamp,"5\n', "quote"),
    "NUL bytes far down": (LARGE + b"La\x00mp,5\n", "NUL"),
    "cut UTF-8 far down": (LARGE + b"Lamp,\xc3", "cut off"),
    "a total far down": (LARGE + b"Total,1000000\n", "looks like a sum"),
}


def prepare(folder: Path, fault: str) -> str:
    name, make, _ = FAULTS[fault]
    make(folder / name)
    return name


@pytest.mark.parametrize("fault", FAULTS)
def test_finding_says_what_is_not_read_and_shows_the_rest(tmp_path: Path, fault: str) -> None:
    name = prepare(tmp_path, fault)
    (tmp_path / "good.csv").write_bytes(GOOD)

    lines = tables.find(Context(tmp_path)).text.splitlines()

    assert lines[0] == "good(name, price) from good.csv"
    late = fault in ("a huge cell",)
    assert late or any(line.startswith(f"{name}: not read: ") for line in lines[1:])


@pytest.mark.parametrize("fault", FAULTS)
def test_loading_what_is_not_read_fails_with_the_reason(tmp_path: Path, fault: str) -> None:
    name = prepare(tmp_path, fault)

    with pytest.raises(ToolError, match=FAULTS[fault][2]) as error:
        selected("SELECT * FROM x", {"x": loaded(tmp_path, name)})

    assert name in str(error.value)


@pytest.mark.parametrize("fault", LATE)
def test_a_fault_far_down_fails_what_asks_for_the_file(tmp_path: Path, fault: str) -> None:
    data, reason = LATE[fault]
    (tmp_path / "x.csv").write_bytes(data)

    with pytest.raises(ToolError, match=reason) as error:
        selected("SELECT COUNT(name) AS n, SUM(price) AS x FROM x", {"x": loaded(tmp_path, "x.csv")})

    assert "x.csv" in str(error.value)


def test_a_large_file_that_vanishes_or_changes_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(LARGE)
    table = loaded(tmp_path, "x.csv")
    path.write_bytes(LARGE + b"Lamp,7\n")
    with pytest.raises(ToolError, match="was changed"):
        selected("SELECT COUNT(*) FROM x", {"x": table})
    path.unlink()
    with pytest.raises(ToolError, match="can't be read any more"):
        selected("SELECT COUNT(*) FROM x", {"x": table})


def test_a_large_table_is_described_and_comes_back_from_its_description(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(LARGE)
    table = loaded(tmp_path, "x.csv")
    assert isinstance(table, FileTable)

    again = FileTable.of(tmp_path, table.data)

    assert again is not None
    assert len(str(table.data)) < 1_000
    assert selected("SELECT COUNT(*) AS n, SUM(price) AS x FROM x", {"x": again})[1] == [
        {"n": 200_000, "x": 1_000_000}
    ]
    assert len(again) == 200_000
    assert again[0] == again[-1] == {"name": "Kettle", "price": 5}


@pytest.mark.parametrize(
    "path",
    [
        "[2024] data.csv",
        "a[1].csv",
        "[x]/rows.csv",
        "data (1).csv",
        "50%.csv",
        "it's.csv",
        "a#b.csv",
        "ü.csv",
    ],
)
def test_a_file_that_is_found_is_loaded_by_the_same_name(tmp_path: Path, path: str) -> None:
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_bytes(GOOD)
    data = tables.find(Context(tmp_path)).data
    assert isinstance(data, list)
    assert isinstance(data[0], dict)

    assert loaded(tmp_path, str(data[0]["pattern"])) == [{"name": "Kettle", "price": 5}]


def test_files_of_a_folder_with_brackets_are_one_table(tmp_path: Path) -> None:
    (tmp_path / "[2024]").mkdir()
    (tmp_path / "old").mkdir()
    for place in ("[2024]/a.csv", "[2024]/b.csv", "old/c.csv"):
        (tmp_path / place).write_bytes(GOOD)

    rows: list[dict[str, JsonValue]] = [{"file": name, "name": "Kettle", "price": 5} for name in "ab"]
    assert loaded(tmp_path, "[2024]/*.csv") == rows


def test_a_pattern_names_just_the_files_of_its_table(tmp_path: Path) -> None:
    (tmp_path / "shops").mkdir()
    for name, data in (("a", GOOD), ("b", GOOD), ("c", b"other\n1\n")):
        (tmp_path / "shops" / f"{name}.csv").write_bytes(data)

    assert tables.find(Context(tmp_path)).text.splitlines() == [
        "a(name, price) from shops/a.csv",
        "b(name, price) from shops/b.csv",
        "c(other) from shops/c.csv",
    ]


def test_tables_of_one_name_get_two(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(GOOD)
    (tmp_path / "a.json").write_bytes(b'[{"b": 1}]')

    assert tables.find(Context(tmp_path)).text == "a(name, price) from a.csv\na_2(b) from a.json"


def test_many_files_that_are_not_wanted_hide_none_that_is(tmp_path: Path) -> None:
    for folder in ("a", "m", "z"):
        (tmp_path / folder).mkdir()
    for number in range(2_005):
        (tmp_path / "m" / f"{number}.csv").write_text("x\n1\n", encoding="utf-8")
    for folder in ("a", "z"):
        (tmp_path / folder / "wanted.csv").write_text("x\n1\n", encoding="utf-8")

    rows = loaded(tmp_path, "*/wanted.csv")

    assert [row["x"] for row in rows] == [1, 1]
    with pytest.raises(ToolError, match="more than 2,000 table files"):
        loaded(tmp_path, "*/*.csv")


@pytest.mark.parametrize("name", ["Total 2025", "Total EUR", "Summe 2025", "Sum of all", "TOTAL:"])
def test_a_last_line_that_adds_up_the_others_is_refused_however_it_is_called(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "t.csv").write_text(f"name,price\nA,1\nB,2\n{name},3\n", encoding="utf-8")
    with pytest.raises(ToolError, match="looks like a sum"):
        loaded(tmp_path, "t.csv")


@pytest.mark.parametrize("name", ["Total Eclipse", "Summer", "Sumatra 2"])
def test_a_row_that_is_called_like_a_sum_and_is_none_is_a_row(tmp_path: Path, name: str) -> None:
    (tmp_path / "t.csv").write_text(f"name,price\nA,1\nB,2\n{name},7\n", encoding="utf-8")
    assert [row["price"] for row in loaded(tmp_path, "t.csv")] == [1, 2, 7]


@pytest.mark.parametrize("size", [3, 200_000], ids=["small", "large"])
def test_a_file_with_decimal_commas_has_points_between_thousands(tmp_path: Path, size: int) -> None:
    lines = ["A;1.234;12,50", "B;950;3,75", "C;12.345;8,10"] * (size // 3)
    (tmp_path / "t.csv").write_text("\n".join(["place;price;cost", *lines, ""]), encoding="utf-8")
    rows = loaded(tmp_path, "t.csv")
    _, found = selected("SELECT SUM(price) AS total FROM t", {"t": rows})
    assert isinstance(rows, FileTable) == (size > 3)
    assert found == [{"total": 14_529 * (size // 3)}]


def test_points_are_fractions_where_nothing_speaks_against_it(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("place;price;cost\nA;1.234;12.50\nB;2.345;3.75\n", encoding="utf-8")
    assert [row["price"] for row in loaded(tmp_path, "t.csv")] == [1.234, 2.345]
