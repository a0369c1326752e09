"""Proves that a killed run goes on where it was: kill -9 at random moments, then ``swarm resume``."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import subprocess
import time
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.proof import ROOT, Figure, Findings, Proof, prove
from benchmarks.runs import fresh_project, run_files, swarm, workplace
from examples.example import load, read_table, task_of, truth_of
from swarm.testing import Received, ScriptedServer, scripted_server
from swarm.testing.process import read_log

EXAMPLE = "meeting-actions"
SEED = 1
KILLS = 20
SLOTS = 4
LATENCY_SECONDS = 0.3
RUN_SECONDS = 120.0
POLL_SECONDS = 0.01

PROOF = Proof(
    name="resume",
    claim="After kill -9 a run goes on where it was: a model reply that was recorded is never asked for again.",
    bar=f"{KILLS} kills at random moments between the first request and the last reply: 0 recorded replies asked for again, never more repeated than were in flight, the outcome the same",
)

Row = dict[str, Figure]


@dataclass(frozen=True)
class Ended:
    """What a run left: its answer and its table."""

    answer: str
    table: list[dict[str, str]]
    is_right: bool


def measure() -> Findings:
    """One run that nobody kills, then the kills, each on a fresh project and a fresh server."""
    whole, total = asyncio.run(_whole_run())
    chance = random.Random(2_026)
    rows = [asyncio.run(_killed_run(number, chance, total, whole)) for number in range(1, KILLS + 1)]
    figures: dict[str, Figure] = {
        "requests of a run that nobody kills": total,
        "kills": len(rows),
        "recorded replies at the kills": sum(int(row["recorded"]) for row in rows),
        "recorded replies asked for again": sum(int(row["asked again"]) for row in rows),
        "requests in flight at the kills": sum(int(row["in flight"]) for row in rows),
        "requests repeated, in flight when killed": sum(int(row["repeated"]) for row in rows),
        "outcomes the same": sum(row["outcome"] == "same" for row in rows),
    }
    faults = [] if whole.is_right else ["the run that nobody killed is not right"]
    for row in rows:
        faults += _faults(row)
    return Findings(figures, faults, [dict(row) for row in rows])


def _faults(row: Row) -> list[str]:
    found: list[str] = []
    if row["asked again"]:
        found.append(f"kill {row['kill']}: {row['asked again']} recorded replies were asked for again")
    if int(row["repeated"]) > int(row["in flight"]):
        found.append(
            f"kill {row['kill']}: {row['repeated']} requests repeated, {row['in flight']} were in flight"
        )
    if row["unknown"]:
        found.append(
            f"kill {row['kill']}: {row['unknown']} recorded replies are of requests the server never got"
        )
    if row["outcome"] != "same":
        found.append(f"kill {row['kill']}: the outcome is {row['outcome']}")
    return found


async def _whole_run() -> tuple[Ended, int]:
    async with _server() as server:
        project = _project(server, 0)
        done = await asyncio.to_thread(_finish, project, "run", task_of(EXAMPLE), "--yes")
        requests = (await server.log()).requests
        return done, len(requests)


async def _killed_run(number: int, chance: random.Random, total: int, whole: Ended) -> Row:
    """Kills when a random number of requests has come and a random part of a reply's time is over."""
    after, late = chance.randint(1, total), chance.uniform(0.0, 1.0) * LATENCY_SECONDS
    async with _server() as server:
        project = _project(server, number)
        killed = await asyncio.to_thread(run_and_kill, server.url, project, after, late)
        recorded = recorded_digests(project)
        done = await asyncio.to_thread(_finish, project, "resume")
        later = (await server.log()).requests[len(killed) :]
    return {
        "kill": number,
        "at request": len(killed),
        "recorded": len(recorded),
        "unknown": len(recorded - {served.digest for served in killed}),
        "in flight": len({served.digest for served in killed} - recorded),
        "asked again": sum(served.digest in recorded for served in later),
        "repeated": sum(served.digest in {before.digest for before in killed} for served in later),
        "asked after": len(later),
        "outcome": "same" if done == whole else "another",
    }


def _server() -> AbstractAsyncContextManager[ScriptedServer]:
    script = ROOT / "benchmarks" / "scripts" / "meeting.py"
    return scripted_server(script, slots=SLOTS, latency_seconds=LATENCY_SECONDS)


def _project(server: ScriptedServer, number: int) -> Path:
    project = fresh_project(EXAMPLE, SEED, workplace(PROOF.name) / f"kill-{number:02}")
    with (project / "swarm.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[model]\nname = "scripted"\nurl = "{server.url}"\n')
    return project


def run_and_kill(url: str, project: Path, after: int, late: float) -> list[Received]:
    """Starts the run, kills its process with SIGKILL, and gives the requests there were till then.

    Raises:
        TimeoutError: the run came to no such request.
    """
    command = swarm("run", task_of(EXAMPLE), "--project", str(project), "--yes")
    ends = time.monotonic() + RUN_SECONDS
    with (project / "killed.txt").open("w", encoding="utf-8") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
        while process.poll() is None and len(read_log(url).requests) < after:
            time.sleep(POLL_SECONDS)
            if time.monotonic() > ends:
                process.kill()
                raise TimeoutError(
                    f"no request {after} came within {RUN_SECONDS:g} s; see {project}/killed.txt"
                )
        time.sleep(late)
        process.send_signal(signal.SIGKILL)
        process.wait()
    return read_log(url).requests


def recorded_digests(project: Path) -> set[str]:
    """Digests of the requests whose replies the run's file holds."""
    (path,) = run_files(project)
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return {digest for (digest,) in connection.execute("SELECT digest FROM replies")}


def _finish(project: Path, *command: str) -> Ended:
    """Runs a command to its end and gives what the run left."""
    arguments = swarm(*command, "--project", str(project))
    done = subprocess.run(
        arguments, cwd=ROOT, capture_output=True, text=True, timeout=RUN_SECONDS, check=False
    )
    (project / "output.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
    path = project / "data" / truth_of(EXAMPLE, SEED).file
    score = load(EXAMPLE).check(project / "data", done.stdout, SEED)
    return Ended(done.stdout, read_table(path) if path.is_file() else [], score.is_right)


if __name__ == "__main__":
    prove(PROOF, measure)
