"""Whether cases.csv holds every case and the answer names those who want a refund."""

from __future__ import annotations

from pathlib import Path

from examples.example import Score, check_table, run_checker, truth_of

NAME = "scripted-workflow"


def check(workspace: Path, answer: str, seed: int) -> Score:
    """The table must be the truth; the answer must name who wants a refund, and nobody of praise."""
    truth = truth_of(NAME, seed)
    return check_table(workspace, truth) + Score(
        right=tuple(f"the answer names {name}" for name in truth.answer if name in answer),
        missing=tuple(f"the answer does not name {name}" for name in truth.answer if name not in answer),
        wrong=tuple(
            f"the answer names {name}: {why}" for name, why in truth.decoys.items() if name in answer
        ),
    )


if __name__ == "__main__":
    run_checker(NAME, check)
