"""Showing a plan to a person before it runs: yes, no, or change it in an editor."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from swarm.cli.plan_file import plan_json, read_plan
from swarm.errors import PlanError, ProjectError
from swarm.nouns.events import LimitReached
from swarm.nouns.plan import Plan
from swarm.view.plan_rows import file_rows, plan_rows
from swarm.view.words import printable

if TYPE_CHECKING:
    from rich.console import Console


async def approve(plan: Plan, console: Console, forecast: Callable[[Plan], str]) -> Plan | None:
    """The plan to run, changed where the person changed it; None where the answer was no.

    ``forecast`` tells in words how long a plan takes.
    """
    while True:
        for row in plan_rows(plan, width=console.size.width):
            console.print(row, markup=False, no_wrap=True, crop=True)
        for row in file_rows(plan):
            console.print(row, markup=False, soft_wrap=True)
        console.print(forecast(plan), markup=False)
        console.print("Run this plan? \\[Y]es, \\[n]o, \\[e]dit: ", end="")
        match (await read_line()).strip().lower():
            case "" | "y" | "yes":
                return plan
            case "e" | "edit":
                plan = await _edited(plan, console)
            case _:
                return None


async def ask_more(reached: LimitReached, console: Console) -> float | None:
    """What to allow in the place of a limit; None where the answer was no."""
    console.print(printable(f"{reached.text[:1].upper()}{reached.text[1:]}."), markup=False)
    console.print(
        f"Raise limits.{reached.limit} to {reached.enough:,.0f}? \\[y]es, \\[N]o, or a number: ", end=""
    )
    answer = (await read_line()).strip().lower().replace(",", "").replace("_", "")
    if answer in ("y", "yes"):
        return reached.enough
    try:
        return float(answer) if float(answer) > reached.allowed else None
    except ValueError:
        return None


async def read_line() -> str:
    """A line from the terminal, its end included; "n" where the terminal has none left.

    A thread on ``input()`` could not be called off; a reader of the loop can.
    """
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        if not line.done():
            line.set_result(sys.stdin.readline() or "n")

    loop.add_reader(sys.stdin.fileno(), read)
    try:
        return await line
    finally:
        loop.remove_reader(sys.stdin.fileno())


async def _edited(plan: Plan, console: Console) -> Plan:
    """What the person's editor made of the plan; the plan as it was where that cannot run."""
    editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    with tempfile.TemporaryDirectory(prefix="swarm-") as folder:
        file = Path(folder) / "plan.json"
        file.write_text(plan_json(plan), encoding="utf-8")
        try:
            process = await asyncio.create_subprocess_exec(*editor, str(file))
            await process.wait()
            return read_plan(file)
        except (OSError, PlanError, ProjectError) as error:
            console.print(f"not changed: {printable(str(error))}", markup=False, style="red")
            return plan
