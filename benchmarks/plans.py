"""Proves that a 1.5B model plans: sixty tasks, each plan held against what its task must cover.

``--half``, ``--only`` and ``--limit`` choose tasks. A plan that was recorded with the same planner,
prompts and cards is not made again unless ``--fresh`` is given, so a proof that was cut off goes on
where it was; its coverage is judged anew each time.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from benchmarks.plan_tasks.broken import broken_at_random, broken_by_hand, is_rejected
from benchmarks.plan_tasks.coverage import lacks
from benchmarks.plan_tasks.task import PlanTask, all_tasks, held_out
from benchmarks.plan_tasks.workspace import survey_of, write_workspace
from benchmarks.proof import ROOT, Figure, Findings, Proof, prove
from benchmarks.runs import run_files, workplace
from swarm import Plan, Run, Swarm
from swarm.models.choose import open_model
from swarm.models.model import Model
from swarm.nouns.card import AgentCard
from swarm.nouns.limits import Limits, Usage
from swarm.planner.check import problems
from swarm.planner.draft import draft_columns, files_to_write
from swarm.planner.planner import template
from swarm.project.project import open_project
from swarm.project.settings import ModelSettings
from swarm.store.shelf.reader import read_threads

MODEL = "qwen2.5-coder-1.5b-instruct"
EXECUTABLE, COVERED = 0.95, 0.80

PROOF = Proof(
    name="plans",
    claim="A 1.5B model on CPU plans: of sixty tasks of many kinds and wordings nearly every plan can run, and most cover the whole task.",
    bar=f"≥ {EXECUTABLE:.0%} of the plans run without the fallback, ≥ {COVERED:.0%} cover the whole task by checkers written before, every broken plan is rejected before a tool runs",
)
SETTINGS = '[workspace]\npath = "data"\n'
MADE_BY = ("swarm/planner/*.py", "swarm/prompts/*plan*.md", "swarm/prompts/repair.md", "agents/*.md")
"""What a plan depends on beside the task and the model."""

Half = Literal["seen", "held out"]


class Made(BaseModel):
    """A plan that was made for a task, as it is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    plan: Plan
    is_template: bool
    replies: tuple[str, ...]
    """What the model said, turn by turn."""
    usage: Usage
    seconds: float


def measure(options: argparse.Namespace) -> Findings:
    """Makes the plans that are not kept yet, and judges all of them."""
    folder = workplace(PROOF.name)
    kept = folder / f"made-{stamp(options.model)}"
    if options.fresh:
        shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(exist_ok=True)
    tasks = chosen(options)
    left = [task for task in tasks if not (kept / f"{task.id}.json").is_file()]
    if left:
        asyncio.run(_make_all(left, options.model, folder, kept))
    made = {
        task.id: Made.model_validate_json((kept / f"{task.id}.json").read_text("utf-8")) for task in tasks
    }
    return judged(tasks, made, open_project(new_project(folder / "project")).cards)


def stamp(model: str) -> str:
    """Names the planner: another one makes other plans."""
    digest = hashlib.sha256(model.encode())
    for pattern in MADE_BY:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def chosen(options: argparse.Namespace) -> list[PlanTask]:
    """The tasks that were asked for, in order."""
    tasks = [task for task in all_tasks() if not options.only or task.id in options.only]
    if options.half != "all":
        tasks = [task for task in tasks if half_of(task) == options.half.replace("-", " ")]
    return tasks[: options.limit]


def half_of(task: PlanTask) -> Half:
    """Whether the task's plans were looked at while the planner was made better."""
    return "held out" if task.id in held_out() else "seen"


async def _make_all(tasks: Sequence[PlanTask], name: str, folder: Path, kept: Path) -> None:
    async with open_model(name, ModelSettings()) as model:
        for task in tasks:
            made = await make(task, model, new_project(folder / "project"))
            (kept / f"{task.id}.json").write_text(made.model_dump_json(indent=1), encoding="utf-8")
            print(f"  {task.id}: {len(made.plan.steps)} steps, {made.seconds:.0f} s", flush=True)


