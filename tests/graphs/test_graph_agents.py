"""LangGraph graphs as agents: their model, tools and checkpoints are the run's, and a kill costs none of it twice."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from swarm.errors import ProjectError
from swarm.nouns.events import StepEnded
from swarm.nouns.limits import Limits
from swarm.nouns.messages import Request
from swarm.nouns.plan import Plan, Step
from swarm.nouns.result import Result
from swarm.project.project import open_project
from swarm.run.answer import Answer
from swarm.run.run import Run
from swarm.run.swarm import Swarm
from swarm.store.shelf.reader import read_events
from swarm.store.shelf.runs import run_path
from swarm.testing import ScriptedModel

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_servers")]

ONCE = Limits(attempts=1, replans=0)
COUNT = json.dumps({"tool": "text.count", "args": {"pattern": "tea", "text": "tea and tea"}})

DOCUMENTED = '''"""Counts words in texts."""

from langchain.agents import create_agent

TOOLS = ("text.count",)


def double(number: int) -> int:
    """Twice a number."""
    return 2 * number


def graph(model, tools):
    return create_agent(model, [*tools, double], system_prompt="Count with the tools.")
'''

BY_HAND = '''"""Asks again and again, and sums up in a graph of its own."""

from typing import Annotated, TypedDict
from operator import add

from langgraph.graph import END, START, StateGraph


class State(TypedDict, total=False):
    brief: str
    said: Annotated[list[str], add]
    result: str


def graph(model, tools):
    async def ask(state: State) -> State:
        number = len(state.get("said", []))
        return {"said": [(await model.ainvoke(f"{state['brief']} question {number}")).text]}

    async def sum_up(state: State) -> State:
        return {"result": (await model.ainvoke("sum up " + ", ".join(state["said"]))).text}

    inner = StateGraph(State).add_node("sum_up", sum_up).add_edge(START, "sum_up").compile()
    outer = StateGraph(State).add_node("ask", ask).add_node("inner", inner).add_edge(START, "ask")
    outer.add_conditional_edges("ask", lambda state: "inner" if len(state["said"]) >= 3 else "ask")
    return outer.add_edge("inner", END)
'''


KILLING = """
import os, signal
from pathlib import Path

PLACE = Path(__file__).parent


def latency(request):
    return 0.2  # a reply of no model comes sooner than one is recorded


