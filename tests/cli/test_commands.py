"""The command line as a person and a script meet it: its streams and exit codes."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from benchmarks import runs
from swarm import __version__
from tests.cli.conftest import Command, Done


def test_the_version_is_the_packages(swarm: Command) -> None:
    assert swarm("--version") == Done(0, f"swarm {__version__}\n", "")


def test_list_shows_what_ships_with_the_package_in_an_empty_folder(swarm: Command, tmp_path: Path) -> None:
    done = swarm("list")

    rows = {tuple(line.split()[:2]) for line in done.out.splitlines()}
    assert {("agent", "generalist"), ("server", "files"), ("tool", "calculate.calculate")} <= rows
    assert (done.code, done.err) == (0, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "args",
    [
        ("list", "--project", "nowhere"),
        ("run", "Who owes most?", "--project", "nowhere"),
        ("run", "Who owes most?", "--workspace", "nowhere"),
        ("run", "   "),
        ("resume", "x3"),
        ("show",),
        ("show", "x3"),
        ("plan", "check", "nowhere.json"),
        ("plan", "run", "nowhere.json"),
        ("prompts", "nowhere"),
    ],
)
def test_wrong_input_is_one_line_and_exit_2(args: tuple[str, ...], swarm: Command) -> None:
    done = swarm(*args)

    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert done.err.startswith("swarm: ")


def test_a_bad_card_is_named_before_anything_runs(swarm: Command, tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "clerk.md").write_text("You are a clerk.\n", encoding="utf-8")

    done = swarm("run", "Who owes most?")

    assert done.code == 2
    assert done.err.startswith("swarm: ")
    assert "clerk.md" in done.err
    assert not (tmp_path / ".swarm").exists()


def test_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    command = f"{shlex.join(runs.swarm('prompts'))} | head -n 1"
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout.startswith("== ")
    assert done.stderr == ""


def test_no_runs_yet_is_said_on_stderr(swarm: Command) -> None:
    done = swarm("runs")

    assert (done.code, done.out) == (0, "")
    assert "swarm run" in done.err
