"""Where a run's files are and where it works: links, modes, copies, imports, moved folders and missing logs."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from swarm.errors import ProjectError, RunBusy, StoreError
from swarm.nouns.messages import Message, Reply, Request
from swarm.nouns.plan import Thread
from swarm.store.file.admission import too_full, too_large
from swarm.store.file.owner import lease, owner_of, process
from swarm.store.rows.journal import Journal
from swarm.store.rows.records import RunRecord
from swarm.store.shelf.archive import export_run, import_run, placed_files, read_manifest
from swarm.store.shelf.place import replies_to_act_on, workspace_of
from swarm.store.shelf.reader import read_run
from swarm.store.shelf.runs import find_run, list_runs, note_last, run_path

pytestmark = pytest.mark.anyio


def record_of(project: Path, workspace: Path | None = None) -> RunRecord:
    return RunRecord(
        id="r", task="t", project=str(project), workspace=str(workspace or project), model="m", created_at=1.0
    )


async def make(project: Path, workspace: Path | None = None) -> Path:
    path = run_path(project, "r")
    async with Journal.open(path, record=record_of(project, workspace)) as journal:
        question = Request(messages=(Message(role="user", content="Read."),))
        await journal.note_reply(Thread(run="r", step="a"), 1, "d", Reply(text='{"tool": "pay"}'), question)
    return path


async def test_only_their_user_may_read_a_runs_files(tmp_path: Path) -> None:
    path = run_path(tmp_path, "r")
    async with Journal.open(path, record=record_of(tmp_path)):
        note_last(tmp_path, "r")
        modes = {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}
    assert {"r.db", "r.db-wal", "r.lock", "r.seal", "last"} <= modes.keys()
    assert {folder.stat().st_mode & 0o777 for folder in (path.parent, path.parent.parent)} == {0o700}


@pytest.mark.parametrize("name", ["r.lock", "r.seal", "r.db"])
async def test_a_link_beside_a_run_is_refused_and_what_it_names_stays(name: str, tmp_path: Path) -> None:
    path = await make(tmp_path)
    mine = tmp_path / "mine.txt"
    mine.write_text("mine", encoding="utf-8")
    path.with_name(name).unlink()
    path.with_name(name).symlink_to(mine)
    with pytest.raises(StoreError, match=f"{name}: it is a link"), lease(path):
        pass
    assert mine.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", [".swarm", ".swarm/runs"])
async def test_a_folder_of_runs_that_is_a_link_is_refused(name: str, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "runs").mkdir(parents=True)
    project = tmp_path / "project"
    (project / name).parent.mkdir(parents=True)
    (project / name).symlink_to(elsewhere)
    with pytest.raises(StoreError, match="it is a link, and runs are kept in the project itself"):
        async with Journal.open(run_path(project, "r"), record=record_of(project)):
            pass
    assert not list(elsewhere.rglob("r.*"))


async def test_the_last_run_is_not_noted_through_a_link(tmp_path: Path) -> None:
    path = await make(tmp_path)
    mine = tmp_path / "mine.txt"
    mine.write_text("mine", encoding="utf-8")
    path.with_name("last").symlink_to(mine)
    note_last(tmp_path, "r")
    assert mine.read_text(encoding="utf-8") == "mine"


async def test_pipes_in_the_place_of_small_files_hold_nobody_up(tmp_path: Path) -> None:
    path = await make(tmp_path)
    for name in ("last", "r.lock", "r.seal"):
        path.with_name(name).unlink(missing_ok=True)
        os.mkfifo(path.with_name(name))
    assert owner_of(path) is None
    assert find_run(tmp_path, "last") == path
    assert [record.id for record in list_runs(tmp_path).records] == ["r"]


async def test_a_copy_of_a_run_at_work_is_refused(tmp_path: Path) -> None:
    path = await make(tmp_path)
    lock = path.with_suffix(".lock")
    alive = process(os.getppid())
    lock.write_text(json.dumps(vars(alive)).ljust(256), encoding="ascii")
    with pytest.raises(RunBusy, match=f"a copy of one that process {alive.pid} is working on"), lease(path):
        pass
    lock.write_text(json.dumps(vars(alive) | {"started": 1}).ljust(256), encoding="ascii")
    with lease(path):
        pass


async def test_an_imported_run_works_in_the_project_it_is_in(tmp_path: Path) -> None:
    theirs, here = tmp_path / "theirs", tmp_path / "here"
    for folder in (theirs / "data", here / "data"):
        folder.mkdir(parents=True)
    path = await make(theirs, theirs / "data")
    export_run(path, tmp_path / "r.swarm")
    there = run_path(here, "r")
    await import_run(tmp_path / "r.swarm", there)

    assert workspace_of(read_run(path), theirs) == theirs / "data"
    assert workspace_of(read_run(there), here) == here / "data"
    assert replies_to_act_on(there, read_run(there)) == ('a, turn 1: {"tool": "pay"}',)
    assert replies_to_act_on(path, read_run(path)) == ()


@pytest.mark.parametrize("worked", ["/", "/etc", "{project}/../elsewhere", "{home}"])
async def test_a_run_from_elsewhere_names_no_folder_outside_its_project(worked: str, tmp_path: Path) -> None:
    here = tmp_path / "here"
    (tmp_path / "elsewhere").mkdir()
    here.mkdir()
    place = Path(worked.format(project=tmp_path / "theirs", home=tmp_path))
    for forged in (tmp_path / "theirs", here):
        record = record_of(forged, place).model_copy(update={"settings": {"imported": True}})
        with pytest.raises(ProjectError, match="say where it is to work here: --workspace FOLDER"):
            workspace_of(record, here)


async def test_a_link_out_of_the_project_is_no_place_of_an_import(tmp_path: Path) -> None:
    here, outside = tmp_path / "here", tmp_path / "outside"
    here.mkdir()
    outside.mkdir()
    (here / "data").symlink_to(outside)
    with pytest.raises(ProjectError, match="--workspace FOLDER"):
        workspace_of(record_of(tmp_path / "theirs", tmp_path / "theirs" / "data"), here)


async def test_a_workspace_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="which is gone; name one: --workspace FOLDER"):
        workspace_of(record_of(tmp_path, tmp_path / "gone"), tmp_path)


async def test_a_moved_project_goes_on_in_its_new_place(tmp_path: Path) -> None:
    await make(tmp_path / "old", tmp_path / "old")
    (tmp_path / "old").rename(tmp_path / "new")
    path = run_path(tmp_path / "new", "r")
    assert workspace_of(read_run(path), tmp_path / "new") == tmp_path / "new"
    with pytest.raises(StoreError, match="the run's folder is gone or was moved"):
        too_full(tmp_path / "old" / "runs", 1)
    with pytest.raises(StoreError, match="the run's folder is gone or was moved"):
        too_large(tmp_path / "old" / "r.db", 1)


async def test_a_missing_log_is_told_and_nothing_is_advised_to_be_removed(tmp_path: Path) -> None:
    path = run_path(tmp_path / "whole", "r")
    copy = run_path(tmp_path / "copy", "r")
    copy.parent.mkdir(parents=True)
    async with Journal.open(path, record=record_of(tmp_path)) as journal:
        await journal.save_run(status="paused")
        for name in ("r.db", "r.seal"):
            await asyncio.to_thread(shutil.copy, path.with_name(name), copy.with_name(name))
    with pytest.raises(StoreError) as caught:
        read_run(copy)
    said = str(caught.value)
    assert "r.db-wal" in said
    assert "put " in said
    assert "or remove it" not in said


def archive(path: Path, *names: str) -> Path:
    digests = {"run.db": "0" * 64} | {f"files/{name}": "0" * 64 for name in names}
    manifest = {"format": 1, "schema_version": 4, "run": "r", "task": "t", "digests": digests}
    with zipfile.ZipFile(path, "w") as written:
        written.writestr("manifest.json", json.dumps(manifest))
        for name in digests:
            written.writestr(name, b"x")
    return path


@pytest.mark.parametrize("name", ["a\0b", "a" * 256, "a\nb", "\x1b[2J", "../a", "/a", "a/../../b"])
async def test_an_archives_odd_names_are_refused_before_anything_is_written(
    name: str, tmp_path: Path
) -> None:
    file = archive(tmp_path / "r.swarm", "good", name)
    with (
        pytest.raises(StoreError, match="only files of the workspace travel"),
        placed_files(file, tmp_path / "o"),
    ):
        pass
    assert not (tmp_path / "o").exists()


async def test_files_that_were_placed_go_again_when_the_run_is_not_imported(tmp_path: Path) -> None:
    await make(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.csv").write_text("x\n", encoding="utf-8")
    export_run(run_path(tmp_path, "r"), tmp_path / "r.swarm", ["out/a.csv"])

    async def take_in() -> None:
        with placed_files(tmp_path / "r.swarm", tmp_path / "new") as placed:
            assert (placed.folder / "out" / "a.csv").is_file()
            await import_run(tmp_path / "r.swarm", run_path(tmp_path, "r"))

    with pytest.raises(StoreError, match="there is such a run already"):
        await take_in()
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("packed", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
async def test_parts_that_are_packed_as_we_never_do_are_not_unpacked(packed: int, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "r.swarm", "w", packed) as written:
        written.writestr("manifest.json", b"{}")
    with pytest.raises(StoreError, match="packed in another way"):
        read_manifest(tmp_path / "r.swarm")


async def test_a_manifest_may_have_just_so_many_bytes(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "r.swarm", "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr("manifest.json", b" " * 4_000_001)
    with pytest.raises(StoreError, match="its manifest has more than 4 MB"):
        read_manifest(tmp_path / "r.swarm")
