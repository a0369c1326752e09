"""The seam of an engine: one method that does one sub-agent's work."""

from __future__ import annotations

from typing import Protocol

from swarm.agent.assignment import Assignment
from swarm.result import Result


class Engine(Protocol):
    """Does the work of sub-agents. Implementations: ``LocalEngine``."""

    async def run(self, assignment: Assignment, *, priority: int = 0) -> Result:
        """What one sub-agent makes of its assignment.

        ``priority``: the higher goes first when slots are short.

        Raises:
            ModelUnavailable: the model server is gone; the work can be done later.
        """
        ...
