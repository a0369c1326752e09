"""Owners that froze: who may take their run, and what they can still do when they wake."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from swarm.errors import RunBusy
from swarm.store.file.owner import SILENT_SECONDS, lease, owner_of
from swarm.store.rows.journal import Journal
from swarm.store.rows.records import RunRecord
from swarm.store.shelf.reader import read_steps
from tests.store.conftest import program

pytestmark = pytest.mark.anyio

WORK = """
import asyncio, sys
from pathlib import Path
from swarm.errors import RunBusy, StoreError
from swarm.nouns.result import Result
from swarm.store.rows.journal import Journal

async def main():
    try:
        async with Journal.open(Path(sys.argv[1])) as journal:
            journal.note_step("first", Result(text="recorded"))
            await journal.save_run(status="running")
            print("at work", flush=True)
            sys.stdin.readline()
            try:
                journal.check_owner()
                print("a call left", flush=True)
            except RunBusy:
                print("no call left", flush=True)
            journal.note_step("second", Result(text="recorded"))
            await journal.save_run(status="running")
    except StoreError as error:
        print(error, flush=True)

asyncio.run(main())
"""

TAKE = """
import sys
from pathlib import Path
from swarm.errors import RunBusy
from swarm.store.file.owner import lease
try:
    with lease(Path(sys.argv[1]), take_over=True):
        print("took it", flush=True)
        sys.stdin.read()
except RunBusy as error:
    print(error, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a run."""
    path = tmp_path / "r.db"
    record = RunRecord(id="r", task="t", project="/p", workspace="/w", model="m", created_at=1.0)

    async def make() -> None:
        async with Journal.open(path, record=record):
            pass

    asyncio.run(make())
    return path


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@contextmanager
def frozen(path: Path, **changes: int) -> Generator[subprocess.Popen[str]]:
    """An owner that works and was stopped long ago; ``changes`` to how it is named."""
    with program(WORK, path) as process:
        assert line_of(process) == "at work"
        process.send_signal(signal.SIGSTOP)
        named = path.with_suffix(".lock")
        owner = json.loads(named.read_text("ascii"))
        owner |= {"beat": owner["beat"] - SILENT_SECONDS - 1} | changes
        named.write_text(json.dumps(owner), "ascii")
        yield process


async def test_an_owner_is_named_with_its_epoch_and_its_last_sign_of_life(path: Path) -> None:
    async with Journal.open(path):
        owner = owner_of(path)
    assert owner is not None
    assert owner.epoch == 2
    assert owner.silent_seconds < SILENT_SECONDS


def test_a_frozen_owner_is_refused_with_what_to_do_and_killed_when_its_run_is_taken(path: Path) -> None:
    with frozen(path) as process:
        with pytest.raises(RunBusy, match="it is frozen; `swarm resume r --take-over`"), lease(path):
            pass
        with lease(path, take_over=True) as mine:
            assert process.wait(timeout=10) == -signal.SIGKILL
            assert owner_of(path) == mine.owner


async def test_an_owner_that_cannot_be_killed_is_fenced_for_good(path: Path) -> None:
    # Seen from another container a process has another id, or there is another one of its id.
    with frozen(path, started=1) as process:
        with lease(path, take_over=True) as mine:
            async with Journal.open(path, held=mine) as journal:
                process.send_signal(signal.SIGCONT)
                assert process.communicate("go on\n", timeout=10)[0] == (
                    "no call left\nanother process took the run over; let that one finish\n"
                )
                await journal.save_run(status="running")
        assert set(read_steps(path)) == {"first"}


def test_a_run_is_never_taken_from_an_owner_that_shows_signs_of_life(path: Path) -> None:
    with program(WORK, path) as process:
        assert line_of(process) == "at work"
        with pytest.raises(RunBusy, match=f"process {process.pid}"), lease(path, take_over=True):
            pass
        assert process.communicate("go on\n", timeout=10)[0] == "a call left\n"


def test_of_several_that_take_a_run_over_one_gets_it(path: Path) -> None:
    with frozen(path), program(TAKE, path) as one, program(TAKE, path) as two, program(TAKE, path) as three:
        with ThreadPoolExecutor() as pool:
            said = sorted(pool.map(line_of, (one, two, three)))
        assert said[-1] == "took it"
        assert all("is being worked on by" in words for words in said[:-1])


def test_work_that_is_stuck_shows_no_sign_of_life_though_its_process_lives(path: Path) -> None:
    with lease(path) as held:
        with held.beating_with() as come_round:
            held.note_epoch(1)
            stuck = owner_of(path)
            held.note_epoch(2)
            assert owner_of(path) == held.owner
            assert stuck is not None
            assert held.owner.beat == stuck.beat
            come_round()
            held.note_epoch(3)
            assert held.owner.beat > stuck.beat
        last = held.owner.beat
        held.note_epoch(4)
        assert held.owner.beat > last
