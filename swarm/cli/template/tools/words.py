"""Native tools of this project: functions marked @tool, called in the framework's own process."""

from __future__ import annotations

from swarm import tool


@tool(effect="pure")
def count_words(text: str) -> int:
    """How many words a text has."""
    return len(text.split())
