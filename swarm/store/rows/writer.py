"""The one writer of a run's file: a thread that groups all writes waiting at the moment.

One transaction, and so one fsync, carries whatever waits: 300 sub-agents share it. The order of the
queue is the order of the commits, so a write that was acknowledged never lacks one put before it.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import anyio
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from swarm.clock.awake import Deadline
from swarm.errors import StoreError
from swarm.store.file import runfile, sums
from swarm.store.file.runfile import Row
from swarm.store.file.seal import Witness
from swarm.store.rows.tables import ADD_BLOB, Insert, Making

DEADLINE_SECONDS = 60.0
"""How long a write may take; only a disk that hangs takes this long."""

GROUP = 2_000
"""Most writes in one transaction, so that no acknowledgement waits for ever."""

LINGER_SECONDS = 0.05
"""How long writes nobody waits for (events) may wait for company; what a live view may lag."""

T = TypeVar("T")
Connect = Callable[[], AbstractContextManager[Connection]]
Check = Callable[[Connection], None]


@dataclass(frozen=True, slots=True)
class _Job:
    rows: tuple[Insert, ...]
    work: Callable[[Connection], object] | None
    future: asyncio.Future[Any] | None


Outcome = tuple[_Job, object]
"""A job and what it gave: a value, or an exception."""


class Writer:
    """Writes to one run's file. Open it with ``Writer.open``; use it from one event loop."""

    def __init__(self, path: Path, connect: Connect) -> None:
        self._path = path
        self._connect = connect
        self._loop = asyncio.get_running_loop()
        self._jobs: queue.SimpleQueue[list[_Job] | None] = queue.SimpleQueue()
        self._posted: list[_Job] = []
        """Writes nobody waits for: handed over with the next one that somebody does, or soon. Each
        handing over wakes the writer's thread, which costs more than the write."""
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._check: Check | None = None
        self._failure = ""
        self.transactions = 0
        """How many transactions were committed."""

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path, connect: Connect) -> AsyncGenerator[Writer]:
        """A writer on the connection that ``connect`` makes (in the writer's thread).

        Raises:
            StoreError: ``connect`` failed, or what was posted last could not be written.
        """
        writer = cls(path, connect)
        thread = threading.Thread(target=writer._run, name=f"swarm writer {path.stem}", daemon=True)
        thread.start()
        try:
            await writer._settled(writer._opened)
            yield writer
        finally:
            writer._hand_over()
            writer._jobs.put(None)
            with anyio.move_on_after(DEADLINE_SECONDS, shield=True):
                await writer._closed
                thread.join()
        if thread.is_alive():
            raise writer._too_slow()
        writer._refuse_after_failure()

    def guard(self, check: Check) -> None:
        """From now on ``check`` runs first in each transaction; a ``StoreError`` of it ends all writing."""
        self._check = check

    async def write(self, *rows: Insert) -> None:
        """Puts rows into the file; they and all that was put before them are durable when it returns.

        Raises:
            StoreError: the file does not take them, or did not take what was posted before them.
        """
        future = self._loop.create_future()
        self._enqueue(_Job(rows, None, future))
        await self._settled(future)
        self._refuse_after_failure()

    def post(self, *rows: Insert) -> None:
        """Puts rows into the file soon: before any later write, and at the latest when it closes.

        Raises:
            StoreError: an earlier write failed.
        """
        self._refuse_after_failure()
        if not self._posted:
            self._loop.call_later(LINGER_SECONDS, self._hand_over)
        self._posted.append(_Job(rows, None, None))
        if len(self._posted) >= GROUP:
            self._hand_over()

    async def do(self, work: Callable[[Connection], T]) -> T:
        """What ``work`` gives, run on the connection inside the next transaction.

        An exception of it undoes its own changes and is raised here; other writes are not touched.

        Raises:
            StoreError: the file failed, now or earlier.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        self._enqueue(_Job((), work, future))
        return await self._settled(future)

    def _enqueue(self, job: _Job) -> None:
        self._refuse_after_failure()
        self._posted.append(job)
        self._hand_over()

    def _hand_over(self) -> None:
        if self._posted:
            self._jobs.put(self._posted)
            self._posted = []

    def _refuse_after_failure(self) -> None:
        if self._failure:
            raise StoreError(self._failure)

    async def _settled(self, future: asyncio.Future[T]) -> T:
        try:
            async with Deadline(DEADLINE_SECONDS):
                return await future
        except TimeoutError as error:
            raise self._too_slow() from error

    def _too_slow(self) -> StoreError:
        return StoreError(
            f"{self._path}: not written within {DEADLINE_SECONDS:.0f} s; check the disk, then resume the run"
        )

    # What follows runs in the writer's thread.

    def _run(self) -> None:
        try:
            with self._connect() as connection, Witness.of(self._path) as self._witness:
                self._basis = sums.basis(driver_of(connection))
                self._tell(self._opened, None)
                self._serve(connection)
        except Exception as error:  # noqa: BLE001 - handed to the opener or the closer, whatever it is
            failure = as_store_error(self._path, error)
            self._failure = self._failure or str(failure)
            self._tell(self._opened, failure)
        finally:
            self._tell(self._closed, None)

    def _serve(self, connection: Connection) -> None:
        is_open = True
        while is_open:
            jobs, is_open = self._collect()
            if jobs:
                self._settle(self._commit(connection, jobs))

    def _collect(self) -> tuple[list[_Job], bool]:
        """All jobs that wait, and whether more may come."""
        jobs: list[_Job] = []
        more = self._jobs.get()
        while more is not None:
            jobs += more
            if len(jobs) >= GROUP:
                return jobs, True
            try:
                more = self._jobs.get_nowait()
            except queue.Empty:
                return jobs, True
        return jobs, False

    def _commit(self, connection: Connection, jobs: list[_Job]) -> list[Outcome]:
        if self._failure:
            return [(job, StoreError(self._failure)) for job in jobs]
        try:
            return self._in_transaction(connection, jobs)
        except Exception as error:  # noqa: BLE001 - a writer that dies would leave all others waiting
            failure = as_store_error(self._path, error)
            self._failure = str(failure)
            return [(job, failure) for job in jobs]

    def _in_transaction(self, connection: Connection, jobs: list[_Job]) -> list[Outcome]:
        """What each job gave. Rows alone are tried at once; where one is wrong, each by itself."""
        if all(job.work is None for job in jobs):
            try:
                with self._transaction(connection):
                    _insert_rows(connection, jobs)
                return [(job, None) for job in jobs]
            except Exception as error:
                if _is_of_file(error):
                    raise
        with self._transaction(connection):
            return _apply(connection, jobs)

    @contextmanager
    def _transaction(self, connection: Connection) -> Generator[None]:
        driver = driver_of(connection)
        driver.execute("BEGIN IMMEDIATE")
        changes = driver.total_changes
        try:
            if self._check is not None:
                self._check(connection)
            yield
            state = sums.advance(driver, self._basis) if driver.total_changes > changes else None
            driver.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # SQLite has rolled back itself when the disk is full
                driver.execute("ROLLBACK")
            raise
        self.transactions += 1
        if state is not None:
            self._witness.tell(state)

    def _settle(self, outcomes: list[Outcome]) -> None:
        awaited = [(job.future, self._told(outcome)) for job, outcome in outcomes if job.future is not None]
        lost = [outcome for job, outcome in outcomes if job.future is None and isinstance(outcome, Exception)]
        if lost and not self._failure:
            # Nobody waits for this row, so its loss is told to whoever writes next.
            self._failure = str(as_store_error(self._path, lost[0]))
        if awaited:
            self._loop.call_soon_threadsafe(_resolve, awaited)

    def _told(self, outcome: object) -> object:
        if isinstance(outcome, DBAPIError | sqlite3.Error):
            return as_store_error(self._path, outcome)
        return outcome

    def _tell(self, future: asyncio.Future[None], outcome: object) -> None:
        self._loop.call_soon_threadsafe(_resolve, [(future, outcome)])


def as_store_error(path: Path, error: BaseException) -> BaseException:
    """The error for a person where the file is at fault; any other error as it is."""
    cause = _cause(error)
    if isinstance(cause, sqlite3.Error):
        raised = runfile.fault(path, cause)
        raised.__cause__ = cause
        return raised
    return error


def driver_of(connection: Connection) -> sqlite3.Connection:
    """The driver's own connection: a hot statement costs a fifth of what it costs through SQLAlchemy."""
    return cast("sqlite3.Connection", connection.connection.driver_connection)


