"""Runs that travel as one file: whole, under their own id or another, and nothing that is damaged."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.proof import ROOT, python
from swarm.errors import ProjectError, StoreError
from swarm.nouns.events import Notice, RunEnded
from swarm.nouns.messages import Message, Reply, Request
from swarm.nouns.plan import Thread
from swarm.nouns.result import Result
from swarm.nouns.tool import ToolCall, ToolResult
from swarm.store.rows.journal import Journal
from swarm.store.rows.records import IMPORTED, LedgerEntry, RunRecord
from swarm.store.shelf.archive import (
    answer_files,
    check_id,
    export_run,
    import_files,
    import_run,
    read_manifest,
)
from swarm.store.shelf.reader import read_events, read_run, read_steps, read_text, read_threads

pytestmark = pytest.mark.anyio

THREAD = Thread(run="r", step="notes", item=0)
CALL = ToolCall(tool="files.read", args={"path": "a.md"})


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    (folder / "out").mkdir(parents=True)
    (folder / "out" / "a.csv").write_text("who,what\n", encoding="utf-8")
    return folder


async def fill(journal: Journal) -> str:
    """Says and does a little of everything; gives the handle of a text."""
    question = Request(messages=(Message(role="user", content="Read. " * 2_000),))
    await journal.note_reply(THREAD, 1, "d", Reply(text="x"), question)
    await journal.ledger.leave((str(THREAD), 1, 0), LedgerEntry(call=CALL, effect="irreversible"))
    await journal.ledger.settle((str(THREAD), 1, 0), ToolResult(text="y" * 9_000))
    journal.note_step("notes", Result(text="z"))
    journal.note(RunEnded(status="done", answer="z", files=("out/a.csv",)))
    return await journal.put_text("a text")


async def make_run(path: Path, workspace: Path) -> str:
    record = RunRecord(
        id="r", task="t", project="/p", workspace=str(workspace), model="m", created_at=1.0, status="done"
    )
    async with Journal.open(path, record=record) as journal:
        return await fill(journal)


def altered(file: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Another archive, of changed parts."""
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    other = file.with_suffix(".other")
    with zipfile.ZipFile(other, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return other


async def test_a_run_shows_the_same_where_it_was_imported(tmp_path: Path, workspace: Path) -> None:
    path, file = tmp_path / "here" / "r.db", tmp_path / "r.swarm"
    handle = await make_run(path, workspace)
    manifest = export_run(path, file, answer_files(path))
    assert manifest == read_manifest(file)
    assert (manifest.run, manifest.task, manifest.files) == ("r", "t", ("out/a.csv",))
    there = tmp_path / "there" / "r.db"
    assert await import_run(file, there) == manifest
    assert [each.name for each in sorted(there.parent.iterdir()) if each.suffix != ".lock"] == ["r.db"]
    for read in (read_events, read_steps, read_threads):
        assert read(there) == read(path)
    imported = read_run(path).model_copy(update={"settings": {IMPORTED: True}})
    assert read_run(there) == imported
    assert read_text(there, handle) == "a text"
    assert import_files(file, tmp_path / "files") == ("out/a.csv",)
    assert (tmp_path / "files" / "out" / "a.csv").read_text("utf-8") == "who,what\n"


async def test_a_run_goes_on_under_another_id_with_all_it_had(tmp_path: Path, workspace: Path) -> None:
    file = tmp_path / "r.swarm"
    await make_run(tmp_path / "r.db", workspace)
    export_run(tmp_path / "r.db", file)
    await import_run(file, tmp_path / "other.db")
    thread = THREAD.model_copy(update={"run": "other"})
    async with Journal.open(tmp_path / "other.db") as journal:
        assert journal.run.id == "other"
        assert await journal.reply(thread, 1) == Reply(text="x")
        assert journal.ledger.state((str(thread), 1, 0)) == "done"
        assert await journal.ledger.result((str(thread), 1, 0)) == ToolResult(text="y" * 9_000)
    assert read_run(tmp_path / "r.db").id == "r"


async def test_a_run_at_work_is_exported_as_it_is_recorded_by_then(tmp_path: Path, workspace: Path) -> None:
    path, file = tmp_path / "r.db", tmp_path / "r.swarm"
    await make_run(path, workspace)
    async with Journal.open(path) as journal:
        journal.note(Notice(text="before"))
        await journal.save_run(status="running")
        export_run(path, file)
        journal.note(Notice(text="after"))
        await journal.save_run(status="done")
    await import_run(file, tmp_path / "there" / "r.db")
    told = [event.text for event in read_events(tmp_path / "there" / "r.db") if event.kind == "notice"]
    assert told == ["before"]
    assert read_run(tmp_path / "there" / "r.db").status == "running"


LEFT = """
import os, signal, sys
from pathlib import Path
from swarm.store.shelf import archive
with archive._beside(Path(sys.argv[1])) as folder:
    (folder / "run.db").write_bytes(b"half of it")
    if sys.argv[2] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    print("at work", flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_export_left_is_removed_by_the_next_one_and_nothing_else(
    tmp_path: Path, workspace: Path
) -> None:
    path, target = tmp_path / "r.db", tmp_path / "r.swarm"
    asyncio.run(make_run(path, workspace))
    others = tmp_path / ".swarm-export-notes"
    others.mkdir()
    command = python("-c", LEFT, str(target))
    assert subprocess.run([*command, "killed"], cwd=ROOT, check=False).returncode == -signal.SIGKILL
    with subprocess.Popen(
        [*command, "goes on"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as busy:
        assert busy.stdin
        assert busy.stdout
        assert busy.stdout.readline() == b"at work\n"
        export_run(path, target)
        left = [one for one in tmp_path.glob(".swarm-export-*") if one != others]
        assert [sorted(one.name for one in folder.iterdir()) for folder in left] == [
            ["run.db", "swarm-export.lock"]
        ]
        busy.stdin.close()
    assert list(tmp_path.glob(".swarm-export-*")) == [others]
    assert read_manifest(target).run == "r"


async def test_an_export_that_cannot_be_made_names_the_file_that_was_wanted(
    tmp_path: Path, workspace: Path
) -> None:
    await make_run(tmp_path / "r.db", workspace)
    target = tmp_path / "away" / "r.swarm"
    with pytest.raises(StoreError) as refused:
        export_run(tmp_path / "r.db", target)
    assert str(refused.value) == f"{target}: No such file or directory; nothing was exported"


async def test_what_is_there_already_is_not_written_over(tmp_path: Path, workspace: Path) -> None:
    path, file = tmp_path / "r.db", tmp_path / "r.swarm"
    await make_run(path, workspace)
    export_run(path, file, ["out/a.csv"])
    before = path.read_bytes()
    with pytest.raises(StoreError, match="there is such a run already; give this one another id"):
        await import_run(file, path)
    with pytest.raises(StoreError, match=r"a.csv: there is a file already"):
        import_files(file, workspace)
    with pytest.raises(StoreError, match=r"r.swarm: there is a file already"):
        export_run(path, file)
    assert path.read_bytes() == before


def flip(parts: dict[str, bytes]) -> None:
    data = bytearray(parts["run.db"])
    data[len(data) // 2] ^= 1
    parts["run.db"] = bytes(data)


def lose(parts: dict[str, bytes]) -> None:
    del parts["run.db"]


def lose_manifest(parts: dict[str, bytes]) -> None:
    del parts["manifest.json"]


def renew(parts: dict[str, bytes]) -> None:
    parts["manifest.json"] = json.dumps(json.loads(parts["manifest.json"]) | {"format": 9}).encode()


def mix_up(parts: dict[str, bytes]) -> None:
    parts["manifest.json"] = json.dumps(json.loads(parts["manifest.json"]) | {"run": "s"}).encode()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (flip, "damaged one .run.db is not as it was exported"),
        (lose, "damaged one"),
        (lose_manifest, "damaged one"),
        (renew, "newer version exported it; upgrade sovereign-swarm"),
        (mix_up, "its run is another one than its manifest says"),
    ],
)
async def test_a_damaged_or_newer_archive_is_refused_and_leaves_nothing(
    change: Callable[[dict[str, bytes]], None], why: str, tmp_path: Path, workspace: Path
) -> None:
    await make_run(tmp_path / "r.db", workspace)
    export_run(tmp_path / "r.db", tmp_path / "r.swarm")
    there = tmp_path / "there"
    with pytest.raises(StoreError, match=why):
        await import_run(altered(tmp_path / "r.swarm", change), there / "r.db")
    assert not list(there.glob("*.db"))


async def test_a_cut_or_foreign_file_is_refused(tmp_path: Path, workspace: Path) -> None:
    file = tmp_path / "r.swarm"
    await make_run(tmp_path / "r.db", workspace)
    export_run(tmp_path / "r.db", file)
    file.write_bytes(file.read_bytes()[:-100])
    for wrong, why in ((file, "damaged one"), (tmp_path / "r.db", "no export"), (tmp_path / "x", "no such")):
        with pytest.raises(StoreError, match=why):
            read_manifest(wrong)


async def test_only_files_of_the_workspace_travel(tmp_path: Path, workspace: Path) -> None:
    await make_run(tmp_path / "r.db", workspace)
    for name in ("../secret", "/etc/passwd"):
        with pytest.raises(StoreError, match="only files of the workspace travel"):
            export_run(tmp_path / "r.db", tmp_path / "r.swarm", [name])
    assert not (tmp_path / "r.swarm").exists()
    with pytest.raises(ProjectError, match=r"cannot be called '../x'"):
        check_id("../x")
