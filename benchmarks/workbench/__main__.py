"""Proves that a 1.5B model at work in an office changes nothing that it should not: a sample of WorkBench.

The tasks, tools and tables are those of olly-styles/WorkBench on GitHub; they are not part of this project, ``--data``
says where a checkout of it lies. Each task is one run in a project of its own, in which each domain of the set
is an MCP server. A run is judged by the final state of all tables, as the set's own evaluation has it
(``judge.py``). Tasks that are recorded at the same commit and model are not run again unless ``--fresh`` is given.
``--oracle`` makes the calls that are due by a script instead of a model; it and ``--only`` record nothing.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

from benchmarks.proof import Findings, Proof, commit, last_result, prove, record
from benchmarks.runs import workplace
from benchmarks.workbench.ground import packages
from benchmarks.workbench.oracle import WINDOW, oracle
from benchmarks.workbench.tasks import Task, sample, tasks
from benchmarks.workbench.work import FEWEST, SHARE, Ground, Row, one_task, summary
from swarm.models.choose import open_model
from swarm.project.settings import ModelSettings

MODEL = "qwen2.5-coder-1.5b-instruct"
MINUTES = 10.0

PROOF = Proof(
    name="workbench",
    claim="A 1.5B model on CPU that works with a mailbox, a calendar, boards and customers changes nothing that it should not (WorkBench).",
    bar=f"unwanted effects in at most {SHARE:.0%} of at least {FEWEST} tasks drawn with a fixed seed",
)

Doer = Callable[[Task], Awaitable[Row]]


def chosen_tasks(options: argparse.Namespace) -> list[Task]:
    """The sample, or the tasks that are named."""
    found = tasks(options.data)
    if not options.only:
        return sample(found, options.tasks, options.seed)
    if unknown := set(options.only) - {task.name for task in found}:
        raise SystemExit(f"benchmarks.workbench: there is no task {', '.join(sorted(unknown))}")
    return [task for task in found if task.name in options.only]


async def measure(options: argparse.Namespace) -> Findings:
    """Runs what is not recorded yet at this commit, and sums up."""
    ground = _ground(options)
    chosen = chosen_tasks(options)
    names = {task.name for task in chosen}
    known = [] if options.fresh else [row for row in recorded() if _is_of(row, options.model)]
    rows = [row for row in known if row["task"] in names]
    async with open_model(options.model, ModelSettings()) as model:

        async def do(task: Task) -> Row:
            row = {**await one_task(task, model, ground), "model": options.model}
            done = [*rows, row]
            if not options.only:
                record(PROOF, summary(done), sum(cast("float", one["wall (s)"]) for one in done))
            return row

        return summary(await _each(chosen, rows, do))


async def check(options: argparse.Namespace) -> list[Row]:
    """What the oracle comes to."""
    ground = _ground(options)
    return await _each(
        chosen_tasks(options),
        [],
        lambda task: one_task(task, oracle(task, ground.data, options.window), ground),
    )


async def _each(chosen: list[Task], rows: list[Row], do: Doer) -> list[Row]:
    """The rows with those of the tasks that have none yet; each is told as it is there."""
    known = {row["task"] for row in rows}
    for task in chosen:
        if task.name not in known:
            rows.append(await do(task))
            print("  " + ", ".join(f"{name} {value}" for name, value in rows[-1].items()), flush=True)
    return rows


def recorded() -> list[Row]:
    """The rows of the last result."""
    found = last_result(PROOF.name)
    return cast("list[Row]", found["details"]) if found else []


def _is_of(row: Row, model: str) -> bool:
    return row["commit"] == commit() and row["model"] == model


def _ground(options: argparse.Namespace) -> Ground:
    data = options.data.resolve()
    folder = workplace(f"{PROOF.name}_oracle" if options.oracle else PROOF.name)
    return Ground(data, packages(data), folder, options.minutes * 60)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.workbench", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a checkout of olly-styles/WorkBench")
    parser.add_argument("--tasks", type=int, default=FEWEST)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", metavar="NAME", help="tasks by name, as email:3")
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="the deadline of each task")
    parser.add_argument("--fresh", action="store_true", help="run again what was recorded at this commit")
    parser.add_argument("--oracle", action="store_true", help="make the calls that are due by a script")
    parser.add_argument("--window", type=int, default=WINDOW, help="tokens of the window, with --oracle")
    return parser.parse_args()


def main() -> None:
    """Proves it; runs tasks that are named; or checks the ground by the oracle."""
    options = _options()
    if options.oracle:
        _check(asyncio.run(check(options)))
    elif options.only:
        asyncio.run(measure(options))
    else:
        prove(PROOF, lambda: asyncio.run(measure(options)))


def _check(rows: list[Row]) -> None:
    astray = [row for row in rows if row["verdict"] != "right"]
    print(f"  the oracle did {len(rows) - len(astray)} of {len(rows)} tasks right")
    if astray:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
