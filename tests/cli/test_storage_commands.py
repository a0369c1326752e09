"""The commands about runs' files: their size in ``swarm runs``, ``gc``, ``export`` and ``import``."""

from __future__ import annotations

import json
from pathlib import Path

import anyio

from swarm.errors import ProjectError, RunBusy
from swarm.nouns.events import RunEnded
from swarm.nouns.plan import Thread
from swarm.nouns.result import Result as StepResult
from swarm.store.file.owner import lease
from swarm.store.rows.journal import Journal
from swarm.store.rows.records import RunRecord, RunStatus
from swarm.store.shelf.runs import list_runs, run_path
from tests.cli.conftest import here


async def write_run(project: Path, id: str, status: RunStatus) -> Path:
    record = RunRecord(
        id=id, task="Count.", project=str(project), workspace=str(project), model="m", created_at=1.0
    )
    path = run_path(project, id)
    async with Journal.open(path, record=record) as journal:
        journal.note_result(Thread(run=id, step="a"), StepResult(text="three"))
        journal.note(RunEnded(status="done", answer="three", files=("a.csv",)))
        await journal.save_run(status=status)
    return path


def make_run(project: Path, id: str, status: RunStatus) -> Path:
    return anyio.run(write_run, project, id, status)


def test_runs_tells_the_size_of_each_file(tmp_path: Path) -> None:
    path = make_run(tmp_path, "abc", "done")
    size = path.stat().st_size
    assert f"{size / 1_000:.0f} kB" in here("runs", at=tmp_path).stdout
    assert json.loads(here("runs", "--json", at=tmp_path).stdout)["size_bytes"] == size


def test_gc_takes_finished_runs_and_others_only_when_told(tmp_path: Path) -> None:
    make_run(tmp_path, "done", "done")
    make_run(tmp_path, "rests", "paused")
    make_run(tmp_path, "works", "done")
    with lease(run_path(tmp_path, "works")):
        for args, taken in (
            (("gc", "--dry-run"), ["done"]),
            (("gc", "--unfinished"), ["done", "rests"]),
            (("gc", "rests"), ["rests"]),
        ):
            done = here(*args, at=tmp_path)
            assert done.exception is None
            assert sorted(line.split()[0] for line in done.stdout.splitlines()[1:]) == taken
        assert isinstance(here("gc", "works", at=tmp_path).exception, RunBusy)


def test_a_run_is_exported_and_imported_with_the_files_of_its_answer(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
    make_run(one, "abc", "done")
    (one / "a.csv").write_text("n\n3\n", encoding="utf-8")
    assert here("export", "last", "--files", at=one).stdout == "abc.swarm\n"
    first = here("import", "../one/abc.swarm", at=other)
    assert first.stdout == "abc\n"
    assert "1 files of its workspace stay in ../one/abc.swarm" in first.stderr
    again = here("import", "../one/abc.swarm", "--as", "again", "--files", "out", at=other)
    assert again.stdout == "again\n"
    assert (other / "out" / "a.csv").read_text("utf-8") == "n\n3\n"
    assert sorted(record.id for record in list_runs(other).records) == ["abc", "again"]
    shown = here("show", "again", at=other).stdout
    assert shown.startswith("run again on m: done\n")
    assert shown.endswith("three\n")
    wrong = here("import", "../one/abc.swarm", "--as", "../abc", at=other)
    assert isinstance(wrong.exception, ProjectError)
