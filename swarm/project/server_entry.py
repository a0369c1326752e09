"""An MCP server as a project knows it: how it is started, and what is said of its tools."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from swarm.tool import EffectClass

Transport = Literal["stdio", "http", "sse"]
START_SECONDS = 60.0
"""A Python server takes about 2 s to start on an idle machine, many times that on a busy one."""


class ServerEntry(BaseModel):
    """A server that can be started, or reached at a URL."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    origin: Path
    """The file that defines it."""
    description: str = ""
    """One line for people."""
    transport: Transport = "stdio"
    command: str = ""
    """Program to start; empty for a server at a URL."""
    args: tuple[str, ...] = ()
    env: dict[str, str] = Field(default={}, repr=False)
    """Added to the few variables every server gets."""
    cwd: Path
    url: str = ""
    headers: dict[str, str] = Field(default={}, repr=False)
    """Sent with every HTTP request."""
    effects: dict[str, EffectClass] = {}
    """Effect class of its tools, by their names."""
    effect: EffectClass | None = None
    """Effect class of its other tools."""
    is_trusted: bool = False
    """Whether what it says itself of its tools' effects is believed; else they are irreversible."""
    read_back: dict[str, str] = {}
    """For a verifiable tool, the tool of the same server that reads back what it changes."""
    start_seconds: float = START_SECONDS
    """Deadline of its start, its list of tools included."""
    call_seconds: float | None = None
    """Deadline of one call where it is shorter than the caller's."""
