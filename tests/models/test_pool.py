"""Which models a project's settings make a pool of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from swarm.models.pool import Member, open_pool
from swarm.project.settings import ModelSettings

pytestmark = pytest.mark.anyio


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "script.py"
    path.write_text("def reply(request):\n    return 'yes'\n", encoding="utf-8")
    return f"scripted:{path}"


async def slots(name: str | None, model: ModelSettings, models: Mapping[str, ModelSettings]) -> list[object]:
    """Name, tier and slots of each member of the pool."""
    async with open_pool(name, model, models) as members:
        return [_shown(member) for member in members]


def _shown(member: Member) -> tuple[str, str, int]:
    return member.name, member.tier, member.model.endpoint.slots


async def test_the_model_and_the_tables_are_one_pool_and_a_named_one_is_used_alone(
    script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SWARM_MODEL", raising=False)
    main = ModelSettings(name=script, slots=1)
    tables = {
        "little": ModelSettings(name=script, slots=2, tier="small"),
        "big": ModelSettings(name=script, slots=3, tier="large"),
    }
    little, big = ("little", "small", 2), ("big", "large", 3)

    assert await slots(None, main, {}) == [("", "any", 1)]
    assert await slots(None, main, tables) == [("", "any", 1), little, big]
    assert await slots(None, ModelSettings(), tables) == [little, big]
    assert await slots("big", main, tables) == [big]
    assert await slots(script, ModelSettings(slots=4), tables) == [("", "any", 4)]

    monkeypatch.setenv("SWARM_MODEL", script)
    assert await slots(None, ModelSettings(slots=5), tables) == [("", "any", 5)]
