"""The runs of a project: listed, found by the beginning of an id, owned by one process, read by others."""

from __future__ import annotations

import sys
from pathlib import Path

import anyio
import pytest

from swarm.errors import ProjectError, RunBusy, StoreError
from swarm.nouns.events import Notice
from swarm.nouns.messages import Message, Reply, Request
from swarm.nouns.plan import Thread
from swarm.nouns.result import Result
from swarm.nouns.tool import ToolCall, ToolResult
from swarm.store.file.owner import lease, owner_of
from swarm.store.rows.journal import Journal
from swarm.store.rows.records import CallRecord, LedgerEntry, RunRecord, ThreadRecord, TurnRecord
from swarm.store.shelf.reader import read_events, read_run, read_steps, read_text, read_threads
from swarm.store.shelf.runs import find_run, list_runs, new_run_id, run_path
from tests.store.conftest import program

pytestmark = pytest.mark.anyio

THREAD = Thread(run="r", step="notes", item=0)


def record(id: str = "r", created_at: float = 1.0) -> RunRecord:
    return RunRecord(id=id, task="t", project="/p", workspace="/w", model="m", created_at=created_at)


async def make_run(project: Path, id: str, created_at: float) -> None:
    async with Journal.open(run_path(project, id), record=record(id, created_at)):
        pass


