"""Proves that a recovery may be killed too: each run is killed, and killed again in three resumes in a row."""

from __future__ import annotations

import argparse

from benchmarks.proof import Findings, Proof, prove
from benchmarks.runs import workplace
from benchmarks.trials import findings, many

TRIALS = 200
KILLS = 4
"""The first, and three in the recovery from it."""

PROOF = Proof(
    name="kills_again",
    claim="A run that is killed again and again while it recovers still goes on where it was.",
    bar=f"{TRIALS} runs killed, and killed again in three recoveries in a row, then resumed to the end: 0 recorded turns lost or asked again, 0 non-idempotent effects repeated, 0 wrong final states, all calls in doubt in the ledger, no server left behind",
)


def measure(options: argparse.Namespace) -> Findings:
    """Kills so many runs four times each and resumes them."""
    trials = many(
        workplace(PROOF.name), options.trials, kills=KILLS, seed=options.seed, processes=options.processes
    )
    return findings(trials, TRIALS)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="benchmarks.kills_again", description=__doc__)
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--seed", type=int, default=0, help="number of the first trial")
    parser.add_argument("--processes", type=int, default=2, help="trials at a time")
    options = parser.parse_args()
    prove(PROOF, lambda: measure(options))
