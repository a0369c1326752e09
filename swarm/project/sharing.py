"""Who gets what a project adds: a server or a file of tools that no card names is usable all the same."""

from __future__ import annotations

from pathlib import Path

from swarm.nouns.card import AgentCard
from swarm.project.folders import is_built_in
from swarm.project.server_entry import ServerEntry
from swarm.project.tool_files import ToolFile

ALL = "*"
"""In a card: all tools of all servers and tool files of the project, those that ship included."""
ADDED_TO = "generalist"
"""The agent that gets what no card names, where it is the one that ships."""
DESCRIPTION_LENGTH = 60
DESCRIPTIONS = 8
"""Additions that the planner is told of by what they say of themselves."""


def share_out(
    cards: dict[str, AgentCard],
    card_files: dict[str, Path],
    servers: dict[str, ServerEntry],
    tool_files: dict[str, ToolFile],
) -> dict[str, AgentCard]:
    """The cards with ``*`` spelled out, and with the project's additions that no card names."""
    usable = [name for name, entry in servers.items() if not entry.problem]
    everything = (*usable, *tool_files)
    cards = {name: _spelled(card, everything) for name, card in cards.items()}
    card = cards.get(ADDED_TO)
    if card is None or not is_built_in(card_files[ADDED_TO], "agents"):
        return cards
    named = {tool.partition(".")[0] for card in cards.values() for tool in card.tools}
    added = {
        name: servers[name].description for name in usable if name not in named and _is_added(servers[name])
    }
    for name, file in tool_files.items():
        if name not in named and not is_built_in(file.path, "tools"):
            added[name] = file.functions[0].description
    if added:
        description = f"{card.description}; {_told(added)}"
        update = {"tools": (*card.tools, *added), "description": description, "added": tuple(added)}
        cards[ADDED_TO] = card.model_copy(update=update)
    return cards


def _is_added(entry: ServerEntry) -> bool:
    return not is_built_in(entry.origin, "mcp_servers")


def _spelled(card: AgentCard, everything: tuple[str, ...]) -> AgentCard:
    if ALL not in card.tools:
        return card
    kept = [tool for tool in card.tools if tool != ALL]
    return card.model_copy(update={"tools": tuple(dict.fromkeys([*kept, *everything]))})


def _told(added: dict[str, str]) -> str:
    """What the planner is told of the additions."""
    words = [f"{name} ({_short(text)})" if text else name for name, text in added.items()]
    more = [f"{len(words) - DESCRIPTIONS} more"] if len(words) > DESCRIPTIONS else []
    return f"it alone has {', '.join([*words[:DESCRIPTIONS], *more])}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= DESCRIPTION_LENGTH else text[: DESCRIPTION_LENGTH - 1] + "…"
