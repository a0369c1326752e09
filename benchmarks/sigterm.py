"""Proves that SIGTERM ends a run cleanly: at random moments of real runs with real servers, then resumed."""

from __future__ import annotations

import argparse
import os
import select
import signal
import statistics
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from random import Random

from benchmarks.ground import Ground, ground
from benchmarks.killing import SITTING_SECONDS, World, waited
from benchmarks.proof import Figure, Findings, Proof, prove
from benchmarks.runs import workplace
from benchmarks.scripts import errands
from benchmarks.trials import servers_left, to_end
from benchmarks.witness import Witness
from swarm import Run, Swarm
from swarm.cli.follow import follow, run_to_exit
from swarm.cli.interrupts import INTERRUPTED, Interrupts
from swarm.cli.screen import Screen
from swarm.store.reader import read_run

TRIALS = 100
EXIT_SECONDS = 5.0

PROOF = Proof(
    name="sigterm",
    claim="SIGTERM ends a run cleanly: calls in flight end and are recorded, its servers end, and it goes on later where it was.",
    bar=f"{TRIALS} SIGTERMs at random moments of runs with three MCP servers: exit within {EXIT_SECONDS:g} s, {TRIALS} of {TRIALS}, the run stopped and resumable, nothing in doubt, no server left behind, no effect repeated",
)


@dataclass(frozen=True)
class Trial:
    """What one SIGTERM came to."""

    number: int
    seconds: float
    """From the signal to the end of the process."""
    status: str
    """Of the run's record; empty where there was no run yet."""
    in_doubt: int
    faults: tuple[str, ...]


def _trial(at: Ground, number: int) -> Trial:
    """A run that is sent SIGTERM, and resumed to its end."""
    world = at.world(f"{number:04}").make()
    witness = Witness(world)
    took, code = _signalled(world, Random(number).uniform(0.0, at.bounds.seconds))
    path = world.run_file()
    status = read_run(path).status if path else ""
    if (code, status) not in {(INTERRUPTED, "stopped"), (INTERRUPTED, ""), (0, "done")}:
        witness.faults.append(f"it ended with {code}, and the run is {status or 'not there'}")
    if servers_left(world):
        witness.faults.append("it left servers behind")
    witness.after_kill()
    last = to_end(world, witness, world.sit())
    witness.after_sitting()
    witness.at_end(last, at.whole)
    return Trial(number, took, status, len(witness.in_doubt), tuple(witness.faults))


def _signalled(world: World, after: float) -> tuple[float, int]:
    """How long a run's process took to end after SIGTERM, and with what code; it ends by itself if sooner."""
    ready, begun = os.pipe()
    pid = world.fork(partial(_command, world, begun))
    os.close(begun)
    select.select([ready], [], [], SITTING_SECONDS)  # The signals are caught.
    os.close(ready)
    time.sleep(after)
    began = time.monotonic()
    os.kill(pid, signal.SIGTERM)
    code = waited(pid, SITTING_SECONDS)
    return time.monotonic() - began, code


def _command(world: World, begun: int) -> None:
    """Does as ``swarm run`` does."""

    async def work(interrupts: Interrupts) -> int:
        os.close(begun)
        project, screen = world.open(), Screen()
        async with Swarm.open(project, model=world.model()) as swarm:
            run: Run[str] = await swarm.start(errands.TASK, plan=errands.PLAN)
            return await follow(run, screen, interrupts, project)

    raise SystemExit(run_to_exit(work))


def measure(options: argparse.Namespace) -> Findings:
    """Sends the signals and judges what came of each."""
    done: list[Trial] = []
    with ground(workplace(PROOF.name)) as at:
        for trial in at.each(_trial, range(options.trials), options.processes):
            done.append(trial)
            for fault in trial.faults:
                print(f"  trial {trial.number}: {fault}", flush=True)
    seconds = [trial.seconds for trial in done]
    kinds = Counter(trial.status or "nothing was run yet" for trial in done)
    figures: dict[str, Figure] = {
        "SIGTERMs": len(done),
        **{f"runs {kind}": number for kind, number in sorted(kinds.items())},
        "exit after, median s": round(statistics.median(seconds), 3),
        "exit after, longest s": round(max(seconds), 3),
        "calls in doubt": sum(trial.in_doubt for trial in done),
        "runs with a fault": sum(bool(trial.faults) for trial in done),
    }
    faults = [f"trial {trial.number}: {trial.faults[0]}" for trial in done if trial.faults]
    faults += [f"trial {trial.number}: {trial.in_doubt} calls in doubt" for trial in done if trial.in_doubt]
    faults += [
        f"trial {trial.number}: {trial.seconds:.1f} s" for trial in done if trial.seconds > EXIT_SECONDS
    ]
    if len(done) < TRIALS:
        faults.append(f"{len(done)} of {TRIALS} signals were sent: a part proves less")
    return Findings(figures, faults[:20])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="benchmarks.sigterm", description=__doc__)
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--processes", type=int, default=1, help="trials at a time")
    options = parser.parse_args()
    prove(PROOF, lambda: measure(options))
