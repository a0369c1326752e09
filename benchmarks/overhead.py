"""Measures what a turn costs this process, against a bare loop and LangGraph's agent on the same server."""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast
from urllib.request import ProxyHandler, build_opener

from benchmarks.proof import ROOT, Figure, Findings, Proof, prove, python, run

ROUNDS = 3
"""Each measure is made so often, the parties taking turns. Of CPU the least counts, as whatever else the machine
does can only add to it; of all else the median."""
PARTIES = ("bare", "ours", "langgraph")
SHAPES = ((1, 20, 9), (100, 10, ROUNDS))
"""Agents, turns and rounds: what one agent costs is measured in less than a second, so that the moment counts
unless there are many."""
LENGTHS = (20, 300, 1_000)
AROUND = 10
"""The cost at a length is the mean over the turns this near to it."""
BARE, LANGGRAPH, FLAT, LONG = 1.4, 0.7, 1.2, 0.15
MEGABYTES, START_SECONDS = 0.15, 0.7
LIBRARIES = "import litellm, langgraph.graph, mcp, sqlmodel"

PROOF = Proof(
    name="overhead",
    claim="A turn (one model call, one stdio tool call, journal and checkpoint) costs little more than the two calls alone, however long the conversation.",
    bar=f"CPU at 1 agent of 20 turns and at 100 of 10: ≤ {BARE} x a bare loop's, ≤ {LANGGRAPH} x LangGraph's without a saver; ours over the bare loop's at 300 and 1,000 turns ≤ {FLAT} x that at 20; at 300 the turn ≤ {LONG} x LangGraph's; 100 calls at the server at once; ≤ {MEGABYTES} MB a sub-agent; first request ≤ the bare import + {START_SECONDS} s",
)


@dataclass(frozen=True)
class Cost:
    """What a party reported."""

    cpu: float
    marks: list[float]
    memory: float

    def turn_ms(self, agents: int, turns: int) -> float:
        """Milliseconds a turn: of one agent between its first and last call, of many all there was."""
        if agents == 1:
            return 1_000 * (self.marks[-1] - self.marks[0]) / (len(self.marks) - 1)
        return 1_000 * self.cpu / (agents * turns)

    def at_ms(self, length: int) -> float:
        """Milliseconds a turn near a length of the history."""
        first, last = max(length - AROUND, 0), min(length + AROUND, len(self.marks) - 1)
        return 1_000 * (self.marks[last] - self.marks[first]) / (last - first)


@contextmanager
def turns_server(turns: int, seconds: float = 0.0) -> Generator[str]:
    """The address of the model server, in a process of its own."""
    command = python("-m", "benchmarks.scripts.turns_server", str(turns), str(seconds))
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin
        assert server.stdout
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()


def cost_of(party: str, agents: int, turns: int, seconds: float = 0.0) -> tuple[Cost, int]:
    """What a party reports of that job, and the most requests there were at once.

    Raises:
        SystemExit: it failed; with what it said.
    """
    with turns_server(turns, seconds) as url:
        done = run(python("-m", f"benchmarks.parties.{party}", url, str(agents), str(turns)))
        if done.returncode:
            raise SystemExit(f"{party} failed:\n{done.stdout[-500:]}{done.stderr[-2_000:]}")
        with build_opener(ProxyHandler({})).open(f"{url}/most", timeout=10) as response:
            most = int(json.load(response)["most"])
    return Cost(**json.loads(done.stdout.splitlines()[-1])), most


def measure() -> Findings:
    """All measures, each party in processes of its own."""
    figures: dict[str, Figure] = {}
    faults: list[str] = []
    for agents, turns, rounds in SHAPES:
        _shape(agents, turns, rounds, figures, faults)
    _lengths(figures, faults)
    _width(figures, faults)
    _start(figures, faults)
    return Findings(figures, faults)


