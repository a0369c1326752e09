"""How many readers a candidate may ask for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from swarm.program.calls import FREE_READERS, READERS_A_TEXT, ProgramCalls, Readers
from swarm.program.dialogue import CallRefused

pytestmark = pytest.mark.anyio


class _Counting:
    """Readers of a workspace of two texts, who find nothing."""

    def __init__(self) -> None:
        self.assignment = SimpleNamespace(survey=SimpleNamespace(text_paths=("a.txt", "b.txt")))

    async def rows(self, text: str, columns: list[str]) -> tuple[list[Any], list[str]]:
        return [], []


def calls(*, acts: bool) -> ProgramCalls:
    none = cast(Any, None)
    return ProgramCalls(none, none, none, cast(Readers, _Counting()), acts=acts)


async def test_a_candidate_that_has_each_line_read_is_refused_at_last() -> None:
    most = 2 * READERS_A_TEXT + FREE_READERS
    served = calls(acts=False)

    for number in range(most):
        assert await served.serve({"call": "extract", "text": f"line {number}", "columns": ["a"]}) == []
    with pytest.raises(CallRefused, match=f"over {most} readers for 2 texts"):
        await served.serve({"call": "extract", "text": "one more", "columns": ["a"]})


async def test_a_long_text_counts_by_its_parts() -> None:
    with pytest.raises(CallRefused, match="over"):
        await calls(acts=False).serve({
            "call": "extract",
            "text": "a line of a log\n" * 20_000,
            "columns": ["a"],
        })


async def test_a_program_of_a_person_may_ask_for_any_number() -> None:
    served = calls(acts=True)

    for number in range(60):
        assert await served.serve({"call": "extract", "text": f"line {number}", "columns": ["a"]}) == []
