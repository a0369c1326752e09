"""What the checker takes for right: any reasonable spelling of it, and nothing else."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from benchmarks.kinds.check import extra_files, faults, file_faults
from benchmarks.kinds.figure import Rounded
from benchmarks.kinds.folder import database, snapshot
from benchmarks.kinds.kind import Aim, Content, Fact, Page, Roll, Sheet, Tree
from benchmarks.kinds.ruling import ending, ruling
from benchmarks.kinds.said import says

PRICES = Sheet(("Name", "price"), (("Lamp", Decimal("1234.50")), ("Ölkanne", Decimal(3))))
MEAN = Sheet(("mean",), ((Rounded(Fraction(1, 3), 2),),))
TIE = Sheet(("mean",), ((Rounded(Fraction(1, 8), 2),),))
HALF = Sheet(("a", "b"), (("x", ""),))


@pytest.mark.parametrize(
    ("name", "text", "content"),
    [
        ("a.csv", "name,price\nLamp,1234.5\nÖlkanne,3\n", PRICES),
        ("a.csv", "\ufeffNAME;Price\r\nÖlkanne;3,00\r\nlamp;1234,50\r\n", PRICES),
        ("a.csv", 'price,name\n"1,234.50",Lamp\n3.0,Ölkanne\n\n', PRICES),
        ("a.csv", "name\tprice\nLamp\t1234.4999999999998\nÖlkanne\t3\n", PRICES),
        ("a.md", "# Prices\n\n| name | price |\n|:--|--:|\n| `Lamp` | 1,234.50 |\n| **Ölkanne** | 3 |\n\nThat's all.\n", PRICES),
        ("a.json", '[{"name": "Lamp", "price": 1234.5}, {"Name": "Ölkanne", "Price": 3}]', PRICES),
        ("a.csv", "mean\n0.33\n", MEAN),
        ("a.csv", "mean\n0.12\n", TIE),
        ("a.csv", "mean\n0.13\n", TIE),
        ("a.csv", 'a,b\nx,""\n', HALF),
        ("a.json", '[{"a": "x", "b": null}]', HALF),
        ("a.json", '{"a": [2.0, 1], "b": true}', Tree({"a": [1, 2], "b": True})),
        ("a.json", '[["./b.txt", "a.txt"]]', Tree([["a.txt", "b.txt"]])),
        ("a.txt", "* two\n* one\n", Roll(("one", "two"))),
        ("a.md", "# Tables a, b\n\n## a\n\n| x |\n| - |\n| 1 |\n\n## Table `b`\n\n| x |\n| - |\n| 2 |\n", Page({"a": Sheet(("x",), ((1,),)), "b": Sheet(("x",), ((2,),))})),
    ],
)  # fmt: skip
def test_a_right_file_is_right_however_it_is_spelled(
    name: str, text: str, content: Content, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")

    assert file_faults(tmp_path / name, content) == []


@pytest.mark.parametrize(
    ("name", "text", "content"),
    [
        ("a.csv", "", PRICES),
        ("a.csv", "name,price\nLamp,1234.51\nÖlkanne,3\n", PRICES),
        ("a.csv", "name,price\nLamp,1.2345\nÖlkanne,3\n", PRICES),
        ("a.csv", "name,price,note\nLamp,1234.50,\nÖlkanne,3,\n", PRICES),
        ("a.csv", "name,price\nLamp,1234.50\nÖlkanne,3\nTotal,1237.50\n", PRICES),
        ("a.csv", "```csv\nname,price\nLamp,1234.50\nÖlkanne,3\n```\n", PRICES),
        ("a.csv", "name,price\nLamp,3\nÖlkanne,1234.50\n", PRICES),
        ("a.csv", "name,price\nLamp,1,234.50\nÖlkanne,3\n", PRICES),
        ("a.csv", "mean\n0.3333333\n", MEAN),
        ("a.csv", "mean\n0.33 EUR\n", MEAN),
        ("a.csv", "mean\n0.34\n", MEAN),
        ("a.csv", "a,b\nx,NaN\n", HALF),
        ("a.json", '{"name": "Lamp", "price": 1234.5}', PRICES),
        ("a.json", '{"a": ["1", "2"], "b": true}', Tree({"a": [1, 2], "b": True})),
        ("a.json", '{"a": [1, 2], "b": 1}', Tree({"a": [1, 2], "b": True})),
        ("a.json", "[1, 2", Tree([1, 2])),
        ("a.json", "[NaN, Infinity]", Tree([1, 2])),
        ("a.json", "[1e400, 2]", Tree([1, 2])),
        ("a.csv", "mean\n1e999999999\n", MEAN),
        ("a.csv", "mean\n0.33\0\n", MEAN),
        ("a.json", "[2, 1]", Tree([1, 2], is_ordered=True)),
        ("a.csv", "a\n2\n1\n", Sheet(("a",), ((1,), (2,)), is_ordered=True)),
        ("a.csv", "a\nX\n", Sheet(("a",), (("x",),), is_cased=True)),
        ("a.txt", "two\none\n", Roll(("one", "two"), is_ordered=True)),
        ("a.md", "## a\n\n| x |\n| - |\n| 2 |\n\n## b\n\n| x |\n| - |\n| 1 |\n", Page({"a": Sheet(("x",), ((1,),)), "b": Sheet(("x",), ((2,),))})),
        ("a.md", "## a\n\nx: 1\n", Page({"a": Sheet(("x",), ((1,),))})),
    ],
)  # fmt: skip
def test_a_wrong_file_is_not_right(name: str, text: str, content: Content, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")

    assert len(file_faults(tmp_path / name, content)) == 1


def test_a_monstrous_file_is_wrong_and_stops_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for digits in 5_000, 200_000:
        path.write_text("mean\n" + "9" * digits + "\n", encoding="utf-8")
        assert len(file_faults(path, MEAN)) == 1
    path.write_text("[" * 100_000, encoding="utf-8")

    assert len(file_faults(path, Tree([1]))) == 1


@pytest.mark.parametrize(
    ("answer", "fact"),
    [
        ("There are 17 of them.", 17),
        ("**17** files", 17),
        ("files: 17/", 17),
        ("Seven branches agree.", 7),
        ("It comes to €1,234.50.", Decimal("1234.5")),
        ("It comes to 1234.50 EUR in all.", Decimal("1234.5")),
        ("(-4)", -4),
        ("-€4 and 12% more", -4),
        ("-€4 and 12% more", 12),
        ("The earliest is from 5 March 2026.", date(2026, 3, 5)),
        ("March 5th, 2026", date(2026, 3, 5)),
        ("2026-03-05.", date(2026, 3, 5)),
        ("on 05.03.2026", date(2026, 3, 5)),
        ("it is C-1042, of course", "C-1042"),
        ("`db_host`, `db\nport`", "db port"),
        ("`db_host`", "DB_HOST"),
    ],
)
def test_a_value_stands_in_an_answer(answer: str, fact: Fact) -> None:
    assert says(answer, fact)


@pytest.mark.parametrize(
    ("answer", "fact"),
    [
        ("There are 170 of them.", 17),
        ("on 2026-03-17", 17),
        ("at 17:30", 17),
        ("C-17", 17),
        ("17.5", 17),
        ("the 17th", 17),
        ("1,217", 17),
        ("v17", 17),
        ("seventy", 7),
        ("15 March 2026", date(2026, 3, 5)),
        ("C-10421", "C-1042"),
        ("my_db_host", "db_host"),
        ("db_host_2", "db_host"),
        ("", "x"),
    ],
)
def test_a_value_does_not_stand_in_an_answer(answer: str, fact: Fact) -> None:
    assert not says(answer, fact)


def test_what_was_not_chosen_is_not_to_be_named() -> None:
    aim = Aim(said=("red",), unsaid=("blue",))

    assert faults(aim, {}, Path("nowhere"), "red") == []
    assert faults(aim, {}, Path("nowhere"), "red and blue") == ["the answer names 'blue'"]


def test_changed_and_removed_files_are_faults_and_new_ones_are_told_apart(tmp_path: Path) -> None:
    for name in "kept", "changed", "removed":
        (tmp_path / name).write_text(name, encoding="utf-8")
    before = snapshot(tmp_path)
    (tmp_path / "changed").write_text("otherwise", encoding="utf-8")
    (tmp_path / "removed").unlink()
    (tmp_path / "new").touch()
    (tmp_path / ".swarm").mkdir()
    (tmp_path / ".swarm" / "log").touch()

    assert faults(Aim(), before, tmp_path, "") == ["changed was changed", "removed was removed"]
    assert extra_files(Aim(), before, tmp_path) == ["new"]


def test_a_database_is_the_same_while_it_holds_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    script = "CREATE TABLE a (x)"
    path.write_bytes(database(script, {"a": [(1,)]}))
    before = snapshot(tmp_path)

    path.write_bytes(database(script + "; CREATE TABLE b (y); DROP TABLE b", {"a": [(1,)]}))
    assert snapshot(tmp_path) == before
    path.write_bytes(database(script, {"a": [(2,)]}))
    assert snapshot(tmp_path) != before


@pytest.mark.parametrize(
    ("faulty", "status", "ruled"),
    [
        (False, "done", "right"),
        (False, "exit 0", "right"),
        (False, "degraded", "doubted"),
        (False, "failed", "honest"),
        (False, "out of time", "honest"),
        (True, "done", "wrong"),
        (True, "exit 0", "wrong"),
        (True, "degraded", "honest"),
        (True, "paused", "honest"),
        (True, "exit 1", "honest"),
    ],
)
def test_a_run_is_ruled_by_its_faults_and_by_what_it_says_of_itself(
    faulty: bool, status: str, ruled: str
) -> None:
    assert ruling(["the answer lacks 3"] if faulty else [], status) == ruled


def test_events_tell_how_a_run_ended_and_what_it_spent() -> None:
    asked = '{"seq": 1, "kind": "model_replied", "usage": {"prefilled_tokens": 70, "model_calls": 1}}\n'
    ended = '{"seq": 2, "kind": "run_ended", "status": "degraded", "answer": "five", "usage": {"model_calls": 2}}\n'

    whole = ending(asked + ended, 0)
    assert (whole.status, whole.answer, whole.spent["model_calls"]) == ("degraded", "five", 2)
    cut = ending(asked + asked, None)
    assert (cut.status, cut.answer, cut.spent["prefilled_tokens"]) == ("out of time", "", 140)
    assert ending(asked, 0).status == "exit 0, no end"


def test_without_events_the_answer_is_what_was_printed() -> None:
    assert ending("five\n", 0).answer == "five\n"
    assert (ending("five\n", 0).status, ending("", 3).status) == ("exit 0", "exit 3")
