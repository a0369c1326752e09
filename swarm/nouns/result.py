"""What a step gave."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

Status = Literal["done", "degraded", "failed", "skipped", "dropped", "unfinished"]
"""Where a step stands at the end, in exactly one of these; an agent ends in one of the first three.
Skipped: it needs a step that failed. Dropped: by a change of the plan. Unfinished: the run was cut short,
or the model did not answer; a resume does it."""


class Evidence(BaseModel):
    """Where a result comes from: a recorded tool call and what it was asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tool: str
    """Full name, ``server.tool``."""
    call: str
    """Id of the recorded tool call."""
    note: str = ""
    """What it was asked, in a few words (a path, a query)."""


class Votes(BaseModel):
    """How far the candidates for a step agreed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    agreeing: int
    """Those that left what was taken."""
    of: int
    """Those there were."""
    winner: int = 0
    """Number of the one that was taken, from 1; 0 where none was."""


class Result(BaseModel):
    """What a step gave: done, degraded (usable, with a reason), or else nothing, with a reason."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Status = "done"
    text: str = ""
    """One line for people and for later steps."""
    data: JsonValue = None
    """The typed result under the step's ``expects``; a list of objects is a table."""
    files: tuple[str, ...] = ()
    """Files the step wrote, relative to the workspace."""
    evidence: tuple[Evidence, ...] = ()
    reason: str = ""
    """Why it is not done; empty when it is."""
    refused_by: str = ""
    """Family of the model, or its name, that refused the work or put it off; empty when none did."""
    votes: Votes | None = None
    """Of the programs that were written for it; None where none were."""
    is_checked: bool = False
    """Whether its agent was shown that there is nothing, asked whether that is right, and kept to it."""

    @classmethod
    def failed(cls, reason: str) -> Result:
        """A failure with its reason: an outcome like any other, never an exception."""
        return cls(status="failed", reason=reason)

    @property
    def is_usable(self) -> bool:
        """Whether later steps may build on it."""
        return self.status in ("done", "degraded")

    @property
    def is_empty(self) -> bool:
        """Whether it is usable and has nothing in it: no rows, no text."""
        nothing = self.data in ([], {}) or (isinstance(self.data, str) and not self.data.strip())
        return self.is_usable and (nothing or (self.data is None and not self.text.strip()))

    @property
    def rows(self) -> list[dict[str, JsonValue]] | None:
        """The result as table rows, or None when it is not a table."""
        if not isinstance(self.data, list):
            return None
        rows = [row for row in self.data if isinstance(row, dict)]
        return rows if len(rows) == len(self.data) else None
