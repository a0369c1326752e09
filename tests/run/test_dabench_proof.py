"""The proof over questions that others asked, with questions of our own in their form."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.dabench import Row, is_right, one_run, questions, summary
from swarm.nouns.messages import Request
from swarm.testing import ScriptedModel

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

ASKED = {
    "id": 3,
    "question": "How many rooms have more than one bed, and which room has most?",
    "constraints": "Rooms without a name do not count.",
    "format": '@rooms[count] where "count" is a whole number, @largest[name]',
    "file_name": "rooms.csv",
    "level": "easy",
}
SELECT = """```sql
SELECT COUNT(*) AS rooms, (SELECT room FROM rooms ORDER BY beds DESC LIMIT 1) AS largest FROM rooms WHERE beds > 1
```"""
PROGRAM = """```python
rows = [row for row in table("rooms") if row["beds"] > 1]
answer({"rooms": len(rows), "largest": max(rows, key=lambda row: row["beds"])["room"]})
```"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A set of two questions, one of them without its table."""
    (tmp_path / "da-dev-tables").mkdir()
    (tmp_path / "da-dev-tables" / "rooms.csv").write_text(
        "room,beds\nAttic,1\nHall,3\nLoft,2\n", encoding="utf-8"
    )
    asked = [ASKED, {**ASKED, "id": 4, "file_name": "gone.csv"}]
    labels = [{"id": number, "common_answers": [["rooms", "2"], ["largest", "Hall"]]} for number in (3, 4)]
    for name, lines in (("questions", asked), ("labels", labels)):
        text = "\n".join(map(json.dumps, lines))
        (tmp_path / f"da-dev-{name}.jsonl").write_text(text, encoding="utf-8")
    return tmp_path


def model(select: str) -> ScriptedModel:
    def reply(request: Request) -> str:
        said = "\n".join(message.content for message in request.messages)
        return select if "one SQL SELECT" in said else PROGRAM

    return ScriptedModel(reply)


async def test_a_question_is_asked_with_the_names_of_its_format(data: Path, tmp_path: Path) -> None:
    (question,) = questions(data)

    row = await one_run(question, model(SELECT), tmp_path / "project")

    assert (question.id, question.names) == (3, ("rooms", "largest"))
    assert (row["right"], row["status"], row["missing"]) == ("yes", "done", "")


async def test_a_wrong_answer_is_not_right_whatever_the_run_says(data: Path, tmp_path: Path) -> None:
    (question,) = questions(data)
    (tmp_path / "project").mkdir()
    wrong = replace(question, label={"rooms": "3", "largest": "Hall"})

    row = await one_run(wrong, model(SELECT), tmp_path / "project")

    assert (row["right"], row["status"]) == ("no", "done")
    assert summary([row]).figures["wrong, and presented as right"] == 1


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ({"rooms": 2.0, "largest": "Hall"}, True),
        ({"rooms": "2", "largest": "Hall", "more": 1}, True),
        ({"rooms": 2.0000001, "largest": "Hall"}, True),
        ({"rooms": 2.01, "largest": "Hall"}, False),
        ({"rooms": 2, "largest": "hall"}, False),
        ({"rooms": 2}, False),
        ({}, False),
    ],
)
def test_an_answer_is_judged_as_the_set_judges_it(given: dict[str, object], right: bool) -> None:
    assert is_right(given, {"rooms": "2", "largest": "Hall"}) == right


def test_fewer_questions_than_the_bar_has_are_a_miss() -> None:
    row: Row = {"right": "yes", "status": "done", "written": 1, "level": "easy"}

    assert summary([dict(row) for _ in range(59)]).faults
    assert not summary([dict(row) for _ in range(60)]).faults
