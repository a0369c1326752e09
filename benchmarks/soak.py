"""Proves that a run of many hours neither grows nor loses track: 12 simulated hours, faults, 50 agents at a time.

The same plan is run twice at the same time. One process lives through all of it: its memory and its
file descriptors are held against those of its first hour. The other run is killed each hour and
resumed, which would hide growth: it is held against what was recorded. Each hour is a step of its
own, so that the hours are alike; the clock is that of ``benchmarks/scripts/soak.py``.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sqlite3
import statistics
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree

from benchmarks.proof import ROOT, Figure, Findings, Proof, prove
from benchmarks.runs import run_files, swarm, workplace
from benchmarks.scripts.soak import FACTOR, PARTS
from benchmarks.scripts.stock import pieces_in
from examples.example import read_table
from swarm import Plan, Step
from swarm.nouns.events import RunEnded
from swarm.planner.draft import table_schema
from swarm.store.shelf.reader import read_events, read_threads
from swarm.testing import scripted_server
from swarm.testing.process import read_log

HOURS, ITEMS, SLOTS = 12, 120, 50
HOUR_SECONDS = 3_600.0 / FACTOR
DRIFT = 0.10
MORE_FILES = 8
"""File descriptors that may be open at one time and not at another: connections of calls in flight."""
FAULTS = ("500:2%", "cut:2%", "half-json:0.5%", "empty:0.5%")
"""Five requests in a hundred; of the tool's calls one in twenty fails, see ``scripts/stock.py``. None is
a refusal (429, 503): such a server says that it has too much to do, and rightly gets less."""
SAMPLE_SECONDS = 1.0
WHOLE_SECONDS = 7_200.0

PROOF = Proof(
    name="soak",
    claim="A run of many hours with faults on all sides neither grows nor loses a step, killed each hour or never.",
    bar=f"{HOURS} simulated hours with {SLOTS} sub-agents at a time and faults at 5 % of model and tool calls: both runs finish with every row right, RSS drift < {DRIFT:.0%} between the first hour and the last, file descriptors flat, every step and sub-agent ended once, 0 recorded replies asked for again",
)
CARD = """---
description: counts what lies on shelves
tools: [stock.look]
---
Look at every part of the shelf you are given, one after the other.
"""
SETTINGS = """[workspace]
path = "data"

[servers.stock]
effects = {{ look = "pure" }}

[servers.database]
enabled = false

[limits]
attempts = 4

[model]
name = "scripted"
url = "{url}"
"""


@dataclass
class Soaked:
    """What one run came to."""

    seconds: float = 0.0
    kills: int = 0
    samples: list[tuple[float, int, int]] = field(default_factory=list[tuple[float, int, int]])
    """Seconds since the start, kilobytes of resident memory, open files."""
    requests: int = 0
    again: int = 0
    """Requests for replies that were recorded at a kill before."""
    faults: list[str] = field(default_factory=list[str])


def measure(hours: int, items: int) -> Findings:
    """Both runs at the same time."""
    with ThreadPoolExecutor(2) as pool:
        steady = pool.submit(lambda: asyncio.run(_soaked("steady", hours, items, is_killed=False)))
        killed = pool.submit(lambda: asyncio.run(_soaked("killed", hours, items, is_killed=True)))
        one, other = steady.result(), killed.result()
    first, last = _hour(one, 1, hours), _hour(one, hours, hours)
    drift = last[0] / first[0] - 1
    figures: dict[str, Figure] = {
        "simulated hours, run without kills": round(one.seconds * FACTOR / 3_600, 1),
        "simulated hours, run with kills": round(other.seconds * FACTOR / 3_600, 1),
        "sub-agents of each": hours * items,
        "model requests of each": f"{one.requests}, {other.requests}",
        "SIGKILLs": other.kills,
        "recorded replies asked for again": other.again,
        "RSS in the first hour (MB)": round(first[0] / 1_024, 1),
        "RSS in the last hour (MB)": round(last[0] / 1_024, 1),
        "RSS drift": f"{drift:+.1%}",
        "most RSS (MB)": round(max(kilobytes for _, kilobytes, _ in one.samples) / 1_024, 1),
        "open files in the first and last hour": f"{first[1]:.0f}, {last[1]:.0f}",
    }
    faults = [*one.faults, *other.faults]
    faults += [f"RSS drifted by {drift:.1%}"] if drift >= DRIFT else []
    faults += [f"{last[1] - first[1]:.0f} more files are open"] if last[1] > first[1] + MORE_FILES else []
    faults += [f"{other.again} recorded replies were asked for again"] if other.again else []
    faults += [f"it was killed {other.kills} times"] if other.kills < HOURS - 1 else []
    if one.seconds < 0.95 * HOURS * HOUR_SECONDS:
        faults.append(f"the run took {one.seconds * FACTOR / 3_600:.1f} simulated hours")
    rows = [_row(one, hour, hours) for hour in range(1, hours + 1)]
    return Findings(figures, faults, rows)


def _hour(soaked: Soaked, hour: int, hours: int) -> tuple[float, float]:
    """Median memory and files of an hour: a part of the run's whole time, as its steps are alike."""
    length = soaked.seconds / hours
    its = [sample for sample in soaked.samples if (hour - 1) * length <= sample[0] < hour * length]
    return statistics.median(one[1] for one in its), statistics.median(one[2] for one in its)


def _row(soaked: Soaked, hour: int, hours: int) -> dict[str, Figure]:
    kilobytes, files = _hour(soaked, hour, hours)
    return {"hour": hour, "RSS (MB)": round(kilobytes / 1_024, 1), "open files": round(files)}


