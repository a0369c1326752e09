"""What a graph did that cannot be undone is not done again: by the next attempt, or in a fork."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from swarm.nouns.events import StepEnded, ToolReturned
from swarm.nouns.limits import Limits
from swarm.nouns.messages import Request
from swarm.nouns.plan import Plan, Step
from swarm.run.run import Run
from swarm.run.swarm import Swarm
from swarm.store.shelf.reader import read_events
from swarm.store.shelf.runs import run_path
from swarm.testing import ScriptedModel

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_servers")]

SENDER = '''"""Sends a letter, and then says what it did."""

from typing import TypedDict

from langgraph.graph import START, StateGraph

TOOLS = ("desk.send",)


class State(TypedDict, total=False):
    brief: str
    sent: str
    result: str


def graph(model, tools):
    async def send(state: State) -> State:
        for who in ("ana", "ana", "ben"):
            sent = await tools[0].ainvoke({"who": who})
        return {"sent": sent}

    async def tell(state: State) -> State:
        return {"result": (await model.ainvoke(f"tell {state['brief']}")).text}

    made = StateGraph(State).add_node("send", send).add_node("tell", tell)
    return made.add_edge(START, "send").add_edge("send", "tell")
'''

DESK = '''"""A desk that letters leave from."""

from pathlib import Path

from swarm import ToolContext, tool


@tool(effect="irreversible")
def send(who: str, context: ToolContext) -> str:
    """Send a letter."""
    with (Path(context.workspace) / "sent.txt").open("a") as sent:
        sent.write(f"{who}\\n")
    return f"sent to {who}"
'''
PLAN = Plan(
    steps=(
        Step(
            id="send",
            agent="sender",
            brief="ana and ben",
            expects={"type": "array", "items": {"type": "string"}},
        ),
    )
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for folder, name, source in (("agents", "sender", SENDER), ("tools", "desk", DESK)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{name}.py").write_text(source, encoding="utf-8")
    return tmp_path


def sent(project: Path) -> list[str]:
    return (project / "sent.txt").read_text(encoding="utf-8").split()


async def test_a_second_attempt_takes_what_the_first_one_sent_for_sent(project: Path) -> None:
    told: list[str] = []

    def script(request: Request) -> str:
        asked = request.messages[-1].content
        if asked.startswith("tell"):
            told.append(asked)
            return "all told"
        # What the first attempt said can't be put into the form; what the second one said can.
        return json.dumps({"result": ["ana", "ben"] if len(told) > 1 else 3})

    async with Swarm.open(
        project, model=ScriptedModel(script), limits=Limits(attempts=2, replans=0)
    ) as swarm:
        started: Run[str] = await swarm.start("Send.", plan=PLAN)
        answer = await started.answer()

    events = read_events(run_path(project, answer.run))
    assert [event.result.status for event in events if isinstance(event, StepEnded)] == ["done"]
    assert len(told) == 2
    assert sent(project) == ["ana", "ana", "ben"]
    returned = [event for event in events if isinstance(event, ToolReturned) and event.tool == "desk.send"]
    assert [event.attempt for event in returned] == [1, 1, 1, 2, 2, 2]


async def test_a_fork_in_the_midst_of_a_graph_sends_nothing_again(project: Path) -> None:
    def script(request: Request) -> str:
        asked = request.messages[-1].content
        return "all told" if asked.startswith("tell") else json.dumps({"result": ["ana", "ben"]})

    limits = Limits(attempts=2, replans=0)
    async with Swarm.open(project, model=ScriptedModel(script), limits=limits) as swarm:
        started: Run[str] = await swarm.start("Send.", plan=PLAN)
        first = await started.answer()
        events = read_events(run_path(project, first.run))
        turn = max(number for number, event in enumerate(events) if isinstance(event, ToolReturned))
        made = await swarm.fork(first.run, at=str(turn + 1))
        forked: Run[str] = await swarm.resume(made.path.stem)
        again = await forked.answer()

    assert again.status == "done"
    assert sent(project) == ["ana", "ana", "ben"]
