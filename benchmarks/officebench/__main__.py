"""Proves that a small model does office work that others set: a sample of OfficeBench.

    python -m benchmarks.officebench --data FOLDER [--tasks 40] [--seed 1] [--only 1-4/0 …] [--oracle]

The tasks and their files are those of zlwang-cs/OfficeBench on GitHub; they are not part of this project,
and ``--data`` names a checkout of it. Each task is one run over a copy of its files, told the person, the
day and the folder as the set tells them, with the MCP server of ``server.py``, which has the operations of
the set's apps and stands in ``.mcp.json``. There is no shell. The set's own harness writes the answer of a
model to ``data/answer.txt``; so does this one.

Right is a task all of whose checks pass: ``judging.py`` has the set's own, written anew, and says why. A task
whose checks nobody can pass, or which needs the shell, is out of reach: it is not asked, and counts as one
that is not right. A task that was recorded at the same commit is not asked again unless ``--fresh`` is given.

``--oracle`` has a scripted model make the calls that each check wants (``oracle.py``): it shows that every
tool that a task needs is there and works. It records nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from benchmarks.officebench.ground import Ground, beyond, environment
from benchmarks.officebench.oracle import Oracle
from benchmarks.officebench.tasks import Task, sample, tasks
from benchmarks.proof import Figure, Findings, Proof, commit, last_result, prove, record
from benchmarks.runs import workplace
from swarm import Run, Swarm
from swarm.models.choose import open_model
from swarm.models.embedded.server_process import WINDOW
from swarm.models.model import Model
from swarm.project.settings import ModelSettings
from swarm.testing import ScriptedModel

MODEL = "qwen2.5-coder-1.5b-instruct"
FEWEST = 40
SHARE = 0.08
SECONDS = 600.0
NOT_ASKED = "out of reach"

PROOF = Proof(
    name="officebench",
    claim="A 1.5B model on CPU does office tasks that others set (OfficeBench), over files, mails and calendars.",
    bar=f"of at least {FEWEST} tasks drawn with a fixed seed at least {SHARE:.0%} right (GPT-3.5: 5.4 % of all 300)",
)

Row = dict[str, Figure]


async def one_run(task: Task, model: Model, ground: Ground) -> Row:
    """What became of one task."""
    if why := beyond(task):
        return _row(task, NOT_ASKED, missing=why)
    ground.lay(task)
    began = time.monotonic()
    status, text, written, why = "out of time", "", 0, f"{SECONDS:g} s"
    try:
        async with asyncio.timeout(SECONDS):
            async with Swarm.open(ground.project, workspace=ground.workspace, model=model) as swarm:
                run: Run[str] = await swarm.start(task.told)
                answer = await run.answer()
        status, text, why = answer.status, answer.text, "; ".join(answer.missing)
        written = answer.usage.written_tokens
    except TimeoutError:
        pass
    wall = round(time.monotonic() - began, 1)
    ground.put_answer(text)
    verdict = await asyncio.to_thread(ground.judge, task)
    return _row(task, status, not verdict.failed, missing=why[:200]) | {
        "unsound": ", ".join(verdict.unsound),
        "failed checks": "; ".join(verdict.failed)[:400],
        "written": written,
        "wall (s)": wall,
    }


def _row(task: Task, status: str, is_right: bool = False, missing: str = "") -> Row:
    kept: Row = {"unsound": "", "failed checks": "", "written": 0, "wall (s)": 0.0, "commit": commit()}
    return {
        "id": task.id,
        "right": "yes" if is_right else "no",
        "status": status,
        "missing": missing,
        **kept,
    }


def summary(rows: Sequence[Row], fewest: int = FEWEST) -> Findings:
    """The figures against the bar."""
    right = [row for row in rows if row["right"] == "yes"]
    wrong = [row for row in rows if row["right"] == "no" and row["status"] != NOT_ASKED]
    figures: dict[str, Figure] = {
        "tasks": len(rows),
        "right": len(right),
        "right, and without a doubt": sum(row["status"] == "done" for row in right),
        "right, though a file is not of its kind": sum(bool(row["unsound"]) for row in right),
        "done, and wrong": sum(row["status"] == "done" for row in wrong),
        "wrong, and said so": sum(row["status"] != "done" for row in wrong),
        NOT_ASKED: sum(row["status"] == NOT_ASKED for row in rows),
        "tokens written": sum(cast("int", row["written"]) for row in rows),
        "wall (s)": round(sum(cast("float", row["wall (s)"]) for row in rows), 1),
    }
    for apps in (1, 2, 3):
        own = [row for row in rows if str(row["id"]).startswith(f"{apps}-")]
        figures[f"right, of {apps} apps"] = f"{sum(row['right'] == 'yes' for row in own)} of {len(own)}"
    faults = [f"{len(rows)} tasks were asked, and {fewest} should be"] if len(rows) < fewest else []
    faults += [f"{len(right)} are right, and {SHARE:.0%} should be"] if len(right) < SHARE * len(rows) else []
    return Findings(figures, faults, list(rows))


async def measure(options: argparse.Namespace) -> Findings:
    """Asks what was not asked yet at this commit, and sums up."""
    chosen = _chosen(options)
    rows = [] if options.fresh else [row for row in recorded() if row["commit"] == commit()]
    known = {row["id"] for row in rows}
    ground = Ground(workplace(PROOF.name), environment())
    left = [task for task in chosen if task.id not in known]
    if not left:
        return summary(rows)
    async with open_model(options.model, ModelSettings()) as model:
        for task in left:
            rows.append(await one_run(task, model, ground))
            _show(rows[-1])
            if not options.only:
                record(PROOF, summary(rows), sum(cast("float", row["wall (s)"]) for row in rows))
    return summary(rows)


async def rehearse(options: argparse.Namespace) -> Findings:
    """Lets the scripted model do each task, and tells which it can't and why."""
    ground = Ground(workplace(f"{PROOF.name}_oracle"), environment())
    rows: list[Row] = []
    for task in _chosen(options):
        oracle = Oracle(task)
        rows.append(await one_run(task, ScriptedModel(oracle.reply, window=WINDOW), ground))
        _show(rows[-1])
    findings = summary(rows, len(rows))
    failed = [f"{row['id']} is not right: {row['failed checks']}" for row in rows if _is_missed(row)]
    return Findings(findings.figures, failed, findings.details)


