"""A tool as the hub keeps it: what an agent is shown of it, and the check of its arguments."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, cast, get_args

import mcp_types
from pydantic import JsonValue

from swarm.hub.protocol.mending import WRAPS
from swarm.hub.tools.schema import Arguments, BadSchema, Trimmer, whole
from swarm.nouns.tool import CallContext, EffectClass, Reading, Tool, ToolCall, ToolResult
from swarm.project.server_entry import ServerEntry

DESCRIPTION_LENGTH = 200
WHOLE_LENGTH = 600
"""Of what a server says of a tool, and of all its tools; a small window is shown less."""
CAREFUL: EffectClass = "irreversible"
"""The class of a tool of which nothing is known."""
EFFECT_KEY, READ_BACK_KEY = "swarm/effect", "swarm/readBack"
"""Where the ``_meta`` of a server's tool names its effect class, and the tool that reads back its effect."""


@dataclass(frozen=True)
class Offer:
    """A tool and the check of its arguments."""

    tool: Tool
    arguments: Arguments
    read_back: str = ""
    """The tool of the same source that reads back what this one changes."""
    wraps: bool = False
    """Whether its data stand in the key ``result``."""
    is_reader: bool = False
    """Whether its server says that it changes nothing: many may be under way at once."""


class ToolSource(Protocol):
    """Where tools come from: an MCP server, or functions of this process."""

    @property
    def name(self) -> str:
        """What stands before the dot in the full name of its tools."""
        ...

    async def offers(self) -> Mapping[str, Offer]:
        """Its tools by name, in its order.

        Raises:
            ProjectError: a file of native tools that cannot be loaded, or a function that is none.
            ServerError: a server that did not start.
        """
        ...

    async def refused(self) -> Mapping[str, str]:
        """Why a tool it has is not offered, by name."""
        ...

    async def call(self, call: ToolCall, offer: Offer, context: CallContext) -> ToolResult:
        """What the tool gives for arguments that fit.

        Raises:
            ServerError: it did not start, died, or did not answer in time.
        """
        ...

    async def read_back(self, call: ToolCall, offer: Offer) -> Reading | None:
        """What the call would change, read without changing it; None where that can't be read.

        Raises:
            ServerError: as for a call.
        """
        ...


def offers_of(
    entry: ServerEntry, tools: list[mcp_types.Tool], server: str, refused: dict[str, str], notes: str = ""
) -> dict[str, Offer]:
    """What a server offers; ``server`` is its own name and version, ``notes`` how it says its tools are used.

    A tool whose schema is bad, and a second one of a name, goes to ``refused`` with the reason.
    """
    offers: dict[str, Offer] = {}
    for tool in tools:
        if tool.name in offers:
            refused[tool.name] = "the server lists a second tool of this name; the first one is offered"
            continue
        try:
            offers[tool.name] = _offer(entry, tool, server, whole(notes, WHOLE_LENGTH))
        except BadSchema as error:
            refused[tool.name] = str(error)
    for name in (
        {*entry.effects, *entry.read_back, *entry.read_back.values()} - offers.keys() - refused.keys()
    ):
        refused[name] = "the settings name it, and the server has no such tool"
    return offers


def pin_of(source: str, schema: Mapping[str, JsonValue]) -> str:
    """Which version of a tool it is: where it is from, and a digest of its schema."""
    digest = hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest()
    return f"{source} {digest[:8]}"


def _offer(entry: ServerEntry, tool: mcp_types.Tool, server: str, notes: str) -> Offer:
    shown = Tool(
        server=entry.name,
        name=tool.name,
        description=whole(tool.description or tool.title or tool.name, WHOLE_LENGTH),
        input_schema=Trimmer(tool.input_schema).trimmed(),
        effect=entry.effects.get(tool.name) or entry.effect or (_said(tool) if entry.is_trusted else CAREFUL),
        pin=pin_of(server, tool.input_schema),
        server_notes=notes,
    )
    read_back = entry.read_back.get(tool.name) or str((tool.meta or {}).get(READ_BACK_KEY, ""))
    is_reader = shown.effect == "pure" or bool(tool.annotations and tool.annotations.read_only_hint)
    wraps = bool((tool.meta or {}).get(WRAPS))
    return Offer(shown, Arguments(tool.input_schema), read_back, wraps, is_reader)


def _said(tool: mcp_types.Tool) -> EffectClass:
    """What a server that is trusted says of a tool."""
    said = (tool.meta or {}).get(EFFECT_KEY)
    for effect in get_args(EffectClass):
        if effect == said:
            return cast("EffectClass", effect)
    hints = tool.annotations or mcp_types.ToolAnnotations()
    if hints.read_only_hint:
        return "pure"
    return "idempotent" if hints.idempotent_hint else CAREFUL
