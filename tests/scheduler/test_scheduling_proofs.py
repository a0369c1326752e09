"""The proofs of the scheduler in a short form: counts and order, no times."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import cache, residency
from benchmarks.scripts import readers
from swarm.testing import ScriptedModel, serving

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]


@pytest.mark.parametrize("slots", [1, 2])
async def test_agents_that_keep_their_slot_have_little_prefilled(slots: int) -> None:
    notes = cache.NOTES[:5]
    kept = cache.Cast(ScriptedModel(readers.reply, slots=slots), readers.USUAL, slots)
    turns = cache.Cast(ScriptedModel(readers.reply, slots=slots), readers.USUAL, len(notes), is_pinned=False)
    started = await cache.run_readers(kept, notes)
    await cache.run_readers(turns, notes)

    spent = cache.spent_on("", kept, slots, 0, started)
    assert spent.ratio <= cache.RATIO
    assert started == list(notes)
    assert cache.spent_on("", turns, slots, 0, started).ratio > 2 * spent.ratio


async def test_a_server_that_holds_one_model_swaps_little_more_than_once_a_level(tmp_path: Path) -> None:
    names = residency.MODELS
    double = ScriptedModel(readers.reply, slots=2, models=names, resident=1)
    async with serving(double, "ollama") as url:
        project = residency.new_project(tmp_path / "project", url, is_told=True)
        await residency.run_plan(project, residency.plan(steps=18, levels=2))
    assert double.residence.swaps <= 2 * len(names)
