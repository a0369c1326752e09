"""Whether actions.csv holds every open action and the answer says who owes most."""

from __future__ import annotations

from pathlib import Path

from examples.cells import sentences
from examples.example import Score, check_table, run_checker, truth_of

NAME = "meeting-actions"


def check(workspace: Path, answer: str, seed: int) -> Score:
    """The table must be the truth; the answer must say who owes most, and nobody else."""
    truth = truth_of(NAME, seed)
    people = sorted({row["owner"] for row in truth.rows})
    return check_table(workspace, truth) + _check_answer(answer, truth.answer[0], people)


def _check_answer(answer: str, wanted: str, people: list[str]) -> Score:
    # Tables list everybody; who owes most is said in the words around them.
    words = [sentence for sentence in sentences(answer) if not sentence.startswith("|")]
    naming = [sentence for sentence in words if any(person in sentence for person in people)]
    said = [sentence for sentence in naming if "most" in sentence.casefold()] or naming
    named = {person for sentence in said for person in people if person in sentence}
    if named == {wanted}:
        return Score(right=(f"the answer says that {wanted} owes most",))
    if named:
        return Score(wrong=(f"{wanted} owes most, and the answer names {', '.join(sorted(named))}",))
    return Score(missing=(f"the answer does not say that {wanted} owes most",))


if __name__ == "__main__":
    run_checker(NAME, check)
