"""What the runs of one swarm share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from swarm.card import AgentCard
from swarm.limits import Limits
from swarm.models.model import Model
from swarm.scheduler.slots import Slots
from swarm.tool import ToolBox


@dataclass(frozen=True)
class Setting:
    """What the runs of one swarm share."""

    model: Model
    slots: Slots
    box: ToolBox
    cards: Mapping[str, AgentCard]
    runs_folder: Path
    workspace: Path
    limits: Limits
    """Those of the project."""
    given: Limits
    """Fields that are set go before the project's, and before those the run was given earlier."""
    has_database: bool = False
    """Whether the project names a database that is no file of the workspace."""
