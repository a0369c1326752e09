"""A scripted model that makes exactly the calls that are due, through our planner, agent, hub and ledger."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from pydantic import JsonValue

from benchmarks.turns import call_turn, result_turn, turn_number
from benchmarks.workbench.tasks import Task
from swarm.messages import Request
from swarm.testing import ScriptedModel

AGENT = "generalist"
"""The agent that has the servers which no card names."""
STEP: Mapping[str, JsonValue] = {
    "id": "work",
    "agent": AGENT,
    "each": "",
    "needs": [],
    "brief": "Do what the task says.",
    "columns": [],
    "writes": "",
}
WINDOW = 32_768


def oracle(task: Task) -> ScriptedModel:
    """The model for one task."""
    return ScriptedModel(script(task), window=WINDOW)


def script(task: Task) -> Callable[[Request], str]:
    """What it says."""

    def reply(request: Request) -> str:
        if "steps" in _properties(request):
            return json.dumps({"steps": [STEP]})
        if "It has been worked on" in request.messages[0].content:
            return result_turn("It is done.")
        number = turn_number(request)
        if number <= len(task.calls):
            call = task.calls[number - 1]
            return call_turn(call.tool, **call.args)
        return result_turn(f"{len(task.calls)} calls were made.")

    return reply


def _properties(request: Request) -> Mapping[str, JsonValue]:
    properties = (request.output_schema or {}).get("properties")
    return properties if isinstance(properties, dict) else {}
