"""What the trials of a proof stand on: one process that has imported all, from which every trial is forked."""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from benchmarks.killing import Bounds, Sitting, World
from benchmarks.nursery import nursery
from benchmarks.witness import made_by, wrong_in

WHOLE_RUNS = 3
"""Runs that nobody kills, to know how long one takes."""

Key = TypeVar("Key")
Outcome = TypeVar("Outcome")


@dataclass(frozen=True)
class Ground:
    """Where trials take place, and what a run comes to that nobody disturbs."""

    place: Path
    socket: Path
    """The nursery of the built-in servers."""
    whole: Sitting
    bounds: Bounds

    def world(self, name: str) -> World:
        """A world of that name; it is not made yet."""
        return World(self.place / name, self.socket)

    def each(
        self, trial: Callable[[Ground, Key], Outcome], keys: Iterable[Key], processes: int
    ) -> Generator[Outcome]:
        """What the trial gives for each key, as they end, so many at a time. Only one thread may run."""
        assert threading.active_count() == 1, "a process that forks has one thread"
        with multiprocessing.get_context("fork").Pool(processes) as pool:
            yield from pool.imap_unordered(partial(trial, self), keys)


@contextmanager
def ground(place: Path, *, whole_runs: int = WHOLE_RUNS) -> Generator[Ground]:
    """A ground for as long as the block lasts; its first run, in this process, imports all."""
    with nursery() as socket:
        world = World(place / "whole", socket).make()
        asyncio.run(world.run(lambda: 0))
        sittings = [world.make().sit() for _ in range(whole_runs)]
        if wrong := [*wrong_in(world), *(sitting.said for sitting in sittings if sitting.status != "done")]:
            raise SystemExit(f"a run that nobody killed is not right: {wrong}")
        seconds = statistics.median(sitting.seconds for sitting in sittings)
        commits = min(sitting.commits for sitting in sittings)
        assert threading.active_count() == 1, "a process that forks has one thread"
        yield Ground(place, socket, sittings[-1], Bounds(seconds, commits, len(made_by(world))))
