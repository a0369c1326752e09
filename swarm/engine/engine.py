"""The seam of an engine: doing one sub-agent's work, and looking after all that is being done."""

from __future__ import annotations

from typing import Protocol

from swarm.agent.assignment import Assignment
from swarm.nouns.result import Result


class Engine(Protocol):
    """Does the work of sub-agents. Implementations: ``LocalEngine``."""

    async def run(self, assignment: Assignment, *, priority: int = 0) -> Result:
        """What one sub-agent makes of its assignment.

        ``priority``: the higher goes first when slots are short.

        Raises:
            ModelUnavailable: the model server is gone; the work can be done later.
        """
        ...

    async def watch(self) -> None:
        """Looks after the sub-agents until it is cancelled.

        Raises:
            LimitExceeded: nothing has moved for ``limits.stall_seconds``.
        """
        ...
