"""Proves that a 1.5B model answers questions about tables that others asked: a sample of DABench.

The questions, labels and CSV files are those of InfiAgent/InfiAgent on GitHub, ``examples/DA-Agent/data``; they are
not part of this project, ``--data`` says where they lie. Each question is one run over a folder with its file, asked
for with a typed answer of the names that the question's format has. Right is, as that project's own evaluation has
it, an answer all of whose values are the label's, as text or within 1e-6. ``--only`` chooses questions by their ids;
one that was recorded is not asked again unless ``--fresh`` is given, so that a long proof may be made in parts; each
row holds its commit.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, create_model

from benchmarks.proof import Figure, Findings, Proof, commit, last_result, prove, record
from benchmarks.runs import workplace
from swarm import Run, Swarm
from swarm.models.choose import open_model
from swarm.models.model import Model
from swarm.project.settings import ModelSettings

MODEL = "qwen2.5-coder-1.5b-instruct"
FEWEST = 60
SHARE = 0.3
SECONDS = 300.0
CLOSE = 1e-6
_NAME = re.compile(r"@(\w+)\s*\[")

PROOF = Proof(
    name="dabench",
    claim="A 1.5B model on CPU answers questions about tables that others asked (DABench of InfiAgent).",
    bar=f"of at least {FEWEST} questions drawn with a fixed seed at least {SHARE:.0%} entirely right",
)

Row = dict[str, Figure]


@dataclass(frozen=True)
class Question:
    """A question of the set, and its label."""

    id: int
    level: str
    text: str
    table: Path
    label: Mapping[str, str]
    names: tuple[str, ...]
    """Of the values that are asked for."""

    @property
    def answer_type(self) -> type[BaseModel]:
        """A field for each value."""
        fields: dict[str, Any] = dict.fromkeys(self.names, (float | str, ...))
        return create_model("Found", **fields)


def questions(data: Path) -> list[Question]:
    """All questions of the set, those whose table lies there."""
    labels = {label["id"]: dict(label["common_answers"]) for label in _lines(data / "da-dev-labels.jsonl")}
    found: list[Question] = []
    for asked in _lines(data / "da-dev-questions.jsonl"):
        table = data / "da-dev-tables" / asked["file_name"]
        names = tuple(dict.fromkeys(_NAME.findall(asked["format"])))
        text = f"{asked['question']} Use {table.name}.\n{asked['constraints']}\nGive {asked['format']}"
        if table.exists() and names:
            found.append(Question(asked["id"], asked["level"], text, table, labels[asked["id"]], names))
    return found


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def is_right(given: Mapping[str, object], label: Mapping[str, str]) -> bool:
    """Whether every value of the label was given."""
    return all(name in given and _is_equal(given[name], value) for name, value in label.items())


def _is_equal(given: object, value: str) -> bool:
    if str(given) == value:
        return True
    try:
        return abs(float(str(given)) - float(value)) < CLOSE
    except ValueError:
        return False


async def one_run(question: Question, model: Model, project: Path) -> Row:
    """What became of one question."""
    shutil.rmtree(project / "data", ignore_errors=True)
    (project / "data").mkdir(parents=True)
    shutil.copy(question.table, project / "data" / question.table.name)
    began = time.monotonic()
    status, given, written, why = "out of time", dict[str, object](), 0, f"{SECONDS:g} s"
    try:
        async with asyncio.timeout(SECONDS):
            async with Swarm.open(project, workspace=project / "data", model=model) as swarm:
                run: Run[BaseModel] = await swarm.start(question.text, answer_type=question.answer_type)
                answer = await run.answer()
        status, given = answer.status, answer.value.model_dump() if answer.value else {}
        written = answer.usage.written_tokens
        why = "; ".join(answer.missing)[:200]
    except TimeoutError:
        pass
    right = is_right(given, question.label)
    shown: Row = {"right": "yes" if right else "no", "status": status, "missing": why, "written": written}
    wall = round(time.monotonic() - began, 1)
    return {"id": question.id, "level": question.level, **shown, "wall (s)": wall, "commit": commit()}


def summary(rows: Sequence[Row]) -> Findings:
    """The figures against the bar."""
    right = [row for row in rows if row["right"] == "yes"]
    unsaid = [row for row in rows if row["right"] == "no" and row["status"] == "done"]
    figures: dict[str, Figure] = {
        "questions": len(rows),
        "right": len(right),
        "right, and without a doubt": sum(row["status"] == "done" for row in right),
        "wrong, and presented as right": len(unsaid),
        "tokens written": sum(cast("int", row["written"]) for row in rows),
    }
    for level in ("easy", "medium", "hard"):
        own = [row for row in rows if row["level"] == level]
        figures[f"right, {level}"] = f"{sum(row['right'] == 'yes' for row in own)} of {len(own)}"
    faults = [f"{len(rows)} questions were asked, and {FEWEST} should be"] if len(rows) < FEWEST else []
    faults += [f"{len(right)} are right, and {SHARE:.0%} should be"] if len(right) < SHARE * len(rows) else []
    return Findings(figures, faults, list(rows))


async def measure(options: argparse.Namespace) -> Findings:
    """Asks what was not asked yet at this commit, and sums up."""
    asked = questions(options.data)
    drawn = random.Random(options.seed).sample(asked, min(options.questions, len(asked)))
    chosen = [one for one in asked if one.id in options.only] if options.only else drawn
    rows = [] if options.fresh else recorded()
    known = {row["id"] for row in rows}
    project = workplace(PROOF.name)
    async with open_model(options.model, ModelSettings()) as model:
        for question in chosen:
            if question.id in known:
                continue
            rows.append(await one_run(question, model, project))
            print("  " + ", ".join(f"{name} {value}" for name, value in rows[-1].items()), flush=True)
            if not options.only:
                record(PROOF, summary(rows), sum(cast("float", row["wall (s)"]) for row in rows))
    return summary(rows)


def recorded() -> list[Row]:
    """The rows of the last result."""
    found = last_result(PROOF.name)
    return cast("list[Row]", found["details"]) if found else []


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.dabench", description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="examples/DA-Agent/data of InfiAgent/InfiAgent"
    )
    parser.add_argument("--questions", type=int, default=FEWEST)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", type=int, metavar="ID", help="questions by their ids")
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--fresh", action="store_true", help="ask again what was recorded")
    return parser.parse_args()


if __name__ == "__main__":
    chosen_options = _options()
    prove(PROOF, lambda: asyncio.run(measure(chosen_options)))
