"""What a run of a task is worth: right, wrong and presented as right, or an honest failure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast

Ruling = Literal["right", "doubted", "wrong", "honest"]
RULINGS: dict[Ruling, str] = {
    "right": "right",
    "doubted": "right, doubted",
    "wrong": "WRONG, not said",
    "honest": "failed, and said so",
}
"""Each with what is printed of it; ``doubted`` is right with the status ``degraded``."""

OUT_OF_TIME = "out of time"
SPENT = ("prefilled_tokens", "cached_tokens", "written_tokens", "model_calls", "tool_calls")


@dataclass(frozen=True)
class Ending:
    """How a command ended, from what it printed."""

    status: str
    """That of the run; ``exit N`` where it told none, ``out of time`` past the deadline."""
    answer: str
    spent: dict[str, int]
    """By name of the field of ``Usage``; empty where nothing was told."""


def ruling(faults: list[str], status: str) -> Ruling:
    """What a run is worth: its faults against what it says of itself."""
    if status in {"done", "exit 0"}:
        return "wrong" if faults else "right"
    return "doubted" if status == "degraded" and not faults else "honest"


def ending(printed: str, code: int | None) -> Ending:
    """Reads what a command printed: the events of ``--json``, or else the answer. No code: it was cut off."""
    events = list(_events(printed))
    ends = [event for event in events if event["kind"] == "run_ended"]
    answer = str(ends[-1].get("answer", "")) if ends else "" if events else printed
    spent = _spent(ends[-1:] or [event for event in events if event["kind"] == "model_replied"])
    if code is None:
        return Ending(OUT_OF_TIME, answer, spent)
    return Ending(str(ends[-1]["status"]) if ends else _told(events, code), answer, spent)


def _told(events: list[dict[str, object]], code: int) -> str:
    """The status of a command that told none: events without an end are no success."""
    return f"exit {code}, no end" if events else f"exit {code}"


def _events(printed: str) -> Iterator[dict[str, object]]:
    for line in printed.splitlines():
        if not line.startswith("{"):
            continue
        try:
            value = cast(object, json.loads(line))
        except ValueError:
            continue
        if isinstance(value, dict) and "kind" in value and "seq" in value:
            yield cast(dict[str, object], value)


def _spent(events: list[dict[str, object]]) -> dict[str, int]:
    usages = [cast(dict[str, int], event.get("usage") or {}) for event in events]
    return {name: sum(usage.get(name, 0) for usage in usages) for name in SPENT} if usages else {}
