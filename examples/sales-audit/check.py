"""Whether the wrong totals were found, written to findings.csv and named in the answer."""

from __future__ import annotations

import re
from pathlib import Path

from examples.cells import canonical, sentences
from examples.example import Score, check_table, run_checker, truth_of

NAME = "sales-audit"
_MONTH = re.compile(r"\d{4}-\d{2}|(?:January|February) \d{4}")
_REGION = re.compile(r"\b(?:north|south|west)\b", re.IGNORECASE)
_ALL_CLEAR = re.compile(r"\b(?:right|correct|match\w*|agree\w*|consistent|no difference)\b", re.IGNORECASE)


def check(workspace: Path, answer: str, seed: int) -> Score:
    """The table must be the truth; the answer must name each wrong total and no other."""
    truth = truth_of(NAME, seed)
    return check_table(workspace, truth) + _check_answer(answer, truth.answer)


def _check_answer(answer: str, wanted: tuple[str, ...]) -> Score:
    named = {pair for sentence in sentences(answer) for pair in _pairs(sentence)}
    sole = {pair for sentence in sentences(answer) if _is_blame(sentence) for pair in _pairs(sentence)}
    return Score(
        right=tuple(f"the answer names {pair}" for pair in wanted if pair in named),
        missing=tuple(f"the answer does not name {pair}" for pair in wanted if pair not in named),
        wrong=tuple(f"the answer names {pair}, which is right" for pair in sorted(sole - set(wanted))),
    )


def _pairs(sentence: str) -> set[str]:
    """Every region of a sentence with every month of it."""
    regions = {region.casefold() for region in _REGION.findall(sentence)}
    months = {canonical("month", month) for month in _MONTH.findall(sentence)}
    return {f"{region} {month}" for region in regions for month in months}


def _is_blame(sentence: str) -> bool:
    """Whether a sentence speaks of one report, and not to clear it."""
    return len(_pairs(sentence)) == 1 and not _ALL_CLEAR.search(sentence)


if __name__ == "__main__":
    run_checker(NAME, check)