def new_project(folder: Path) -> Path:
    """An empty project with a folder to work in."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "data").mkdir(parents=True)
    (folder / "swarm.toml").write_text(SETTINGS, encoding="utf-8")
    return folder


async def make(task: PlanTask, model: Model, project: Path) -> Made:
    """The plan that the planner makes for a task in its workspace; nothing of it is run."""
    write_workspace(task, project / "data")
    plans: list[Plan] = []

    async def keep(plan: Plan) -> None:
        plans.append(plan)

    began = time.monotonic()
    async with Swarm.open(project, model=model, limits=Limits(candidates=0)) as swarm:
        run: Run[str] = await swarm.start(task.task, approve=keep)
        answer = await run.answer()
    if not plans:
        raise SystemExit(f"{task.id}: {answer.text}")
    (path,) = run_files(project)
    turns = [turn for thread in read_threads(path) if thread.thread.step == "_plan" for turn in thread.turns]
    survey = survey_of(task)
    if not turns[0].asked[-1].content.startswith(survey.lines()):
        raise SystemExit(
            f"{task.id}: its workspace is not as the checkers see it: {turns[0].asked[-1].content}"
        )
    return Made(
        task=task.id,
        plan=plans[0],
        is_template=plans[0] == template(task.task, files_to_write(task.task, survey.paths)),
        replies=tuple(turn.reply.text for turn in turns),
        usage=answer.usage,
        seconds=round(time.monotonic() - began, 1),
    )


def judged(tasks: Sequence[PlanTask], made: Mapping[str, Made], cards: Mapping[str, AgentCard]) -> Findings:
    """The figures over all plans, against the bar."""
    rows = [_row(task, made[task.id], cards) for task in tasks]
    executable = sum(row["can run"] == "yes" for row in rows)
    covered = sum(row["covers all"] == "yes" for row in rows)
    broken = [(one.plan, one.survey) for one in broken_by_hand()]
    broken += [(plan, survey) for task in all_tasks() for _, plan, survey in broken_at_random(task)]
    rejected = sum(is_rejected(plan, survey, cards) for plan, survey in broken)
    figures: dict[str, Figure] = {
        "plans": len(rows),
        "can run without the fallback": executable,
        "cover the whole task": covered,
        **{f"of the {half} cover it": _share(rows, half) for half in ("seen", "held out")},
        "fallback taken": sum(made[task.id].is_template for task in tasks),
        "repaired by a second turn": sum(row["turns"] == 2 for row in rows),
        "broken plans rejected": f"{rejected} of {len(broken)}",
        "tokens prefilled, mean": _mean([made[task.id].usage.prefilled_tokens for task in tasks]),
        "tokens written, mean": _mean([made[task.id].usage.written_tokens for task in tasks]),
        "time for a plan, mean (s)": _mean([made[task.id].seconds for task in tasks]),
    }
    faults = (
        [f"only {len(rows)} of {len(all_tasks())} plans were made"] if len(rows) < len(all_tasks()) else []
    )
    if executable < EXECUTABLE * len(rows):
        faults.append(f"{executable} of {len(rows)} plans can run")
    if covered < COVERED * len(rows):
        faults.append(f"{covered} of {len(rows)} plans cover their task")
    if rejected < len(broken):
        faults.append(f"{len(broken) - rejected} broken plans are not rejected")
    return Findings(figures, faults, rows)


def _row(task: PlanTask, made: Made, cards: Mapping[str, AgentCard]) -> dict[str, Figure]:
    survey = survey_of(task)
    wrong = problems(made.plan, cards, survey)
    lacking = lacks(made.plan, task, survey, cards)
    return {
        "task": task.id,
        "half": half_of(task),
        "can run": "no" if wrong or made.is_template else "yes",
        "covers all": "no" if lacking else "yes",
        "turns": len(made.replies),
        "tokens": made.usage.written_tokens,
        "lacks": "; ".join(lacking).replace("|", "/"),
        "plan": short(made.plan).replace("|", "/"),
    }


def short(plan: Plan) -> str:
    """The plan on one line, as the tasks' own plans are written."""
    return " ⏎ ".join(
        f"{step.id} {step.agent}"
        + (f" each={step.each}" if step.each else "")
        + (f" needs={','.join(step.needs)}" if step.needs else "")
        + (f" cols={','.join(draft_columns(step.expects))}" if step.expects else "")
        + (f" writes={step.writes}" if step.writes else "")
        + f" -- {' '.join(step.brief.split())}"
        for step in plan.steps
    )


def _share(rows: Sequence[Mapping[str, Figure]], half: str) -> str:
    of_it = [row for row in rows if row["half"] == half]
    return f"{sum(row['covers all'] == 'yes' for row in of_it)} of {len(of_it)}"


def _mean(values: Sequence[float]) -> int:
    return round(sum(values) / max(1, len(values)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.plans", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="ID", help="these tasks")
    parser.add_argument("--half", choices=("seen", "held-out", "all"), default="all")
    parser.add_argument("--limit", type=int, help="at most so many tasks")
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--fresh", action="store_true", help="make the plans that are kept anew")
    return parser.parse_args()


if __name__ == "__main__":
    asked = _options()
    prove(PROOF, lambda: measure(asked))