async def _soaked(name: str, hours: int, items: int, *, is_killed: bool) -> Soaked:
    script = ROOT / "benchmarks" / "scripts" / "soak.py"
    options = [part for fault in FAULTS for part in ("--fault", fault)]
    async with scripted_server(script, kind="llamacpp", slots=SLOTS, options=options) as server:
        project = _project(name, server.url, hours, items)
        return await asyncio.to_thread(_run, project, server.url, is_killed)


def plan_of(hours: int) -> Plan:
    """A step for each hour, one after the other."""
    return Plan(
        steps=tuple(
            Step(
                id=f"hour_{hour:02}",
                agent="counter",
                each=f"hour-{hour:02}/*.shelf",
                brief="Count the pieces of {item}.",
                needs=(f"hour_{hour - 1:02}",) if hour > 1 else (),
                expects=table_schema(["shelf:text", "part:number", "pieces:number"]),
                writes=f"hour-{hour:02}.csv",
            )
            for hour in range(1, hours + 1)
        )
    )


def _project(name: str, url: str, hours: int, items: int) -> Path:
    project = workplace(PROOF.name) / name
    rmtree(project, ignore_errors=True)
    for folder in ("agents", "mcp_servers"):
        (project / folder).mkdir(parents=True)
    (project / "agents" / "counter.md").write_text(CARD, encoding="utf-8")
    (project / "swarm.toml").write_text(SETTINGS.format(url=url), encoding="utf-8")
    source = (ROOT / "benchmarks" / "scripts" / "stock.py").read_text(encoding="utf-8")
    (project / "mcp_servers" / "stock.py").write_text(source, encoding="utf-8")
    for hour in range(1, hours + 1):
        shelves = project / "data" / f"hour-{hour:02}"
        shelves.mkdir(parents=True)
        for item in range(1, items + 1):
            (shelves / f"{item:03}.shelf").touch()
    (project / "plan.json").write_text(plan_of(hours).model_dump_json(), encoding="utf-8")
    return project


def _run(project: Path, url: str, is_killed: bool) -> Soaked:
    """The whole run: one process, or one for each hour."""
    soaked = Soaked()
    began = time.monotonic()
    command: tuple[str, ...] = ("plan", "run", str(project / "plan.json"), "Count all shelves.", "--yes")
    recorded: set[str] = set()
    seen = 0
    while True:
        is_over = _sit(project, command, soaked, began, HOUR_SECONDS if is_killed else WHOLE_SECONDS)
        requests = read_log(url).requests
        soaked.again += sum(request.digest in recorded for request in requests[seen:])
        seen, soaked.requests = len(requests), len(requests)
        if is_over or time.monotonic() - began > WHOLE_SECONDS:
            break
        soaked.kills += 1
        recorded = _recorded(project)
        command = ("resume",)
    soaked.seconds = time.monotonic() - began
    soaked.faults = _wrong(project)
    return soaked


def _sit(project: Path, command: tuple[str, ...], soaked: Soaked, began: float, seconds: float) -> bool:
    """Runs a command, which is killed after so many seconds; whether it came to its end."""
    arguments = swarm(*command, "--project", str(project))
    ends = time.monotonic() + seconds
    with (project / "answer.txt").open("w") as answer, (project / "said.txt").open("a") as said:
        process = subprocess.Popen(arguments, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=answer, stderr=said)
        while process.poll() is None:
            if time.monotonic() > ends:
                process.send_signal(signal.SIGKILL)
                process.wait()
                return False
            if (sample := _sample(process.pid)) is not None:
                soaked.samples.append((time.monotonic() - began, *sample))
            time.sleep(SAMPLE_SECONDS)
    return True


def _sample(pid: int) -> tuple[int, int] | None:
    """Kilobytes of resident memory and the number of open files."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        return None
    sizes = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return (int(sizes[0]), files) if sizes else None


def _recorded(project: Path) -> set[str]:
    (path,) = run_files(project)
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return {digest for (digest,) in connection.execute("SELECT digest FROM replies")}


def _wrong(project: Path) -> list[str]:
    """What is not accounted for in a run that should have ended well."""
    path = run_files(project)[-1]
    plan = Plan.model_validate_json((project / "plan.json").read_text(encoding="utf-8"))
    ends = [event for event in read_events(path) if isinstance(event, RunEnded)]
    states = ends[-1].steps if ends else {}
    found = [] if ends and ends[-1].status == "done" else [f"{project.name}: the run did not end as done"]
    agents = Counter(
        (record.thread.step, record.thread.item)
        for record in read_threads(path)
        if record.result is not None and record.result.status == "done"
    )
    for step in plan.steps:
        shelves = sorted(path.name for path in (project / "data" / step.id.replace("_", "-")).iterdir())
        done = Counter(agents[step.id, item] for item in range(len(shelves)))
        if states.get(step.id) != "done" or set(done) != {1}:
            found.append(f"{project.name}: {step.id} is {states.get(step.id)}, ends of its agents: {done}")
        table = project / "data" / str(step.writes)
        if not table.is_file() or read_table(table) != _rows(step, shelves):
            found.append(f"{project.name}: {step.writes} is not right")
    return found


def _rows(step: Step, shelves: list[str]) -> list[dict[str, str]]:
    names = [f"{step.id.replace('_', '-')}/{shelf}" for shelf in shelves]
    return [
        {"shelf": name, "part": str(part), "pieces": str(pieces_in(name, part))}
        for name in names
        for part in range(1, PARTS + 1)
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="benchmarks.soak", description=__doc__)
    parser.add_argument("--hours", type=int, default=HOURS, help="fewer than twelve prove less")
    parser.add_argument("--items", type=int, default=ITEMS, help="sub-agents of an hour")
    options = parser.parse_args()
    prove(PROOF, lambda: measure(options.hours, options.items))
