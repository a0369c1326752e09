"""No model at all, for runs whose plan and programs ask none."""

from __future__ import annotations

from swarm.errors import ModelError
from swarm.models.model import Endpoint
from swarm.nouns.messages import Reply, Request

NAME = "none"
"""What ``--model`` calls it."""


class AbsentModel:
    """Answers nothing."""

    endpoint = Endpoint(kind="scripted", model=NAME)

    async def reply(self, request: Request) -> Reply:
        """Never one.

        Raises:
            ModelError: always; says what to do.
        """
        raise ModelError("this run has no model, and this needs one; start it again with --model NAME")
