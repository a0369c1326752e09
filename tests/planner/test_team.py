"""Which roles the planner is told of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from swarm import Swarm
from swarm.nouns.messages import Request
from swarm.testing import ScriptedModel

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_servers")]

TOOL = '''from swarm import tool


@tool(effect="irreversible")
def book(room: str) -> str:
    """Books a room."""
    return room
'''
PLAN = {"steps": [{"id": "book", "agent": "generalist", "brief": "Book the room."}]}


async def team_for(project: Path, task: str) -> str:
    """What the planner reads of the roles."""
    heard: list[str] = []

    def script(request: Request) -> str:
        heard.append(request.messages[0].content)
        return json.dumps(PLAN)

    async with Swarm.open(project, model=ScriptedModel(script)) as swarm:
        plan = await swarm.plan(task)
    assert [step.agent for step in plan.steps] == ["generalist"]
    return heard[0]


async def test_the_planner_is_told_who_alone_has_the_tools_that_a_project_adds(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "rooms.py").write_text(TOOL, encoding="utf-8")

    told = await team_for(tmp_path, "Book the blue room.")
    assert "- generalist: does a whole small task alone; it alone has rooms (Books a room.)" in told


async def test_the_generalist_is_not_named_where_it_has_nothing_that_others_lack(tmp_path: Path) -> None:
    assert "generalist" not in await team_for(tmp_path, "Book the blue room.")
