"""The writer: waiting writes share a transaction, failures stay where they belong or end all writing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection

from swarm.errors import StoreError
from swarm.store.rows import database
from swarm.store.rows.tables import ADD_EVENT, Insert
from swarm.store.rows.writer import Writer

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def writing(path: Path) -> AsyncGenerator[Writer]:
    async with Writer.open(path, partial(database.create, path)) as writer:
        yield writer


def event(seq: int) -> Insert:
    return ADD_EVENT, {"seq": seq, "body": f"event {seq}"}


def sequence(connection: Connection) -> list[int]:
    return list(connection.exec_driver_sql("SELECT seq FROM events ORDER BY seq").scalars())


async def test_writes_that_wait_share_one_transaction(tmp_path: Path) -> None:
    async with writing(tmp_path / "r.db") as writer:
        started, go_on = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def hold(connection: Connection) -> None:
            loop.call_soon_threadsafe(started.set)
            go_on.wait(30)

        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            group.create_task(writer.do(hold))
            await started.wait()
            for seq in range(100):
                group.create_task(writer.write(event(seq)))
            await asyncio.sleep(0)  # each of them runs until it waits
            go_on.set()
        assert writer.transactions == 2
        assert await writer.do(sequence) == list(range(100))


async def test_a_failing_work_undoes_its_own_changes_and_no_others(tmp_path: Path) -> None:
    def fail(connection: Connection) -> None:
        connection.exec_driver_sql("INSERT INTO events VALUES (99, 'lost')")
        raise ValueError("on purpose")

    async with writing(tmp_path / "r.db") as writer:
        failed, *written = await asyncio.gather(
            writer.do(fail), *(writer.write(event(seq)) for seq in range(5)), return_exceptions=True
        )
        assert isinstance(failed, ValueError)
        assert written == [None] * 5
        assert await writer.do(sequence) == [0, 1, 2, 3, 4]


async def test_a_wrong_row_fails_alone(tmp_path: Path) -> None:
    async with writing(tmp_path / "r.db") as writer:
        first, wrong, last = await asyncio.gather(
            writer.write(event(1)),
            writer.write((ADD_EVENT, {"seq": 2})),
            writer.write(event(3)),
            return_exceptions=True,
        )
        assert isinstance(wrong, StoreError)
        assert (first, last) == (None, None)
        assert await writer.do(sequence) == [1, 3]


async def test_a_write_fails_with_a_posted_row_before_it_that_fails_by_itself(tmp_path: Path) -> None:
    async def post_a_wrong_row() -> None:
        async with writing(tmp_path / "r.db") as writer:
            writer.post((ADD_EVENT, {"seq": 1}))
            with pytest.raises(StoreError):
                await writer.write(event(2))
            with pytest.raises(StoreError):
                await writer.write(event(3))

    with pytest.raises(StoreError):
        await post_a_wrong_row()
    async with Writer.open(tmp_path / "r.db", partial(database.open_existing, tmp_path / "r.db")) as writer:
        assert await writer.do(sequence) == [2]


async def test_a_write_stands_when_whoever_waited_for_it_was_cancelled(tmp_path: Path) -> None:
    async with writing(tmp_path / "r.db") as writer:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(writer.write(event(1)))
            await asyncio.sleep(0)  # it has put its row into the queue
            task.cancel()
        assert task.cancelled()
        assert await writer.do(sequence) == [1]


async def test_posted_rows_are_in_the_file_before_any_later_write_and_after_the_end(tmp_path: Path) -> None:
    async with writing(tmp_path / "r.db") as writer:
        writer.post(event(1))
        writer.post(event(2))
        assert await writer.do(sequence) == [1, 2]
        writer.post(event(3))
    async with Writer.open(tmp_path / "r.db", partial(database.open_existing, tmp_path / "r.db")) as writer:
        assert await writer.do(sequence) == [1, 2, 3]


async def test_a_full_disk_fails_the_write_and_each_later_one_with_what_to_do(tmp_path: Path) -> None:
    async def fill_the_disk() -> None:
        async with writing(tmp_path / "r.db") as writer:
            await writer.write(event(0))
            # A file that may not grow gives the error of a full disk.
            await writer.do(lambda connection: connection.exec_driver_sql("PRAGMA max_page_count=1").close())
            with pytest.raises(StoreError, match="the disk is full"):
                await writer.write((ADD_EVENT, {"seq": 1, "body": "x" * 100_000}))
            with pytest.raises(StoreError, match="the disk is full"):
                await writer.write(event(2))
            with pytest.raises(StoreError, match="the disk is full"):
                writer.post(event(3))

    with pytest.raises(StoreError, match="the disk is full; free some space and resume the run"):
        await fill_the_disk()
    async with Writer.open(tmp_path / "r.db", partial(database.open_existing, tmp_path / "r.db")) as writer:
        assert await writer.do(sequence) == [0]
