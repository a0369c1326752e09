"""The files and the Python that stand in README.md and in pages of ``docs/`` do what the pages say."""

from __future__ import annotations

import contextlib
import re
import runpy
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from swarm.cli.app import app

ROOT = Path(__file__).parents[2]
MODEL = ("--model", "scripted:model.py")
NOTES = {
    "kettle": "The kettle costs 24.90 euros.",
    "lamp": "The lamp costs 39.50 euros.",
    "desk": "The desk is sold out.",
}


def write_files_of(page: str, folder: Path) -> None:
    """Writes the files that a page shows whole."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    found = re.findall(r"^```\w+ file=(\S+)\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    assert found
    for name, content in found:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")


def said(folder: Path, *args: str, code: int = 0) -> str:
    """What a command prints on stdout."""
    with contextlib.chdir(folder):
        done = CliRunner().invoke(app, args)
    assert done.exit_code == code, f"{done.stderr}\n{done.exception!r}"
    return done.stdout


def write_notes(folder: Path) -> None:
    """The notes of the guide, and those of another month."""
    for place, notes in (("notes", NOTES), ("may/notes", {"chair": "The chair costs 80 euros."})):
        (folder / place).mkdir(parents=True)
        for name, text in notes.items():
            (folder / place / f"{name}.txt").write_text(f"{text}\n", encoding="utf-8")


def test_the_tool_of_the_page_works(tmp_path: Path) -> None:
    write_files_of("write-a-tool.md", tmp_path)

    assert said(tmp_path, "program", "try.py") == "net: 100.0\nnoted: wrote 0.07 to rate-reduced.txt\n"
    assert (tmp_path / "rate-reduced.txt").read_text(encoding="utf-8") == "0.07\n"


def test_the_server_of_the_page_works(tmp_path: Path) -> None:
    write_files_of("write-a-server.md", tmp_path)

    assert said(tmp_path, "program", "try.py") == "taken: took 2 of kettle\nleft: 10\n"
    assert (tmp_path / "stock.json").read_text(encoding="utf-8") == '{"kettle": 10, "lamp": 3}'


def test_the_agent_of_the_page_works(tmp_path: Path) -> None:
    write_files_of("write-a-server.md", tmp_path)
    write_files_of("write-an-agent.md", tmp_path)

    answer = said(tmp_path, "plan", "run", "plan.json", "What must be bought?", *MODEL)

    assert answer == "Buy lamps: 3 are there.\n"
    assert '"product": "lamp"}\n       (done in' in said(tmp_path, "show", "last", "buy")


def test_the_plan_of_the_guide_is_degraded_paused_and_resumed_as_it_says(tmp_path: Path) -> None:
    write_files_of("guide.md", tmp_path)
    script = (tmp_path / "model.py").read_text(encoding="utf-8")
    (tmp_path / "model.py").write_text(script.replace("return 1.0", "return 0.0"), encoding="utf-8")
    write_notes(tmp_path)
    run = ("plan", "run", "plan.json", "Which product is the cheapest?", *MODEL)

    first = said(tmp_path, *run)
    paused = said(tmp_path, *run, "--workspace", "may", "--limit", "model_calls=2", code=3)
    resumed = said(tmp_path, "resume", "--limit", "model_calls=9")

    assert first.startswith("The cheapest is the kettle: it costs 24.9 euros.\n")
    assert "- step prices degraded: notes/desk.txt: the model declined to work: I see no price.\n" in first
    assert (paused, resumed.splitlines()[0]) == ("", "The cheapest is the chair: it costs 80.0 euros.")


def test_the_program_of_the_guide_runs_again_on_new_data(tmp_path: Path) -> None:
    write_files_of("guide.md", tmp_path)
    write_notes(tmp_path)

    assert said(tmp_path, "program", "count.py", "List the prices").startswith("2 products have a price\n")
    assert said(tmp_path, "rerun", "--workspace", "may").startswith("1 products have a price\n")
    assert (tmp_path / "may" / "prices.csv").read_text(encoding="utf-8") == "product,price\nchair,80\n"


def python_of(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


def printed(block: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines that a block prints as a program in that folder."""
    (folder / "block.py").write_text(block, encoding="utf-8")
    with contextlib.chdir(folder):
        runpy.run_path("block.py", run_name="__main__")
    return capsys.readouterr().out.splitlines()


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model that a block finds is the scripted one, as the variable says."""
    monkeypatch.setenv("SWARM_MODEL", "scripted")


@pytest.mark.parametrize("block", python_of("README.md"))
def test_the_python_of_the_readme_runs(
    block: str, tmp_path: Path, scripted: None, capsys: pytest.CaptureFixture[str]
) -> None:
    example = "examples/sales-audit"
    shutil.copytree(ROOT / example, tmp_path / example, ignore=shutil.ignore_patterns(".swarm"))

    lines = printed(block, tmp_path, capsys)

    assert lines[:1] == ["run_started"]
    assert lines[lines.index("run_ended") + 1] != ""


def test_the_first_python_of_its_page_runs(
    tmp_path: Path, scripted: None, capsys: pytest.CaptureFixture[str]
) -> None:
    (line,) = printed(python_of("docs/python.md")[0], tmp_path, capsys)

    assert line.startswith("degraded customer=")
