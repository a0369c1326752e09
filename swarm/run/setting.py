"""What the runs of one swarm share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from swarm.errors import ProjectError
from swarm.models.model import Model
from swarm.models.pool import Member
from swarm.nouns.card import AgentCard
from swarm.nouns.limits import Limits
from swarm.nouns.tool import ToolBox
from swarm.sandbox.confiner import SandboxSetting
from swarm.scheduler.slots import Slots
from swarm.store.rows.records import RunRecord

FUNCTIONS, MODEL = "functions", "model"
"""Settings in a run's record: the functions of a program that are tools in it, and how its model is named."""
MOST_NAMED = 5


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
    functions: tuple[str, ...] = ()
    """The tools that the program passed in, by their full names."""
    sandbox: SandboxSetting = "auto"
    """How programs are confined."""
    model_name: str = ""
    """How the model is named to have it again; empty where the project's settings say it all."""

    def noted(self) -> dict[str, JsonValue]:
        """What the record of a new run keeps of it."""
        return {FUNCTIONS: [*self.functions], MODEL: self.model_name}

    def check(self, record: RunRecord) -> None:
        """Nothing, when a run of that record can go on here.

        Raises:
            ProjectError: it used functions of a program that are not passed in.
        """
        used = record.settings.get(FUNCTIONS)
        lacking = [str(name) for name in used if name not in self.functions] if isinstance(used, list) else []
        if lacking and record.status != "done":
            more = f" and {len(lacking) - MOST_NAMED} more" if len(lacking) > MOST_NAMED else ""
            raise ProjectError(
                f"this run used functions of a program as tools ({', '.join(lacking[:MOST_NAMED])}{more}); resume it "
                f"from there: Swarm.open(tools=[…]), swarm.resume({record.id!r})"
            )


def name_of_model(model: str | Model | None, pool: Sequence[Member]) -> str:
    """How the model of a pool is named to have it again, wherever the name is read."""
    if isinstance(model, str):
        kind, colon, file = model.partition(":")
        if kind == "scripted" and colon and "@" not in model:
            return f"{kind}:{Path(file).expanduser().resolve()}"
        return str(Path(model).expanduser().resolve()) if model.endswith(".gguf") else model
    endpoint = pool[0].model.endpoint
    if model is not None or len(pool) > 1 or endpoint.kind == "scripted":
        return ""
    return f"embedded:{endpoint.model}" if endpoint.is_embedded else f"{endpoint.model}@{endpoint.url}"
