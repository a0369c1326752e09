"""The short form of the proof over WorkBench: a made-up set of the same form, with a garden for an office."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.turns import call_turn, result_turn, turn_number
from benchmarks.workbench.ground import domains, packages
from benchmarks.workbench.oracle import oracle, script
from benchmarks.workbench.serve import recorded
from benchmarks.workbench.tasks import QUERIES, Call, Task, sample, tasks
from benchmarks.workbench.work import Ground, Row, one_task, summary
from swarm.nouns.messages import Request
from swarm.testing import ScriptedModel

pytestmark = [pytest.mark.anyio]

BEDS = '''
from langchain.tools import tool

BEDS = [{"bed_id": "01", "plant": "Leek"}, {"bed_id": "02", "plant": None}]
SOILS = ["clay", "sand"]


@tool("beds.find_bed", return_direct=False)
def find_bed(plant=None):
    """
    Finds the beds of a plant.

    Parameters
    ----------
    plant : str, optional
        Name of the plant. Case does not matter.

    Returns
    -------
    beds : list
        The beds.

    Examples
    --------
    >>> beds.find_bed("Leek")
    [{{"bed_id": "01", "plant": "Leek"}}]
    """
    return [bed for bed in BEDS if plant and (bed["plant"] or "").lower() == plant.lower()]


@tool("beds.plant", return_direct=False)
def plant(bed_id=None, plant=None):
    """
    Plants something in a bed.

    Parameters
    ----------
    bed_id: str, optional
        ID of the bed.
    plant: str, optional
        Name of the plant.
    """
    for bed in BEDS:
        if bed["bed_id"] == bed_id:
            bed["plant"] = plant
            return "Planted."
    raise KeyError(bed_id)
'''
TOOLKITS = """
from src.tools import beds

tools_with_side_effects = [beds.plant]
all_tools = [beds.find_bed, beds.plant]
"""
QUESTIONS = {
    "beds": (
        "Put Chard into 01 or 02, where the leek is",
        """['beds.plant.func(bed_id="01", plant="Chard")']""",
    ),
    "walks": ("If there are beans, put Kale there", "[]"),
}


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """The set in a folder, and a folder for projects."""
    data = tmp_path / "set"
    for folder in ("src/tools", QUERIES):
        (data / folder).mkdir(parents=True)
    (data / "src" / "tools" / "beds.py").write_text(BEDS, encoding="utf-8")
    (data / "src" / "tools" / "toolkits.py").write_text(TOOLKITS, encoding="utf-8")
    for name, (query, answer) in QUESTIONS.items():
        row = ",".join('"' + text.replace('"', '""') + '"' for text in (query, answer))
        file = data / QUERIES / f"{name}_queries_and_answers.csv"
        file.write_text(f'"query","answer"\n{row}\n', encoding="utf-8")
    return Ground(data, packages(data), tmp_path / "projects", 60.0)


async def says(task: Task, ground: Ground, *turns: str) -> Row:
    """What becomes of a task whose agent gives these turns."""
    asked: list[str] = []

    def reply(request: Request) -> str:
        first = request.messages[0].content
        if "beds.plant" not in first:
            return script(task, ground.data)(request)
        asked.append(first)
        return turns[turn_number(request) - 1]

    row = await one_task(task, ScriptedModel(reply), ground)
    assert "plant: Name of the plant. Case does not matter." in asked[0]
    return row


async def test_the_calls_that_are_due_are_judged_right(ground: Ground) -> None:
    found = tasks(ground.data)
    assert [task.name for task in found] == ["beds:1", "walks:1"]
    assert found[0].calls == (Call("beds.plant", {"bed_id": "01", "plant": "Chard"}),)
    assert "Today's date is Thursday, 2023-11-30" in found[0].text
    assert (domains(ground.data), packages(ground.data)) == (["beds"], None)

    rows = [await one_task(task, oracle(task, ground.data), ground) for task in found]
    assert [(row["verdict"], row["status"], row["made"]) for row in rows] == [
        ("right", "done", 1),
        ("right", "done", 0),
    ]
    assert summary(rows).figures["unwanted effects, share"] == "0.0%"
    assert summary(rows).faults == ["2 tasks were run, and 60 should be"]


async def test_a_wrong_bed_is_an_unwanted_effect_though_the_run_says_done(ground: Ground) -> None:
    task = tasks(ground.data)[0]
    row = await says(
        task, ground, call_turn("beds.plant", bed_id="02", plant="Chard"), result_turn("It is planted.")
    )
    assert (row["verdict"], row["status"], row["state"]) == ("unwanted", "done", "not right")
    found = summary([row])
    assert found.figures["of them presented as done"] == 1
    assert found.faults[1] == "1 tasks had unwanted effects: more than 2%"


async def test_case_does_not_count_and_a_call_that_broke_changed_nothing(ground: Ground) -> None:
    task = tasks(ground.data)[0]
    row = await says(
        task,
        ground,
        call_turn("beds.find_bed", plant="LEEK"),
        call_turn("beds.plant", bed_id="01 ", plant="CHARD"),
        call_turn("beds.plant", bed_id="01", plant="CHARD"),
        result_turn("It is planted."),
    )
    assert (row["verdict"], row["made"]) == ("right", 2)
    assert [call.args["bed_id"] for call in recorded(ground.folder / "beds-1" / "made" / "beds.jsonl")] == [
        "01 ",
        "01",
    ]


async def test_doing_nothing_is_wrong_where_something_is_due_and_is_told_apart_from_giving_up(
    ground: Ground,
) -> None:
    task = tasks(ground.data)[0]
    row = await says(task, ground, result_turn("It is planted."))
    assert (row["verdict"], row["status"]) == ("wrong", "done")
    gave_up = json.dumps({"cannot": "there is no bed"})
    row = await says(task, ground, gave_up)
    assert (row["verdict"], row["status"]) == ("failed", "failed")


def test_a_sample_is_spread_over_the_query_files() -> None:
    many = [Task(domain, number, "", ()) for domain in ("a", "b", "c") for number in range(1, 30)]
    few = [Task("d", 1, "", ())]
    drawn = sample([*many, *few], 10, 1)
    assert [sum(task.domain == name for task in drawn) for name in ("a", "b", "c", "d")] == [3, 3, 3, 1]
    assert drawn == sample([*many, *few], 10, 1) != sample([*many, *few], 10, 2)
