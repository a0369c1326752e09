"""The short form of the proof of office tasks: made-up ones in its form, a scripted model, the same judge."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import JsonValue

from benchmarks.officebench.__main__ import Row, one_run, summary
from benchmarks.officebench.ground import Ground, beyond, environment_folder
from benchmarks.officebench.judging import Bench, judged
from benchmarks.officebench.oracle import Oracle
from benchmarks.officebench.tasks import Check, Task, sample, tasks
from swarm.nouns.messages import Request
from swarm.testing import ScriptedModel

TOLD = "You work for Ada. Files lie in the folder data, and new ones belong there.\n\n"
TEXT = "Mail Ben that the kettle costs 24.90 euros, and note it in prices.txt. What does the lamp cost?"


def check(function: str, **args: JsonValue) -> Check:
    """A check as the set writes it."""
    return {"function": f"evaluate_{function}", "args": args}


CHECKS = (
    check("contain", doc_type="email", username="Ben", keywords=["kettle", "24.90"]),
    check("contain", doc_type="txt", file="data/prices.txt", keywords=["24.90"]),
    check("contain", doc_type="txt", file="./data/answer.txt", keywords=["15.10"]),
    check("not_contain", doc_type="email", username="Cid", keywords=["kettle"]),
)


def task_of(folder: Path, *checks: Check, text: str = TEXT, id: str = "2-1/0") -> Task:
    """A made-up task over a price list and a calendar."""
    testbed = folder / "set" / "testbed"
    (testbed / "data").mkdir(parents=True, exist_ok=True)
    (testbed / "data" / "list.txt").write_text("kettle 24.90\nlamp 15.10\n", encoding="utf-8")
    return Task(id, "Ada", text, TOLD + text, checks or CHECKS, testbed, folder / "set" / "reference")


async def run_of(folder: Path, task: Task, python: Path, *, is_lazy: bool = False) -> tuple[Row, Oracle]:
    """What became of a task that the scripted model does, or only says that it did."""
    (folder / "project").mkdir()
    oracle = Oracle(task)
    if is_lazy:
        oracle.calls.clear()
    async with asyncio.timeout(100):
        row = await one_run(
            task, ScriptedModel(oracle.reply, window=8192), Ground(folder / "project", python)
        )
    return row, oracle


@pytest.mark.anyio
async def test_a_task_whose_mail_file_and_answer_are_right_is_right(tmp_path: Path) -> None:
    row, oracle = await run_of(tmp_path, task_of(tmp_path), Path(sys.executable))

    assert (row["right"], row["failed checks"], row["unsound"]) == ("yes", "", "")
    assert "sent 'Message' to Ben" in oracle.heard
    assert (tmp_path / "project" / "testbed" / "emails" / "Ben" / "Message.eml").is_file()
    assert summary([row], 1).figures["right"] == 1


@pytest.mark.anyio
async def test_a_model_that_only_says_it_did_is_counted_as_done_and_wrong(tmp_path: Path) -> None:
    row, _ = await run_of(tmp_path, task_of(tmp_path), Path(sys.executable), is_lazy=True)

    assert row["right"] == "no"
    assert str(row["failed checks"]).count("evaluate_contain") == 2
    figures = summary([row], 1).figures
    assert figures["done, and wrong"] == (row["status"] == "done")
    assert summary([row], 1).faults == ["0 are right, and 8% should be"]


@pytest.mark.anyio
@pytest.mark.skipif(
    not (environment_folder() / "ok").exists(), reason="the proof has not made its environment"
)
async def test_workbooks_documents_pages_pictures_and_calendars_are_made_and_judged(tmp_path: Path) -> None:
    task = task_of(
        tmp_path,
        check("excel_cell_value", file="data/p.xlsx", matches=[{"row": 1, "col": 2, "value": "24.9"}]),
        check("contain", doc_type="docx", file="data/p.docx", keywords=["lamp"]),
        check("contain", doc_type="pdf", file="data/q.pdf", keywords=["kettle", "1,500"]),
        check(
            "contain", doc_type="ics", file="calendar/Ben.ics", keywords=["DTSTART:20300517T103000", "Fair"]
        ),
        check("calendar_no_overlap", username="Ben"),
        check("file_exist", file="data/post.jpg"),
        text="Make them all.",
    )
    row, oracle = await run_of(tmp_path, task, environment_folder() / "bin" / "python")

    assert (row["right"], row["failed checks"], row["unsound"]) == ("yes", "", ""), oracle.heard


VERDICTS: Mapping[str, tuple[Check, bool]] = {
    "in any letter case": (check("contain", doc_type="txt", file="a.txt", keywords=["LAMP"]), True),
    "a number without commas": (check("contain", doc_type="txt", file="a.txt", keywords=["2100"]), True),
    "one word missing": (check("contain", doc_type="txt", file="a.txt", keywords=["lamp", "pot"]), False),
    "no such file": (check("contain", doc_type="txt", file="b.txt", keywords=["lamp"]), False),
    "a word that must not be there": (
        check("not_contain", doc_type="txt", file="a.txt", keywords=["lamp"]),
        False,
    ),
    "a mail by part of a name": (
        check("contain", doc_type="email", username="ben", keywords=["Subject: Offer", "two pots"]),
        True,
    ),
    "nobody of that name": (check("contain", doc_type="email", username="Cid", keywords=["pots"]), False),
    "a file that is there": (check("file_exist", file="./a.txt"), True),
    "a file that is not": (check("file_not_exist", file="./b.txt"), True),
    "a form that is not known": (check("contain", doc_type="odt", file="a.txt", keywords=["x"]), False),
}


@pytest.mark.parametrize("named", VERDICTS)
def test_checks_say_what_the_set_has_them_say(named: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A lamp: 2,100 EUR\n", encoding="utf-8")
    mails = tmp_path / "emails" / "Ben Ode"
    mails.mkdir(parents=True)
    mail = "From: a@example.com\nTo: b@example.com\nSubject: Offer\n\nWe have two pots.\n"
    (mails / "Offer.eml").write_text(mail, encoding="utf-8")
    asked, is_passed = VERDICTS[named]

    assert (not judged(Bench(tmp_path, tmp_path, tmp_path), asked)) is is_passed


def test_tasks_that_nobody_can_do_are_told_apart_with_the_reason(tmp_path: Path) -> None:
    whys = {
        beyond(task_of(tmp_path, given))
        for given in (
            check("excel_cell_value", matches=[]),
            check("contain", doc_type="xlsx", file="data/list.docx", keywords=["x"]),
            check("file_not_exist", file="data/list.txt"),
            check("exact_match", doc_type="pdf", result_file="data/a.pdf", expected_file="data/b.pdf"),
            check(
                "exact_match", doc_type="xlsx", result_file="data/a.xlsx", expected_file="../reference/b.xlsx"
            ),
        )
    }
    assert len(whys) == 5
    assert "" not in whys
    assert beyond(task_of(tmp_path)) == ""


def test_a_sample_is_spread_over_tasks_of_one_two_and_three_apps_and_is_the_same_each_time(
    tmp_path: Path,
) -> None:
    made = [replace(task_of(tmp_path), id=f"{apps}-{number}/0") for apps in (1, 2, 3) for number in range(9)]
    drawn = sample(made, 12, 1)

    assert Counter(task.apps for task in drawn) == {1: 4, 2: 4, 3: 4}
    assert drawn == sample(made, 12, 1)
    assert drawn != sample(made, 12, 2)


def test_tasks_are_read_with_the_person_and_the_day(tmp_path: Path) -> None:
    folder = tmp_path / "tasks" / "1-7" / "subtasks"
    folder.mkdir(parents=True)
    told = {"username": "Ada", "date": "2030-05-17", "weekday": "Friday", "time": "10:00 AM", "task": "Go."}
    (folder / "0.json").write_text(json.dumps({**told, "evaluation": list(CHECKS)}), encoding="utf-8")
    (task,) = tasks(tmp_path)

    assert (task.id, task.user, task.checks) == ("1-7/0", "Ada", CHECKS)
    assert task.told.startswith("Today is 2030-05-17 (Friday), 10:00 AM. You work for Ada. ")
    with pytest.raises(SystemExit, match="name a checkout"):
        tasks(folder)


def test_the_oracle_asks_for_nothing_that_no_check_wants(tmp_path: Path) -> None:
    oracle = Oracle(task_of(tmp_path))

    assert [tool for tool, _ in oracle.calls] == ["files.write", "office.email_send"]
    assert oracle.answer == "15.10"
    assert '"steps"' in oracle.reply(Request(messages=(), output_schema={"properties": {"steps": {}}}))