async def elsewhere(code: str, *arguments: Path) -> str:
    """What a program prints that runs in a process of its own."""
    with anyio.fail_after(60):
        done = await anyio.run_process([sys.executable, "-c", code, *map(str, arguments)], check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


WRITE_FOR_EVER = """
import asyncio, itertools, sys
from pathlib import Path
from swarm.nouns.messages import Reply
from swarm.nouns.plan import Thread
from swarm.store.rows.journal import Journal

async def agent(journal, item):
    thread = Thread(run="r", step="notes", item=item)
    for turn in itertools.count():
        if await journal.reply(thread, turn) is None:
            await journal.note_reply(thread, turn, "d", Reply(text=f"{item}/{turn}"))
            await journal.save_run()
            print(item, turn, flush=True)

async def main():
    async with Journal.open(Path(sys.argv[1])) as journal, asyncio.TaskGroup() as group:
        for item in range(20):
            group.create_task(agent(journal, item))

asyncio.run(main())
"""


async def test_a_killed_process_loses_nothing_it_was_told_is_recorded(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    async with Journal.open(path, record=record()):
        pass
    told: list[tuple[int, int]] = []
    for lines in (1, 333):
        with program(WRITE_FOR_EVER, path) as process:
            assert process.stdout is not None
            for _ in range(lines):
                item, turn = process.stdout.readline().split()
                told.append((int(item), int(turn)))
        read = {(thread.thread.item, turn.turn) for thread in read_threads(path) for turn in thread.turns}
        assert read.issuperset(told)
        async with Journal.open(path) as journal:
            for at in told:
                thread = Thread(run="r", step="notes", item=at[0])
                assert await journal.reply(thread, at[1]) == Reply(text=f"{at[0]}/{at[1]}")


OWN = """
import sys
from pathlib import Path
from swarm.store.file.owner import lease
with lease(Path(sys.argv[1])):
    heavy = {"sqlmodel", "sqlalchemy", "langgraph", "pydantic"} & set(sys.modules)
    print(sorted(heavy), flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_refused_with_the_pid_of_the_first_until_that_one_dies(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    assert owner_of(path) is None
    with program(OWN, path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "[]\n"  # nothing heavy is loaded to take a lease
        owner = owner_of(path)
        assert owner is not None
        assert owner.pid == process.pid
        with (
            pytest.raises(RunBusy, match=f"run 'r' is being worked on by process {process.pid} since"),
            lease(path),
        ):
            pass
    assert owner_of(path) is None
    with lease(path) as mine:
        assert owner_of(path) == mine.owner
    assert owner_of(path) is None


def test_an_owner_file_that_is_half_written_names_nobody(tmp_path: Path) -> None:
    (tmp_path / "r.lock").write_text('{"pid": 1', "utf-8")
    assert owner_of(tmp_path / "r.db") is None


READ = """
import sys
from pathlib import Path
from swarm.store.shelf.reader import read_events, read_run, read_steps
path = Path(sys.argv[1])
print(read_run(path).status, [event.text for event in read_events(path)], read_steps(path)["a"].text)
assert not {"sqlmodel", "sqlalchemy", "langgraph"} & set(sys.modules)
"""


async def test_another_process_reads_what_is_committed_while_the_owner_writes(tmp_path: Path) -> None:
    async with Journal.open(tmp_path / "r.db", record=record()) as journal:
        for number in range(3):
            journal.note(Notice(text=f"n{number}"))
            journal.note_step("a", Result(text=f"s{number}"))
            await journal.save_run(status="running")
        assert await elsewhere(READ, tmp_path / "r.db") == "running ['n0', 'n1', 'n2'] s2\n"
        journal.note_step("a", Result(text="later"))
        await journal.save_run(status="running")
        assert read_steps(tmp_path / "r.db") == {"a": Result(text="later")}


async def test_a_reader_finds_each_thread_with_its_turns_calls_and_result(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    call = ToolCall(tool="files.read", args={"path": "a.md"})
    first = (Message(role="system", content="Read." * 1_000), Message(role="user", content="a.md"))
    more = (*first, Message(role="assistant", content="x"), Message(role="user", content="y"))
    async with Journal.open(path, record=record(), clock=lambda: 5.0) as journal:
        await journal.note_reply(THREAD, 1, "a", Reply(text="x"), Request(messages=first))
        journal.ledger.intend((str(THREAD), 1, 0), LedgerEntry(call=call, effect="pure"))
        await journal.ledger.settle((str(THREAD), 1, 0), ToolResult(text="y"))
        await journal.note_reply(THREAD, 2, "b", Reply(text="z"), Request(messages=more))
        await journal.ledger.leave(
            (str(THREAD), 2, 0), LedgerEntry(call=call, effect="irreversible", pin="v1")
        )
        journal.note_result(THREAD, Result(text="z"))
        handle = await journal.put_text("a text")
    assert read_threads(path) == [
        ThreadRecord(
            thread=THREAD,
            turns=(
                TurnRecord(turn=1, at=5.0, kept=0, asked=first, reply=Reply(text="x")),
                TurnRecord(turn=2, at=5.0, kept=2, asked=more[2:], reply=Reply(text="z")),
            ),
            calls=(
                CallRecord(
                    turn=1,
                    index=0,
                    call=call,
                    effect="pure",
                    result=ToolResult(text="y"),
                    intended_at=5.0,
                    ended_at=5.0,
                    state="done",
                ),
                CallRecord(
                    turn=2,
                    index=0,
                    call=call,
                    effect="irreversible",
                    result=None,
                    intended_at=5.0,
                    ended_at=None,
                    state="sent",
                    pin="v1",
                    sent_at=5.0,
                ),
            ),
            result=Result(text="z"),
        )
    ]
    assert read_text(path, handle) == "a text"
    with pytest.raises(StoreError, match="no text has the handle 't-none' in run 'r'"):
        read_text(path, "t-none")


async def test_a_closed_run_is_one_plain_file_that_reading_leaves_alone(tmp_path: Path) -> None:
    await make_run(tmp_path, "r", 1.0)
    path = run_path(tmp_path, "r")
    assert read_run(path) == record()
    assert read_events(path) == []
    assert sorted(file.name for file in path.parent.iterdir()) == ["r.db", "r.lock", "r.seal"]


async def test_a_run_is_found_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    for id in ("abc", "abd", "ab", "x9"):
        await make_run(tmp_path, id, 1.0)
    assert find_run(tmp_path, "x") == run_path(tmp_path, "x9")
    assert find_run(tmp_path, "ab") == run_path(tmp_path, "ab")
    with pytest.raises(ProjectError, match="run 'a' is one of ab, abc, abd; give more letters"):
        find_run(tmp_path, "a")
    with pytest.raises(ProjectError, match=r"no run begins with 'q' .*there are ab, abc, abd, x9"):
        find_run(tmp_path, "q")
    with pytest.raises(ProjectError, match="there is none yet; start one with `swarm run`"):
        find_run(tmp_path / "elsewhere", "q")


async def test_runs_are_listed_newest_first_and_a_broken_one_hides_no_other(tmp_path: Path) -> None:
    await make_run(tmp_path, "old", 1.0)
    await make_run(tmp_path, "new", 2.0)
    run_path(tmp_path, "broken").write_text("nothing of the kind", "utf-8")
    runs = list_runs(tmp_path)
    assert [run.id for run in runs.records] == ["new", "old"]
    [problem] = runs.problems
    assert "broken.db" in problem
    assert "this is not the file of a run" in problem


def test_ids_of_runs_differ_and_stand_in_any_path() -> None:
    ids = {new_run_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(id.isalnum() and id == id.lower() for id in ids)
