"""Putting what a program left in place: all of it or nothing, whatever is cut off and whoever changes something."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.proof import ROOT
from swarm.errors import StoreError, ToolError
from swarm.program.commit import FOLDER, Commit, rename_in_two
from swarm.program.outcome import Left, digest_of

Tree = dict[str, str]


def tree(folder: Path) -> Tree:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8", errors="replace")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def lefts(folder: Path) -> dict[str, Left]:
    """Two files that are replaced, two that are new, one that goes."""
    for name in ("a.txt", "b.txt", "gone.txt"):
        (folder / name).write_text(f"old {name}", encoding="utf-8")
    return {
        "a.txt": Left.of(b"new a", digest_of(folder / "a.txt")),
        "new/deep/n.txt": Left.of(b"new n", ""),
        "gone.txt": Left(before=digest_of(folder / "gone.txt")),
        "b.txt": Left.of(b"new b", digest_of(folder / "b.txt")),
        "m.bin": Left.of(b"\xff\x00", ""),
    }


BEFORE = {"a.txt": "old a.txt", "b.txt": "old b.txt", "gone.txt": "old gone.txt"}


def test_files_are_replaced_made_and_removed_and_nothing_else_is_left(tmp_path: Path) -> None:
    commit = Commit(tmp_path, "key", lefts(tmp_path))
    (tmp_path / "a.txt").chmod(0o640)

    commit.prepare()
    assert tree(tmp_path).items() >= BEFORE.items()
    commit.put()
    commit.put()
    commit.forget()

    assert (tmp_path / "m.bin").read_bytes() == b"\xff\x00"
    (tmp_path / "m.bin").unlink()
    assert tree(tmp_path) == {"a.txt": "new a", "b.txt": "new b", "new/deep/n.txt": "new n"}
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640
    assert not (tmp_path / ".swarm").exists()


def test_a_file_that_changed_since_the_program_ran_stops_it_before_it_begins(tmp_path: Path) -> None:
    commit = Commit(tmp_path, "key", lefts(tmp_path))
    (tmp_path / "b.txt").write_text("theirs", encoding="utf-8")

    with pytest.raises(
        ToolError, match=r"^b\.txt was changed by somebody else since the program ran; nothing of"
    ):
        commit.prepare()

    assert tree(tmp_path) == BEFORE | {"b.txt": "theirs"}


@pytest.mark.parametrize(
    ("name", "text"),
    [("b.txt", "theirs"), ("m.bin", "theirs"), ("gone.txt", "theirs"), ("new/deep/n.txt", "theirs")],
)
def test_a_file_that_changes_in_the_midst_takes_all_back(name: str, text: str, tmp_path: Path) -> None:
    commit = Commit(tmp_path, "key", lefts(tmp_path))
    commit.prepare()
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text, encoding="utf-8")

    with pytest.raises(ToolError, match=f"^{name} .*; nothing of this step was written$"):
        commit.put()
    commit.forget()

    assert tree(tmp_path) == BEFORE | {name: text}
    assert (tmp_path / "new").exists() == name.startswith("new")


def test_a_folder_in_the_place_of_a_file_takes_all_back(tmp_path: Path) -> None:
    commit = Commit(tmp_path, "key", lefts(tmp_path))
    commit.prepare()
    (tmp_path / "m.bin").mkdir()

    with pytest.raises(
        ToolError, match=r"^m\.bin can't be written: Is a directory; nothing of this step was written$"
    ):
        commit.put()
    commit.forget()

    assert tree(tmp_path) == BEFORE


class Cut(Exception):
    """The moment at which it is cut off."""


class Interrupted(Commit):
    """A commit that is cut off after so many renames, or in whose midst somebody writes."""

    def __init__(self, workspace: Path, files: dict[str, Left], at: int, deed: Callable[[], None]) -> None:
        super().__init__(workspace, "key", files)
        self._at, self._deed = at, deed

    def _rename(self, source: Path, target: Path, how: int) -> None:
        self._at -= 1
        if self._at == 0:
            self._deed()
        super()._rename(source, target, how)


def cut() -> None:
    raise Cut


@pytest.mark.parametrize("at", range(1, 6))
def test_a_commit_that_was_cut_off_goes_on_where_it_was(at: int, tmp_path: Path) -> None:
    files = lefts(tmp_path)
    Commit(tmp_path, "key", files).prepare()
    with pytest.raises(Cut):
        Interrupted(tmp_path, files, at, cut).put()

    Commit(tmp_path, "key", files).put()
    Commit(tmp_path, "key", files).forget()

    (tmp_path / "m.bin").unlink()
    assert tree(tmp_path) == {"a.txt": "new a", "b.txt": "new b", "new/deep/n.txt": "new n"}


@pytest.mark.parametrize("at", range(1, 5))
def test_a_commit_that_was_cut_off_is_taken_back_whole_where_a_file_changed_since(
    at: int, tmp_path: Path
) -> None:
    files = lefts(tmp_path)
    Commit(tmp_path, "key", files).prepare()
    with pytest.raises(Cut):
        Interrupted(tmp_path, files, at, cut).put()
    (tmp_path / "m.bin").write_text("theirs", encoding="utf-8")

    with pytest.raises(ToolError, match=r"^m\.bin was changed by somebody else"):
        Commit(tmp_path, "key", files).put()
    Commit(tmp_path, "key", files).forget()

    assert tree(tmp_path) == BEFORE | {"m.bin": "theirs"}


@pytest.mark.parametrize("at", [1, 3, 4])
def test_what_somebody_writes_right_before_the_exchange_comes_back(at: int, tmp_path: Path) -> None:
    files = lefts(tmp_path)
    name = [*files][at - 1]
    Commit(tmp_path, "key", files).prepare()

    def write() -> None:
        (tmp_path / name).write_text("theirs", encoding="utf-8")

    with pytest.raises(
        ToolError, match=f"^{name} was changed by somebody else meanwhile; nothing of this step"
    ):
        Interrupted(tmp_path, files, at, write).put()
    Commit(tmp_path, "key", files).forget()

    assert tree(tmp_path) == BEFORE | {name: "theirs"}


class Unlooked(Commit):
    """A commit that is cut off between an exchange and the look at what came out."""

    def _rename(self, source: Path, target: Path, how: int) -> None:
        target.write_text("theirs", encoding="utf-8")
        super()._rename(source, target, how)
        raise Cut


def test_what_came_out_and_was_not_looked_at_is_put_back_by_the_next(tmp_path: Path) -> None:
    files = lefts(tmp_path)
    Commit(tmp_path, "key", files).prepare()
    with pytest.raises(Cut):
        Unlooked(tmp_path, "key", files).put()

    with pytest.raises(ToolError, match=r"^a\.txt was changed by somebody else meanwhile"):
        Commit(tmp_path, "key", files).put()
    Commit(tmp_path, "key", files).forget()

    assert tree(tmp_path) == BEFORE | {"a.txt": "theirs"}


class InTwo(Commit):
    """On a file system without an exchange; cut off between its acts where it is to be."""

    is_cut = False

    def _rename(self, source: Path, target: Path, how: int) -> None:
        if self.is_cut:
            os.link(target, source.with_name(f"{source.name}.old"))
            source.replace(target)
            raise Cut
        rename_in_two(source, target, how)


def test_without_an_exchange_of_files_it_goes_on_and_is_taken_back_as_well(tmp_path: Path) -> None:
    files = lefts(tmp_path)
    InTwo(tmp_path, "key", files).prepare()
    between = InTwo(tmp_path, "key", files)
    between.is_cut = True
    with pytest.raises(Cut):
        between.put()
    (tmp_path / "m.bin").write_text("theirs", encoding="utf-8")

    with pytest.raises(ToolError, match=r"^m\.bin was changed"):
        InTwo(tmp_path, "key", files).put()
    assert {name: text for name, text in tree(tmp_path).items() if name in BEFORE} == BEFORE
    (tmp_path / "m.bin").unlink()
    InTwo(tmp_path, "key", files).put()
    InTwo(tmp_path, "key", files).forget()

    (tmp_path / "m.bin").unlink()
    assert tree(tmp_path) == {"a.txt": "new a", "b.txt": "new b", "new/deep/n.txt": "new n"}


def test_a_run_that_lost_its_file_puts_nothing_further_in_place(tmp_path: Path) -> None:
    files = lefts(tmp_path)

    def lost() -> None:
        if (tmp_path / "a.txt").read_text(encoding="utf-8") == "new a":
            raise StoreError("the run has another owner")

    commit = Commit(tmp_path, "key", files, lost)
    commit.prepare()
    with pytest.raises(StoreError):
        commit.put()

    assert not (tmp_path / "new").exists()
    Commit(tmp_path, "key", files).put()
    assert (tmp_path / "new/deep/n.txt").is_file()


KILLED = """
import sys, os, signal
from pathlib import Path
from swarm.program.commit import Commit
from tests.program.test_commits import files_of
at = int(sys.argv[2])
class Killed(Commit):
    def _rename(self, source, target, how):
        global at
        at -= 1
        if at == 0: os.kill(os.getpid(), signal.SIGKILL)
        super()._rename(source, target, how)
        if at == 1: pass
