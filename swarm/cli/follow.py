"""Following a run to its end on the screen, and what is left to say when it ends."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from swarm.cli.interrupts import INTERRUPTED, Interrupts
from swarm.cli.screen import Screen
from swarm.cli.streams import settled, unhurried
from swarm.clock.steady import steady_clock
from swarm.nouns.prompt import load as load_prompts
from swarm.store.file.admission import admit_to

if TYPE_CHECKING:
    from swarm.cli.options import RunOptions
    from swarm.project.project import Project
    from swarm.run.run import Run
    from swarm.run.swarm import Swarm

PAUSED = 3
"""Exit code of a run that rests: at a limit, because its time was up, or because somebody said so."""
FAILED = 1
EXIT_CODES = {"done": 0, "degraded": 0, "failed": 1, "paused": PAUSED, "stopped": INTERRUPTED}

Start = Callable[["Swarm", Screen], Coroutine[None, None, "Run[str]"]]


def run_on_screen(options: RunOptions, start: Start) -> int:
    """The exit code of a run that ``start`` begins and the screen follows."""

    async def work(interrupts: Interrupts) -> int:
        project, screen = options.opened(), Screen(as_json=options.json, clock=steady_clock())
        limits = options.limits()
        admit_to(project.runs_folder, project.settings.limits.but(limits).free_disk_mb)
        await _begin(options, screen)
        await _check_models(options, project, screen)
        load_prompts()
        rests = options.rests()
        async with AsyncExitStack() as stack:
            with screen.opening():
                # Seconds of imports: not before a person sees that something happens.
                from swarm.run.swarm import Swarm

                opening = Swarm.open(project, model=options.model, limits=limits)
                swarm = await stack.enter_async_context(opening)
            run = await start(swarm, screen)
            if rests:
                run.pause_by(rests)
            return await follow(run, screen, interrupts, project)

    return run_to_exit(work, is_long=True)


async def _check_models(options: RunOptions, project: Project, screen: Screen) -> None:
    """Refuses a model that is not there before servers are started and libraries loaded for it.

    Raises:
        ProjectError: what was named does not exist.
    """
    from swarm.models.choose import find
    from swarm.models.embedded.absent import NAME
    from swarm.models.pool import wishes_of

    if options.model == NAME:
        return
    for wish in wishes_of(options.model, project.settings.model, project.settings.models).values():
        if wish.name or wish.url:
            await find(wish, lambda text: screen.say(f"swarm: {text}"))


async def _begin(options: RunOptions, screen: Screen) -> None:
    """Waits where the run is to begin later."""
    from swarm.run.deadline import sleep_until

    begins = options.starts()
    options.rests()  # what is wrong with it is told now and not tonight
    if begins:
        screen.say(f"swarm: waits until {begins.words}; nothing is opened before")
        await sleep_until(begins)


def run_to_exit(
    work: Callable[[Interrupts], Coroutine[None, None, int]],
    stopped: str = "stopped before anything was run",
    *,
    is_long: bool = False,
) -> int:
    """The exit code of work that signals may end; ``stopped`` says what is left then. ``is_long``: whoever stops
    reading is told where it can be read."""

    async def caught() -> int:
        with unhurried(), Interrupts().caught() as interrupts:
            try:
                code = await work(interrupts)
            except asyncio.CancelledError:
                if interrupts.signal is None:
                    raise
                sys.stderr.write(f"swarm: {stopped}\n")
                code = INTERRUPTED
            finally:
                was_read = await settled(lambda: interrupts.signal is not None, is_long=is_long)
            return code if code or was_read else FAILED

    return asyncio.run(caught())


async def follow(run: Run[str], screen: Screen, interrupts: Interrupts, project: Project) -> int:
    """Shows the run until it ends, stopping it cleanly at the first signal."""
    interrupts.advice = f"; go on with: {_command('resume', run.id, project)}"
    async with asyncio.TaskGroup() as group:
        stopper = group.create_task(_stop_when_told(run, interrupts))
        showing = group.create_task(_show(run, screen, project))
        answer = await run.answer()
        if not await screen.shown(showing, lambda: interrupts.signal is not None):
            showing.cancel()
            screen.say(
                f"swarm: the events were not read; the rest: {_command('show', run.id, project)} --events"
            )
        stopper.cancel()
    if answer.status in ("paused", "stopped"):
        reached = answer.reached
        words = f"paused: {reached.text}" if reached else answer.text
        more = f" --limit {reached.limit}={reached.enough:.0f}" if reached else ""
        screen.say(f"swarm: {words}; go on with: {_command('resume', run.id, project)}{more}")
        return EXIT_CODES[answer.status]
    screen.answer(answer.text)
    if answer.files:
        screen.say(f"swarm: the files are in {project.workspace}")
    if answer.status != "done":
        screen.say(f"swarm: {answer.status}; look closer with: {_command('show', run.id, project)}")
    return EXIT_CODES[answer.status]


async def _show(run: Run[str], screen: Screen, project: Project) -> None:
    """Shows the run's events. A run outlives whoever reads them: hours of work are not lost to a pager."""
    try:
        await screen.show(run.events())
    except BrokenPipeError:
        screen.say(
            f"swarm: whoever read the output has gone, and the run goes on; it is ended with: "
            f"{_command('stop', run.id, project)}; looked at with: {_command('show', run.id, project)} --events"
        )


async def _stop_when_told(run: Run[str], interrupts: Interrupts) -> None:
    number = await interrupts.wait()
    await run.stop(f"stopped by {number.name}")


def _command(name: str, run: str, project: Project) -> str:
    here = project.root == Path.cwd().resolve()
    return f"swarm {name} {run}{'' if here else f' --project {shlex.quote(str(project.root))}'}"