def _cause(error: BaseException) -> BaseException | None:
    return error.orig if isinstance(error, DBAPIError) else error


def _is_of_file(error: BaseException) -> bool:
    """Whether the file, its disk or its owner is at fault: then the whole transaction is lost."""
    return isinstance(error, StoreError) or runfile.is_fault(_cause(error))


def _resolve(outcomes: list[tuple[asyncio.Future[Any], object]]) -> None:
    for future, outcome in outcomes:
        if future.done():
            continue  # whoever waited was cancelled; the write itself stands
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)


def _apply(connection: Connection, jobs: list[_Job]) -> list[Outcome]:
    """The outcome of each job.

    Rows between two works are grouped by statement: statements of one key must give the same in
    either order, as those of ``tables`` do.
    """
    outcomes: list[Outcome] = []
    rows: list[_Job] = []
    for job in jobs:
        if job.work is None:
            rows.append(job)
            continue
        outcomes += _insert(connection, rows)
        rows = []
        outcomes.append((job, _attempt(connection, job.work)))
    return outcomes + _insert(connection, rows)


def _insert(connection: Connection, jobs: list[_Job]) -> list[Outcome]:
    if not jobs:
        return []
    error = _attempt(connection, partial(_insert_rows, jobs=jobs))
    if error is None:
        return [(job, None) for job in jobs]
    if len(jobs) == 1:
        return [(jobs[0], error)]
    # One of them is wrong: each by itself, so that only that one fails.
    return [(job, _attempt(connection, partial(_insert_rows, jobs=[job]))) for job in jobs]


def _insert_rows(connection: Connection, jobs: list[_Job]) -> None:
    # Texts first: a row may be made of one that stands beside it.
    groups: dict[str, list[Row | Making]] = {ADD_BLOB: []}
    driver = driver_of(connection)
    for job in jobs:
        for statement, row in job.rows:
            groups.setdefault(statement, []).append(row)
    for statement, rows in groups.items():
        # One by one: a row may be made of those before it.
        driver.executemany(statement, (row(driver) if callable(row) else row for row in rows))


def _attempt(connection: Connection, work: Callable[[Connection], object]) -> object:
    """What the work gives, or its exception with its changes undone."""
    driver = driver_of(connection)
    driver.execute("SAVEPOINT job")
    try:
        value = work(connection)
    except Exception as error:
        if runfile.is_fault(_cause(error)):
            raise  # the whole transaction is lost
        driver.execute("ROLLBACK TO job")
        driver.execute("RELEASE job")
        return error
    driver.execute("RELEASE job")
    return value
