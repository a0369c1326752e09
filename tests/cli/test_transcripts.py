"""``swarm show RUN STEP[ITEM]``: looking into one sub-agent of a run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import RUN, here

SCRIPT = """
import json, re
NAMES = ["reports/north.txt", "reports/south.txt", "reports/\\x1b[2Jeast.txt"]

def reply(request):
    said = [message.content for message in request.messages if message.role == "user"]
    whole = "\\n".join(said)
    turn = sum(message.role == "assistant" for message in request.messages)
    if "Your step:" not in whole:
        return json.dumps({"result": "Two of three were added up."})
    if "List the reports" in whole:
        return json.dumps({"result": NAMES})
    if "south" in whole:
        return json.dumps({"cannot": "an unknown language \\x1b[31m"})
    if turn == 0:
        args = {"of": {"name": "north", "parts": [1, 2]}, "note": "x" * 3000}
        return json.dumps({"tool": "sums.add", "args": args})
    return json.dumps({"result": "the total is 12"})
"""
TOOL = '''
from swarm import tool

@tool(effect="pure")
def add(of: dict, note: str) -> str:
    """Adds up."""
    return "the total is 12 \\x1b[5m"
'''
CARD = """---
description: Adds up.
tools: [sums]
---
Add up.
"""
STEPS = [
    {
        "id": "names",
        "agent": "adder",
        "brief": "List the reports.",
        "expects": {"type": "array", "items": {"type": "string"}},
    },
    {"id": "totals", "agent": "adder", "each": "names", "brief": "Add up {item}."},
]

Show = Callable[..., str]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a run of which one item failed."""
    folder = tmp_path_factory.mktemp("project")
    for part in ("agents", "tools"):
        (folder / part).mkdir()
    (folder / "agents" / "adder.md").write_text(CARD, "utf-8")
    (folder / "tools" / "sums.py").write_text(TOOL, "utf-8")
    (folder / "script.py").write_text(SCRIPT, "utf-8")
    (folder / "plan.json").write_text(json.dumps({"steps": STEPS}), "utf-8")
    settings = (
        "[limits]\nreplans = 0\n[servers.files]\nenabled = false\n[servers.database]\nenabled = false\n"
    )
    (folder / "swarm.toml").write_text(settings, "utf-8")
    done = here(*RUN, "Add all \x1b]0;title\x07 up.", at=folder)
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def show(project: Path) -> Show:
    def said(*args: str) -> str:
        done = here("show", "last", *args, at=project)
        assert done.exit_code == 0, done.output
        return done.stdout

    return said


def test_a_transcript_tells_what_was_told_said_done_and_given(show: Show) -> None:
    lines = show("totals[0]").splitlines()

    assert lines[0] == "totals[0] · reports/north.txt · attempt 1 · done"
    assert lines[1].startswith("── turn 1 · ")
    kinds = [line.split()[0] for line in lines if line and not line.startswith(" ")]
    assert kinds == [
        "totals[0]",
        "──",
        "rules",
        "told",
        "said",
        "tool",
        "gave",
        "──",
        "told",
        "said",
        "──",
        "done",
    ]
    assert re.search(
        r"^told   \[[a-z]{4}\] Your step: Add up reports/north\.txt\.$", "\n".join(lines), re.MULTILINE
    )
    assert 'tool   sums.add {"of": {"name": "north", "parts": [1, 2]}, "note": "xxx' in "\n".join(lines)
    assert lines[-2] == "done   the total is 12"


@pytest.mark.parametrize("named", ["totals[0]", "totals[north]", "totals[reports/north.txt]", "totals[0]/1"])
def test_an_item_is_named_by_its_number_or_its_text(show: Show, named: str) -> None:
    assert show(named) == show("totals[0]")


def test_every_attempt_is_shown_and_one_can_be_chosen(show: Show) -> None:
    titles = [line for line in show("totals[south]").splitlines() if line.startswith("totals[")]

    assert titles == [
        "totals[1] · reports/south.txt · attempt 1 · failed",
        "totals[1] · reports/south.txt · attempt 2 · failed",
    ]
    assert [line for line in show("totals[1]/2").splitlines() if line.startswith("totals[")] == titles[1:]


def test_a_long_text_is_cut_with_what_is_missing_and_full_cuts_none(show: Show) -> None:
    assert "more characters; --full shows them" in show("totals[0]")
    assert "--full" not in show("totals[0]", "--full")
    assert "x" * 3000 in show("totals[0]", "--full")


def test_a_step_of_many_lists_its_items_with_their_numbers(show: Show) -> None:
    lines = show("totals").splitlines()

    assert "2✓ 1✗" in lines[0]
    assert [line.split()[:3] for line in lines[1:3]] == [
        ["✓", "0", "reports/north.txt"],
        ["✗", "1", "reports/south.txt"],
    ]
    assert "'totals[NUMBER]'" in lines[-1]


def test_a_step_of_one_and_the_answer_of_the_run_are_shown_by_their_names(show: Show) -> None:
    assert show("names").startswith("names · attempt 1 · done\n")
    assert show("answer").startswith("answer · attempt 1\n── turn 1 · ")
    assert show("_answer") == show("answer")
    assert "Two of three were added up." in show("answer")


def test_with_json_the_records_of_that_place_are_given(show: Show) -> None:
    threads = json.loads(show("totals[1]", "--json"))["threads"]

    assert [thread["thread"]["attempt"] for thread in threads] == [1, 2]
    assert len(json.loads(show("totals", "--json"))["threads"]) == 4


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("total", "has no step 'total'; there are: names, totals, plan, answer"),
        ("totals[9]", "there is no such item; there are 3, from 0 reports/north.txt to 2 reports/"),
        ("totals[reports]", "fits 3 items: 0 reports/north.txt, 1 reports/south.txt, 2 reports/"),
        ("names[0]", "this step has no items; leave the brackets out"),
        ("a b", "Write STEP, STEP[ITEM] or STEP[ITEM]/ATTEMPT"),
        ("plan", "has asked and done nothing yet"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(project: Path, named: str, words: str) -> None:
    done = here("show", "last", named, at=project)

    assert done.exit_code != 0
    assert words in str(done.exception)


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("--events",),
        ("totals",),
        ("totals[0]",),
        ("totals[1]",),
        ("totals[2]",),
        ("names", "--full"),
        ("answer",),
    ],
)
def test_nothing_that_is_shown_steers_the_terminal(show: Show, args: tuple[str, ...]) -> None:
    shown = show(*args)

    assert shown.replace("\n", "").isprintable()
    assert "\x1b" not in shown


def test_each_event_says_who_and_what(show: Show) -> None:
    lines = [line[8:] for line in show("--events").splitlines()]

    assert any(
        line.startswith("totals[0]: the model replied (turn 1, ") and "sums.add" in line for line in lines
    )
    assert 'totals[0]: sums.add {"name": "north", "parts": [1, 2]}, xxx' in "\n".join(lines)
    assert any(line.startswith("totals[0]: sums.add gave in ") for line in lines)
    assert any(line.startswith("totals[1] (attempt 2): failed: ") for line in lines)
    assert not any(line in ("model asked", "model replied", "tool returned", "agent ended") for line in lines)


def test_the_list_of_runs_steers_no_terminal(project: Path) -> None:
    assert "\x1b" not in here("runs", at=project).stdout
