"""Texts that stand where a result should, and texts that only look so."""

from __future__ import annotations

import pytest

from swarm.replies.evasion import declines, evasion
from swarm.testing.double.dialects import DEFLECTIONS, REFUSALS

BRIEF = "List the open complaints of the letters with the shop and since when they are open."
TASK = "Which complaints are still open?"


@pytest.mark.parametrize(
    "text",
    [
        *REFUSALS,
        "I'm sorry, but I can't help with that request.",
        "Sorry, I cannot access the file system.",
        "As an AI language model, I don't read files.",
        "I am unable to provide this information.",
        "Unfortunately I do not have access to the database.",
        "I won't do that.",
        "I don't have a tool for that.",
    ],
)
def test_a_refusal_is_recognised(text: str) -> None:
    assert declines(text)


@pytest.mark.parametrize(
    "text",
    [
        *DEFLECTIONS,
        "I will read the letters and list the complaints.",
        "Sure! Let me check the letters first.",
        "I need to open the file letters/a.txt.",
        "List the open complaints of the letters, with the shop and since when they are open",
        "the open complaints of the letters with the shop and since when they are open.",
    ],
)
def test_putting_off_and_retelling_are_no_result(text: str) -> None:
    assert evasion(text, BRIEF, TASK)


@pytest.mark.parametrize(
    "text",
    [
        "The lift in Ulm is open since 3 May.",
        "I could not find any open complaint in the letters.",
        "None of the complaints is open.",
        "Dear Ms Kern, we are sorry that the lift does not work. I will repair it on Monday.",
        "Kiel cannot open before May, because the staff will not come.",
        "Which complaints are open: the lift of Ulm.",
        "You can open the door with the red key.",
        "The tenants say: I cannot open the window.",
        "I would be happy to come to the fair on 3 May.",
        "As an artificial lake, it is drained every winter.",
    ],
)
def test_a_text_that_answers_is_a_result(text: str) -> None:
    assert evasion(text, BRIEF, TASK) == ""


def test_a_text_that_was_to_be_corrected_does_not_retell_its_task() -> None:
    letter = "Dear Ms Kern, two of the four pumps came in pieces and can not be used, so please send us two others."
    assert (
        evasion(letter.replace("can not", "cannot"), f"Correct the spelling of this letter: {letter}") == ""
    )
