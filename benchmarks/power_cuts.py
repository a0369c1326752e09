"""Proves that what a run acknowledged survives a power cut, whatever of the unsynced writes is lost or torn.

A library is preloaded into the process that works, and logs each write and each sync of the run's
files, under the driver and with the pragmas of production. A cut is any moment of that log: what was
synced by then stands, of the rest anything may be missing, in any sector.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import anyio

from benchmarks.disk_log import Deed, Disk, build, compiler, logged
from benchmarks.proof import Findings, Proof, prove, python
from benchmarks.runs import workplace
from benchmarks.scripts.acknowledged import ACKS, RUN, said, thread_of_item
from swarm.errors import StoreError
from swarm.store.rows.journal import Journal

CUTS = 1_000
PROCESSES = 4
"""That write, each a run of its own; every one ends in another way."""
SEED = 2_026

PROOF = Proof(
    name="power_cuts",
    claim="A reply, a call and a result that were acknowledged survive a power cut.",
    bar=f"{CUTS} cuts with unsynced writes dropped and torn (under the production driver, by a preloaded library): 0 acknowledged commits lost, 0 files that are corrupt or refused",
)


NAMES = (
    "writes logged",
    "syncs logged",
    "cuts",
    "commits acknowledged at the cuts",
    "of them lost",
    "not acknowledged and there all the same",
    "files refused",
)


@dataclass(frozen=True)
class Left:
    """What one cut left."""

    acknowledged: int
    lost: int
    kept: int
    """Turns that were not acknowledged yet and are there."""
    refused: str = ""


def measure(place: Path, *, cuts: int = CUTS, processes: int = PROCESSES, turns: int = 240) -> Findings:
    """Some processes that write, and cuts at random moments of each."""
    if compiler() is None:
        return Findings({}, ["it needs a C compiler (cc) for the library that it preloads"])
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    library = build(place)
    chance = random.Random(SEED)
    figures: Counter[str] = Counter()
    faults: list[str] = []
    for number in range(processes):
        root = place / f"run-{number}"
        root.mkdir()
        command = python("-m", "benchmarks.scripts.acknowledged", str(root), str(turns), str(number))
        deeds = logged(command, root, library, place / "log")
        moments = sorted(chance.randrange(len(deeds)) for _ in range(cuts // processes))
        figures += _figures(deeds)
        for moment, left in _cut(deeds, moments, root, chance):
            figures["cuts"] += 1
            figures["commits acknowledged at the cuts"] += left.acknowledged
            figures["of them lost"] += left.lost
            figures["not acknowledged and there all the same"] += left.kept
            figures["files refused"] += bool(left.refused)
            if left.lost or left.refused:
                faults.append(f"run {number}, cut at {moment}: {left.lost} lost; {left.refused}")
    if cuts < CUTS:
        faults.append(f"{cuts} of {CUTS} cuts: a part proves less")
    return Findings({name: figures[name] for name in NAMES}, faults)


def _figures(deeds: list[Deed]) -> Counter[str]:
    words = {"W": "writes logged", "S": "syncs logged"}
    return Counter(words[deed.what] for deed in deeds if deed.what in words)


def _cut(deeds: list[Deed], moments: list[int], root: Path, chance: random.Random) -> list[tuple[int, Left]]:
    disk, found = Disk(root), list[tuple[int, Left]]()
    acknowledged: list[tuple[int, int]] = []
    for place, deed in enumerate(deeds):
        for _ in range(moments.count(place)):
            left = root.parent / "left"
            shutil.rmtree(left, ignore_errors=True)
            left.mkdir()
            disk.cut(chance, left)
            (left / ACKS).unlink(missing_ok=True)
            found.append((place, asyncio.run(_judged(left / RUN, acknowledged))))
        if Path(deed.path).name == ACKS and deed.what == "W":
            item, turn = deed.data.split()
            acknowledged.append((int(item), int(turn)))
        disk.do(deed)
    return found


async def _judged(path: Path, acknowledged: list[tuple[int, int]]) -> Left:
    """What of the acknowledged turns the run's file tells, opened as a resume opens it."""
    if not acknowledged and not await anyio.Path(path).exists():
        return Left(0, 0, 0)
    try:
        async with Journal.open(path) as journal:
            lost = 0
            for item, turn in acknowledged:
                thread = thread_of_item(item)
                reply = await journal.reply(thread, turn)
                result = await journal.ledger.result((str(thread), turn, 0))
                lost += reply is None or reply.text != said(item, turn) or result is None
            usage = await journal.usage()
            return Left(len(acknowledged), lost, usage.model_calls - len(acknowledged))
    except StoreError as error:
        if not acknowledged:
            return Left(0, 0, 0)
        return Left(len(acknowledged), len(acknowledged), 0, str(error))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="benchmarks.power_cuts", description=__doc__)
    parser.add_argument("--cuts", type=int, default=CUTS)
    options = parser.parse_args()
    prove(PROOF, lambda: measure(workplace(PROOF.name), cuts=options.cuts))
