"""A tool as the hub keeps it: what an agent is shown of it, and the check of its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import mcp_types

from swarm.hub.schema import Arguments, BadSchema, Trimmer, shortened
from swarm.project.server_entry import ServerEntry
from swarm.tool import CallContext, EffectClass, Tool, ToolCall, ToolResult

DESCRIPTION_LENGTH = 200


@dataclass(frozen=True)
class Offer:
    """A tool and the check of its arguments."""

    tool: Tool
    arguments: Arguments


class Source(Protocol):
    """Where tools come from: an MCP server, or functions of this process."""

    @property
    def name(self) -> str:
        """What stands before the dot in the full name of its tools."""
        ...

    async def offers(self) -> Mapping[str, Offer]:
        """Its tools by name, in its order.

        Raises:
            ProjectError: a file of native tools that cannot be loaded.
            ServerError: a server that did not start.
        """
        ...

    async def refused(self) -> Mapping[str, str]:
        """Why a tool it has is not offered, by name."""
        ...

    async def call(self, call: ToolCall, offer: Offer, context: CallContext) -> ToolResult:
        """What the tool gives for arguments that fit.

        Raises:
            ServerError: it died or did not answer in time.
        """
        ...


def offers_of(entry: ServerEntry, tools: list[mcp_types.Tool], refused: dict[str, str]) -> dict[str, Offer]:
    """What a server offers. A tool whose schema is bad goes to ``refused`` with the reason."""
    offers: dict[str, Offer] = {}
    for tool in tools:
        try:
            offers[tool.name] = _offer(entry, tool)
        except BadSchema as error:
            refused[tool.name] = str(error)
    return offers


def _offer(entry: ServerEntry, tool: mcp_types.Tool) -> Offer:
    shown = Tool(
        server=entry.name,
        name=tool.name,
        description=shortened(tool.description or tool.title or tool.name, DESCRIPTION_LENGTH),
        input_schema=Trimmer(tool.input_schema).trimmed(),
        effect=entry.effects.get(tool.name) or _hinted(tool.annotations),
    )
    return Offer(shown, Arguments(tool.input_schema))


def _hinted(hints: mcp_types.ToolAnnotations | None) -> EffectClass:
    if hints is not None and hints.read_only_hint:
        return "pure"
    if hints is not None and hints.idempotent_hint:
        return "idempotent"
    return "irreversible"
