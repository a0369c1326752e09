"""Whether actions.csv holds every open action and the answer says who owes most."""

from __future__ import annotations

import re
from pathlib import Path

from examples.cells import sentences
from examples.example import Score, check_table, run_checker, truth_of

NAME = "meeting-actions"
_CLAUSES = re.compile(r",|;|\bwhile\b|\bbut\b|\bwhereas\b")
_MOST = re.compile(r"\b(?:most|highest|largest|greatest)\b", re.IGNORECASE)


def check(workspace: Path, answer: str, seed: int) -> Score:
    """The table must be the truth; the answer must say who owes most, and nobody else."""
    truth = truth_of(NAME, seed)
    people = sorted({row["owner"] for row in truth.rows})
    return check_table(workspace, truth) + _check_answer(answer, truth.answer[0], people)


def _check_answer(answer: str, wanted: str, people: list[str]) -> Score:
    # Tables list everybody; who owes most is said in the words around them: where a clause speaks of
    # the most, there, else wherever somebody is named.
    words = [sentence for sentence in sentences(answer) if not sentence.startswith("|")]
    clauses = [clause for sentence in words for clause in _CLAUSES.split(sentence)]
    naming = [clause for clause in clauses if any(person in clause for person in people)]
    said = [clause for clause in naming if _MOST.search(clause)] or naming
    named = {person for sentence in said for person in people if person in sentence}
    if named == {wanted}:
        return Score(right=(f"the answer says that {wanted} owes most",))
    if named:
        return Score(wrong=(f"{wanted} owes most, and the answer names {', '.join(sorted(named))}",))
    return Score(missing=(f"the answer does not say that {wanted} owes most",))


if __name__ == "__main__":
    run_checker(NAME, check)
