"""Lists of tools that others published: the short form of ``benchmarks/tool_lists.py``."""

from __future__ import annotations

import pytest

from benchmarks.tool_lists import Published, judged, published

EVERY = 25
TOOLS = list(published())[::EVERY]


@pytest.mark.parametrize("one", TOOLS, ids=lambda one: one.place)
def test_a_published_tool_can_be_offered_and_called(one: Published) -> None:
    result = judged(one)

    assert (result.reason, result.refused, result.let_through, result.said) == ("", (), (), "")
    assert result.calls
