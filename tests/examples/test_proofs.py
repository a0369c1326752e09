"""The frame of the proofs: what is recorded and how PROOFS.md is made of it."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from benchmarks.proof import ROOT, Findings, Proof, last_result, machine, record
from benchmarks.proofs import ALL, SHORT, assemble, git, section

PROOF = Proof(name="example", claim="Two is more than one.", bar="≥ 2")


def test_a_result_holds_what_a_reader_needs_to_judge_it(tmp_path: Path) -> None:
    record(PROOF, Findings({"two": 2}, ["it is 1"]), 1.5, tmp_path)

    report = json.loads((tmp_path / "example.json").read_text(encoding="utf-8"))

    assert report == last_result("example", tmp_path)
    assert report["command"] == "python -m benchmarks.example"
    assert report["passed"] is False
    assert set(report) == {
        "name", "claim", "command", "bar", "figures", "faults", "passed", "machine", "date", "commit", "seconds",
        "details",
    }  # fmt: skip
    assert socket.gethostname() not in json.dumps(report["machine"])
    assert machine().cores >= 1


def test_a_section_tells_claim_command_figure_machine_date_and_commit(tmp_path: Path) -> None:
    record(PROOF, Findings({"two": 2}, [], [{"case": "a", "size": 1}]), 1.5, tmp_path)
    report = last_result("example", tmp_path)
    assert report is not None

    text = section(report)

    for part in (
        "Two is more than one.",
        "`python -m benchmarks.example`",
        "| two | 2 |",
        "| a | 1 |",
        "≥ 2",
        "passed",
    ):
        assert part in text
    assert str(report["commit"]) in text


def test_a_proof_that_never_ran_is_listed_as_not_measured(tmp_path: Path) -> None:
    assert "Not measured yet: `newcomer`" in assemble(tmp_path)


def test_every_proof_is_a_module_and_every_module_is_listed() -> None:
    assert set(SHORT) < set(ALL)
    assert all((ROOT / "benchmarks" / f"{name}.py").is_file() for name in ALL)


def recorded_at(commit: str, folder: Path) -> str:
    record(Proof(name="resume", claim="It goes on.", bar="0"), Findings({"kills": 3, "left": 1}), 1.5, folder)
    path = folder / "resume.json"
    report = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(report | {"commit": commit}), encoding="utf-8")
    return assemble(folder)


def test_the_index_shows_figures_bar_and_age_of_a_proof_of_this_history(tmp_path: Path) -> None:
    head = git("rev-parse", "--short", "HEAD").stdout.strip()

    text = recorded_at(head, tmp_path)

    assert (
        "| [resume](benchmarks/results/resume.md) | It goes on. | kills: 3 | 0 | 0 | `python -m benchmarks.resume` |"
        in text
    )
    assert "Refused" not in text


def test_a_proof_at_a_commit_that_nobody_has_is_refused_by_name(tmp_path: Path) -> None:
    text = recorded_at("0" * 12, tmp_path)

    assert "Refused, because their commit is not in the history: `resume`." in text
    assert "It goes on." not in text
