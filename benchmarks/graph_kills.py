"""Proves that LangGraph graphs at work as agents, killed at any moment, go on from their checkpoints and do nothing twice."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sqlite3
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from random import Random

from benchmarks.killing import Bounds, Moment, Sitting, World, latency_of
from benchmarks.proof import Figure, Findings, Proof, prove
from benchmarks.runs import NO_SERVERS, workplace
from swarm import Plan, Run, Step, Swarm
from swarm.nouns.commands import Decide, Decision
from swarm.nouns.messages import Request
from swarm.project.project import Project, open_project
from swarm.store.file.owner import Ownership
from swarm.store.shelf.reader import read_questions
from swarm.testing import Script, ScriptedModel

TRIALS = 100
PEOPLE = tuple(f"person{number:02}" for number in range(20))
ANSWER = "All are told."

PROOF = Proof(
    name="graph_kills",
    claim="LangGraph graphs as agents, twenty at once, killed at any moment, go on from their checkpoints: no recorded "
    "reply is asked again, and no effect that cannot be undone is repeated.",
    bar=f"{TRIALS} SIGKILLs at random moments and commits of {len(PEOPLE)} agents of create_agent with two tools and a "
    f"function, and {len(PEOPLE)} of a graph by hand with a loop and a subgraph, each resumed to the end: 0 recorded "
    "replies asked again, each effect made once, all ended right",
)

TELLER = '''"""Tells people, by the agent of LangGraph's documentation."""

from langchain.agents import create_agent

TOOLS = ("desk.look", "desk.send")


def shout(text: str) -> str:
    """The text in capitals."""
    return text.upper()


def graph(model, tools):
    return create_agent(model, [*tools, shout], system_prompt="Tell whom you are asked to tell.")
'''

ASKER = '''"""Asks three times, and sums up in a graph of its own."""

from operator import add
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph


class State(TypedDict, total=False):
    item: str
    said: Annotated[list[str], add]
    result: str


def graph(model, tools):
    async def ask(state: State) -> State:
        question = f"ask {state['item']} {len(state.get('said', []))}"
        return {"said": [(await model.ainvoke(question)).text]}

    async def sum_up(state: State) -> State:
        return {"result": (await model.ainvoke(f"sum up {state['item']} {state['said']}")).text}

    inner = StateGraph(State).add_node("sum_up", sum_up).add_edge(START, "sum_up").compile()
    outer = StateGraph(State).add_node("ask", ask).add_node("inner", inner).add_edge(START, "ask")
    outer.add_conditional_edges("ask", lambda state: "inner" if len(state["said"]) >= 3 else "ask")
    return outer.add_edge("inner", END)
'''

DESK = '''"""A desk that letters leave from."""

import os
from pathlib import Path

from swarm import ToolContext, tool


@tool(effect="pure")
def look(who: str) -> str:
    """Whether somebody is there."""
    return f"{who} is there"


