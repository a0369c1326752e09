"""What a confined program asks for is refused, and nothing outside changes; the whole is ``benchmarks/sandbox.py``."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.sandbox_ground import ask_all, outside
from swarm.sandbox.confiner import Way
from tests.sandbox.conftest import way_or_skip

pytestmark = pytest.mark.anyio

LEAST = 120
"""Things that are asked for."""


async def test_nothing_outside_is_reached(way: Way, tmp_path: Path) -> None:
    with outside(tmp_path) as there:
        verdicts = await ask_all(way, there, sys.executable)

    assert [verdict for verdict in verdicts if not verdict.is_held] == []
    assert len(verdicts) > LEAST


@pytest.mark.parametrize("abi", [1, 3, 5])
async def test_the_filter_stands_in_for_what_an_older_landlock_lacks(abi: int, tmp_path: Path) -> None:
    way = way_or_skip("landlock")
    if way.abi < abi:
        pytest.skip(f"the kernel has version {way.abi}")

    with outside(tmp_path) as there:
        verdicts = await ask_all(replace(way, abi=abi), there, sys.executable)

    assert [verdict for verdict in verdicts if not verdict.is_held] == []
    assert len(verdicts) > LEAST


async def test_the_ground_tells_what_was_done_to_it(tmp_path: Path) -> None:
    with outside(tmp_path) as there:
        assert there.changes() == []

        there.secret.write_bytes(b"other")
        there.secret.with_name("made").mkdir()
        there.victim.kill()
        there.victim.wait()

        assert there.changes() == ["secret was changed", "made was made outside", "the other process ended"]
