"""What is refused at once, before anything heavy is loaded, and what a person is told to do."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from swarm.clock.steady import steady_clock
from swarm.errors import StoreError
from swarm.store.file.admission import admit, admit_to, too_full, too_large
from swarm.store.file.owner import lease
from swarm.store.rows.journal import Journal
from swarm.store.rows.records import RunRecord
from swarm.store.shelf.runs import find_run, note_last, run_path

RESUME = """
import sys
from swarm.cli.app import main
try:
    main(["resume", *sys.argv[1:]])
finally:
    heavy = {"sqlalchemy", "sqlmodel", "langgraph", "mcp", "litellm", "rich"}
    print(sorted(heavy & set(sys.modules)), flush=True)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the runs ``older`` and ``newer``."""
    for number, id in enumerate(("older", "newer")):
        asyncio.run(make(tmp_path, id, float(number)))
    return tmp_path


async def make(project: Path, id: str, at: float) -> None:
    record = RunRecord(
        id=id, task="t", project=str(project), workspace=str(project), model="m", created_at=at
    )
    async with Journal.open(run_path(project, id), record=record):
        pass


def resumed(project: Path, run: str, *options: str) -> tuple[int, str, str]:
    """What ``swarm resume`` ends with, says, and has loaded by then."""
    done = subprocess.run(
        [sys.executable, "-c", RESUME, run, "--project", str(project), *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr, done.stdout.strip()


@contextmanager
def only_readable(path: Path) -> Generator[None]:
    """Nobody may write it meanwhile; skipped where the system lets its administrator do so anyway."""
    mode = path.stat().st_mode
    path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        if subprocess.run(["test", "-w", str(path)], check=False).returncode == 0:
            pytest.skip("nothing is read-only for this user")
        yield
    finally:
        path.chmod(mode)


def test_a_second_resumer_is_refused_before_anything_is_loaded(project: Path) -> None:
    note_last(project, "older")
    with lease(run_path(project, "older")):
        code, said, loaded = resumed(project, "last")
    assert code == 2
    assert said.startswith("swarm: run 'older' is being worked on by process")
    assert loaded == "[]"


def test_a_newer_file_is_refused_before_anything_is_loaded(project: Path) -> None:
    with closing(sqlite3.connect(run_path(project, "newer"))) as connection:
        connection.execute("PRAGMA user_version=999")
    code, said, loaded = resumed(project, "newer")
    assert code == 2
    assert "written by a newer version (schema 999" in said
    assert loaded == "[]"


def test_a_file_or_folder_that_is_read_only_is_refused(project: Path) -> None:
    path = run_path(project, "newer")
    for place in (path, path.parent):
        with only_readable(place), pytest.raises(StoreError, match=f"^{place}: it is read-only; make it"):
            admit(path)
    with only_readable(project), pytest.raises(StoreError, match="it is read-only, and runs are kept there"):
        admit_to(project / "nowhere" / "runs", 0)
    admit(path)


def test_a_disk_with_little_room_is_refused_with_what_to_do(project: Path) -> None:
    admit_to(project, 0)
    assert too_full(project, 0) == ""
    with pytest.raises(
        StoreError, match=r"MB are free on this disk; free some space, or let it be fuller with"
    ):
        admit_to(project, 10**9)
    code, said, _ = resumed(project, "newer", "--limit", "free_disk_mb=1000000000")
    assert (code, "limits.free_disk_mb is 1,000,000,000" in said) == (2, True)


def test_a_run_whose_file_grew_to_its_limit_is_told_what_to_do(project: Path) -> None:
    path = run_path(project, "newer")
    os.truncate(path, 3_000_000)
    assert too_large(path, 4) == ""
    wanted = "3 MB; `swarm gc newer` may make it smaller, or let it grow with --limit run_file_mb=6"
    assert wanted in too_large(path, 3)


def test_the_last_run_is_the_one_started_last_whatever_the_dates_say(project: Path) -> None:
    assert find_run(project, "last") == run_path(project, "newer")
    note_last(project, "older")
    assert find_run(project, "last") == run_path(project, "older")
    note_last(project, "removed")
    assert find_run(project, "last") == run_path(project, "newer")


def test_a_steady_clock_never_runs_back() -> None:
    clock = steady_clock()
    times = [clock() for _ in range(100)]
    assert times == sorted(times)
