"""Typed answers to tasks over tables: programs give them by name, and no model tells them again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel

from swarm.nouns.limits import Limits
from swarm.nouns.messages import Request
from swarm.run.answer import Answer
from swarm.run.run import Run
from swarm.run.swarm import Swarm
from swarm.run.typed import form_of
from swarm.testing import ScriptedModel

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

TASK = "How many orders are open, and what is their mean price? Round to two decimals."
SELECT = """```sql
SELECT COUNT(*) AS orders, ROUND(AVG(price), 2) AS mean_price FROM orders WHERE state = 'open'
```"""
PROGRAM = """
rows = [row for row in table("orders") if row["state"] == "open"]
answer({"orders": len(rows), "mean_price": round(sum(row["price"] for row in rows) / len(rows), 2)})
"""


@dataclass
class Totals:
    """Of the orders that are open."""

    orders: int
    mean_price: float


class Priced(BaseModel):
    """An order."""

    id: str
    price: float | None


class Mood(BaseModel):
    """A judgement."""

    mood: Literal["good", "bad"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    rows = ["a1,10,open", "a2,12.5,paid", "a3,20.25,open", "a4,4,open"]
    (tmp_path / "orders.csv").write_text("\n".join(["id,price,state", *rows]) + "\n", encoding="utf-8")
    return tmp_path


def model(asked: list[str], program: str, select: str = SELECT) -> ScriptedModel:
    def reply(request: Request) -> str:
        last = request.messages[-1].content
        said = "\n".join(message.content for message in request.messages)
        if "one SQL SELECT" in said:
            asked.append(said)
            return select
        if "sql(query)" in said:
            asked.append(last)
            return f"```python\n{program}\n```"
        asked.append("in words")
        return '{"result": {"orders": 0, "mean_price": 0}}'

    return ScriptedModel(reply)


async def answered(
    project: Path, task: str, answer_type: type[object], reply: Callable[[list[str]], ScriptedModel]
) -> tuple[Answer[object], list[str]]:
    asked: list[str] = []
    async with Swarm.open(project, model=reply(asked), limits=Limits(attempts=1)) as swarm:
        run: Run[object] = await swarm.start(task, answer_type=answer_type)
        answer = await run.answer()
        return answer, asked


async def test_a_select_and_a_program_give_the_fields_by_their_names(project: Path) -> None:
    answer, asked = await answered(project, TASK, Totals, lambda asked: model(asked, PROGRAM))

    assert answer.status == "done"
    assert answer.value == Totals(3, 11.42)
    assert "in words" not in asked
    assert any("answers with the columns orders, mean_price:" in text for text in asked)
    assert any("answer({…}) must give a dict with: orders, mean_price" in text for text in asked)


async def test_a_list_of_objects_is_what_a_table_holds(project: Path) -> None:
    select = "```sql\nSELECT id AS id, price AS price FROM orders WHERE state = 'open'\n```"
    program = 'answer([row for row in table("orders") if row["state"] == "open"])'

    answer, asked = await answered(
        project,
        "Which orders are open?",
        list[Priced],
        lambda asked: model(asked, program, select),
    )

    assert answer.value == [Priced(id=f"a{n}", price=price) for n, price in ((1, 10), (3, 20.25), (4, 4))]
    assert "in words" not in asked


async def test_what_lacks_a_field_is_ruled_out(project: Path) -> None:
    lacking = 'answer({"orders": 3})'

    answer, _ = await answered(
        project, TASK, Totals, lambda asked: model(asked, lacking, "SELECT 3 AS orders")
    )

    assert answer.status == "failed"
    assert answer.value is None


@pytest.mark.parametrize(
    ("answer_type", "can"),
    [
        (Totals, True),
        (list[Priced], True),
        (Mood, False),
        (int, False),
        (list[str], False),
        (dict[str, int], False),
    ],
)
def test_only_objects_of_values_are_asked_of_programs(answer_type: object, can: bool) -> None:
    form = form_of(answer_type)

    assert form is not None
    assert (form.of_values is not None) == can
