"""Whole runs from the command line on a scripted model: what is printed where, stopping and resuming."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.runs import swarm
from swarm.nouns.events import EVENT
from tests.cli.conftest import MODEL, RUN, MakeProject, elsewhere, held, here

SCRIPT = """
import asyncio, json
from pathlib import Path

HERE = Path(__file__).parent

async def reply(request):
    while (HERE / "hold").exists():
        await asyncio.sleep(0.01)
    if (HERE / "fail").exists():
        return "rubbish"
    return json.dumps({"result": "Ana owes most."})
"""
STEPS = ({"id": "owes", "agent": "generalist", "brief": "Say who owes most."},)


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    return make_project(SCRIPT, STEPS)


def test_the_answer_goes_to_stdout_and_progress_to_stderr(project: Path) -> None:
    done = here(*RUN, at=project)

    assert (done.exit_code, done.stdout) == (0, "Ana owes most.\n"), done.stderr
    assert "owes: done" in done.stderr


def test_with_json_stdout_holds_events_and_nothing_else(project: Path) -> None:
    done = here(*RUN, "--json", at=project)

    events = [EVENT.validate_json(line) for line in done.stdout.splitlines()]
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert (events[0].kind, events[-1].kind) == ("run_started", "run_ended")
    assert done.stderr == ""


def test_a_run_can_be_listed_and_looked_at_afterwards(project: Path) -> None:
    here(*RUN, at=project)

    listed = here("runs", at=project).stdout.splitlines()
    shown = here("show", at=project).stdout
    events = here("show", "--events", "--json", at=project).stdout.splitlines()
    whole = json.loads(here("show", "--json", at=project).stdout)

    id = listed[1].split()[0]
    assert listed[1].split()[1] == "done"
    assert shown.startswith(f"run {id} on ")
    assert shown.endswith("\nAna owes most.\n")
    assert EVENT.validate_json(events[-1]).kind == "run_ended"
    assert whole["run"]["id"] == id


def test_a_run_that_failed_exits_with_1_and_says_where_to_look(project: Path) -> None:
    (project / "fail").touch()

    done = here(*RUN, at=project)

    assert done.exit_code == 1
    assert "swarm: failed; look closer with: swarm show " in done.stderr


def test_ctrl_c_stops_cleanly_and_a_resume_ends_the_run(project: Path) -> None:
    with held(project) as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)

    again = re.search(r"go on with: swarm (resume \w+)$", err.strip())
    assert again is not None, err
    assert (process.returncode, out) == (130, "")

    (project / "hold").unlink()
    done = here(*again[1].split(), *MODEL, at=project)

    assert (done.exit_code, done.stdout) == (0, "Ana owes most.\n"), done.stderr


def test_a_run_has_one_owner_and_goes_on_when_that_was_killed(project: Path) -> None:
    with held(project) as process:
        refused = elsewhere("resume", *MODEL, at=project)
        process.kill()
        process.wait(timeout=60)
    (project / "hold").unlink()

    listed = here("runs", at=project).stdout.splitlines()
    done = here("resume", *MODEL, at=project)

    assert (refused.returncode, refused.stdout) == (2, "")
    assert str(process.pid) in refused.stderr
    assert listed[1].split()[1] == "killed"
    assert (done.exit_code, done.stdout) == (0, "Ana owes most.\n"), done.stderr


def piped(command: str, project: Path) -> subprocess.CompletedProcess[str]:
    """A command line of bash, which ends with the exit code of its first command."""
    line = f"{command}; exit ${{PIPESTATUS[0]}}"
    return subprocess.run(
        ["bash", "-c", line], cwd=project, capture_output=True, text=True, timeout=100, check=False
    )


def test_a_run_outlives_whoever_read_its_events_and_says_so(project: Path) -> None:
    done = piped(f"{shlex.join(swarm(*RUN, '--json'))} | head -n 1", project)

    assert EVENT.validate_json(done.stdout).kind == "run_started"
    told, last = done.stderr.splitlines()
    assert re.fullmatch(
        r"swarm: whoever read the output has gone, and the run goes on; it is ended with: swarm stop \w+; looked at "
        r"with: swarm show \w+ --events",
        told,
    )
    assert last == "swarm: whoever read standard output has gone; `swarm show` has the answer"
    assert done.returncode == 1
    assert "Ana owes most." in here("show", at=project).stdout


def test_a_run_ends_and_says_where_its_answer_is_when_nobody_is_left_to_read_it(project: Path) -> None:
    done = piped(f"{shlex.join(swarm(*RUN))} | true", project)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == (
        "swarm: whoever read standard output has gone; `swarm show` has the answer"
    )
    assert "Ana owes most." in here("show", at=project).stdout


def test_a_run_goes_on_when_nobody_is_left_to_read_its_progress(project: Path) -> None:
    done = piped(f"{shlex.join(swarm(*RUN))} 2> >(head -n 1 >&2) | cat", project)

    assert (done.returncode, done.stdout) == (0, "Ana owes most.\n")


def test_a_list_that_is_cut_by_its_reader_ends_quietly(project: Path) -> None:
    done = piped(f"{shlex.join(swarm('prompts'))} | head -n 1", project)

    assert (done.stdout, done.stderr) == ("== agent\n", "")


@pytest.mark.parametrize(
    ("model", "answered"), [((), "Ana owes most.\n"), (("--model", "scripted"), "nothing\n")]
)
def test_a_resumed_run_takes_the_model_it_had_unless_another_is_named(
    project: Path, model: tuple[str, ...], answered: str
) -> None:
    (project / "fail").touch()
    assert here(*RUN, "--limit", "replans=0", at=project).exit_code == 1
    (project / "fail").unlink()

    done = here("resume", "--limit", "attempts=3", *model, at=project)

    assert done.stdout == answered, done.stderr


def test_a_run_that_used_functions_is_to_be_resumed_from_its_program(project: Path) -> None:
    program = (
        "from swarm import *\n"
        "def price(name: str) -> str:\n"
        "    'Gives a price.'\n"
        "    return '5'\n"
        "plan = Plan(steps=(Step(id='owes', agent='generalist', brief='Say who owes most.'),))\n"
        f"run_sync('Do it.', '.', model={MODEL[1]!r}, plan=plan, tools=[price])\n"
    )
    (project / "fail").touch()
    subprocess.run([sys.executable, "-c", program], cwd=project, check=True, capture_output=True)
    done = elsewhere("resume", at=project)
    assert done.returncode == 2
    assert (
        "this run used functions of a program as tools (python.price); resume it from there:" in done.stderr
    )
    assert "Swarm.open(tools=[…]), swarm.resume(" in done.stderr


def test_a_run_takes_the_model_of_a_table_by_its_name(project: Path) -> None:
    with (project / "swarm.toml").open("a", encoding="utf-8") as settings:
        settings.write('\n[models.big]\nname = "scripted"\n')

    done = here("plan", "run", "plan.json", "--model", "big", at=project)

    assert (done.exit_code, done.stdout) == (0, "nothing\n"), done.stderr
