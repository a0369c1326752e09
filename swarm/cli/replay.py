"""``swarm replay``: a run shown again from its file."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from swarm.cli.options import JsonOption, ProjectOption, RunArgument, path_of

SPEED = 10.0


def replay(
    run: RunArgument = "last",
    speed: Annotated[
        float | None,
        typer.Option(
            "--speed",
            min=0.0,
            metavar="N",
            help="N times as fast as it was, 0 without any wait; 10 on a terminal, else 0.",
        ),
    ] = None,
    json: JsonOption = False,
    project: ProjectOption = None,
) -> None:
    """Show a run again as it went, from its file alone: no model and no tool is asked, nothing is written.
    Long waits are cut short. The answer goes to stdout."""
    from swarm.cli.screen import Screen
    from swarm.nouns.events import RunEnded
    from swarm.run.replay import Replay
    from swarm.store.shelf.reader import read_events

    path = path_of(project, run)
    events = read_events(path)
    is_watched = sys.stderr.isatty() and not json
    replayed = Replay(events, speed if speed is not None else SPEED if is_watched else 0.0)
    screen = Screen(as_json=json, clock=replayed.clock)
    try:
        asyncio.run(screen.show(replayed.events()))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    last = events[-1] if events else None
    if isinstance(last, RunEnded):
        screen.answer(last.answer)
    else:
        screen.say(f"swarm: here the record of run {path.stem} ends; it has no answer yet")
