"""Proves that a kill in the midst of candidates, their vote or the commit costs nothing and leaves nothing half done."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sqlite3
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from random import Random

from benchmarks.killing import Bounds, Moment, Sitting, World, latency_of
from benchmarks.proof import Figure, Findings, Proof, prove
from benchmarks.runs import workplace
from benchmarks.scripts import programs
from swarm import Run, Swarm
from swarm.nouns.messages import Request
from swarm.project.project import Project, open_project
from swarm.store.file.owner import Ownership
from swarm.testing import Script, ScriptedModel

TRIALS = 200
CHANGED_SHARE = 0.3
"""Of the trials, those in which somebody writes into the workspace after the kill."""
THEIRS = "theirs\n"

PROOF = Proof(
    name="program_kills",
    claim="A step that programs do, killed at any moment, ends as if nobody had killed it: no recorded reply is asked "
    "again, no half of its files is put in place, and nobody's change to the workspace is lost.",
    bar=f"{TRIALS} SIGKILLs at random moments and commits of candidates, votes and the commit of files, each resumed to "
    "the end: 0 recorded replies asked again, 0 files missing, half written or too many, 0 lost changes of somebody "
    "who wrote meanwhile",
)


class ProgramWorld(World):
    """A folder with a project whose steps are done by programs."""

    def make(self) -> ProgramWorld:
        """The same, new and with nothing done yet."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for folder in ("pids", "project/agents", "project/tools", "project/desk"):
            (self.folder / folder).mkdir(parents=True)
        (self.project / "agents" / "programmer.md").write_text(programs.CARD, encoding="utf-8")
        (self.project / "tools" / "desk.py").write_text(programs.DESK, encoding="utf-8")
        (self.project / "swarm.toml").write_text(programs.SETTINGS, encoding="utf-8")
        programs.write_workspace(self.data)
        self.asked.touch()
        return self

    def open(self) -> Project:
        """The project, which starts no server."""
        return open_project(self.project)

    def model(self) -> ScriptedModel:
        """A model that writes programs and reads for them, and writes down what it is asked."""
        log = os.open(self.asked, os.O_WRONLY | os.O_APPEND)

        def reply(request: Request) -> str:
            os.write(log, f"{request.digest()}\n".encode())
            return programs.reply(request)

        return ScriptedModel(Script(reply, latency_of), slots=3)

    async def run(self, commits: Callable[[], int], held: Ownership | None = None) -> None:
        """Works in this process until the run ends, and leaves its outcome as a file."""
        async with Swarm.open(self.open(), model=self.model()) as swarm:
            run: Run[str] = await (
                swarm.resume(held=held) if self.run_file() else swarm.start(programs.TASK, plan=programs.PLAN)
            )
            answer = await run.answer()
        self.leave(answer, commits())

    def recorded(self) -> Counter[str]:
        """The replies that the run's file holds, by the digests of their questions."""
        path = self.run_file()
        if path is None:
            return Counter()
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return Counter(digest for (digest,) in connection.execute("SELECT digest FROM replies"))

    def asked_so_far(self) -> Counter[str]:
        """How often each question was asked."""
        return Counter(self.asked.read_text(encoding="utf-8").split())

    def files(self) -> dict[str, str]:
        """What lies in the workspace."""
        return {
            path.relative_to(self.data).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(self.data.rglob("*"))
            if path.is_file()
        }


@dataclass(frozen=True)
class Killed:
    """What one killed run came to."""

    number: int
    moment: Moment | None
    """None where it had ended before."""
    was_committing: bool
    is_changed: bool
    """Whether somebody wrote into the workspace after the kill."""
    faults: tuple[str, ...]
    seconds: float


