"""Many trials of killed runs, some at a time, and what they come to together."""

from __future__ import annotations

import argparse
import shutil
import statistics
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from random import Random

from benchmarks.ground import Ground, ground
from benchmarks.killing import LEFT_SECONDS, Moment, Sitting, World
from benchmarks.proof import Figure, Findings, Proof, prove
from benchmarks.runs import workplace
from benchmarks.witness import Witness


@dataclass(frozen=True)
class Trial:
    """What one killed run came to."""

    number: int
    moments: tuple[Moment, ...]
    """Those it was killed at; fewer than were wanted where it ended first."""
    recorded: int
    in_doubt: int
    happened: int
    """Calls in doubt whose effect had been made."""
    reconciled: int
    said_done: int
    said_repeat: int
    """Questions by what was answered."""
    late: int
    left: int
    """Servers that were still there after the end."""
    faults: tuple[str, ...]
    seconds: float


def many(at: Ground, trials: int, *, kills: int, seed: int = 0, processes: int = 2) -> Iterable[Trial]:
    """So many trials that were killed as often as wanted, numbered from ``seed`` on, as they end."""
    ended, enough = 0, at.place / "enough"
    enough.unlink(missing_ok=True)
    for trial in at.each(partial(_trial, kills=kills), range(seed, seed + 2 * trials), processes):
        if trial is None:
            continue
        yield trial
        ended += len(trial.moments) == kills
        if ended == trials:
            enough.touch()  # those under way come to their end: a kill of ours leaves nothing


def _trial(at: Ground, number: int, *, kills: int) -> Trial | None:
    """One trial; None when there are enough."""
    if (at.place / "enough").exists():
        return None
    began = time.monotonic()
    chance = Random(number)
    world = at.world(f"{number:05}").make()
    witness = Witness(world)
    moments: list[Moment] = []
    last: Sitting | None = None
    for share in (1.0, *(0.5,) * (kills - 1)):
        # Recoveries are killed early: nobody knows how much of the run is left.
        moment = at.bounds.moment(chance, share if not moments else share * 0.5)
        sitting = _sit(world, witness, moment)
        if not sitting.is_killed:
            last = sitting
            break
        moments.append(moment)
        witness.after_sitting()
        witness.after_kill()
    last = last or _sit(world, witness, None)
    witness.after_sitting()
    witness.at_end(last, at.whole)
    left = servers_left(world)
    if not witness.faults and not left:
        shutil.rmtree(world.folder)
    return Trial(
        number,
        tuple(moments),
        witness.recorded,
        len(witness.in_doubt),
        len(witness.happened),
        witness.reconciled,
        witness.said_done,
        witness.said_repeat,
        witness.late,
        left,
        tuple(witness.faults),
        time.monotonic() - began,
    )


def _sit(world: World, witness: Witness, moment: Moment | None) -> Sitting:
    """A sitting, and others after it as long as there are questions and they are answered."""
    return to_end(world, witness, world.sit(moment), moment)


def to_end(world: World, witness: Witness, last: Sitting, moment: Moment | None = None) -> Sitting:
    """The last of a sitting and those after it, as long as there are questions and they are answered."""
    while last.status == "paused" and witness.answer_truly():
        last = world.sit(moment)
    return last


def servers_left(world: World) -> int:
    """How many servers have not ended a while after their run has; they are killed."""
    ends = time.monotonic() + LEFT_SECONDS
    while world.servers() and time.monotonic() < ends:
        time.sleep(0.005)
    left = len(world.servers())
    world.kill_servers()
    return left


def prove_kills(proof: Proof, trials: int, *, kills: int) -> None:
    """The command of a proof: so many runs are killed so often each, and resumed."""
    parser = argparse.ArgumentParser(prog=f"benchmarks.{proof.name}", description=proof.claim)
    parser.add_argument("--trials", type=int, default=trials)
    parser.add_argument("--seed", type=int, default=0, help="number of the first trial")
    parser.add_argument("--processes", type=int, default=2, help="trials at a time")
    options = parser.parse_args()

    def measure() -> Findings:
        with ground(workplace(proof.name)) as at:
            done = many(at, options.trials, kills=kills, seed=options.seed, processes=options.processes)
            return findings(done, trials)

    prove(proof, measure)


def findings(trials: Iterable[Trial], wanted: int) -> Findings:
    """What the trials come to together, against what must hold."""
    done: list[Trial] = []
    for trial in trials:
        done.append(trial)
        for fault in trial.faults[:3]:
            print(f"  trial {trial.number}, killed at {_words(trial.moments)}: {fault}", flush=True)
    moments = [moment for trial in done for moment in trial.moments]
    kinds = Counter(f"{moment.kind} {moment.when}".strip() for moment in moments)
    figures: dict[str, Figure] = {
        "runs": len(done),
        "SIGKILLs": len(moments),
        **{f"kills by {kind}": number for kind, number in sorted(kinds.items())},
        "kills of the process alone": sum(moment.whom == "leader" for moment in moments),
        "kills of its servers at the same time": sum(moment.whom == "all" for moment in moments),
        "turns recorded at the last kill": sum(trial.recorded for trial in done),
        "calls in doubt": sum(trial.in_doubt for trial in done),
        "of these, with their effect made": sum(trial.happened for trial in done),
        "reconciled by reading back": sum(trial.reconciled for trial in done),
        "asked, and answered that it was done": sum(trial.said_done for trial in done),
        "asked, and answered that it was not": sum(trial.said_repeat for trial in done),
        "made again under their key, or read back as not done": sum(
            trial.in_doubt - trial.reconciled - trial.said_done - trial.said_repeat for trial in done
        ),
        "resumes that met a server of the killed process": sum(trial.late for trial in done),
        "servers left behind": sum(trial.left for trial in done),
        "runs with a fault": sum(bool(trial.faults) for trial in done),
        "seconds a trial": round(statistics.mean(trial.seconds for trial in done), 2),
    }
    faults = [f"trial {trial.number}: {fault}" for trial in done for fault in trial.faults[:1]][:20]
    faults += [f"trial {trial.number} left {trial.left} servers behind" for trial in done if trial.left][:5]
    if len(done) < wanted:
        faults.append(f"{len(done)} of {wanted} runs were killed: a part proves less")
    return Findings(figures, faults)


def _words(moments: Iterable[Moment]) -> str:
    return "; ".join(
        f"{moment.kind} {moment.at:.4g} {moment.when} ({moment.whom})".replace("  ", " ")
        for moment in moments
    )
