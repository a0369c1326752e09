"""Tables in web pages: each value in its column, numbers spelled as in CSV files, and nothing counted twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from swarm.errors import ToolError
from swarm.nouns.tool import Row
from swarm.tabular.files import Group, found, loaded
from swarm.tabular.possible import Unread

HEAD = "<!DOCTYPE html><html><body><h1>Prices</h1>"
PLAIN = "<table><thead><tr><th>Name</th><th>Price</th></tr></thead><tbody><tr><td>Kettle</td><td>5</td></tr></tbody></table>"


def put(folder: Path, name: str, text: str, encoding: str = "utf-8") -> None:
    (folder / name).write_bytes(f"{HEAD}{text}</body></html>".encode(encoding))


READ: dict[str, tuple[str, list[Row]]] = {
    "a table with a head": (PLAIN, [{"name": "Kettle", "price": 5}]),
    "a table without end tags": (
        "<table><tr><th>name<th>price<tr><td>Kettle<td>5<tr><td>Lamp<td>7</table>",
        [{"name": "Kettle", "price": 5}, {"name": "Lamp", "price": 7}],
    ),
    "a table without names in th": (
        "<table><tr><td>name</td><td>price</td></tr><tr><td>Kettle</td><td>5</td></tr></table>",
        [{"name": "Kettle", "price": 5}],
    ),
    "numbers with a comma": (
        "<table><tr><th>n<th>x<tr><td>a<td>1.234,50<tr><td>b<td>0,75</table>",
        [{"n": "a", "x": 1234.5}, {"n": "b", "x": 0.75}],
    ),
    "names over two columns": (
        "<table><tr><th rowspan=2>city<th colspan=2>2024<tr><th>Q1<th>Q2<tr><td>Ulm<td>1<td>2</table>",
        [{"city": "Ulm", "2024_q1": 1, "2024_q2": 2}],
    ),
    "a text over two rows": (
        "<table><tr><th>city<th>n<tr><td rowspan='2'>Ulm<td>1<tr><td>2<tr><td>Bonn<td>3</table>",
        [{"city": "Ulm", "n": 1}, {"city": "Ulm", "n": 2}, {"city": "Bonn", "n": 3}],
    ),
    "a text over the rest of the rows": (
        "<table><tr><th>n<th>city<tr><td>1<td rowspan=0>Ulm<tr><td>2</table>",
        [{"n": 1, "city": "Ulm"}, {"n": 2, "city": "Ulm"}],
    ),
    "names of the rows": (
        "<table><tr><th>city<th>n<tr><th>Ulm<td>1<tr><th>Bonn<td>2</table>",
        [{"city": "Ulm", "n": 1}, {"city": "Bonn", "n": 2}],
    ),
    "signs, tags and breaks in a cell": (
        "<table><tr><th>a<th>b<tr><td>x &amp; <b>y</b><br>z<script>var q</script><td>&euro;&nbsp;5</table>",
        [{"a": "x & y z", "b": "\u20ac 5"}],
    ),
    "empty cells": (
        "<table><tr><th>a<th>b<tr><td>x<td><tr><td><td>5</table>",
        [{"a": "x", "b": None}, {"a": None, "b": 5}],
    ),
}
REFUSED = {
    "a number over two rows": (
        "<table><tr><th>a<th>b<tr><td>x<td rowspan=2>5<tr><td>y</table>",
        "number over several rows",
    ),
    "a cell over two columns": (
        "<table><tr><th>a<th>b<tr><td colspan=2>x<tr><td>y<td>1</table>",
        "a cell over 2 columns",
    ),
    "a row too short": (
        "<table><tr><th>a<th>b<tr><td>x</table>",
        "row 2 of it has 1 cell, the line of names has 2",
    ),
    "a table in a cell": (f"<table><tr><th>a<tr><td>{PLAIN}</table>", "another table"),
    "no names": ("<table><tr><td>1<td>2<tr><td>3<td>4</table>", "looks like data"),
    "a table that does not end": ("<table><tr><th>a<th>b<tr><td>x<td>1", "ends within a table"),
}


@pytest.mark.parametrize("case", READ)
def test_a_table_of_a_page_is_loaded(tmp_path: Path, case: str) -> None:
    text, rows = READ[case]
    put(tmp_path, "page.html", text)

    (group,) = found(tmp_path)

    assert isinstance(group, Group)
    assert (group.name, group.pattern, group.columns) == ("page", "page.html", tuple(rows[0]))
    assert loaded(tmp_path, "page.html") == rows


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_be_read_wrongly_is_refused_with_its_place(tmp_path: Path, case: str) -> None:
    text, reason = REFUSED[case]
    put(tmp_path, "page.html", text)

    unread = [one for one in found(tmp_path) if isinstance(one, Unread)]

    assert len(unread) == 1
    assert unread[0].pattern.startswith("page.html")
    assert reason in unread[0].unread
    with pytest.raises(ToolError, match=r"page\.html: "):
        loaded(tmp_path, unread[0].pattern)


def test_several_tables_of_a_page_have_numbers_and_one_that_is_refused_hides_none(tmp_path: Path) -> None:
    put(tmp_path, "page.htm", f"{PLAIN}{REFUSED['no names'][0]}<table><tr><th>city<tr><td>Ulm</table>")

    one, other, unread = found(tmp_path)

    assert isinstance(one, Group)
    assert isinstance(other, Group)
    assert [(group.name, group.pattern) for group in (one, other)] == [
        ("page_1", "page.htm#1"),
        ("page_3", "page.htm#3"),
    ]
    assert isinstance(unread, Unread)
    assert unread.pattern == "page.htm#2"
    assert loaded(tmp_path, "page.htm#3") == [{"city": "Ulm"}]
    with pytest.raises(ToolError, match=r"name one, as page\.htm#1"):
        loaded(tmp_path, "page.htm")
    with pytest.raises(ToolError, match="has no table '9'"):
        loaded(tmp_path, "page.htm#9")


def test_pages_of_one_folder_with_one_table_each_are_one_table(tmp_path: Path) -> None:
    (tmp_path / "shops").mkdir()
    for name in ("bonn", "ulm"):
        put(tmp_path / "shops", f"{name}.html", PLAIN)

    (group,) = found(tmp_path)

    assert isinstance(group, Group)
    assert (group.pattern, group.rows, group.kinds) == ("shops/*.html", 2, ("TEXT", "TEXT", "NUMBER"))
    assert loaded(tmp_path, group.pattern) == [
        {"file": "bonn", "name": "Kettle", "price": 5},
        {"file": "ulm", "name": "Kettle", "price": 5},
    ]


@pytest.mark.parametrize(
    "layout", ["<p>words", "<table><tr><td>menu</table>", "<table><tr><td>a<td>b</table>"]
)
def test_a_page_without_tables_is_none_and_no_fault(tmp_path: Path, layout: str) -> None:
    put(tmp_path, "page.html", layout)

    assert found(tmp_path) == []


def test_a_page_in_another_encoding_is_read_as_it_says(tmp_path: Path) -> None:
    letters = "".join(map(chr, range(0xE0, 0xF0)))
    table = f"<meta charset='windows-1252'><table><tr><th>a<th>b<tr><td>{letters}<td>x</table>"
    put(tmp_path, "page.html", table, "cp1252")

    assert loaded(tmp_path, "page.html") == [{"a": letters, "b": "x"}]


def test_tables_of_installed_packages_are_not_told_of(tmp_path: Path) -> None:
    (tmp_path / "node_modules" / "a").mkdir(parents=True)
    (tmp_path / "node_modules" / "a" / "rows.csv").write_text("a,b\n1,2\n", encoding="utf-8")

    assert found(tmp_path) == []
    assert loaded(tmp_path, "node_modules/a/rows.csv") == [{"a": 1, "b": 2}]


def test_a_group_tells_types_two_rows_and_their_number(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('order,price\nx,"1,5"\ny,"2,5"\nz,\n', encoding="utf-8")

    (group,) = found(tmp_path)

    assert isinstance(group, Group)
    assert (group.kinds, group.first, group.rows) == (("TEXT", "NUMBER"), (("x", 1.5), ("y", 2.5)), 3)