def killed(place: Path, bounds: Bounds, number: int) -> Killed:
    """One run that is killed at a random moment and resumed to its end."""
    began, chance = time.monotonic(), Random(number)
    world = ProgramWorld(place / f"{number:05}", place).make()
    moment = bounds.moment(chance)
    first = world.sit(moment)
    faults: list[str] = []
    was_committing = (world.data / ".swarm" / "commits").exists()
    is_changed = first.is_killed and chance.random() < CHANGED_SHARE
    if is_changed:
        with (world.data / "list.txt").open("a", encoding="utf-8") as file:
            file.write(THEIRS)
    recorded, asked = world.recorded(), world.asked_so_far()
    last = world.sit() if first.is_killed else first
    again = world.asked_so_far() - asked
    if repeated := [digest for digest in again if digest in recorded]:
        faults.append(f"{len(repeated)} recorded replies were asked again")
    faults += wrong_in(world, last, is_changed=is_changed)
    if not faults:
        shutil.rmtree(world.folder)
    return Killed(
        number,
        moment if first.is_killed else None,
        was_committing,
        is_changed,
        tuple(faults),
        time.monotonic() - began,
    )


def wrong_in(world: ProgramWorld, last: Sitting, *, is_changed: bool) -> list[str]:
    """What is not as it must be at the end of a run."""
    found: list[str] = []
    if last.status != "done" or not last.answer.startswith(programs.ANSWER):
        found.append(f"it ended {last.status or last.said!r} with {last.answer[:80]!r} {last.missing}")
    files, wanted = world.files(), programs.files_at_end()
    lines = files.pop("list.txt", "").splitlines(keepends=True)
    due = sorted([*wanted.pop("list.txt").splitlines(keepends=True), *([THEIRS] if is_changed else [])])
    if sorted(lines) != due:
        found.append(f"list.txt has {lines}")
    if files != wanted:
        odd = {name for name in files.keys() | wanted.keys() if files.get(name) != wanted.get(name)}
        found.append(f"these files are not as they must be: {sorted(odd)}")
    note = world.project / "desk" / "total.txt"
    if not note.is_file() or note.read_text(encoding="utf-8") not in ("19", "19.0"):
        found.append("the note is not on the desk")
    return found


def many(place: Path, trials: int, *, seed: int = 0, processes: int = 2) -> Iterable[Killed]:
    """So many runs that were killed, as they end. Only one thread may run."""
    world = ProgramWorld(place / "whole", place).make()
    asyncio.run(
        world.run(lambda: 0)
    )  # in this process, which has imported all when others are forked from it
    whole = world.make().sit()
    if wrong := wrong_in(world, whole, is_changed=False):
        raise SystemExit(f"a run that nobody killed is not right: {wrong}")
    bounds = Bounds(whole.seconds, whole.commits, 0)
    done = 0
    with get_context("fork").Pool(processes) as pool:
        for one in pool.imap_unordered(partial(_killed, place, bounds), range(seed, seed + 3 * trials)):
            yield one
            done += one.moment is not None
            if done == trials:
                return


def _killed(place: Path, bounds: Bounds, number: int) -> Killed:
    return killed(place, bounds, number)


def main() -> None:
    """The command of the proof."""
    parser = argparse.ArgumentParser(prog="benchmarks.program_kills", description=PROOF.claim)
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--seed", type=int, default=0, help="number of the first trial")
    parser.add_argument("--processes", type=int, default=2, help="trials at a time")
    options = parser.parse_args()

    def measure() -> Findings:
        found: list[Killed] = []
        for one in many(
            workplace(PROOF.name), options.trials, seed=options.seed, processes=options.processes
        ):
            found.append(one)
            for fault in one.faults:
                print(f"  trial {one.number}, killed at {one.moment}: {fault}", flush=True)
        kills = [one for one in found if one.moment is not None]
        figures: dict[str, Figure] = {
            "SIGKILLs": len(kills),
            "kills in the midst of a commit of files": sum(one.was_committing for one in kills),
            "workspaces that somebody changed meanwhile": sum(one.is_changed for one in kills),
            "runs with a fault": sum(bool(one.faults) for one in found),
            "seconds a trial": round(statistics.mean(one.seconds for one in found), 2),
        }
        faults = [f"trial {one.number}: {fault}" for one in found for fault in one.faults[:1]][:20]
        if len(kills) < TRIALS:
            faults.append(f"{len(kills)} of {TRIALS} runs were killed: a part proves less")
        return Findings(figures, faults)

    prove(PROOF, measure)


if __name__ == "__main__":
    main()
