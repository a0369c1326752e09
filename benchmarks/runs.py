"""Running the command line as a user does, and reading the record of what it did."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.proof import ROOT, python
from examples.example import FOLDER, load
from swarm.nouns.events import RunEnded
from swarm.nouns.limits import Usage
from swarm.store.shelf.reader import read_events

NO_SERVERS = """[servers.files]
enabled = false

[servers.database]
enabled = false
"""
"""Settings where no step uses a tool, so that no server need be started for each run."""

WORKER = """---
description: Does one piece of work.
---
Do the piece of work you are given.
"""

CLI = "from swarm.cli.app import main; main()"


@dataclass(frozen=True)
class Outcome:
    """How a run ended, from its record."""

    answer: str
    """What a user read on standard output."""
    status: str
    """``crashed`` when the record has no end."""
    missing: tuple[str, ...]
    usage: Usage
    seconds: float
    """Wall-clock of the command."""
    problem: str
    """The end of standard error when there is no end of the run."""

    @property
    def is_open_about(self) -> bool:
        """Whether the run itself says that something is not as asked."""
        return self.status != "done" or bool(self.missing)


def swarm(*args: str) -> list[str]:
    """The command line ``swarm ARGS``, of this interpreter."""
    return python("-c", CLI, *args)


def fresh_project(name: str, seed: int, folder: Path) -> Path:
    """A new project made of an example: its settings, and its data of that seed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(FOLDER / name / "swarm.toml", folder)
    load(name).write(folder / "data", seed)
    return folder


def workers_project(folder: Path) -> Path:
    """A new project with one role, ``worker``, that has no tools."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "agents").mkdir(parents=True)
    (folder / "agents" / "worker.md").write_text(WORKER, encoding="utf-8")
    (folder / "swarm.toml").write_text(NO_SERVERS, encoding="utf-8")
    return folder


def run_task(project: Path, task: str, model: str, seconds: float) -> Outcome:
    """Runs a task in a project that has no run yet; one that takes too long is stopped."""
    began = time.monotonic()
    command = swarm("run", task, "--project", str(project), "--model", model, "--yes")
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False)
        answer, said = done.stdout, done.stderr
    except subprocess.TimeoutExpired as error:
        answer, said = "", f"{error}"
    return outcome_of(project, answer, time.monotonic() - began, said)


def outcome_of(project: Path, answer: str, seconds: float, said: str = "") -> Outcome:
    """How the only run of a project ended."""
    ends = [
        event for path in run_files(project) for event in read_events(path) if isinstance(event, RunEnded)
    ]
    if not ends:
        return Outcome(answer, "crashed", (), Usage(), seconds, said.strip()[-400:])
    end = ends[-1]
    return Outcome(answer, end.status, end.missing, end.usage, seconds, "")


def run_files(project: Path) -> list[Path]:
    """The files of a project's runs."""
    return sorted((project / ".swarm" / "runs").glob("*.db"))


def workplace(name: str) -> Path:
    """A folder for what a proof leaves behind; it is kept for a look, and git ignores it."""
    folder = ROOT / ".swarm" / "proofs" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def clean_environment() -> dict[str, str]:
    """The environment of a newcomer: nothing of this virtual environment or these settings in it."""
    return {
        key: value
        for key, value in os.environ.items()
        if key not in {"VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS", "MAKELEVEL"} and not key.startswith("SWARM_")
    }


def is_alive(pid: int) -> bool:
    """Whether there is such a process; one that has ended and was not waited for is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
