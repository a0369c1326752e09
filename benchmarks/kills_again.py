"""Proves that a recovery may be killed too: each run is killed, and killed again in three resumes in a row."""

from __future__ import annotations

from benchmarks.proof import Proof
from benchmarks.trials import prove_kills

TRIALS = 200
KILLS = 4
"""The first, and three in the recovery from it."""

PROOF = Proof(
    name="kills_again",
    claim="A run that is killed again and again while it recovers still goes on where it was.",
    bar=f"{TRIALS} runs killed, and killed again in three recoveries in a row, then resumed to the end: 0 recorded turns lost or asked again, 0 non-idempotent effects repeated, 0 wrong final states, all calls in doubt in the ledger, no server left behind",
)


if __name__ == "__main__":
    prove_kills(PROOF, TRIALS, kills=KILLS)
