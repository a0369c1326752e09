"""Proves that no kill costs a recorded turn, repeats an effect, or changes the outcome: 1,000 random SIGKILLs."""

from __future__ import annotations

from benchmarks.proof import Proof
from benchmarks.trials import prove_kills

TRIALS = 1_000

PROOF = Proof(
    name="kills",
    claim="A run that is killed at any moment goes on where it was: no recorded turn is lost or asked again, and no effect is silently repeated.",
    bar=f"{TRIALS} random SIGKILLs over all five effect classes and nested fan-out, each resumed to the end: 0 recorded turns lost or asked again, 0 non-idempotent effects repeated, 0 wrong final states, all calls in doubt in the ledger, no server left behind",
)


if __name__ == "__main__":
    prove_kills(PROOF, TRIALS, kills=1)
