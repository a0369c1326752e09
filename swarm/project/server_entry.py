"""An MCP server as a project knows it: how it is started, and what is said of its tools."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from swarm.nouns.tool import EffectClass
from swarm.project.secrecy import KEY_NAME, hidden, secrets_in, shown_url, url_secrets

Transport = Literal["stdio", "http", "sse"]
START_SECONDS = 60.0
"""A Python server takes about 2 s to start on an idle machine, many times that on a busy one."""


KEY_LENGTH = 8
"""Letters of a key at least: what is shorter may well stand in a result as something else."""


class ServerEntry(BaseModel):
    """A server that can be started, or reached at a URL."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    origin: Path
    """The file that defines it."""
    description: str = ""
    """One line for people."""
    transport: Transport = "stdio"
    command: str = Field(default="", repr=False)
    """Program to start; empty for a server at a URL."""
    args: tuple[str, ...] = Field(default=(), repr=False)
    env: dict[str, str] = Field(default={}, repr=False)
    """Added to the few variables every server gets."""
    cwd: Path = Field(repr=False)
    url: str = Field(default="", repr=False)
    address: str = ""
    """The URL as a person may be shown it: with its variables unread, without its query."""
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
    parallel: int = Field(default=64, ge=1)
    """Calls that may change something and are under way there at once; of others more are."""
    variables: tuple[str, ...] = Field(default=(), repr=False)
    """What stands in its command, its arguments, its folder or its URL and came from a variable."""
    problem: str = ""
    """Why it cannot be used; empty where it can. One with a problem is never started."""

    @cached_property
    def secrets(self) -> tuple[str, ...]:
        """What no text about it may show, longest first."""
        return secrets_in([
            *self.variables,
            *self.env.values(),
            *self.headers.values(),
            *url_secrets(self.url),
        ])

    @property
    def shown_address(self) -> str:
        """Where it is, as a person may be shown it."""
        return self.address or shown_url(self.url)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Those of its secrets that are keys or passwords by their names, which even its results may not show."""
        named = [value for name, value in self.env.items() if KEY_NAME.search(name)]
        found = secrets_in([*named, *self.headers.values(), *url_secrets(self.url)])
        return tuple(one for one in found if len(one) >= KEY_LENGTH)

    def hidden(self, text: str) -> str:
        """A text about it, or that it gave as a reason, with ``***`` for each of its secrets."""
        return hidden(text, self.secrets)