workspace = Path(sys.argv[1])
Killed(workspace, "key", files_of(workspace)).put()
"""


def files_of(workspace: Path) -> dict[str, Left]:
    """What ``lefts`` gave for a workspace that is as it was then."""
    return {
        name: Left.model_validate_json(line)
        for name, line in (
            line.split("\t", 1)
            for line in (workspace.parent / "lefts.txt").read_text(encoding="utf-8").splitlines()
        )
    }


@pytest.mark.timeout(120)
def test_a_commit_that_is_killed_at_any_rename_ends_the_same(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    files = lefts(workspace)
    (tmp_path / "lefts.txt").write_text(
        "".join(f"{name}\t{left.model_dump_json()}\n" for name, left in files.items()), encoding="utf-8"
    )
    Commit(workspace, "key", files).prepare()

    for at in (1, 2, 2, 2):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(workspace), str(at)], cwd=ROOT, check=False, timeout=60
        )
        assert done.returncode == -signal.SIGKILL
    Commit(workspace, "key", files).put()
    Commit(workspace, "key", files).forget()

    assert (workspace / "m.bin").read_bytes() == b"\xff\x00"
    (workspace / "m.bin").unlink()
    assert tree(workspace) == {"a.txt": "new a", "b.txt": "new b", "new/deep/n.txt": "new n"}
    assert not (workspace / FOLDER).exists()