@tool(effect="irreversible")
def send(who: str, context: ToolContext) -> str:
    """Send a letter."""
    sent = os.open(Path(context.workspace) / "sent.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(sent, f"{who}\\n".encode())
    os.close(sent)
    return f"sent to {who}"
'''

TASK = "Tell all people, and ask them."
PLAN = Plan(
    steps=(
        Step(
            id="people",
            agent="writer",
            brief="Say who there is.",
            expects={"type": "array", "items": {"type": "string"}},
        ),
        Step(id="tell", agent="teller", each="people", brief="Tell {item}."),
        Step(id="ask", agent="asker", each="people", brief="Ask {item}."),
        Step(id="end", agent="writer", brief="Say that all are told.", needs=("tell", "ask")),
    )
)


def reply(request: Request) -> str:
    """What the model says: for each conversation the same, whoever asks and when."""
    last = request.messages[-1].content
    if last.startswith(("ask ", "sum up ")):
        return f"re: {last}"
    name = next((name for name in PEOPLE if any(name in one.content for one in request.messages[1:2])), "")
    if "Tell whom" not in request.messages[0].content:
        is_first = "Say who there is" in request.messages[-1].content
        return json.dumps({"result": list(PEOPLE) if is_first else ANSWER})
    if last.startswith("desk.look gave"):
        return json.dumps({"tool": "graph.shout", "args": {"text": name}})
    if last.startswith("shout gave"):
        return json.dumps({"tool": "desk.send", "args": {"who": name}})
    if last.startswith("desk.send gave"):
        return json.dumps({"result": f"told {name}"})
    return json.dumps({"tool": "desk.look", "args": {"who": name}})


class GraphWorld(World):
    """A folder with a project whose steps are done by graphs."""

    def make(self) -> GraphWorld:
        """The same, new and with nothing done yet."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for folder in ("pids", "project/agents", "project/tools"):
            (self.folder / folder).mkdir(parents=True)
        (self.project / "agents" / "teller.py").write_text(TELLER, encoding="utf-8")
        (self.project / "agents" / "asker.py").write_text(ASKER, encoding="utf-8")
        (self.project / "tools" / "desk.py").write_text(DESK, encoding="utf-8")
        (self.project / "swarm.toml").write_text(NO_SERVERS, encoding="utf-8")
        self.asked.touch()
        return self

    def open(self) -> Project:
        """The project, which starts no server."""
        return open_project(self.project)

    def model(self) -> ScriptedModel:
        """A model that writes down what it is asked."""
        log = os.open(self.asked, os.O_WRONLY | os.O_APPEND)

        def asked(request: Request) -> str:
            os.write(log, f"{request.digest()}\n".encode())
            return reply(request)

        return ScriptedModel(Script(asked, latency_of), slots=len(PEOPLE))

    async def run(self, commits: Callable[[], int], held: Ownership | None = None) -> None:
        """Works in this process until the run ends, and leaves its outcome as a file."""
        async with Swarm.open(self.open(), model=self.model()) as swarm:
            run: Run[str] = await (
                swarm.resume(held=held) if self.run_file() else swarm.start(TASK, plan=PLAN)
            )
            answer = await run.answer()
        self.leave(answer, commits())

    def recorded(self) -> set[str]:
        """The replies that the run's file holds, by the digests of their questions."""
        path = self.run_file()
        if path is None:
            return set()
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return {digest for (digest,) in connection.execute("SELECT digest FROM replies")}

    def asked_so_far(self) -> Counter[str]:
        """How often each question was asked."""
        return Counter(self.asked.read_text(encoding="utf-8").split())

    def sent(self) -> list[str]:
        """Whom letters were sent to."""
        path = self.project / "sent.txt"
        return path.read_text(encoding="utf-8").split() if path.is_file() else []

    def answer_truly(self) -> int:
        """Decides each open question as somebody does who looks; how many there were."""
        path = self.run_file()
        open_ones = [one for one in read_questions(path) if one.is_open] if path else []
        for one in open_ones:
            decision: Decision = "done" if one.call.args.get("who") in self.sent() else "repeat"
            assert path
            self.decide(path, Decide(question=one.number, decision=decision, note="it is confirmed"))
        return len(open_ones)


@dataclass(frozen=True)
class Killed:
    """What one killed run came to."""

    number: int
    moment: Moment | None
    """None where it had ended before."""
    recorded: int
    """Replies in its file when it was killed."""
    doubts: int
    """Calls that a person was asked about."""
    faults: tuple[str, ...]
    seconds: float


def killed(place: Path, bounds: Bounds, number: int) -> Killed:
    """One run that is killed at a random moment and resumed to its end."""
    began, chance = time.monotonic(), Random(number)
    world = GraphWorld(place / f"{number:05}", place).make()
    moment = bounds.moment(chance)
    first = last = world.sit(moment)
    recorded, asked = world.recorded(), world.asked_so_far()
    if first.is_killed:
        last = world.sit()
    doubts = 0
    while last.status == "paused" and (open_ones := world.answer_truly()):
        doubts += open_ones
        last = world.sit()
    faults: list[str] = []
    if first.is_killed and (again := [one for one in world.asked_so_far() - asked if one in recorded]):
        faults.append(f"{len(again)} recorded replies were asked again")
    faults += wrong_in(world, last)
    if not faults:
        shutil.rmtree(world.folder)
    return Killed(
        number,
        moment if first.is_killed else None,
        len(recorded),
        doubts,
        tuple(faults),
        time.monotonic() - began,
    )


def wrong_in(world: GraphWorld, last: Sitting) -> list[str]:
    """What is not as it must be at the end of a run."""
    found: list[str] = []
    if last.status != "done" or ANSWER not in last.answer:
        found.append(f"it ended {last.status or last.said!r} with {last.answer[:80]!r} {last.missing}")
    if sorted(world.sent()) != sorted(PEOPLE):
        odd = {name: count for name, count in Counter(world.sent()).items() if count != 1}
        found.append(f"letters: {len(world.sent())}, of these not once: {odd}")
    return found


def many(place: Path, trials: int, *, seed: int = 0, processes: int = 2) -> Iterable[Killed]:
    """So many runs that were killed, as they end. Only one thread may run."""
    world = GraphWorld(place / "whole", place).make()
    asyncio.run(world.run(lambda: 0))  # what others are forked from has imported all
    whole = world.make().sit()
    if wrong := wrong_in(world, whole):
        raise SystemExit(f"a run that nobody killed is not right: {wrong}")
    bounds = Bounds(whole.seconds, whole.commits, 0)
    done = 0
    with get_context("fork").Pool(processes) as pool:
        for one in pool.imap_unordered(partial(killed, place, bounds), range(seed, seed + 3 * trials)):
            yield one
            done += one.moment is not None
            if done == trials:
                return


def main() -> None:
    """The command of the proof."""
    parser = argparse.ArgumentParser(prog="benchmarks.graph_kills", description=PROOF.claim)
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--seed", type=int, default=0, help="number of the first trial")
    parser.add_argument("--processes", type=int, default=2, help="trials at a time")
    options = parser.parse_args()

    def measure() -> Findings:
        found: list[Killed] = []
        for one in many(
            workplace(PROOF.name), options.trials, seed=options.seed, processes=options.processes
        ):
            found.append(one)
            for fault in one.faults:
                print(f"  trial {one.number}, killed at {one.moment}: {fault}", flush=True)
        kills = [one for one in found if one.moment is not None]
        figures: dict[str, Figure] = {
            "SIGKILLs": len(kills),
            "replies recorded at the kills": sum(one.recorded for one in kills),
            "calls in doubt that a person was asked about": sum(one.doubts for one in found),
            "runs with a fault": sum(bool(one.faults) for one in found),
            "seconds a trial": round(statistics.mean(one.seconds for one in found), 2),
        }
        faults = [f"trial {one.number}: {fault}" for one in found for fault in one.faults[:1]][:20]
        if len(kills) < TRIALS:
            faults.append(f"{len(kills)} of {TRIALS} runs were killed: a part proves less")
        return Findings(figures, faults)

    prove(PROOF, measure)


if __name__ == "__main__":
    main()
