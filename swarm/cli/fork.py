"""``swarm fork``: a new run that begins as another one did and goes on otherwise."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from swarm.cli.options import RunArgument, RunOptions, path_of
from swarm.cli.output import print_line
from swarm.cli.run import go_on

if TYPE_CHECKING:
    from swarm.cli.screen import Screen
    from swarm.run.fork import Fork

MOST_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class ForkOptions(RunOptions):
    """Options of ``swarm fork``."""

    run: RunArgument = "last"
    cut: Annotated[
        str,
        typer.Option(
            "--at",
            metavar="TURN",
            help="The turn to ask anew: STEP:TURN, STEP[ITEM]:TURN, STEP[ITEM]/ATTEMPT:TURN; plan:1 for the "
            "plan, answer:1 for the answer. Or the number of the last event to keep (show --events).",
        ),
    ]
    stay: Annotated[bool, typer.Option("--stay", help="Make the fork and print its id; run nothing.")] = False


def fork(options: ForkOptions) -> None:
    """Begin a new run with what another one recorded up to a turn, and go on from there: with another
    --model or other limits, say. Nothing recorded before the turn is done again. What the other run did
    after it stays done, in the same workspace, and is listed."""
    from swarm.cli.screen import Screen
    from swarm.run.fork import fork

    path = path_of(options.project, options.run)
    # What is wrong with the options is told before anything is made.
    options.opened()
    options.limits()
    options.rests()
    made = asyncio.run(fork(path, options.cut))
    _tell(Screen(), path.stem, made)
    if options.stay:
        print_line(made.path.stem)
        return
    raise typer.Exit(go_on(made.path, options))


def _tell(screen: Screen, run: str, made: Fork) -> None:
    screen.say(
        f"swarm: run {made.path.stem} is a fork of run {run} after its event {made.event}: it has "
        f"{made.replies} replies and {made.calls} tool calls of it"
    )
    for line in made.later[:MOST_SHOWN]:
        screen.say(f"swarm: after that, run {run} did: {line}")
    if len(made.later) > MOST_SHOWN:
        screen.say(f"swarm: and {len(made.later) - MOST_SHOWN} more; `swarm show {run} --events` has all")
