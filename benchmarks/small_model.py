"""Proves that a 1.5B model does right work: three examples, three seeds each, greedy decoding.

``--examples`` and ``--seeds`` choose; a run that was recorded at the same commit is not repeated
unless ``--fresh`` is given, so a proof that was cut off goes on where it was.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import cast

from benchmarks.proof import Figure, Findings, Proof, commit, last_result, prove, record
from benchmarks.runs import Outcome, fresh_project, run_task, workplace
from examples.example import Score, load, task_of

EXAMPLES = ("sales-audit", "meeting-actions", "stock-take")
SEEDS = (1, 2, 3)
MODEL = "qwen2.5-coder-1.5b-instruct"
RIGHT_RUNS = 7
RUN_SECONDS = 3_600.0

PROOF = Proof(
    name="small_model",
    claim="A 1.5B model on CPU does right work: tasks in a user's words, greedy decoding, each outcome held against a known truth.",
    bar=f"of 9 runs at least {RIGHT_RUNS} entirely right, none wrong without saying so",
)

Row = dict[str, Figure]


def measure(options: argparse.Namespace) -> Findings:
    """Runs what is not recorded yet, and sums up."""
    rows = [] if options.fresh else recorded()
    for example, seed in _left(options, rows):
        rows = [row for row in rows if (row["example"], row["seed"]) != (example, seed)]
        rows.append(one_run(example, seed, options.model))
        print("  " + ", ".join(f"{name} {value}" for name, value in rows[-1].items()), flush=True)
        record(PROOF, summary(rows), cast(float, rows[-1]["wall (s)"]))
    return summary(sorted(rows, key=lambda row: (EXAMPLES.index(str(row["example"])), row["seed"])))


def recorded() -> list[Row]:
    """The runs of the last result that were made at this commit."""
    report = last_result(PROOF.name)
    rows = cast(list[Row], report["details"]) if report else []
    return [row for row in rows if row["commit"] == commit()]


def _left(options: argparse.Namespace, rows: list[Row]) -> Iterator[tuple[str, int]]:
    done = {(row["example"], row["seed"]) for row in rows}
    for example in options.examples:
        for seed in options.seeds:
            if (example, seed) not in done:
                yield example, seed


def one_run(example: str, seed: int, model: str) -> Row:
    """One run of an example, held against its truth."""
    project = fresh_project(example, seed, workplace(PROOF.name) / f"{example}-{seed}")
    outcome = run_task(project, task_of(example), model, RUN_SECONDS)
    score = load(example).check(project / "data", outcome.answer, seed)
    (project / "score.txt").write_text(f"{outcome.answer}\n{outcome.problem}\n{score}\n", encoding="utf-8")
    return {
        "example": example,
        "seed": seed,
        "verdict": verdict(score, outcome),
        "right": len(score.right),
        "missing": len(score.missing),
        "wrong": len(score.wrong),
        "status": outcome.status,
        "model calls": outcome.usage.model_calls,
        "prefilled": outcome.usage.prefilled_tokens,
        "cached": outcome.usage.cached_tokens,
        "written": outcome.usage.written_tokens,
        "wall (s)": round(outcome.seconds, 1),
        "commit": commit(),
    }


def verdict(score: Score, outcome: Outcome) -> str:
    """``right``, ``told`` when it is not and the run says so, ``untold`` when it does not."""
    if score.is_right:
        return "right"
    return "told" if outcome.is_open_about else "untold"


def summary(rows: list[Row]) -> Findings:
    """The figures of the runs so far, against the bar."""
    verdicts = [str(row["verdict"]) for row in rows]
    figures: dict[str, Figure] = {
        "runs": len(rows),
        "entirely right": verdicts.count("right"),
        "not right, and said so": verdicts.count("told"),
        "not right, and not said": verdicts.count("untold"),
        "tokens prefilled, mean": _mean(rows, "prefilled"),
        "tokens written, mean": _mean(rows, "written"),
        "wall, mean (s)": _mean(rows, "wall (s)"),
    }
    planned = len(EXAMPLES) * len(SEEDS)
    faults = [f"{len(rows)} of {planned} runs were made"] if len(rows) < planned else []
    if verdicts.count("right") < RIGHT_RUNS:
        faults.append(f"{verdicts.count('right')} runs are entirely right, and {RIGHT_RUNS} should be")
    faults += [
        f"{row['example']} seed {row['seed']} is wrong and does not say so"
        for row in rows
        if row["verdict"] == "untold"
    ]
    return Findings(figures, faults, [dict(row) for row in rows])


def _mean(rows: list[Row], name: str) -> float:
    return round(sum(cast(float, row[name]) for row in rows) / max(1, len(rows)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.small_model", description=__doc__)
    parser.add_argument("--examples", nargs="+", choices=EXAMPLES, default=EXAMPLES)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--fresh", action="store_true", help="forget what was recorded at this commit")
    return parser.parse_args()


if __name__ == "__main__":
    chosen = _options()
    prove(PROOF, lambda: measure(chosen))