def _is_missed(row: Row) -> bool:
    return row["right"] == "no" and row["status"] != NOT_ASKED


def _chosen(options: argparse.Namespace) -> list[Task]:
    known = tasks(options.data)
    if options.only:
        return [task for task in known if task.id in options.only]
    return sample(known, options.tasks, options.seed)


def _show(row: Row) -> None:
    print("  " + ", ".join(f"{name} {value}" for name, value in row.items() if value != ""), flush=True)


def recorded() -> list[Row]:
    """The rows of the last result."""
    found = last_result(PROOF.name)
    return cast("list[Row]", found["details"]) if found else []


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.officebench", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a checkout of zlwang-cs/OfficeBench")
    parser.add_argument("--tasks", type=int, default=FEWEST)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", metavar="ID", help="tasks by their ids, as 2-31/0")
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--fresh", action="store_true", help="ask again what was recorded at this commit")
    parser.add_argument(
        "--oracle", action="store_true", help="have a scripted model do them, and record nothing"
    )
    return parser.parse_args()


def main() -> None:
    """The proof, or the rehearsal."""
    options = _options()
    if not options.oracle:
        prove(PROOF, lambda: asyncio.run(measure(options)))
        return
    findings = asyncio.run(rehearse(options))
    for name, value in findings.figures.items():
        print(f"  {name}  {value}")
    for fault in findings.faults:
        print(f"  {fault}")
    raise SystemExit(bool(findings.faults))


if __name__ == "__main__":
    main()
