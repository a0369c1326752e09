"""Output that nobody reads: a run goes on, ends and obeys signals all the same."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import subprocess
import termios
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from benchmarks import runs
from swarm.errors import StoreError
from swarm.store.shelf.reader import read_run
from tests.cli.conftest import MODEL, MakeProject

SCRIPT = """
def reply(request):
    return '{"result": "all done"}'
"""
HELD = """
import pathlib
def reply(request):
    return '{"result": "all done"}'
def latency(request):
    pathlib.Path("asked").touch()
    return 1000.0
"""
PLAN = ("plan", "run", "plan.json", *MODEL)
STEPS = [{"id": f"s{number}", "agent": "writer", "brief": "Write."} for number in range(12)]


def full_pipe() -> tuple[int, int]:
    """A pipe that takes nothing more until somebody reads it."""
    ours, theirs = os.pipe()
    size = fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4_096)
    os.write(theirs, b" " * size)
    return ours, theirs


def held_terminal() -> tuple[int, int]:
    """A terminal on which somebody pressed Ctrl-S."""
    ours, theirs = pty.openpty()
    termios.tcflow(theirs, termios.TCOOFF)
    return ours, theirs


@contextmanager
def started(project: Path, *args: str, stdout: int, stderr: int) -> Generator[subprocess.Popen[bytes]]:
    command = runs.swarm("plan", "run", "plan.json", *MODEL, "--yes", *args)
    with subprocess.Popen(
        command, cwd=project, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def until(is_so: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    """Looks until it is so."""
    for _ in range(600):
        if is_so():
            return
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.1)
    raise AssertionError("it never was")


def status(project: Path) -> str:
    found = [file for file in (project / ".swarm" / "runs").glob("*.db") if file.stat().st_size]
    try:
        return read_run(found[0]).status if found else ""
    except StoreError:
        return ""  # it is just being made


@pytest.mark.parametrize(
    ("args", "unread", "place"),
    [
        (("--json",), ("stdout",), full_pipe),
        ((), ("stdout", "stderr"), full_pipe),
        ((), ("stderr",), held_terminal),
    ],
    ids=["events in a pipe", "progress in a pipe", "the picture on a terminal"],
)
def test_a_signal_ends_a_run_whose_output_nobody_reads(
    make_project: MakeProject,
    args: Sequence[str],
    unread: Sequence[str],
    place: Callable[[], tuple[int, int]],
) -> None:
    project = make_project(HELD, STEPS)
    ours, theirs = place()
    streams = {name: theirs if name in unread else subprocess.DEVNULL for name in ("stdout", "stderr")}
    with started(project, *args, **streams) as process:
        os.close(theirs)
        until((project / "asked").exists, process)
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=5 if os.getloadavg()[0] < 1 else 100)

    os.close(ours)
    assert (code, status(project)) == (130, "stopped")


def test_a_run_whose_events_nobody_reads_goes_on_and_loses_none_of_them(make_project: MakeProject) -> None:
    project = make_project(SCRIPT, STEPS)
    ours, theirs = full_pipe()
    with started(project, "--json", stdout=theirs, stderr=subprocess.DEVNULL) as process:
        os.close(theirs)
        until(lambda: status(project) == "done", process)
        with os.fdopen(ours, encoding="utf-8") as pipe:
            events = [json.loads(line) for line in pipe.read().strip().splitlines()]
        assert process.wait(timeout=60) == 0

    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert [event["kind"] for event in events].count("step_ended") == len(STEPS)
    assert events[-1]["kind"] == "run_ended"


def test_progress_that_nobody_reads_does_not_hold_up_the_answer(make_project: MakeProject) -> None:
    project = make_project(SCRIPT, STEPS)
    ours, theirs = full_pipe()
    with started(project, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        out, _ = process.communicate(timeout=60)

    os.close(ours)
    assert (process.returncode, out) == (0, b"all done\n")


def test_a_second_signal_says_how_to_go_on(make_project: MakeProject) -> None:
    project = make_project(HELD, STEPS[:1])
    with started(project, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        until((project / "asked").exists, process)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)

    assert process.returncode == 130
    run = next((project / ".swarm" / "runs").glob("*.db")).stem
    assert f"go on with: swarm resume {run}".encode() in err


def test_on_one_terminal_the_answer_comes_after_the_steps(make_project: MakeProject) -> None:
    project = make_project(SCRIPT, STEPS)
    ours, theirs = pty.openpty()
    with started(project, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # the terminal's other side is closed
            while piece := os.read(ours, 65_536):
                shown += piece
        assert process.wait(timeout=60) == 0
    os.close(ours)

    assert shown.rindex("✓ s11".encode()) < shown.rindex(b"done in ") < shown.rindex(b"\nall done")


@pytest.mark.parametrize(
    "command", [(*PLAN, "--yes"), (*PLAN, "--yes", "--json"), ("list",)], ids=["run", "events", "list"]
)
def test_an_answer_that_the_disk_does_not_take_is_no_success(
    make_project: MakeProject, command: tuple[str, ...]
) -> None:
    project = make_project(SCRIPT, STEPS[:1])
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            runs.swarm(*command),
            cwd=project,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=90,
        )

    assert done.returncode == 1
    assert "swarm: standard output takes no more (No space left on device); " in done.stderr
    assert "Traceback" not in done.stderr
