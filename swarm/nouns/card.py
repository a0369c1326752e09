"""A role card: what an agent of that role is told and what it may use."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Tier = Literal["any", "small", "large"]
"""Class of a model."""


class CardLimits(BaseModel):
    """Limits of one sub-agent of the role; a field left out is the run's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    turns: int | None = Field(default=None, ge=1)
    reply_tokens: int | None = Field(default=None, ge=16)


class AgentCard(BaseModel):
    """A role. An agent is a card at work on a step.

    In a file: YAML front matter with these fields but for ``name`` (the file's stem),
    ``instructions`` (the text below the front matter), ``graph`` and ``added``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str = Field(min_length=1, max_length=200)
    """One line for the planner: what the role is for."""
    instructions: str = ""
    """What the agent is told, before its brief."""
    tier: Tier = "any"
    """Which class of model it wants."""
    model: str = ""
    """Name of the ``[models.NAME]`` it works on, where there is one; goes before the tier."""
    tools: tuple[str, ...] = ()
    """Tools it may call: ``server.tool``, or ``server`` for all of a server's."""
    tables: Literal["typed", "queried"] = "typed"
    """How it gives a table: ``typed`` row by row as it has read them, or ``queried``, as the rows of
    its last query, which it never copies itself."""
    works: Literal["turns", "program"] = "turns"
    """How it works: turn by turn with its tools, or by short programs, of which those that agree are taken."""
    limits: CardLimits = CardLimits()
    graph: str = ""
    """The Python file where it works as a LangGraph graph; in no file."""
    added: tuple[str, ...] = ()
    """Servers and files of tools of the project that it has because no card names them; in no file."""
