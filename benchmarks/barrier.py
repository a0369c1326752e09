"""Proves that no step waits for a step it does not need: random plans against their critical paths."""

from __future__ import annotations

import asyncio
import re
import statistics
from collections.abc import Callable
from pathlib import Path

from benchmarks.dags import LARGEST, Dag, random_dag
from benchmarks.proof import Figure, Findings, Proof, prove
from benchmarks.runs import workers_project, workplace
from benchmarks.turns import result_turn
from swarm import Plan, Run, Step, Swarm
from swarm.nouns.events import AgentStarted, Event, StepEnded
from swarm.nouns.messages import Request
from swarm.testing import Script, ScriptedModel

PLANS = 50
SLOTS = LARGEST
MEDIAN, WORST = 1.05, 1.10

PROOF = Proof(
    name="barrier",
    claim="A step starts the moment its needs are done: there is no barrier between waves of steps.",
    bar=f"on {PLANS} random plans makespan ÷ critical path ≤ {MEDIAN:.2f} median and ≤ {WORST:.2f} worst",
)

_PIECE = re.compile(r"piece s(\d+)\b")


def measure() -> Findings:
    """Runs every plan, one after the other, on a scripted model that takes each step's time."""
    project = workers_project(workplace(PROOF.name) / "project")
    # The first run of a process loads libraries; it is no part of any plan.
    asyncio.run(makespan(project, random_dag(0)))
    dags = [random_dag(seed) for seed in range(1, PLANS + 1)]
    taken = [asyncio.run(makespan(project, dag)) for dag in dags]
    ratios = [seconds / dag.critical_path for seconds, dag in zip(taken, dags, strict=True)]
    waves = [dag.waves / dag.critical_path for dag in dags]
    figures: dict[str, Figure] = {
        "plans": len(dags),
        "steps": sum(len(dag.seconds) for dag in dags),
        "makespan ÷ critical path, median": round(statistics.median(ratios), 3),
        "makespan ÷ critical path, worst": round(max(ratios), 3),
        "the same in waves without any overhead, median": round(statistics.median(waves), 3),
        "the same in waves without any overhead, worst": round(max(waves), 3),
        "longest critical path (s)": round(max(dag.critical_path for dag in dags), 2),
    }
    return Findings(figures, _faults(ratios))


def _faults(ratios: list[float]) -> list[str]:
    median = statistics.median(ratios)
    faults = [f"the median ratio is {median:.3f}"] if median > MEDIAN else []
    return faults + [
        f"plan {seed} took {ratio:.3f} of its critical path"
        for seed, ratio in enumerate(ratios, start=1)
        if ratio > WORST
    ]


async def makespan(project: Path, dag: Dag) -> float:
    """Seconds from the first dispatch of a plan's run to the end of its last step."""
    model = ScriptedModel(Script(_reply, _latency(dag)), slots=SLOTS)
    async with Swarm.open(project, model=model) as swarm:
        run: Run[str] = await swarm.start("Do every piece of work.", plan=plan_of(dag))
        events = [event async for event in run.events()]
        answer = await run.answer()
    if answer.status != "done":
        raise SystemExit(f"the run {answer.run} is {answer.status}: {answer.missing}")
    return _span(events)


def plan_of(dag: Dag) -> Plan:
    """The plan in which each step names its number, so that the script knows its latency."""
    return Plan(
        steps=tuple(
            Step(
                id=f"s{number}",
                agent="worker",
                brief=f"Do piece s{number}.",
                needs=tuple(f"s{need}" for need in needs),
            )
            for number, needs in enumerate(dag.needs)
        )
    )


def _span(events: list[Event]) -> float:
    begins = [event.at for event in events if isinstance(event, AgentStarted)]
    ends = [event.at for event in events if isinstance(event, StepEnded)]
    return max(ends) - min(begins)


def _number(request: Request) -> int:
    found = _PIECE.search(request.messages[-1].content)
    assert found, request.messages[-1].content
    return int(found[1])


def is_answer(request: Request) -> bool:
    """Whether a request asks for the run's answer and not for a piece of work."""
    return len(request.messages) == 1


def _reply(request: Request) -> str:
    return result_turn("All is done." if is_answer(request) else f"Piece {_number(request)} is done.")


def _latency(dag: Dag) -> Callable[[Request], float]:
    return lambda request: 0.0 if is_answer(request) else dag.seconds[_number(request)]


if __name__ == "__main__":
    prove(PROOF, measure)
