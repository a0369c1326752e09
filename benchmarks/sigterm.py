"""Proves that SIGTERM ends a run cleanly: at random moments of real runs with real servers, then resumed."""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from random import Random

from benchmarks import runs
from benchmarks.ground import Ground, ground
from benchmarks.killing import SITTING_SECONDS, World
from benchmarks.proof import ROOT, Figure, Findings, Proof, prove, python
from benchmarks.runs import workplace
from benchmarks.scripts import errands
from benchmarks.trials import servers_left, to_end
from benchmarks.witness import Witness
from swarm.cli.interrupts import INTERRUPTED
from swarm.hub.servers.leftovers import FOLDER, end_leftovers
from swarm.store.shelf.reader import read_run

TRIALS = 100
BUSY = 8
EXIT_SECONDS = 5.0
SLOWER = 3.0
"""A run beside so many busy processes takes as many times as long as one alone."""
SCRIPT = """
import os

from benchmarks.scripts import errands
from benchmarks.killing import asked_line, latency_of as latency

LOG = os.open({asked!r}, os.O_WRONLY | os.O_APPEND)


def reply(request):
    os.write(LOG, asked_line(request))
    return errands.reply(request)
"""

PROOF = Proof(
    name="sigterm",
    claim="SIGTERM ends a run cleanly: calls in flight end and are recorded, its servers end, and it goes on later where it was.",
    bar=f"{TRIALS} SIGTERMs to `swarm plan run` with three MCP servers at random moments, beside {BUSY} busy processes: exit within {EXIT_SECONDS:g} s, {TRIALS} of {TRIALS}, the run stopped and resumable, nothing in doubt, no server left behind, no effect repeated",
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


def _trial(at: Ground, number: int, *, beside: int) -> Trial:
    """A run that is sent SIGTERM beside so many busy processes, and resumed to its end alone."""
    world = at.world(f"{number:04}").make()
    witness = Witness(world)
    took, code, said = _signalled(world, Random(number).uniform(0.0, SLOWER * at.bounds.seconds), beside)
    path = world.run_file()
    status = read_run(path).status if path else ""
    if (code, status) not in {(INTERRUPTED, "stopped"), (INTERRUPTED, ""), (0, "done")}:
        witness.faults.append(f"it ended with {code}, the run is {status or 'not there'}: {said[-200:]!r}")
    if end_leftovers(world.project / ".swarm" / FOLDER) or servers_left(world):
        witness.faults.append("it left servers behind")
    witness.after_kill()
    last = to_end(world, witness, world.sit())
    witness.after_sitting()
    witness.at_end(last, at.whole)
    return Trial(number, took, status, len(witness.in_doubt), tuple(witness.faults))


def _signalled(world: World, after: float, beside: int) -> tuple[float, int, str]:
    """How long ``swarm plan run`` took to end after SIGTERM, with what code, and what it said.

    The others are busy from when the run has begun until it has ended.
    """
    (world.project / "plan.json").write_text(errands.PLAN.model_dump_json(), encoding="utf-8")
    (world.folder / "script.py").write_text(SCRIPT.format(asked=str(world.asked)), encoding="utf-8")
    settings = errands.SETTINGS.replace("[servers.post]\n", f"[servers.post]\nargs = ['{world.folder}']\n")
    (world.project / "swarm.toml").write_text(settings, encoding="utf-8")
    model = f"scripted:{world.folder / 'script.py'}"
    with subprocess.Popen(
        runs.swarm("plan", "run", "plan.json", errands.TASK, "--yes", "--json", "--model", model),
        cwd=world.project,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()  # The run has begun.
        with busy(beside):
            time.sleep(after)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=SITTING_SECONDS)
            took = time.monotonic() - began
        return took, process.returncode, said


@contextmanager
def busy(processes: int) -> Generator[None]:
    """That many processes that compute without a pause meanwhile."""
    spinning = [subprocess.Popen(python("-c", "while True: pass")) for _ in range(processes)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def measure(options: argparse.Namespace) -> Findings:
    """Sends the signals and judges what came of each."""
    done: list[Trial] = []
    with ground(workplace(PROOF.name)) as at:
        for trial in at.each(partial(_trial, beside=options.busy), range(options.trials), options.processes):
            done.append(trial)
            for fault in trial.faults:
                print(f"  trial {trial.number}: {fault}", flush=True)
    seconds = [trial.seconds for trial in done]
    kinds = Counter(trial.status or "nothing was run yet" for trial in done)
    figures: dict[str, Figure] = {
        "SIGTERMs": len(done),
        "busy processes beside it": options.busy,
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
    parser.add_argument("--busy", type=int, default=BUSY, help="processes that compute meanwhile")
    parser.add_argument("--processes", type=int, default=1, help="trials at a time")
    options = parser.parse_args()
    prove(PROOF, lambda: measure(options))
