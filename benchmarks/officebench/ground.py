"""What a task needs beside a model: the proof's own virtual environment, a project, a workspace, the judge."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import cast

from benchmarks.officebench.tasks import Check, Task

HERE = Path(__file__).parent
PACKAGES = (
    f"mcp=={version('mcp')}",
    "openpyxl==3.1.5",
    "python-docx==1.2.0",
    "icalendar==7.3.2",
    "pypdf==7.1.1",
    "reportlab==5.1.0",
    "pypdfium2==5.15.2",
    "pillow==13.0.0",
    "rapidocr-onnxruntime==1.4.4",
)
"""What the server and the judge import. The last one brings its models of letters along."""
INSTALL_SECONDS, JUDGE_SECONDS = 900.0, 120.0
ANSWER = "data/answer.txt"
"""Where the set's own harness puts the answer of a model."""


def environment() -> Path:
    """The interpreter of the proof's virtual environment, which is made where it is missing; needs the network
    once.

    Raises:
        SystemExit: a package can't be installed.
    """
    folder = environment_folder()
    python = folder / "bin" / "python"
    if (folder / "ok").exists():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    commands = (
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *PACKAGES],
    )
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
        if done.returncode:
            raise SystemExit(f"{folder}: can't be made: {done.stderr.strip()[-300:]}")
    (folder / "ok").touch()
    return python


def environment_folder() -> Path:
    """Where the virtual environment is: another one for other packages or another Python."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    wanted = "\n".join([sys.version, *PACKAGES])
    return cache / "sovereign-swarm" / f"officebench-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class Ground:
    """A project with the server ``office``, and the workspace of one task after the other."""

    project: Path
    python: Path
    """The interpreter that the server and the judge run on."""

    @property
    def workspace(self) -> Path:
        """What the runs see."""
        return self.project / "testbed"

    def lay(self, task: Task) -> None:
        """The files of a task as it begins, and no record of another."""
        for folder in (self.workspace, self.project / ".swarm" / "runs"):
            shutil.rmtree(folder, ignore_errors=True)
        if task.testbed.is_dir():
            shutil.copytree(task.testbed, self.workspace)
        for name in ("data", "emails", "calendar"):
            (self.workspace / name).mkdir(parents=True, exist_ok=True)
        args = ["-P", str(HERE / "server.py"), str(self.workspace)]
        servers = {"office": {"command": str(self.python), "args": args}}
        text = json.dumps({"mcpServers": servers}, indent=2)
        (self.project / ".mcp.json").write_text(text, encoding="utf-8")

    def put_answer(self, text: str) -> None:
        """The answer of a run where the set looks for it, without quotes, as its own harness has it."""
        plain = text.replace('"', "").replace("'", "")
        (self.workspace / ANSWER).write_text(f"{plain}\n", encoding="utf-8")

    def judge(self, task: Task) -> Verdict:
        """What the checks of a task say of the files as they are.

        Raises:
            RuntimeError: the judge itself failed.
        """
        told: dict[str, object] = {
            "folder": str(self.workspace),
            "pristine": str(task.testbed),
            "reference": str(task.reference),
            "checks": list(task.checks),
        }
        command = [str(self.python), "-P", str(HERE / "judging.py")]
        done = subprocess.run(
            command,
            input=json.dumps(told),
            capture_output=True,
            text=True,
            timeout=JUDGE_SECONDS,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{task.id} can't be judged: {done.stderr.strip()[-300:]}")
        said = cast("dict[str, list[str]]", json.loads(done.stdout))
        return Verdict(tuple(said["failed"]), tuple(said["unsound"]))


@dataclass(frozen=True)
class Verdict:
    """What the judge says."""

    failed: tuple[str, ...]
    """The checks that were not passed, each with why."""
    unsound: tuple[str, ...]
    """Files that are looked for, and can't be opened as what their names say."""


def beyond(task: Task) -> str:
    """Why no run can pass the checks of a task; empty where one may."""
    return next((why for check in task.checks if (why := _beyond(task, check))), "")


def _beyond(task: Task, check: Check) -> str:
    name, args = str(check["function"]).removeprefix("evaluate_"), cast("dict[str, str]", check["args"])
    file = args.get("file", "")
    if name.startswith("excel_") and not file:
        return "its check names no file, and so fails whatever there is"
    if name == "exact_match" and args["doc_type"] == "pdf":
        return "its check compares pages of PDF files as objects, which are never the same"
    if args.get("doc_type") == "xlsx" and file and not file.endswith(".xlsx"):
        return f"its check opens {Path(file).name} as a workbook, which the set's library refuses"
    if name == "exact_match" and not (task.reference / Path(args["expected_file"]).name).is_file():
        return f"the file to compare with, {Path(args['expected_file']).name}, is not in the set"
    if name == "file_not_exist" and (task.testbed / file).exists():
        return "it wants a file deleted, for which there is no tool without the shell"
    return ""
