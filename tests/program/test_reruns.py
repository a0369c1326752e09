"""``swarm program`` and ``swarm rerun``: programs of a person and of earlier runs, without a planner or a model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from swarm.run.tally import tally_of
from swarm.store.shelf.reader import read_events, read_run
from swarm.store.shelf.runs import list_runs, run_path
from tests.cli.conftest import here

pytestmark = [pytest.mark.timeout(200), pytest.mark.usefixtures("no_servers")]

COUNT = 'rows = table("sales.csv")\nsave("sum.csv", [{"sum": sum(row["sold"] for row in rows)}])\nanswer(len(rows))\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for month, sold in {"march": "1\n2\n", "april": "10\n20\n30\n"}.items():
        (tmp_path / month).mkdir()
        (tmp_path / month / "sales.csv").write_text(f"sold\n{sold}", encoding="utf-8")
    (tmp_path / "count.py").write_text(COUNT, encoding="utf-8")
    return tmp_path


def last_run(project: Path) -> Path:
    return run_path(project, list_runs(project).records[0].id)


def test_a_program_of_a_person_runs_without_a_model_and_again_on_new_data(project: Path) -> None:
    first = here("program", "count.py", "Count.", "--workspace", "march", at=project)
    again = here("rerun", "last", "--workspace", "april", at=project)

    assert (first.exit_code, first.stdout.splitlines()[0]) == (0, "2"), first.output
    assert (again.exit_code, again.stdout.splitlines()[0]) == (0, "3"), again.output
    assert (project / "march/sum.csv").read_text(encoding="utf-8") == "sum\n3\n"
    assert (project / "april/sum.csv").read_text(encoding="utf-8") == "sum\n60\n"
    assert read_run(last_run(project)).model == "none"
    assert tally_of(read_events(last_run(project))).spent.model_calls == 0


def test_a_program_that_asks_a_reader_without_a_model_fails_with_what_to_do(project: Path) -> None:
    (project / "asks.py").write_text('answer(ask("how many?", "three"))', encoding="utf-8")

    done = here("program", "asks.py", "--workspace", "march", "--model", "none", at=project)

    assert done.exit_code == 1
    assert "this run has no model, and this needs one; start it again with --model NAME" in " ".join(
        done.output.split()
    )


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("none.py", None, "none.py"),
        ("empty.py", " \n", "the program is empty"),
        ("wrong.py", "x = (", "SyntaxError"),
    ],
)
def test_a_program_that_cannot_run_is_an_error_that_names_it(
    file: str, text: str | None, said: str, project: Path
) -> None:
    if text is not None:
        (project / file).write_text(text, encoding="utf-8")

    done = here("program", file, "--workspace", "march", at=project)

    assert done.exit_code != 0
    assert said in done.output + str(done.exception)


def test_a_run_without_programs_is_not_run_again(project: Path) -> None:
    (project / "script.py").write_text(
        'def reply(request):\n    return \'{"result": "x"}\'\n', encoding="utf-8"
    )
    plan = {"steps": [{"id": "a", "agent": "writer", "brief": "Write."}]}
    (project / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    here("plan", "run", "plan.json", "--model", "scripted:script.py", at=project)

    done = here("rerun", "last", at=project)

    assert done.exit_code != 0
    assert "was done by a program; use `swarm run` for the task" in done.output + str(done.exception)


def test_the_programs_of_a_run_survive_the_loss_of_their_files(project: Path) -> None:
    here("program", "count.py", "Count.", "--workspace", "march", at=project)
    shutil.rmtree(project / ".swarm" / "programs", ignore_errors=True)

    again = here("rerun", "last", "--workspace", "april", at=project)

    assert (again.exit_code, again.stdout.splitlines()[0]) == (0, "3")


def test_a_run_of_a_program_is_exported_replayed_and_forked_like_any_other(project: Path) -> None:
    here("program", "count.py", "Count.", "--workspace", "march", at=project)

    exported = here("export", "last", "run.zip", at=project)
    replayed = here("replay", "last", "--speed", "1000", at=project)
    forked = here("fork", "last", "--at", "3", at=project)

    assert [exported.exit_code, replayed.exit_code, forked.exit_code] == [0, 0, 0], (
        exported.output + replayed.output + forked.output
    )
