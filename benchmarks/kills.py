"""Proves that no kill costs a recorded turn, repeats an effect, or changes the outcome: 1,000 random SIGKILLs."""

from __future__ import annotations

import argparse

from benchmarks.proof import Findings, Proof, prove
from benchmarks.runs import workplace
from benchmarks.trials import findings, many

TRIALS = 1_000

PROOF = Proof(
    name="kills",
    claim="A run that is killed at any moment goes on where it was: no recorded turn is lost or asked again, and no effect is silently repeated.",
    bar=f"{TRIALS} random SIGKILLs over all five effect classes and nested fan-out, each resumed to the end: 0 recorded turns lost or asked again, 0 non-idempotent effects repeated, 0 wrong final states, all calls in doubt in the ledger, no server left behind",
)


def measure(options: argparse.Namespace) -> Findings:
    """Kills so many runs once each and resumes them."""
    trials = many(
        workplace(PROOF.name), options.trials, kills=1, seed=options.seed, processes=options.processes
    )
    return findings(trials, TRIALS)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="benchmarks.kills", description=__doc__)
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--seed", type=int, default=0, help="number of the first trial")
    parser.add_argument("--processes", type=int, default=2, help="trials at a time")
    options = parser.parse_args()
    prove(PROOF, lambda: measure(options))
