"""Steering a run from another terminal, and runs that begin or rest at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from swarm.store.shelf.runs import list_runs
from tests.cli.conftest import MODEL, RUN, MakeProject, held, here

SCRIPT = """
import asyncio, json
from pathlib import Path

HERE = Path(__file__).parent

async def reply(request):
    while (HERE / "hold").exists():
        await asyncio.sleep(0.01)
    rows = "'who'" in str(request.output_schema)
    return json.dumps({"result": [{"who": "Ana"}] if rows else "Ana owes most."})
"""
ROWS = {"type": "array", "items": {"type": "object", "properties": {"who": {"type": "string"}}}}
STEPS = (
    {"id": "owes", "agent": "writer", "brief": "Say who owes most."},
    {
        "id": "pays",
        "agent": "writer",
        "brief": "List them.",
        "needs": ["owes"],
        "expects": ROWS,
        "writes": "pays.csv",
    },
)


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    return make_project(SCRIPT, STEPS)


def test_a_run_is_paused_from_another_terminal_and_resumed_later(project: Path) -> None:
    with held(project) as process:
        at_work = here("pause", "--wait", "0", at=project)
        (project / "hold").unlink()
        _, err = process.communicate(timeout=60)

    (record,) = list_runs(project).records
    assert at_work.exit_code == 0
    assert "pausing; it ends when the call in flight has ended\n" in at_work.stderr
    assert (process.returncode, record.status) == (3, "paused")
    assert f"swarm: paused by the user; 0 of 2 steps are done; go on with: swarm resume {record.id}" in err
    assert not list((project / ".swarm" / "runs").glob("*.sock"))

    idle = here("pause", record.id, at=project)
    assert f"run '{record.id}' is not at work (paused); there is nothing to end" in str(idle.exception)
    assert here("resume", *MODEL, "--for", "8h", at=project).exit_code == 0


def test_all_runs_are_stopped_from_another_terminal(project: Path) -> None:
    with held(project) as process:
        stopped = here("stop", "--all", at=project)
        process.communicate(timeout=60)

    (record,) = list_runs(project).records
    assert (stopped.exit_code, process.returncode, record.status) == (0, 130, "stopped")
    assert stopped.stderr.splitlines()[1].endswith(f"stopped now; go on with: swarm resume {record.id}")


def test_with_no_run_at_work_there_is_nothing_to_tell(project: Path) -> None:
    assert "no run is at work" in str(here("stop", at=project).exception)
    assert "no run is at work" in str(here("limit", "tokens=5", at=project).exception)
    assert here("stop", "--all", at=project).exit_code == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--until", "late"), "'late' is no time; write it as 06:30"),
        (("--for", "8"), "'8' is no duration; write it as 90m, 8h or 1h30m"),
        (("--at", "2026-01-01T00:00"), "'2026-01-01T00:00' is over"),
        (("--until", "06:30", "--for", "8h"), "--until and --for both say when to pause"),
    ],
)
def test_a_time_that_means_nothing_is_refused_before_anything_is_opened(
    project: Path, options: tuple[str, ...], words: str
) -> None:
    assert words in str(here(*RUN, *options, at=project).exception)
    assert not (project / ".swarm").exists()


def test_a_resumed_run_works_in_the_folder_that_it_began_in(project: Path) -> None:
    (project / "work").mkdir()
    paused = here(*RUN, "--workspace", "work", "--limit", "model_calls=1", at=project)
    resumed = here("resume", *MODEL, "--limit", "model_calls=9", at=project)

    assert (paused.exit_code, resumed.exit_code) == (3, 0), resumed.stderr
    assert (project / "work" / "pays.csv").read_text("utf-8") == "who\nAna\n"


def test_a_run_is_shown_again_with_no_model_and_the_same_lines(project: Path) -> None:
    done = here(*RUN, at=project)
    (project / "script.py").unlink()
    again = here("replay", at=project)
    events = here("replay", "--json", at=project)

    assert (again.exit_code, again.stdout) == (0, done.stdout)
    assert [line[8:] for line in again.stderr.splitlines()] == [
        line[8:] for line in done.stderr.splitlines()[:-1]
    ]
    shown = here("show", "--events", "--json", at=project)
    assert (events.stdout, events.stderr) == (shown.stdout, "")


def test_a_paused_run_is_shown_as_far_as_it_came(project: Path) -> None:
    here(*RUN, "--limit", "model_calls=1", at=project)
    again = here("replay", "--speed", "0", at=project)

    assert again.exit_code == 0
    assert "needs one more for turn 1 of pays" in again.stdout


def test_a_fork_asks_a_turn_anew_with_other_words(project: Path) -> None:
    here(*RUN, at=project)
    script = (project / "script.py").read_text("utf-8")
    (project / "script.py").write_text(script.replace('"Ana"', '"Bo"'), encoding="utf-8")
    (record,) = list_runs(project).records
    made = here("fork", record.id, "--at", "pays:1", "--stay", at=project)
    forked = here("fork", record.id, "--at", "pays:1", *MODEL, at=project)

    assert (made.exit_code, forked.exit_code) == (0, 0), forked.stderr
    assert {made.stdout.strip()} < {record.id for record in list_runs(project).records}
    assert " it has 1 replies and 0 tool calls of it\n" in forked.stderr
    assert "swarm: after that, run " in forked.stderr
    assert (project / "pays.csv").read_text("utf-8") == "who\nBo\n"
