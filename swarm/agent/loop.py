"""The agent's loop: turn after turn, until it has a result.

The words are in the journal. A sub-agent that is resumed walks its turns again from the first, and each
turn that was recorded costs a read.
"""

from __future__ import annotations

from asyncio import sleep
from typing import TYPE_CHECKING

from swarm.agent.opening import Opener
from swarm.agent.session import Session
from swarm.errors import ModelError, ModelUnavailable
from swarm.nouns.result import Result

if TYPE_CHECKING:
    from swarm.agent.assignment import Assignment
    from swarm.work.context import Work


async def work_on(assignment: Assignment, work: Work) -> Result:
    """What one sub-agent makes of its assignment; failures of the model are results with a reason.

    Raises:
        ModelUnavailable: the model server is gone.
        ProjectError: the card names a tool that is not there.
        ToolError: a tool's server did not start, or there is nothing to query.
    """
    session = Session(work, assignment, await Opener(work, assignment).open())
    try:
        while session.result is None:
            await session.ask()
            if session.has_action:
                await session.act()
            # Turns that are read from the journal wait for nothing else; others have their turn, too.
            await sleep(0)
    except ModelUnavailable:
        raise
    except ModelError as error:
        return Result.failed(str(error))
    return session.result
