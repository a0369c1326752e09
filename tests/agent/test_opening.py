"""What an agent has before its first turn: which tools stay where its file lies open already."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from swarm.nouns.limits import Limits
from swarm.nouns.messages import Request
from swarm.nouns.plan import Plan, Step
from swarm.planner.draft import table_schema
from swarm.run.run import Run
from swarm.run.swarm import Swarm
from swarm.testing import ScriptedModel
from tests.conftest import Quick, write_cards

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("files_alone")]


@pytest.mark.parametrize(
    ("tools", "kept"),
    [
        ("files.read", False),
        ("files.read, files.search", False),
        ("files.read, files.write", True),
        ("files", True),
        ("files.read, python", True),
    ],
)
async def test_an_agent_for_each_file_keeps_its_tools_unless_all_they_do_is_read(
    tmp_path: Path, quick: Quick, tools: str, kept: bool
) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        (tmp_path / "in" / f"{name}.md").write_text(f"order {name}: 5 lamps\n", encoding="utf-8")
    write_cards(tmp_path, clerk=tools)
    prompts: list[str] = []

    def pay(order: str) -> str:
        """Pay an order."""
        return f"paid {order}"

    def script(request: Request) -> str:
        prompt = "\n".join(message.content for message in request.messages)
        if "Your step: " in prompt:
            prompts.append(prompt)
        return json.dumps({"result": "It is paid."})

    plan = Plan(steps=(Step(id="pay", agent="clerk", each="in/*.md", brief="Pay {item}."),))
    functions = [pay] if "python" in tools else []
    opening = Swarm.open(
        quick(tmp_path), model=ScriptedModel(script), tools=functions, limits=Limits(attempts=1)
    )
    async with asyncio.timeout(60), opening as swarm:
        run: Run[str] = await swarm.start("Pay all orders.", plan=plan)
        await run.answer()
    assert len(prompts) == 2
    assert all(("Tools:" in prompt) is kept for prompt in prompts)
    assert all("order " in prompt for prompt in prompts)


@pytest.mark.parametrize("id", ["r01", "r-02", "0815", "Ünal"])
async def test_the_item_that_an_agent_is_given_counts_as_read(tmp_path: Path, quick: Quick, id: str) -> None:
    """As do the words of its brief."""
    write_cards(tmp_path, clerk="python", lister="python")

    def look_up(name: str) -> str:
        """Gives the product."""
        return "product: kettle"

    def script(request: Request) -> str:
        prompt = "\n".join(message.content for message in request.messages)
        if "Your step: List" in prompt:
            return json.dumps({"result": [id]})
        if "It has been worked on" in prompt:
            return json.dumps({"result": "It is a kettle."})
        if "python.look_up gave:" not in prompt:
            return json.dumps({"tool": "python.look_up", "args": {"name": id}})
        return json.dumps({"result": [{"id": id, "product": "kettle", "source": "warehouse"}]})

    plan = Plan(
        steps=(
            Step(
                id="names",
                agent="lister",
                brief="List the names.",
                expects={"type": "array", "items": {"type": "string"}},
            ),
            Step(
                id="facts",
                agent="clerk",
                each="names",
                brief="Look up {item}; its source is the warehouse.",
                expects=table_schema(["id:text", "product:text", "source:text"]),
            ),
        )
    )
    opening = Swarm.open(quick(tmp_path), model=ScriptedModel(script), tools=[look_up])
    async with asyncio.timeout(60), opening as swarm:
        run: Run[str] = await swarm.start("What are they?", plan=plan)
        answer = await run.answer()
    assert answer.status == "done", answer.text
