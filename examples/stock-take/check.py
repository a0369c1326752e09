"""Whether the differing articles were found, written to differences.json and named in the answer."""

from __future__ import annotations

import re
from pathlib import Path

from examples.example import Score, check_table, run_checker, truth_of

NAME = "stock-take"


def check(workspace: Path, answer: str, seed: int) -> Score:
    """The table must be the truth; the answer must name each differing article and no decoy."""
    truth = truth_of(NAME, seed)
    named = set(re.findall(r"\bA\d{3}\b", answer))
    return check_table(workspace, truth) + Score(
        right=tuple(f"the answer names {sku}" for sku in truth.answer if sku in named),
        missing=tuple(f"the answer does not name {sku}" for sku in truth.answer if sku not in named),
        wrong=tuple(f"the answer names {sku}: {why}" for sku, why in truth.decoys.items() if sku in named),
    )


if __name__ == "__main__":
    run_checker(NAME, check)
