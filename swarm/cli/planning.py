"""``swarm plan``: make a plan without running it, check one from a file, run one from a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swarm.cli.options import (
    LaterOptions,
    ModelOption,
    ProjectOption,
    RunOptions,
    WorkspaceOption,
    from_options,
)
from swarm.cli.output import print_line, width
from swarm.cli.run_command import read_task, run_task

if TYPE_CHECKING:
    from swarm.cli.interrupts import Interrupts
    from swarm.nouns.plan import Plan
    from swarm.project.project import Project

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A plan as JSON.")]


@dataclass(frozen=True, kw_only=True)
class PlanOptions(LaterOptions):
    """Options of ``swarm plan run``."""

    file: FileArgument
    task: Annotated[str, typer.Argument(help="What the plan is for; the answer is written to it.")] = ""


@app.command()
def make(
    task: Annotated[str, typer.Argument(help="What is to be done, in plain words; - reads it from stdin.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the plan there.")
    ] = None,
    project: ProjectOption = None,
    model: ModelOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Make a plan for a task and write it as JSON; run nothing."""
    from swarm.cli.plan_file import plan_json, write_plan

    options = RunOptions(project=project, model=model, workspace=workspace)
    plan = make_plan(read_task(task), options)
    if output is None:
        print_line(plan_json(plan).rstrip())
    else:
        write_plan(plan, output)
        print_plan(plan, as_json=False)


@app.command()
def check(file: FileArgument, project: ProjectOption = None) -> None:
    """Check a plan file against itself and the project's agents; run nothing."""
    from swarm.cli.plan_file import read_plan

    plan = read_plan(file)
    check_in(RunOptions(project=project).opened(), plan)
    print_plan(plan, as_json=False)


def run(options: PlanOptions) -> None:
    """Run a plan from a file; no planner is asked."""
    from swarm.cli.plan_file import read_plan

    plan = read_plan(options.file)
    check_in(options.opened(), plan)
    task = read_task(options.task) if options.task else " ".join(step.brief for step in plan.last_steps())
    raise typer.Exit(run_task(task, options, plan))


app.command("run")(from_options(PlanOptions, run))


def make_plan(task: str, options: RunOptions) -> Plan:
    """The planner's plan for a task; the model is opened and closed for it."""
    from swarm.cli.follow import run_to_exit
    from swarm.cli.screen import Screen

    plans: list[Plan] = []

    async def work(interrupts: Interrupts) -> int:
        project, screen = options.opened(), Screen()
        with screen.opening():
            from swarm.run.swarm import Swarm
            from swarm.view.timing_words import forecast_words

            opening = Swarm.open(project, model=options.model, limits=options.limits())
            async with opening as swarm:
                plans.append(await swarm.plan(task))
                forecast = swarm.forecast(plans[0])
                screen.say(forecast_words(forecast, swarm.model.endpoint.model))
        return 0

    code = run_to_exit(work)
    if not plans:
        raise typer.Exit(code)
    return plans[0]


def check_in(project: Project, plan: Plan) -> None:
    """Passes where the plan can run in the project.

    Raises:
        PlanError: names everything that is wrong with it there.
    """
    from swarm.errors import PlanError
    from swarm.planner.check import problems

    if found := problems(plan, project.cards):
        raise PlanError(found)


def print_plan(plan: Plan, *, as_json: bool) -> None:
    """The plan on stdout, as rows or as JSON."""
    from swarm.cli.plan_file import plan_json
    from swarm.view.plan_rows import plan_rows

    print_line(plan_json(plan).rstrip() if as_json else "\n".join(plan_rows(plan, width=width())))
