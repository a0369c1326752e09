"""Proves that one run has one owner: processes that resume it at the same moment, of which one goes on."""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from benchmarks.ground import Ground, ground
from benchmarks.killing import SITTING_SECONDS, World, waited
from benchmarks.proof import Figure, Findings, Proof, prove
from benchmarks.runs import workplace
from benchmarks.trials import to_end
from benchmarks.witness import Witness
from swarm.errors import RunBusy
from swarm.store.file.admission import admit
from swarm.store.file.owner import lease

RACES = 200
RACERS = (2, 8)
REFUSED_SECONDS = 1.0
REFUSED = 75

PROOF = Proof(
    name="races",
    claim="A run has one owner: of processes that resume it at the same moment one goes on, and the others are refused at once.",
    bar=f"{RACES} races of {RACERS[0]} to {RACERS[1]} processes on a killed run: exactly one goes on, the others end within {REFUSED_SECONDS:g} s of opening the store, 0 effects repeated, 0 wrong final states",
)


@dataclass(frozen=True)
class Race:
    """What one race came to."""

    number: int
    racers: int
    refused: tuple[float, ...]
    """Seconds that each took which was refused."""
    faults: tuple[str, ...]


def many(at: Ground, races: int, *, processes: int = 1) -> Iterable[Race]:
    """So many races, as they end."""
    return at.each(_race, range(races), processes)


def _race(at: Ground, number: int) -> Race:
    """A run is killed, and then resumed by several processes at once."""
    chance = Random(number)
    world = at.world(f"{number:04}")
    while world.make().sit(at.bounds.moment(chance, 0.8)).is_killed is False or world.run_file() is None:
        pass  # It ended before it was killed, or was killed before there was a run.
    (world.folder / "moment.json").unlink(missing_ok=True)  # Nobody is to be killed any more.
    witness = Witness(world)
    witness.after_kill()
    racers = chance.randint(*RACERS)
    codes = _resume(world, racers)
    witness.after_sitting()
    winners = [code for code in codes if code != REFUSED]
    if len(winners) == 1:
        witness.at_end(to_end(world, witness, world.ended(winners[0], 0.0)), at.whole)
    else:
        witness.faults.append(f"{len(winners)} of {racers} went on")
    world.kill_servers()
    refused = tuple(float(path.read_text("ascii")) for path in world.folder.glob("refused-*"))
    return Race(number, racers, refused, tuple(witness.faults))


def _resume(world: World, racers: int) -> list[int]:
    """The exit codes of processes that resume a run at the same moment."""
    start, go = os.pipe()
    enough = world.folder / "enough"
    pids = [
        world.fork(partial(_racer, world, number, start, go, enough), f"said-{number}.txt")
        for number in range(racers)
    ]
    os.close(start)
    os.close(go)
    left, codes = set(pids), dict.fromkeys(pids, 0)
    ends = time.monotonic() + SITTING_SECONDS
    while left and time.monotonic() < ends:
        for pid in tuple(left):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                left.discard(pid)
                codes[pid] = os.waitstatus_to_exitcode(status)
        # The one that goes on has not ended before the others have tried.
        if len(left) == 1:
            enough.touch()
        time.sleep(0.002)
    return [codes[pid] for pid in pids if pid not in left or waited(pid, 0.0)]


def _racer(world: World, number: int, start: int, go: int, enough: Path) -> None:
    """Resumes the run as ``swarm resume`` does, once all are there."""
    os.close(go)
    os.read(start, 1)  # Ends when the last one has closed the other end.
    path = world.run_file()
    assert path is not None
    began = time.monotonic()
    try:
        with lease(path) as held:
            admit(path)
            while not enough.exists():
                time.sleep(0.002)
            world.work(held=held)
    except RunBusy:
        (world.folder / f"refused-{number}").write_text(f"{time.monotonic() - began:.4f}", "ascii")
        raise SystemExit(REFUSED) from None


def measure(options: argparse.Namespace) -> Findings:
    """Runs the races and judges them."""
    done: list[Race] = []
    with ground(workplace(PROOF.name)) as at:
        for race in many(at, options.races, processes=options.processes):
            done.append(race)
            for fault in race.faults:
                print(f"  race {race.number} of {race.racers}: {fault}", flush=True)
    seconds = [took for race in done for took in race.refused]
    slow = [race for race in done if any(took > REFUSED_SECONDS for took in race.refused)]
    figures: dict[str, Figure] = {
        "races": len(done),
        "processes": sum(race.racers for race in done),
        "refused": len(seconds),
        "refused after, median s": round(statistics.median(seconds), 3),
        "refused after, longest s": round(max(seconds), 3),
        "races with a fault": sum(bool(race.faults) for race in done),
    }
    faults = [f"race {race.number}: {race.faults[0]}" for race in done if race.faults]
    faults += [f"race {race.number}: one was refused after {max(race.refused):.1f} s" for race in slow]
    if len(done) < RACES:
        faults.append(f"{len(done)} of {RACES} races were run: a part proves less")
    return Findings(figures, faults[:20])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="benchmarks.races", description=__doc__)
    parser.add_argument("--races", type=int, default=RACES)
    parser.add_argument("--processes", type=int, default=1, help="races at a time")
    options = parser.parse_args()
    prove(PROOF, lambda: measure(options))
