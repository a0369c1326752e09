"""A plan written in Python: read the letters, keep the cases, name who wants a refund.

``python -m examples.scripted-workflow.workflow`` runs it on the model that is found,
``… --model scripted`` on ``script.py``, which needs none.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from pydantic import JsonValue

from swarm import Answer, Plan, Run, Step, Swarm
from swarm.models.model import Model
from swarm.testing.double.scripted import ScriptedModel

FOLDER = Path(__file__).parent
TASK = (FOLDER / "task.txt").read_text(encoding="utf-8").strip()


def table(**columns: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The JSON Schema of a list of rows with these columns."""
    row: JsonValue = {
        "type": "object",
        "properties": dict(columns),
        "required": list(columns),
        "additionalProperties": False,
    }
    return {"type": "array", "items": row}


TEXT: dict[str, JsonValue] = {"type": "string"}
TEXT_OR_NOTHING: dict[str, JsonValue] = {"type": ["string", "null"]}
WISH: dict[str, JsonValue] = {"enum": ["refund", "repair", "nothing"]}

PLAN = Plan(
    steps=(
        Step(
            id="letters",
            agent="researcher",
            each="letters/*.txt",
            brief="Read {item} and give one row: the customer who signed it, the product, the order number "
            "(null when the customer does not know it), and the wish: refund, repair or nothing.",
            expects=table(customer=TEXT, product=TEXT, order_number=TEXT_OR_NOTHING, wish=WISH),
        ),
        Step(
            id="cases",
            agent="analyst",
            needs=("letters",),
            brief="Give customer, product, order_number and wish of the letters whose wish is not 'nothing'.",
            expects=table(customer=TEXT, product=TEXT, order_number=TEXT_OR_NOTHING, wish=WISH),
            writes="cases.csv",
        ),
        Step(
            id="refunds",
            agent="analyst",
            needs=("cases",),
            brief="Give the customer of each of the cases whose wish is 'refund'.",
            expects=table(customer=TEXT),
        ),
    )
)


async def work(workspace: Path, model: str | Model | None = None, project: Path = FOLDER) -> Answer[str]:
    """Runs the plan on a workspace; the model is the one named, else the one that is found."""
    async with Swarm.open(project, model=model, workspace=workspace) as swarm:
        run: Run[str] = await swarm.start(TASK, plan=PLAN)
        return await run.answer()


def main() -> None:
    """Runs the plan and prints the answer; exits with 1 when something is missing."""
    parser = argparse.ArgumentParser(prog="examples.scripted-workflow.workflow", description=__doc__)
    parser.add_argument("--workspace", type=Path, default=FOLDER / "data")
    parser.add_argument("--model", help="name of a model, or scripted")
    args = parser.parse_args()
    model = ScriptedModel(FOLDER / "script.py") if args.model == "scripted" else args.model
    answer = asyncio.run(work(args.workspace, model))
    print(answer.text)
    raise SystemExit(0 if answer.status == "done" else f"{answer.status}: {'; '.join(answer.missing)}")


if __name__ == "__main__":
    main()
