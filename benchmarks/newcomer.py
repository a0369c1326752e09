"""Proves that a newcomer needs two commands: a fresh clone, ``make demo`` and ``make test``."""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.proof import ROOT, Figure, Findings, Proof, prove
from benchmarks.runs import clean_environment, outcome_of

PREFILLED, WRITTEN = 12_000, 2_500
DEMO_SECONDS, TEST_SECONDS = 5_400.0, 1_800.0

PROOF = Proof(
    name="newcomer",
    claim="In a fresh clone `make demo` and `make test` succeed with no other step, and the demo's outcome is right.",
    bar=f"both succeed; the demo prefills ≤ {PREFILLED:,} tokens and writes ≤ {WRITTEN:,}",
)


def measure(options: argparse.Namespace) -> Findings:
    """Clones, runs both commands as a newcomer would, and reads the demo's record."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(ROOT), str(clone)], check=True)
        environment = clean_environment()
        if not options.keep_models:
            environment["SWARM_MODELS"] = str(Path(folder) / "models")
        demo, demo_seconds = _make("demo", clone, environment, DEMO_SECONDS)
        test, test_seconds = _make("test", clone, environment, TEST_SECONDS)
        projects = sorted((clone / ".swarm" / "demo").glob("*"))
        outcome = outcome_of(projects[-1] if projects else clone, "", demo_seconds)
    usage = outcome.usage
    figures: dict[str, Figure] = {
        "make demo": "succeeded" if demo == 0 else f"failed ({demo})",
        "make demo, set-up and model included (s)": round(demo_seconds),
        "demo: model calls": usage.model_calls,
        "demo: tokens prefilled": usage.prefilled_tokens,
        "demo: tokens written": usage.written_tokens,
        "make test": "succeeded" if test == 0 else f"failed ({test})",
        "make test (s)": round(test_seconds),
        "model fetched anew": "no" if options.keep_models else "yes",
    }
    return Findings(figures, _faults(demo, test, usage.prefilled_tokens, usage.written_tokens))


def _make(target: str, clone: Path, environment: dict[str, str], seconds: float) -> tuple[int, float]:
    """The exit status and the seconds of a make target; its output is shown as it comes."""
    began = time.monotonic()
    try:
        done = subprocess.run(["make", target], cwd=clone, env=environment, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return 124, seconds
    return done.returncode, time.monotonic() - began


def _faults(demo: int, test: int, prefilled: int, written: int) -> list[str]:
    faults = [
        f"make {name} ended with {status}" for name, status in (("demo", demo), ("test", test)) if status
    ]
    if not prefilled:
        faults.append("the demo left no record of a finished run")
    if prefilled > PREFILLED:
        faults.append(f"the demo prefilled {prefilled:,} tokens")
    if written > WRITTEN:
        faults.append(f"the demo wrote {written:,} tokens")
    return faults


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="benchmarks.newcomer", description=__doc__)
    parser.add_argument("--keep-models", action="store_true", help="use the models that were fetched before")
    chosen = parser.parse_args()
    prove(PROOF, lambda: measure(chosen))
