"""A tool, a call of it and what came back; and ``@tool``, which makes one of a function."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, JsonValue

from swarm.errors import ProjectError
from swarm.nouns.events import Notice, ServerChanged

EffectClass = Literal["pure", "idempotent", "keyed", "verifiable", "irreversible"]
"""What repeating a call does: nothing (pure), the same again (idempotent), nothing when its key
is known (keyed), what reading back can settle (verifiable), harm (irreversible)."""

REPEATABLE: tuple[EffectClass, ...] = ("pure", "idempotent")
"""Effect classes of calls that may be made again after a crash without asking anyone."""

CallState = Literal["intent", "sent", "done", "failed", "in-doubt", "reconciled", "abandoned"]
"""How far a call came. It leaves only once ``sent`` is durable, so an ``intent`` that a crash left behind
was never made; what a crash left ``sent`` is in doubt. A repeatable call is never marked as sent."""

SETTLED: tuple[CallState, ...] = ("done", "failed", "reconciled", "abandoned")
"""States of calls that have a result."""

Row = dict[str, JsonValue]


class Tool(BaseModel):
    """A tool as an agent sees it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    server: str
    """The MCP server or the file of native tools it belongs to."""
    name: str
    """Its name within the server."""
    description: str
    input_schema: dict[str, JsonValue] = {"type": "object"}
    effect: EffectClass = "irreversible"
    """From our configuration; the most careful class where nothing is said."""
    pin: str = ""
    """Which version of the tool it is: its server's name and version, and a digest of its schema."""
    server_notes: str = ""
    """What its server says of how its tools are used; the same for all of them."""

    @property
    def full_name(self) -> str:
        """``server.tool``: how cards, plans, the journal and the model name it."""
        return f"{self.server}.{self.name}"


class ToolCall(BaseModel):
    """A model's wish to use a tool."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tool: str
    """Full name, ``server.tool``."""
    args: dict[str, JsonValue] = {}


class ToolResult(BaseModel):
    """What a tool gave back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    """What the model reads."""
    data: JsonValue = None
    """Structured content, where the tool gives it; a list of objects is a table."""
    is_error: bool = False
    took_effect: bool = False
    """Whether the call was carried out though what it gave can't be used: it is not made again."""
    files: tuple[str, ...] = ()
    """Files the call wrote, relative to the workspace."""
    handle: str | None = None
    """Name under which a result too large for a prompt is kept whole."""


class Reading(BaseModel):
    """What a call would change, as it is read back; each state is a digest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    now: str
    """The state as it is."""
    after: str = ""
    """The state that the call would make of it; empty where that cannot be told."""
    files: tuple[str, ...] = ()
    """Files the call would write, relative to the workspace."""
    may_act: bool = False
    """Whether such a call that was cut off may be at work yet: what got it lives, or nobody knows."""


class ToolContext(Protocol):
    """What a native tool may use of the run that calls it. Ask for it with a parameter of this type."""

    @property
    def workspace(self) -> Path:
        """The folder the run works in; a native tool writes nowhere else."""
        ...

    def tables(self) -> Mapping[str, Sequence[Row]]:
        """Earlier results that are tables, by the id of the step that gave them."""
        ...

    def text_of(self, handle: str) -> str:
        """The whole text of a tool result that was kept under a handle.

        Raises:
            ToolError: no result has that handle.
        """
        ...


ToolFunction = TypeVar("ToolFunction", bound=Callable[..., Any])

_MARK = "__swarm_effect__"


def tool(*misplaced: object, effect: EffectClass | None = None) -> Callable[[ToolFunction], ToolFunction]:
    """Marks a function of a ``tools/*.py`` file as a native tool.

    The function's name is the tool's, its docstring's first paragraph the description, its
    signature the schema; a parameter annotated ``ToolContext`` is filled in by the framework.
    It returns text, JSON-able data or a ``ToolResult``, and raises ``ToolError`` to tell the
    model what to do instead.

    Raises:
        ProjectError: the effect is missing, or none of those there are.
    """
    classes = get_args(EffectClass)
    if misplaced or effect is None:
        raise ProjectError(f"write @tool(effect=…), with one of: {', '.join(classes)}")
    if effect not in classes:
        raise ProjectError(
            f"@tool(effect={effect!r}): there is no such effect; there are: {', '.join(classes)}"
        )

    def mark(function: ToolFunction) -> ToolFunction:
        setattr(function, _MARK, effect)
        return function

    return mark


def effect_of(function: Callable[..., Any]) -> EffectClass | None:
    """The effect class a function was marked with, or None when it is no tool."""
    effect: EffectClass | None = getattr(function, _MARK, None)
    return effect


class CallContext(ToolContext, Protocol):
    """What the framework says of a call beside its arguments."""

    @property
    def key(self) -> str:
        """Names this call for ever: run, step, item, attempt, turn and index."""
        ...

    @property
    def deadline_seconds(self) -> float:
        """How long the call may take."""
        ...

    def leave(self) -> Awaitable[None]:
        """Called right before the call leaves; from then on it may take effect.

        Raises:
            StoreError: it must not leave.
        """
        ...


class ToolBox(Protocol):
    """Where tools are found and called: the hub, or what stands in for it."""

    async def tools(self, names: tuple[str, ...]) -> tuple[Tool, ...]:
        """The tools a card names, in the order of its names (all of a server's, for a server).

        Raises:
            ProjectError: a name that no server has.
            ServerError: a server that did not start.
        """
        ...

    def call(self, call: ToolCall, context: CallContext) -> Awaitable[ToolResult]:
        """What the tool gives. Failures of the tool come back as ``is_error`` results.

        Raises:
            ServerError: the server died or did not answer in time.
        """
        ...

    async def read_back(self, call: ToolCall) -> Reading | None:
        """What a verifiable call would change, read without changing it; None where that can't be read."""
        ...

    def heard_by(self, listener: Callable[[ServerChanged | Notice], None]) -> AbstractContextManager[None]:
        """Within the block the listener hears of servers that die, fall silent or come back."""
        ...
