"""A project of a script, and the command line in it: in this process, in another one, or held at work."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from benchmarks import runs
from swarm.cli.app import app, main

MODEL = ("--model", "scripted:script.py")
RUN = ("plan", "run", "plan.json", *MODEL)
"""Runs the plan of a project that ``make_project`` made."""

MakeProject = Callable[[str, Sequence[Mapping[str, object]]], Path]


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: object
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture
def swarm(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """The command line as the shell has it, in this process and the folder ``tmp_path``."""

    def run(*args: str) -> Done:
        with contextlib.chdir(tmp_path), pytest.raises(SystemExit) as end:
            main(args)
        said = capsys.readouterr()
        return Done(end.value.code, said.out, said.err)

    return run


@pytest.fixture
def make_project(tmp_path: Path) -> MakeProject:
    """A project with a script that answers and a plan of these steps; no MCP server is started in it."""

    def project(script: str, steps: Sequence[Mapping[str, object]]) -> Path:
        (tmp_path / "script.py").write_text(script, encoding="utf-8")
        (tmp_path / "plan.json").write_text(json.dumps({"steps": steps}), encoding="utf-8")
        (tmp_path / "swarm.toml").write_text(runs.NO_SERVERS, encoding="utf-8")
        return tmp_path

    return project


def here(*args: str, at: Path) -> Result:
    """A command in this process: a run costs seconds of imports in every new one."""
    with contextlib.chdir(at):
        return CliRunner().invoke(app, args)


def elsewhere(*args: str, at: Path) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own."""
    return subprocess.run(runs.swarm(*args), cwd=at, capture_output=True, text=True, timeout=100, check=False)


def held(project: Path) -> subprocess.Popen[str]:
    """A run in its own process, held in its first question to the model by a file that the script looks for."""
    (project / "hold").touch()
    process = subprocess.Popen(
        runs.swarm(*RUN), cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert any(" begins" in line for line in iter(process.stderr.readline, ""))
    return process
