"""What a person may ask of a run while it works."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Stop(_Command):
    """End the run where it is; it can be resumed."""

    kind: Literal["stop"] = "stop"
    reason: str = "stopped by the user"


Command = Stop
"""All commands; a union by ``kind`` as more are added."""