def reply(request):
    question = request.messages[-1].content
    if not question.startswith(("Tea?", "sum up")):
        return '{"result": "re: sum"}'  # the answer of the run
    with (PLACE / "asked.txt").open("a") as asked:
        asked.write(question + "\\n")
    if len((PLACE / "asked.txt").read_text().splitlines()) == KILL_AT and not (PLACE / "killed").exists():
        (PLACE / "killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "re: " + question.removeprefix("Tea? question ").partition(" up")[0]
"""


def project_with(folder: Path, **agents: str) -> Path:
    (folder / "agents").mkdir()
    for name, source in agents.items():
        (folder / "agents" / f"{name}.py").write_text(source, encoding="utf-8")
    (folder / "a.txt").write_text("tea and tea and coffee\n", encoding="utf-8")
    return folder


async def run(
    project: Path, model: ScriptedModel, *steps: Step, limits: Limits = ONCE
) -> tuple[Answer[str], dict[str, Result]]:
    async with Swarm.open(project, model=model, limits=limits) as swarm:
        started: Run[str] = await swarm.start("Count.", plan=Plan(steps=steps))
        answer = await started.answer()
    events = read_events(run_path(project, answer.run))
    return answer, {event.step: event.result for event in events if isinstance(event, StepEnded)}


async def test_a_documented_agent_works_with_the_tools_of_the_run_and_its_own(tmp_path: Path) -> None:
    asked: list[Request] = []

    def script(request: Request) -> str:
        asked.append(request)
        last = request.messages[-1].content
        if last.startswith("text.count gave"):
            return json.dumps({"tool": "graph.double", "args": {"number": 2}})
        return json.dumps({"result": "4"}) if last.startswith("double gave:\n4") else COUNT

    project = project_with(tmp_path, counter=DOCUMENTED)
    answer, results = await run(
        project, ScriptedModel(script), Step(id="count", agent="counter", brief="Twice tea?")
    )

    system, question = asked[0].messages
    assert "text.count(" in system.content
    assert system.content.startswith("Count with the tools.")
    assert question.content == "Twice tea?"
    assert answer.status == "done"
    assert results["count"].text == "4"
    assert [evidence.tool for evidence in results["count"].evidence] == ["text.count"]


async def test_a_result_that_must_have_a_form_is_asked_for_in_it(tmp_path: Path) -> None:
    def script(request: Request) -> str:
        return (
            json.dumps({"result": 4})
            if "as JSON" in request.messages[-1].content
            else json.dumps({"result": "four"})
        )

    project = project_with(tmp_path, counter=DOCUMENTED)
    step = Step(id="count", agent="counter", brief="Twice tea?", expects={"type": "integer"})
    _, results = await run(project, ScriptedModel(script), step)

    assert results["count"].text == "4"


@pytest.mark.parametrize("kill_at", [1, 2, 3, 4])
async def test_a_killed_graph_goes_on_from_its_checkpoint_and_asks_nothing_twice(
    tmp_path: Path, kill_at: int
) -> None:
    project = project_with(tmp_path, asker=BY_HAND)
    plan = Plan(steps=(Step(id="ask", agent="asker", brief="Tea?"),))
    (project / "plan.json").write_text(plan.model_dump_json(), encoding="utf-8")
    (project / "script.py").write_text(KILLING.replace("KILL_AT", str(kill_at)), encoding="utf-8")
    model = ("--model", f"scripted:{project / 'script.py'}")
    killed = swarm(project, "plan", "run", "plan.json", "Ask.", "-y", *model)
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    resumed = swarm(project, "resume", *model)

    assert resumed.returncode == 0, resumed.stderr
    asked = (project / "asked.txt").read_text(encoding="utf-8").splitlines()
    whole = ["Tea? question 0", "Tea? question 1", "Tea? question 2", "sum up re: 0, re: 1, re: 2"]
    # The one that was in flight when it was killed is all that is asked again.
    assert asked == [*whole[:kill_at], *whole[kill_at - 1 :]]
    assert "re: sum" in resumed.stdout


def swarm(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from swarm.cli.app import main; main()", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=60, check=False)


async def test_a_bug_in_a_graph_fails_its_step_with_what_it_was(tmp_path: Path) -> None:
    source = DOCUMENTED.replace(
        "return create_agent", "raise ValueError('no such thing')\n    return create_agent"
    )
    _, results = await run(
        project_with(tmp_path, counter=source),
        ScriptedModel([]),
        Step(id="count", agent="counter", brief="?"),
    )

    assert results["count"].status == "failed"
    assert "graph(model, tools) failed: ValueError: no such thing" in results["count"].reason


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("graph = 1\n", "no docstring"),
        ('"""Counts."""\n', "it defines no 'graph'"),
        ('"""Counts."""\nTOOLS = tuple(x)\ngraph = 1\n', "TOOLS is read without running the file"),
        ('"""Counts."""\nTOOLS = ("teapot.pour",)\ngraph = 1\n', "teapot"),
        ('"""Counts."""\ngraph = (\n', "no valid Python"),
    ],
)
def test_a_file_that_is_no_graph_is_refused_before_anything_runs(
    tmp_path: Path, source: str, why: str
) -> None:
    with pytest.raises(ProjectError, match=re.escape(why)):
        open_project(project_with(tmp_path, counter=source))


def test_a_graph_and_a_card_of_one_name_are_refused(tmp_path: Path) -> None:
    project = project_with(tmp_path, counter=DOCUMENTED)
    (project / "agents" / "counter.md").write_text("---\ndescription: counts\n---\n", encoding="utf-8")

    with pytest.raises(ProjectError, match="have one name"):
        open_project(project)


async def test_a_graph_that_waits_for_a_person_fails_its_step_and_says_so(tmp_path: Path) -> None:
    source = BY_HAND.replace(
        "async def sum_up(state: State) -> State:",
        "async def sum_up(state: State) -> State:\n        interrupt('may I?')",
    )
    source = source.replace(
        "from langgraph.graph", "from langgraph.types import interrupt\nfrom langgraph.graph", 1
    )

    _, results = await run(
        project_with(tmp_path, asker=source),
        ScriptedModel(lambda _: "yes"),
        Step(id="ask", agent="asker", brief="?"),
    )

    assert results["ask"].status == "failed"
    assert "the graph waits for a person at inner" in results["ask"].reason


async def test_a_graph_whose_state_takes_nothing_of_a_step_is_told_what_there_is(tmp_path: Path) -> None:
    source = BY_HAND.replace("brief: str", "teapot: str").replace("result: str", "kettle: str")

    _, results = await run(
        project_with(tmp_path, asker=source), ScriptedModel([]), Step(id="ask", agent="asker", brief="?")
    )

    assert "a step gives messages, task, brief, item, inputs" in results["ask"].reason


async def test_a_graph_that_goes_round_for_ever_ends_by_the_limit_of_turns(tmp_path: Path) -> None:
    source = BY_HAND.replace(">= 3", ">= 3_000")
    limits = ONCE.model_copy(update={"turns": 2})

    _, results = await run(
        project_with(tmp_path, asker=source),
        ScriptedModel(lambda _: "more"),
        Step(id="ask", agent="asker", brief="?"),
        limits=limits,
    )

    assert results["ask"].reason == "not done after 6 steps of its graph"


async def test_what_a_graph_asked_and_called_is_shown(tmp_path: Path) -> None:
    def script(request: Request) -> str:
        asked = request.messages[-1].content
        return json.dumps({"result": "2"}) if asked.startswith("text.count gave") else COUNT

    project = project_with(tmp_path, counter=DOCUMENTED)
    await run(project, ScriptedModel(script), Step(id="count", agent="counter", brief="Twice tea?"))

    shown = swarm(project, "show", "last", "count").stdout

    assert shown.count("count · its graph") == 3
    assert "no result yet" not in shown
    assert "gave   2 matches" in shown


async def test_a_graph_may_want_its_answer_in_a_form_of_its_own(tmp_path: Path) -> None:
    source = DOCUMENTED.replace(
        "def double", "class Count(BaseModel):\n    word: str\n    number: int\n\n\ndef double"
    ).replace("from langchain.agents", "from pydantic import BaseModel\nfrom langchain.agents")
    source = source.replace('Count with the tools.")', 'Count with the tools.", response_format=Count)')

    def script(request: Request) -> str:
        if "text.count gave" in request.messages[-1].content:
            return json.dumps({"tool": "graph.Count", "args": {"word": "tea", "number": 2}})
        return COUNT

    project = project_with(tmp_path, counter=source)
    _, results = await run(project, ScriptedModel(script), Step(id="count", agent="counter", brief="Tea?"))

    assert json.loads(results["count"].text) == {"word": "tea", "number": 2}


async def test_a_graph_that_gives_nothing_is_told_what_a_result_is(tmp_path: Path) -> None:
    source = BY_HAND.replace("result: str", "kettle: str").replace('"result"', '"kettle"')

    project = project_with(tmp_path, asker=source)
    _, results = await run(project, ScriptedModel(lambda _: "yes"), Step(id="ask", agent="asker", brief="?"))

    assert results["ask"].status == "failed"
    assert "its last state has brief, said, kettle; give result" in results["ask"].reason


async def test_a_picture_is_refused_and_not_left_out_in_silence(tmp_path: Path) -> None:
    picture = 'model.ainvoke([("user", [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}])])'
    source = re.sub(r'model\.ainvoke\(f"\{state.*?\}"\)', picture, BY_HAND)
    assert source != BY_HAND

    project = project_with(tmp_path, asker=source)
    _, results = await run(project, ScriptedModel(lambda _: "yes"), Step(id="ask", agent="asker", brief="?"))

    assert (
        results["ask"].reason == "a message of the graph holds image_url; the model of a run reads text alone"
    )
