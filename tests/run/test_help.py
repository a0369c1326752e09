"""What ``help`` tells of the public nouns: what each of their fields means."""

from __future__ import annotations

import io
import pydoc

import pytest

import swarm


@pytest.mark.parametrize(
    ("noun", "words"),
    [
        ("Step", ["needs: tuple[str, ...] - Steps whose results this one reads.", "each: str | None - A step whose"]),
        ("Plan", ["steps: tuple[Step, ...]"]),
        ("Limits", ["tokens: int - Prompt and written tokens over the whole run."]),
        ("Usage", ["cached_tokens: int - Prompt tokens the server took from its prefix cache."]),
        ("AgentCard", ["tools: tuple[str, ...] - Tools it may call:"]),
        ("Result", ["reason: str - Why it is not done; empty when it is."]),
        ("Answer", ["missing: tuple[str, ...] - What the answer lacks", "judged: tuple[str, ...] - Places of"]),
        ("ToolResult", ["text: str - What the model reads."]),
    ],
)  # fmt: skip
def test_help_shows_what_fields_mean(noun: str, words: list[str]) -> None:
    said = io.StringIO()
    pydoc.Helper(output=said).help(getattr(swarm, noun))
    text = " ".join(said.getvalue().replace("|  ", " ").split())
    for part in words:
        assert " ".join(part.replace("|  ", " ").split()) in text.replace(" | | ", " | ")


def test_a_field_has_its_description() -> None:
    assert swarm.Step.model_fields["each"].description is not None
    assert swarm.Step.model_json_schema()["title"] == "Step"
