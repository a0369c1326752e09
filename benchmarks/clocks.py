"""Proves that no clock and no freeze turns a run: the date set while it works and across a resume, and SIGSTOP.

The date is set by a small library that is compiled with ``cc`` and loaded before this program: every
reading of the date in the process, Python's and SQLite's, is off by what a trial says.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import chain, pairwise
from pathlib import Path
from random import Random

from benchmarks.ground import Ground, ground
from benchmarks.killing import SITTING_SECONDS, Bounds, Sitting, World, waited
from benchmarks.proof import ROOT, Figure, Findings, Proof, prove
from benchmarks.runs import workplace
from benchmarks.trials import to_end
from benchmarks.witness import Witness
from swarm.nouns.events import RunStarted
from swarm.run.tally import tally_of
from swarm.store.file.owner import lease
from swarm.store.shelf.reader import read_events

SHIFTS = {"-1 h": -3_600, "+1 h": 3_600, "-1 year": -31_536_000}
SETTINGS = 20
"""Trials for each shift: half of them set the date across a resume, half while the run works."""
FREEZES = 24
FROZEN_SECONDS = 60.0
PRELOADED = "SWARM_BENCH_CLOCK"

PROOF = Proof(
    name="clocks",
    claim="A run does not depend on the date, and a process that froze while another took its run over does nothing more.",
    bar=f"the date set by -1 h, +1 h and -1 year across a resume and during the work, {SETTINGS} runs each; {FREEZES} runs stopped by SIGSTOP for {FROZEN_SECONDS:g} s, two of three taken over meanwhile: 0 turns repeated or skipped, 0 effects repeated, 0 wrong final states, working time as it was, each frozen owner killed or fenced",
)

Case = tuple[str, int]
"""A kind of trial and its number."""

_set_clock: Callable[[int], None]


@dataclass(frozen=True)
class Trial:
    """What one trial came to."""

    kind: str
    faults: tuple[str, ...]


def settings(at: Ground, trials: int, *, processes: int = 1) -> Iterable[Trial]:
    """So many runs for each shift of the date, as they end."""
    cases = [(shift, number) for shift in SHIFTS for number in range(trials)]
    return at.each(_setting, cases, processes)


def freezes(at: Ground, trials: int, seconds: float) -> Iterable[Trial]:
    """So many runs that are frozen for so long, as they end; all at once, as they mostly wait."""
    kinds = ("left alone", "killed", "fenced")
    cases = [(kind, number) for kind in kinds for number in range(trials // len(kinds))]
    return at.each(partial(_freeze, frozen_seconds=seconds), cases, len(cases)) if cases else ()


def _new_world(at: Ground, case: Case) -> World:
    return at.world("{} {}".format(*case).replace(" ", "_")).make()


def _setting(at: Ground, case: Case) -> Trial:
    """A run whose first sitting is killed, with the date set in the second one or while each works."""
    (kind, number), world, bounds = case, _new_world(at, case), at.bounds
    chance, shift = Random(number), SHIFTS[kind]
    witness, is_across = Witness(world), number % 2 == 0
    first = 0.0 if is_across else chance.uniform(0.0, bounds.seconds)
    began = time.monotonic()
    while True:
        pid = world.fork(partial(_work_with, world, 0 if is_across else shift, first))
        waited(pid, chance.uniform(0.3, 1.0) * bounds.seconds)
        if world.run_file() is not None:
            break
    witness.after_sitting()
    witness.after_kill()
    pid = world.fork(partial(_work_with, world, shift if is_across else -shift, chance.uniform(0.0, 0.2)))
    last = to_end(world, witness, world.ended(waited(pid, SITTING_SECONDS), 0.0))
    witness.after_sitting()
    witness.at_end(last, at.whole)
    world.kill_servers()
    faults = [*witness.faults, *_wrong_times(world, time.monotonic() - began)]
    return Trial(f"the date set by {kind}, {'across a resume' if is_across else 'at work'}", tuple(faults))


def _work_with(world: World, shift: int, after: float) -> None:
    """Works with the date set after a while."""

    def shift_later() -> None:
        time.sleep(after)
        _set_clock(shift)

    if after:
        threading.Thread(target=shift_later, daemon=True).start()
    else:
        before = time.time()
        _set_clock(shift)
        assert abs(time.time() - before - shift) < 1.0, "the date was not set: the library is not loaded"
    world.work()


def _wrong_times(world: World, real_seconds: float) -> list[str]:
    path = world.run_file()
    events = read_events(path) if path else []
    worked = tally_of(events).worked_seconds
    found = [] if 0.0 < worked <= real_seconds else [f"it says it worked for {worked:.1f} s"]
    backwards = sum(
        after.at < before.at for before, after in pairwise(events) if not isinstance(after, RunStarted)
    )
    return [*found, f"{backwards} events lie before the one before them"] if backwards else found


def _freeze(at: Ground, case: Case, *, frozen_seconds: float) -> Trial:
    """A run whose process is stopped at a random moment and wakes much later."""
    (kind, number), world = case, _new_world(at, case)
    witness = Witness(world)
    pid = _frozen(world, Random(f"{kind} {number}"), at.bounds)
    time.sleep(frozen_seconds)
    witness.after_kill()
    if kind == "left alone":
        witness.in_doubt.clear()  # The process lives: its calls in flight are its own.
        os.kill(pid, signal.SIGCONT)
        last = to_end(world, witness, world.ended(waited(pid, SITTING_SECONDS), 0.0))
    else:
        last, kind = _taken_over(kind, pid, world, witness)
    witness.after_sitting()
    witness.at_end(last, at.whole)
    world.kill_servers()
    return Trial(f"frozen and {kind}", tuple(witness.faults))


def _frozen(world: World, chance: Random, bounds: Bounds) -> int:
    """A process that was stopped while it owned its run."""
    while True:
        pid = world.make().fork(world.work)
        time.sleep(chance.uniform(0.3, 1.0) * bounds.seconds)
        os.kill(pid, signal.SIGSTOP)
        os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        path = world.run_file()
        if path is not None and path.with_suffix(".lock").read_text("ascii").strip():
            return pid
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _taken_over(kind: str, pid: int, world: World, witness: Witness) -> tuple[Sitting, str]:
    """Has another process go on with the run of a frozen one, and wakes that."""
    if kind == "fenced":
        _disguise(world)
    code = waited(world.fork(partial(_take, world), "said-taker.txt"), SITTING_SECONDS)
    last = world.ended(code, 0.0) if code == 0 else None
    if kind == "fenced":
        os.kill(pid, signal.SIGCONT)
    ended = waited(pid, SITTING_SECONDS)
    said = (world.folder / "said.txt").read_text(encoding="utf-8")
    if (ended == -signal.SIGKILL) != (kind == "killed") or (
        kind == "fenced" and "took the run over" not in said
    ):
        witness.faults.append(f"the frozen process ended with {ended}, saying {said.strip()[-200:]!r}")
    if last is None:
        # It froze inside of a transaction: SQLite's own lock lasts as long as the process does.
        kind += " while it wrote, and resumed when it had ended"
        last = world.sit()
    return to_end(world, witness, last), kind


def _disguise(world: World) -> None:
    """Names the owner as one that cannot be seen from here, as a process of another container cannot."""
    path = world.run_file()
    assert path is not None
    named = path.with_suffix(".lock")
    owner = json.loads(named.read_text("ascii"))
    named.write_text(json.dumps(owner | {"started": owner["started"] + 1}), "ascii")


def _take(world: World) -> None:
    path = world.run_file()
    assert path is not None
    with lease(path, take_over=True) as held:
        world.work(held=held)


def measure(options: argparse.Namespace) -> Findings:
    """Runs all trials and judges them."""
    done: list[Trial] = []
    with ground(workplace(PROOF.name)) as at:
        for trial in chain(
            settings(at, options.settings, processes=options.processes),
            freezes(at, options.freezes, options.seconds),
        ):
            done.append(trial)
            for fault in trial.faults:
                print(f"  {trial.kind}: {fault}", flush=True)
    kinds = Counter(trial.kind for trial in done)
    figures: dict[str, Figure] = {
        **{f"runs {kind}": number for kind, number in sorted(kinds.items())},
        "runs with a fault": sum(bool(trial.faults) for trial in done),
        "date set by": "a library loaded before the program, compiled with cc",
    }
    faults = [f"{trial.kind}: {trial.faults[0]}" for trial in done if trial.faults]
    if len(done) < SETTINGS * len(SHIFTS) + FREEZES or options.seconds < FROZEN_SECONDS:
        faults.append(f"{len(done)} runs of {options.seconds:g} s each: a part proves less")
    return Findings(figures, faults[:20])


def _loaded() -> None:
    """Starts this program anew with the library loaded before it, unless it is."""
    global _set_clock
    if PRELOADED in os.environ:
        library = ctypes.CDLL(os.environ.pop(PRELOADED))
        library.set_clock.argtypes = [ctypes.c_long]
        _set_clock = library.set_clock
        os.environ.pop("LD_PRELOAD", None)
        return
    with tempfile.TemporaryDirectory(prefix="clock") as folder:
        built = Path(folder) / "set_clock.so"
        source = Path(__file__).parent / "set_clock.c"
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", built, source, "-ldl"], check=True)
        preload = {"LD_PRELOAD": str(built), PRELOADED: str(built)}
        command = [sys.executable, "-m", "benchmarks.clocks", *sys.argv[1:]]
        raise SystemExit(
            subprocess.run(command, cwd=ROOT, env={**os.environ, **preload}, check=False).returncode
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="benchmarks.clocks", description=__doc__)
    parser.add_argument("--settings", type=int, default=SETTINGS, help="runs for each shift of the date")
    parser.add_argument("--freezes", type=int, default=FREEZES)
    parser.add_argument("--seconds", type=float, default=FROZEN_SECONDS, help="how long a run is frozen")
    parser.add_argument("--processes", type=int, default=1, help="runs with another date at a time")
    options = parser.parse_args()
    _loaded()
    prove(PROOF, lambda: measure(options))