def _shape(agents: int, turns: int, rounds: int, figures: dict[str, Figure], faults: list[str]) -> None:
    taken: dict[str, list[float]] = {party: [] for party in PARTIES}
    memory: list[float] = []
    for _ in range(rounds):
        for party in PARTIES:
            cost, _most = cost_of(party, agents, turns)
            taken[party].append(cost.turn_ms(agents, turns))
            memory += [cost.memory] if party == "ours" else []
    ms = {party: min(times) for party, times in taken.items()}
    where = f"{agents} x {turns} turns"
    for party in PARTIES:
        figures[f"CPU ms a turn, {where}, {party}"] = round(ms[party], 2)
    _judge(f"ours ÷ bare, {where}", ms["ours"] / ms["bare"], BARE, figures, faults)
    _judge(f"ours ÷ LangGraph, {where}", ms["ours"] / ms["langgraph"], LANGGRAPH, figures, faults)
    if agents > 1:
        _judge("memory of a sub-agent (MB)", statistics.median(memory) / agents, MEGABYTES, figures, faults)


def _lengths(figures: dict[str, Figure], faults: list[str]) -> None:
    longest = max(LENGTHS) + AROUND
    rounds = [{party: cost_of(party, 1, longest)[0] for party in ("ours", "bare")} for _ in range(ROUNDS)]
    langgraph = cost_of("langgraph", 1, 300 + AROUND)[0].at_ms(300)

    def least(party: str, length: int) -> float:
        return min(costs[party].at_ms(length) for costs in rounds)

    over = {length: least("ours", length) - least("bare", length) for length in LENGTHS}
    for length in LENGTHS:
        figures[f"CPU ms a turn at {length} turns, bare and ours"] = (
            f"{least('bare', length):.2f} and {least('ours', length):.2f}"
        )
    figures["CPU ms a turn at 300 turns, langgraph"] = round(langgraph, 1)
    for length in LENGTHS[1:]:
        ratio = over[length] / over[LENGTHS[0]]
        _judge(f"ours over bare at {length} turns ÷ that at {LENGTHS[0]}", ratio, FLAT, figures, faults)
    _judge("ours ÷ LangGraph at 300 turns", least("ours", 300) / langgraph, LONG, figures, faults)


def _width(figures: dict[str, Figure], faults: list[str]) -> None:
    _cost, most = cost_of("ours", 100, 1, seconds=3.0)
    figures["requests of 100 agents at the server at once"] = most
    if most < 100:
        faults.append(f"only {most} of 100 requests were at the server at once")


def _start(figures: dict[str, Figure], faults: list[str]) -> None:
    imports = statistics.median(_seconds(python("-c", LIBRARIES)) for _ in range(ROUNDS))
    firsts = statistics.median(_first_request() for _ in range(ROUNDS))
    figures["bare import of the libraries (s)"] = round(imports, 2)
    figures["first request after start (s)"] = round(firsts, 2)
    _judge("first request less the bare import (s)", firsts - imports, START_SECONDS, figures, faults)


def _seconds(command: list[str]) -> float:
    began = time.monotonic()
    done = run(["env", "LITELLM_LOCAL_MODEL_COST_MAP=True", *command])
    assert done.returncode == 0, done.stderr
    return time.monotonic() - began


def _first_request() -> float:
    """Seconds from the start of a process that runs a plan to its first request at the server."""
    with turns_server(1) as url:
        began = time.monotonic()
        done = run(python("-m", "benchmarks.parties.first", url))
        assert done.returncode == 0, done.stderr
        with build_opener(ProxyHandler({})).open(f"{url}/first", timeout=10) as response:
            return cast(float, json.load(response)["first"]) - began


def _judge(name: str, value: float, most: float, figures: dict[str, Figure], faults: list[str]) -> None:
    figures[name] = round(value, 3)
    if value > most:
        faults.append(f"{name} is {value:.3f}, over {most}")


if __name__ == "__main__":
    prove(PROOF, measure)
