"""``swarm doctor --probe``: trying a model, and keeping what was measured."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from swarm.cli.follow import run_to_exit
from swarm.cli.interrupts import Interrupts
from swarm.cli.output import print_finding
from swarm.project.project import open_project

if TYPE_CHECKING:
    from swarm.project.settings import ModelSettings


def try_model(name: str, folder: Path | None, seconds: float | None) -> int:
    """Tries the model of that name, a line for each thing that was tried; gives the exit code.

    Raises:
        ModelError: the model answers nothing at all.
        ProjectError: there is no such model.
    """

    async def work(_: Interrupts) -> int:
        await _try(name, open_project(folder).settings.model, seconds)
        return 0

    return run_to_exit(work, "stopped; what was measured is kept")


async def _try(name: str, settings: ModelSettings, seconds: float | None) -> None:
    from swarm.models.choose import open_model
    from swarm.models.servers.probe import busy
    from swarm.models.servers.profile import keep
    from swarm.models.servers.trial import SECONDS, tried

    limit = seconds or SECONDS
    if settings.constrains is None:
        # Whether it follows a schema is tried anew, whatever was seen before.
        settings = settings.model_copy(update={"constrains": True})
    async with open_model(name, settings, tell=_say) as model:
        endpoint = model.endpoint
        claim = f"slots: {endpoint.slots}, window: {endpoint.window:,} tokens"
        _say(f"trying {endpoint.model} on {endpoint.kind} for at most {limit:.0f} s; it claims {claim}")
        others = await busy(endpoint) if endpoint.url else None
        if others and any(others):
            _say("others use the server now, so it will seem slower than it is")
        path = None
        async for trial in tried(model, seconds=limit):
            print_finding(trial.what, trial.words, is_gap=trial.is_gap)
            path = keep(trial.profile, endpoint)
        _say(f"kept in {path}")


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()
