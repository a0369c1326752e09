"""The short form of the proof of typed answers: a scripted model that gives them right, or one wrong."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from pydantic import JsonValue

from benchmarks.typed_answers import CASES, answers, summary
from swarm.nouns.messages import Request
from swarm.testing import ScriptedModel

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_servers")]

RIGHT: tuple[JsonValue, ...] = (
    "angry",
    "happy",
    "delivery",
    "German",
    5,
    3,
    7,
    40.0,
    24.9,
    1_234_500,
    7,
    "2026-03-03",
    "2026-04-15",
    {"name": "Weber", "city": "Kiel"},
    {"name": "Braun", "city": None},
    None,
    True,
    False,
    ["Ana", "Ben", "Cid"],
    ["bread", "milk", "butter", "eggs", "salt"],
    {"rooms": 3, "rent": 850, "pets": True},
    {"customer": "Hill", "mood": "angry", "price": None},
    [
        {"product": "kettles", "pieces": 12},
        {"product": "lamps", "pieces": 7},
        {"product": "chairs", "pieces": 30},
    ],
    [{"owner": "Ana", "due": "2026-03-10"}, {"owner": "Ben", "due": None}],
    {
        "customer": "Hill",
        "items": [{"name": "kettle", "price": 24.9}, {"name": "lamp", "price": 15.1}],
        "total": 40,
    },
    {"day": "2026-03-03", "place": "Ulm", "people": ["Ana", "Ben", "Cid"]},
    {"kind": "card", "last_digits": "4711"},
    {"kind": "transfer", "bank": "Volksbank"},
    {"stars": 1, "product": "kettle"},
    {
        "summary": "The club put forty tulips into the ground, mended its fence and will let guests in from May on."
    },
)


async def test_thirty_right_values_are_all_kept_and_none_is_doubted(tmp_path: Path) -> None:
    assert len(CASES) == len(RIGHT) == 30
    coming = iter(RIGHT)

    def script(request: Request) -> str:
        return json.dumps({"result": next(coming)})

    async with asyncio.timeout(300):
        rows = await answers(ScriptedModel(script), CASES, tmp_path)
    findings = summary(rows)
    assert [row["case"] for row in rows if row["status"] != "done" or row["missing"]] == []
    assert findings.figures["right"] == 30
    assert findings.faults == []


async def test_a_wrong_value_is_counted_and_said_to_be_doubtful(tmp_path: Path) -> None:
    def script(request: Request) -> str:
        return json.dumps({"result": {"name": "Miller", "city": None}})

    case = next(case for case in CASES if case.name == "optional, not there")
    async with asyncio.timeout(60):
        findings = summary(await answers(ScriptedModel(script), (case,), tmp_path))
    assert findings.figures["right"] == 0
    assert findings.figures["not right, and said so"] == 1
    assert len(findings.faults) == 2
