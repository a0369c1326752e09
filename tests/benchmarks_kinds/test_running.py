"""The runner: each task in a folder of its own, one line of progress for each, and a sum."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from benchmarks.kinds.__main__ import main, recorded
from benchmarks.kinds.labels import labelled
from benchmarks.kinds.work import Job, do, filled
from benchmarks.proof import ROOT, python

SOLVED = shlex.join(
    python(str(ROOT / "benchmarks" / "kinds" / "solved.py"), "{kind}", "{seed}", "{workspace}")
)


def python_says(code: str, *args: str) -> list[str]:
    return [sys.executable, "-c", code, *args]


def test_solved_tasks_are_right_and_those_of_the_closed_half_are_only_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    chosen = ["--kinds", "log_levels", "closed-01", "--keep", str(tmp_path), "--command", SOLVED]
    main(chosen)

    printed = capsys.readouterr().out
    assert "1/2 log_levels 1: right [exit 0]" in printed
    assert "2/2 closed-01 1: right [exit 0]" in printed
    assert labelled()["closed-01"].name not in printed + (tmp_path / "progress.jsonl").read_text(
        encoding="utf-8"
    )
    assert (tmp_path / "log_levels" / "1" / "work" / "logs").is_dir()
    assert (
        json.loads((tmp_path / "log_levels" / "1" / "result.json").read_text(encoding="utf-8"))["faults"]
        == []
    )

    main([*chosen, "--seeds", "1", "2", "--go-on"])
    printed = capsys.readouterr().out
    assert "4/4 closed-01 2: right" in printed
    assert "1/4" not in printed
    assert [key for key, _ in sorted(recorded(tmp_path / "progress.jsonl", SOLVED))] == ["closed-01"] * 2 + [
        "log_levels"
    ] * 2


def test_an_answer_out_of_thin_air_is_wrong_and_not_said(tmp_path: Path) -> None:
    job = Job(labelled()["member_fees"], "member_fees", 1)
    done = do(job, python_says("print('About fifty.')"), 60, tmp_path)

    assert (done.ruling, done.status, len(done.faults)) == ("wrong", "exit 0", 2)


def test_a_command_past_its_deadline_is_out_of_time(tmp_path: Path) -> None:
    job = Job(labelled()["member_fees"], "member_fees", 1)
    code = "import threading; print('so far', flush=True); threading.Event().wait()"
    done = do(job, python_says(code), 0.5, tmp_path)

    assert (done.ruling, done.status) == ("honest", "out of time")


def test_a_command_that_fails_without_a_status_is_quoted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = shlex.join(python_says("import sys; sys.exit('no model is here')"))
    main(["--kinds", "member_fees", "--keep", str(tmp_path), "--command", command])

    said = capsys.readouterr()
    assert "1/1 member_fees 1: failed, and said so [exit 1]" in said.out
    assert said.err == "    no model is here\n"


def test_a_command_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="there is no command 'no-such-command'"):
        main(["--kinds", "member_fees", "--keep", str(tmp_path), "--command", "no-such-command {task}"])


def test_what_a_task_says_is_not_filled_in_again() -> None:
    words = {"workspace": "/w", "task": "say {workspace}"}

    assert filled(["run", "{task}", "-w", "{workspace}/x"], words) == ["run", "say {workspace}", "-w", "/w/x"]


def test_a_dry_run_shows_tasks_and_files_of_the_open_half_alone(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--dry", "--half", "both"])

    printed = capsys.readouterr().out
    assert "settings_diff.csv" in printed
    assert "closed" not in printed
    with pytest.raises(SystemExit, match="there is no kind closed-01"):
        main(["--dry", "--kinds", "closed-01"])
