"""Whole runs from the command line on a scripted model: what is printed where, stopping and resuming."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from swarm.events import EVENT

COMMAND = [sys.executable, "-c", "from swarm.cli.app import main; main()"]

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
PLAN = {"steps": [{"id": "owes", "agent": "generalist", "brief": "Say who owes most."}]}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "plan.json").write_text(json.dumps(PLAN), encoding="utf-8")
    return tmp_path


def swarm(*args: str, at: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *args], cwd=at, capture_output=True, text=True, timeout=100, check=False)


def run_plan(*args: str, at: Path) -> subprocess.CompletedProcess[str]:
    return swarm("plan", "run", "plan.json", "--model", "scripted:script.py", *args, at=at)


def begun(project: Path) -> subprocess.Popen[str]:
    """A run in its own process, held in its first question to the model."""
    (project / "hold").touch()
    process = subprocess.Popen(
        [*COMMAND, "plan", "run", "plan.json", "--model", "scripted:script.py"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    lines = iter(process.stderr.readline, "")
    assert any("generalist begins" in line for line in lines)
    return process


def test_the_answer_goes_to_stdout_and_progress_to_stderr(project: Path) -> None:
    done = run_plan(at=project)

    assert (done.returncode, done.stdout) == (0, "Ana owes most.\n"), done.stderr
    assert "owes: done" in done.stderr


def test_with_json_stdout_holds_events_and_nothing_else(project: Path) -> None:
    done = run_plan("--json", at=project)

    events = [EVENT.validate_json(line) for line in done.stdout.splitlines()]
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert (events[0].kind, events[-1].kind) == ("run_started", "run_ended")
    assert done.stderr == ""


def test_a_run_can_be_listed_and_looked_at_afterwards(project: Path) -> None:
    run_plan(at=project)

    listed = swarm("runs", at=project).stdout.splitlines()
    shown = swarm("show", at=project).stdout
    events = swarm("show", "--events", "--json", at=project).stdout.splitlines()
    whole = json.loads(swarm("show", "--json", at=project).stdout)

    id = listed[1].split()[0]
    assert listed[1].split()[1] == "done"
    assert shown.startswith(f"run {id} on ")
    assert shown.endswith("\nAna owes most.\n")
    assert EVENT.validate_json(events[-1]).kind == "run_ended"
    assert whole["run"]["id"] == id


def test_a_run_that_failed_exits_with_1_and_says_where_to_look(project: Path) -> None:
    (project / "fail").touch()

    done = run_plan(at=project)

    assert done.returncode == 1
    assert "swarm: failed; look closer with: swarm show " in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_cleanly_and_a_resume_ends_the_run(number: signal.Signals, project: Path) -> None:
    with begun(project) as process:
        process.send_signal(number)
        out, err = process.communicate(timeout=60)

    again = re.search(r"go on with: swarm (resume \w+)$", err.strip())
    assert again is not None, err
    assert (process.returncode, out) == (130, "")

    (project / "hold").unlink()
    done = swarm(*again[1].split(), "--model", "scripted:script.py", at=project)

    assert (done.returncode, done.stdout) == (0, "Ana owes most.\n"), done.stderr


def test_a_killed_run_is_listed_as_killed_and_can_be_resumed(project: Path) -> None:
    with begun(project) as process:
        process.kill()
        process.wait(timeout=60)
    (project / "hold").unlink()

    listed = swarm("runs", at=project).stdout.splitlines()
    done = swarm("resume", "--model", "scripted:script.py", at=project)

    assert listed[1].split()[1] == "killed"
    assert (done.returncode, done.stdout) == (0, "Ana owes most.\n"), done.stderr


def test_a_run_that_is_at_work_elsewhere_is_not_resumed(project: Path) -> None:
    with begun(project) as process:
        done = swarm("resume", "--model", "scripted:script.py", at=project)
        process.kill()
        process.wait(timeout=60)

    assert (done.returncode, done.stdout) == (2, "")
    assert str(process.pid) in done.stderr


def test_a_reader_that_leaves_stops_the_run(project: Path) -> None:
    command = f"{sys.executable} -c 'from swarm.cli.app import main; main()' "
    command += "plan run plan.json --model scripted:script.py --json | head -n 1"
    done = subprocess.run(
        ["bash", "-c", command], cwd=project, capture_output=True, text=True, timeout=60, check=False
    )

    assert EVENT.validate_json(done.stdout).kind == "run_started"
    assert "Traceback" not in done.stderr
