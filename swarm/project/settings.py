"""``swarm.toml``: what a person sets for a project."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from swarm.errors import ProjectError, shortened
from swarm.nouns.card import Tier
from swarm.nouns.limits import Limits
from swarm.nouns.tool import EffectClass
from swarm.project.folders import read_optional, said
from swarm.project.nesting import check_toml
from swarm.project.wording import problems

FILE = "swarm.toml"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelSettings(_Section):
    """``[model]``: which model to use; a field left out is found by probing."""

    name: str | None = None
    """Name of a model on a server, of an embedded one, or ``scripted``."""
    url: str | None = Field(default=None, repr=False)
    """Base address of the server."""
    api_key: str | None = Field(default=None, repr=False)
    """Names the variable that holds the key the server wants: ``"${NAME}"``."""
    slots: int | None = Field(default=None, ge=1)
    """Requests the server works on at once."""
    window: int | None = Field(default=None, ge=512)
    """Tokens a prompt and its reply may have together, per slot."""
    stream: bool = True
    """Whether the server is asked to stream; turn it off for one that can't."""
    constrains: bool | None = None
    """Whether the server holds replies to a JSON Schema; turn it off for one that ignores it, and the
    model is told the schema in words."""
    resident: int | None = Field(default=None, ge=1)
    """Models the server holds in memory at once, where it serves more and does not tell."""
    tier: Tier = "any"
    """Which agents it is for: those whose card names the same tier, or any."""


class WorkspaceSettings(_Section):
    """``[workspace]``: where runs read and write."""

    path: Path | None = None
    """A folder, relative to the project; the project itself when left out."""


class ServerSettings(_Section):
    """``[servers.NAME]``: what to change about a server that was found, or a second one of it."""

    server: str | None = None
    """Stem of the file in ``mcp_servers/`` to start under this name; its own name when left out."""
    enabled: bool = True
    """A server that is off is left out of every card."""
    args: tuple[str, ...] = ()
    """Added after the arguments it has."""
    env: dict[str, str] = {}
    """Added to its environment."""
    cwd: Path | None = None
    """Folder it starts in, relative to the project."""
    write: bool | None = None
    """For the built-in ``files`` and ``database``: whether it may change anything."""
    effects: dict[str, EffectClass] = {}
    """Effect class of its tools, by their names; stronger than what the server says."""
    effect: EffectClass | None = None
    """Effect class of its other tools."""
    trust: bool | None = None
    """Whether what the server says of its tools' effects is believed. Those of ``mcp_servers/`` are."""
    read_back: dict[str, str] = {}
    """For a tool of class ``verifiable``, the tool that reads back what it changes."""
    start_seconds: float | None = Field(default=None, gt=0)
    """Deadline of its start."""
    parallel: int | None = Field(default=None, ge=1, le=64)
    """Calls that may change something and are under way there at once: 1 of a server that is not built in."""
    timeout_seconds: float | None = Field(default=None, gt=0)
    """Deadline of one call, where it is shorter than the run's."""


class Settings(_Section):
    """The whole file. An absent file is one that sets nothing."""

    model: ModelSettings = ModelSettings()
    models: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")], ModelSettings] = {}
    """``[models.NAME]``: models that agents use beside that of ``[model]``, where it is there."""
    limits: Limits = Limits()
    workspace: WorkspaceSettings = WorkspaceSettings()
    servers: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")], ServerSettings] = {}
    sandbox: Literal["auto", "bubblewrap", "landlock", "none"] = "auto"
    """How programs that a model wrote are confined; ``auto`` takes the first of the next two that works."""


def read_settings(root: Path) -> Settings:
    """What ``swarm.toml`` in that folder sets.

    Raises:
        ProjectError: it is no TOML, or has a key or value that means nothing; names the place.
    """
    path = root / FILE
    text = read_optional(path)
    if text is None:
        return Settings()
    try:
        return Settings.model_validate(tomllib.loads(check_toml(path, text)))
    except ValidationError as error:
        raise ProjectError(f"{said(path)}: {problems(error, Settings)}") from error
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, and a number of 5,000 digits
        raise ProjectError(f"{said(path)}: no valid TOML: {shortened(str(error), 160)}") from error
