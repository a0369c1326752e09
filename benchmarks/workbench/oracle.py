"""A scripted model that makes exactly the calls that are due, through our planner, agent, hub and ledger.

Before each it looks up what the call refers to and the task does not tell, as a call that changes something may name
only what was given or read.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import JsonValue

from benchmarks.turns import call_turn, result_turn, turn_number
from benchmarks.workbench.tasks import Call, Task
from swarm.nouns.messages import Request
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
WINDOW = 8_192
"""Of the embedded model, where nothing else is said."""


BY_ID = {
    "event_id": "calendar.get_event_information_by_id",
    "email_id": "email.get_email_information_by_id",
    "task_id": "project_management.get_task_information_by_id",
}
"""Tools of the set that look something up by its id; there is none for customers."""
_ADDRESS = re.compile(r"[\w.]+@[\w.]+")
CUSTOMERS = "data/processed/customer_relationship_manager_data.csv"


def oracle(task: Task, data: Path, window: int = WINDOW) -> ScriptedModel:
    """The model for one task of a folder of the set."""
    return ScriptedModel(script(task, data), window=window)


def script(task: Task, data: Path) -> Callable[[Request], str]:
    """What it says."""
    calls = _with_lookups(task, data)

    def reply(request: Request) -> str:
        if "steps" in _properties(request):
            return json.dumps({"steps": [STEP]})
        if "It has been worked on" in request.messages[0].content:
            return result_turn("It is done.")
        number = turn_number(request)
        if number <= len(calls):
            call = calls[number - 1]
            return call_turn(call.tool, **call.args)
        return result_turn(f"{len(task.calls)} calls were made.")

    return reply


def _with_lookups(task: Task, data: Path) -> list[Call]:
    """The calls that are due, behind those that find their ids and addresses."""
    calls: list[Call] = []
    for call in task.calls:
        for name, value in call.args.items():
            if value.casefold() not in task.query.casefold() and (found := _lookup(name, value, data)):
                calls += [found] if found not in calls else []
        calls.append(call)
    return calls


def _lookup(name: str, value: str, data: Path) -> Call | None:
    """The call that gives a value, where that is an id or an address."""
    if name in BY_ID:
        return Call(BY_ID[name], {name: value, "field": name})
    if name == "customer_id":
        with (data / CUSTOMERS).open(encoding="utf-8", newline="") as rows:
            named = {row["customer_id"]: row["customer_name"] for row in csv.DictReader(rows)}
        return Call("customer_relationship_manager.search_customers", {"customer_name": named[value]})
    if _ADDRESS.fullmatch(value):
        return Call("company_directory.find_email_address", {"name": value.partition(".")[0]})
    return None


def _properties(request: Request) -> Mapping[str, JsonValue]:
    properties = (request.output_schema or {}).get("properties")
    return properties if isinstance(properties, dict) else {}
