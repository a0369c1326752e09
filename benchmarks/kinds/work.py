"""One task, done by a command in a folder of its own, and judged."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.kinds.check import extra_files, faults
from benchmarks.kinds.folder import snapshot, write_files
from benchmarks.kinds.kind import Commission, Kind
from benchmarks.kinds.ruling import Ruling, ending, ruling
from benchmarks.runs import swarm

GRACE_SECONDS = 20.0
"""For a command past its deadline to end by itself after an interrupt."""

OURS = swarm("run", "{task}", "--project", "{project}", "--workspace", "{workspace}", "--yes", "--json")


@dataclass(frozen=True)
class Job:
    """A task to be done."""

    kind: Kind
    label: str
    """How it is printed: kinds of the closed half have numbers for names."""
    seed: int

    @property
    def place(self) -> str:
        """Its folder below that of the results."""
        return f"{self.label}/{self.seed}"


@dataclass(frozen=True)
class Done:
    """A task that was done, and what it is worth."""

    ruling: Ruling
    status: str
    faults: list[str]
    extra: list[str]
    """New files that nobody asked for."""
    spent: dict[str, int]
    seconds: float
    problem: str
    """The last line on standard error, where the command told no status."""


def do(job: Job, command: list[str], seconds: float, keep: Path) -> Done:
    """Does a task in a new folder with a neutral name; all that is left of it goes into ``keep``."""
    commission = job.kind.commission(job.seed)
    with tempfile.TemporaryDirectory(prefix="task-") as temporary:
        place = Path(temporary)
        workspace, project = place / "work", place / "project"
        workspace.mkdir()
        project.mkdir()
        write_files(commission.files, workspace)
        (place / "task.txt").write_text(commission.task + "\n", encoding="utf-8")
        before = snapshot(workspace)
        words = {
            "workspace": str(workspace),
            "project": str(project),
            "kind": job.label,
            "seed": str(job.seed),
        }
        began = time.monotonic()
        code = _run(filled(command, {**words, "task": commission.task}), place, seconds)
        done = _judged(commission, before, place, code, time.monotonic() - began)
        (place / "result.json").write_text(json.dumps(vars(done), indent=1) + "\n", encoding="utf-8")
        kept = keep / job.place
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(place, kept, symlinks=True, ignore=_odd)
    return done


def _odd(folder: str, names: list[str]) -> list[str]:
    """What can't be copied: sockets and pipes."""
    paths = {name: Path(folder) / name for name in names}
    return [
        name for name, path in paths.items() if not (path.is_symlink() or path.is_dir() or path.is_file())
    ]


def filled(command: list[str], words: Mapping[str, str]) -> list[str]:
    """The command with the words in the places of their names; what a word holds is left as it is."""
    return [_filled(part, words) for part in command]


def _filled(part: str, words: Mapping[str, str]) -> str:
    for name in words:
        before, found, after = part.partition(f"{{{name}}}")
        if found:
            return _filled(before, words) + words[name] + _filled(after, words)
    return part


def _run(command: list[str], place: Path, seconds: float) -> int | None:
    """The exit code of a command, or none when it had to be cut off.

    Raises:
        OSError: there is no such command.
    """
    out, err = place / "stdout.txt", place / "stderr.txt"
    with (
        out.open("wb") as stdout,
        err.open("wb") as stderr,
        subprocess.Popen(
            command,
            cwd=place / "project",
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        ) as process,
    ):
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a command that is still at work, and what it started."""
    if process.poll() is not None:
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _judged(
    commission: Commission, before: Mapping[str, str], place: Path, code: int | None, seconds: float
) -> Done:
    printed = (place / "stdout.txt").read_text(encoding="utf-8", errors="replace")
    end = ending(printed, code)
    found = faults(commission.aim, before, place / "work", end.answer)
    return Done(
        ruling=ruling(found, end.status),
        status=end.status,
        faults=found,
        extra=extra_files(commission.aim, before, place / "work"),
        spent=end.spent,
        seconds=round(seconds, 1),
        problem=_last_line(place / "stderr.txt") if end.status.startswith("exit") else "",
    )


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "")
