"""The command line as a person and a script meet it: real processes, their streams and exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from swarm import __version__

COMMAND = [sys.executable, "-c", "from swarm.cli.app import main; main()"]


def swarm(*args: str, at: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *args], cwd=at, capture_output=True, text=True, timeout=60, check=False)


def test_the_version_is_the_packages(tmp_path: Path) -> None:
    done = swarm("--version", at=tmp_path)

    assert (done.returncode, done.stdout) == (0, f"swarm {__version__}\n")


def test_list_shows_what_ships_with_the_package_in_an_empty_folder(tmp_path: Path) -> None:
    done = swarm("list", at=tmp_path)

    rows = {tuple(line.split()[:2]) for line in done.stdout.splitlines()}
    assert {("agent", "generalist"), ("server", "files"), ("tool", "calculate.calculate")} <= rows
    assert (done.returncode, done.stderr) == (0, "")
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
def test_wrong_input_is_one_line_and_exit_2(args: tuple[str, ...], tmp_path: Path) -> None:
    done = swarm(*args, at=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("swarm: ")


def test_a_bad_card_is_named_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "clerk.md").write_text("You are a clerk.\n", encoding="utf-8")

    done = swarm("run", "Who owes most?", at=tmp_path)

    assert done.returncode == 2
    assert done.stderr.startswith("swarm: ")
    assert "clerk.md" in done.stderr
    assert not (tmp_path / ".swarm").exists()


def test_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    command = f"{sys.executable} -c 'from swarm.cli.app import main; main()' prompts | head -n 1"
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout.startswith("== ")
    assert done.stderr == ""


def test_no_runs_yet_is_said_on_stderr(tmp_path: Path) -> None:
    done = swarm("runs", at=tmp_path)

    assert (done.returncode, done.stdout) == (0, "")
    assert "swarm run" in done.stderr
