"""The script of the resume proof: a model that plans, reads notes and counts without a fault."""

from __future__ import annotations

import json
import re

from pydantic import JsonValue

from benchmarks.turns import call_turn, result_turn
from examples.cells import canonical
from swarm.nouns.messages import Request

_ACTION = re.compile(r"^- (\w+): (.+?), (?:by (.+?)|no date set)$", re.MULTILINE)
_MOST = re.compile(r"^owner (\w+); actions (\d+)$", re.MULTILINE)
_FILE = re.compile(r"^(?:\[\w+\] )?Text of notes/", re.MULTILINE)

PLAN = {
    "steps": [
        {
            "id": "actions",
            "agent": "researcher",
            "each": "notes/*.md",
            "needs": [],
            "brief": "Read {item} and give every open action with its owner, the action and its due date.",
            "columns": ["owner:text", "action:text", "due_date:date"],
            "writes": "actions.csv",
        },
        {
            "id": "most",
            "agent": "analyst",
            "each": "",
            "needs": ["actions"],
            "brief": "Count the actions of each owner and give the one with the most.",
            "columns": ["owner:text", "actions:number"],
            "writes": "",
        },
    ]
}
MOST = "SELECT owner, count(*) AS actions FROM actions GROUP BY owner ORDER BY actions DESC LIMIT 1"


def reply(request: Request) -> str:
    """The plan, the actions of a note, the query that counts them, or the answer."""
    asked = request.messages[-1].content
    if asked.startswith("Text files:"):
        return json.dumps(PLAN)
    if _FILE.search(asked):
        rows: list[JsonValue] = [_row(found) for found in _ACTION.finditer(asked)]
        return result_turn(rows)
    if found := _MOST.search(asked):
        return result_turn(f"{found[1]} owes the most actions: {found[2]}.")
    return call_turn("results.query", sql=MOST)


def _row(found: re.Match[str]) -> JsonValue:
    return {
        "quote": found[0],
        "owner": found[1],
        "action": found[2],
        "due_date": canonical("date", found[3]) if found[3] else None,
    }
