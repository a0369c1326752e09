"""``swarm questions`` and ``swarm answer``, on a run that a kill left with calls in doubt."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from swarm.cli.app import app
from swarm.nouns.plan import Thread
from swarm.nouns.tool import ToolCall
from swarm.store.rows.journal import Journal
from swarm.store.rows.records import LedgerEntry, RunRecord
from swarm.store.shelf.reader import read_events, read_questions
from swarm.store.shelf.runs import run_path

CALL = ToolCall(tool="post.send", args={"to": "Ana", "text": "x" * 1_000})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    asyncio.run(leave_in_doubt(tmp_path, "abcd2345", 2))
    asyncio.run(leave_in_doubt(tmp_path, "efgh6789", 1))
    return tmp_path


async def leave_in_doubt(project: Path, id: str, calls: int) -> None:
    record = RunRecord(id=id, task="t", project="/p", workspace="/w", model="m", created_at=1.0)
    entry = LedgerEntry(call=CALL, effect="irreversible", pin="post 1.0 00c0ffee")
    async with Journal.open(run_path(project, id), record=record, clock=lambda: 1_760_000_000.0) as journal:
        for item in range(calls):
            key = (str(Thread(run=id, step="letters", item=item)), 1, 0)
            await journal.ledger.leave(key, entry)
            await journal.ledger.ask(key, "the run was cut off, and nothing can tell")


def swarm(project: Path, *args: str) -> Result:
    return CliRunner().invoke(app, [*args, "--project", str(project)])


def test_questions_of_all_runs_are_listed_with_the_evidence_and_the_command_that_answers(
    project: Path,
) -> None:
    said = swarm(project, "questions").stdout
    assert said.count("question ") == 3
    assert "run abcd2345, question 2: post.send of letters[1] (irreversible)\n" in said
    assert '  arguments: {"to": "Ana", "text": "xxx' in said
    assert " to post 1.0 00c0ffee\n  seen: the run was cut off, and nothing can tell\n" in said
    assert "  answer with: swarm answer abcd2345 2 done|failed|repeat|abandon [--note TEXT]" in said
    remedy = '  if it only reads, say so and it is never asked about: [servers.post.effects] send = "pure" '
    assert remedy + 'in swarm.toml, of a function @tool(effect="pure")\n' in said
    assert swarm(project, "questions", "efgh").stdout.count("question ") == 1


def test_an_answer_is_recorded_and_its_question_is_no_longer_open(project: Path) -> None:
    answered = swarm(project, "answer", "abcd", "2", "done", "--note", "it is in the outbox")
    assert (answered.exit_code, answered.stdout) == (0, "")
    assert "question 2 is answered: done; go on with: swarm resume abcd2345" in answered.stderr
    assert swarm(project, "questions", "abcd").stdout.count("question ") == 1
    every = swarm(project, "questions", "abcd", "--all", "--json").stdout.splitlines()
    assert [json.loads(line)["decision"] for line in every] == [None, "done"]
    path = run_path(project, "abcd2345")
    assert read_questions(path)[1].note == "it is in the outbox"
    assert [event.kind for event in read_events(path)] == ["question_answered"]
    shown = swarm(project, "show", "abcd").stdout
    assert "tool calls: 2 in-doubt\n" in shown
    assert "question 2 (done): post.send: the run was cut off, and nothing can tell\n" in shown


def test_what_cannot_be_answered_is_refused_with_what_to_do(project: Path) -> None:
    missing = swarm(project, "answer", "abcd", "7", "done")
    assert "there is no question 7; `swarm questions` lists those there are" in str(missing.exception)
    swarm(project, "answer", "abcd", "1", "abandon")
    again = swarm(project, "answer", "abcd", "1", "repeat")
    assert "question 1 is decided already: abandon" in str(again.exception)
    assert swarm(project, "answer", "abcd", "1", "maybe").exit_code == 2


def test_a_project_without_calls_in_doubt_says_so(tmp_path: Path) -> None:
    none = swarm(tmp_path, "questions")
    assert (none.exit_code, none.stdout, none.stderr) == (0, "", "no call is in doubt\n")
