"""What a person may ask of a run while it works, from another terminal or from a program."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Decision = Literal["done", "failed", "repeat", "abandon"]
"""What a person says of a call in doubt: it took effect, it failed, make it again, go on without it."""


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Pause(_Command):
    """Start no further call, let those in flight end, and end the run; it can be resumed."""

    kind: Literal["pause"] = "pause"
    reason: str = "paused by the user"


class Stop(_Command):
    """End the run where it is; it can be resumed."""

    kind: Literal["stop"] = "stop"
    reason: str = "stopped by the user"


class Allow(_Command):
    """Allow more of something; a run that waits at this limit goes on."""

    kind: Literal["allow"] = "allow"
    limit: str
    """Field of ``Limits``."""
    value: float


class Decide(_Command):
    """Decide about a tool call of which nobody knows whether it took effect."""

    kind: Literal["decide"] = "decide"
    question: int
    """Number of the question."""
    decision: Decision
    note: str = ""
    """What the person saw; the agent is told."""


Command = Annotated[Pause | Stop | Allow | Decide, Field(discriminator="kind")]

COMMAND: TypeAdapter[Command] = TypeAdapter(Command)
"""Reads a command from JSON: ``COMMAND.validate_json(line)``."""


class Heard(BaseModel):
    """What the owner of a run says to a command."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    ok: bool
    """Whether it does what it was told."""
    text: str
    """What it does now, or why it does not; for a person."""
