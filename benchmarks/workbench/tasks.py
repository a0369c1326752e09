"""The tasks of the set: what is asked, and the calls after which all tables are as they should be."""

from __future__ import annotations

import ast
import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

QUERIES = "data/processed/queries_and_answers"
"""Where a folder of the set has its query files."""
ENDING = "_queries_and_answers.csv"
NOW = datetime(2023, 11, 30)
"""The moment that all its tasks are asked at, as its own prompt says."""


@dataclass(frozen=True)
class Call:
    """One call of a tool of the set."""

    tool: str
    """Its name there, as ``calendar.delete_event``; also our full name of it."""
    args: dict[str, str]


@dataclass(frozen=True)
class Task:
    """A task of the set, and the calls that do it."""

    domain: str
    """The query file it is from."""
    number: int
    """Its row there, from 1."""
    query: str
    calls: tuple[Call, ...]
    """None where nothing is to be changed."""

    @property
    def name(self) -> str:
        """The domain and the number."""
        return f"{self.domain}:{self.number}"

    @property
    def text(self) -> str:
        """The task with the date and the hours of work that the set tells with each."""
        return (
            f"Today's date is {NOW:%A}, {NOW:%Y-%m-%d}, and the time is {NOW:%H:%M:%S}. "
            f"No meeting may start before 09:00 or end after 18:00.\n{self.query}"
        )


def tasks(data: Path) -> list[Task]:
    """All tasks of a folder of the set, by its query files."""
    files = sorted((data / QUERIES).glob(f"*{ENDING}"))
    if not files:
        raise SystemExit(
            f"{data / QUERIES}: there are no query files; give a checkout of WorkBench as --data"
        )
    return [task for file in files for task in _tasks_of(file)]


def sample(of: Sequence[Task], count: int, seed: int) -> list[Task]:
    """So many tasks, as even over the query files as can be; all of a file that has fewer."""
    domains = {task.domain: [one for one in of if one.domain == task.domain] for task in of}
    shuffled = {name: random.Random(f"{seed} {name}").sample(own, len(own)) for name, own in domains.items()}
    deepest = max(map(len, shuffled.values()), default=0)
    dealt = [own[depth] for depth in range(deepest) for own in shuffled.values() if depth < len(own)]
    return sorted(dealt[:count], key=lambda task: (task.domain, task.number))


def _tasks_of(file: Path) -> list[Task]:
    with file.open(encoding="utf-8", newline="") as rows:
        return [
            Task(file.name.removesuffix(ENDING), number, row["query"], _calls(row["answer"]))
            for number, row in enumerate(csv.DictReader(rows), 1)
        ]


def _calls(answer: str) -> tuple[Call, ...]:
    """The calls of an answer, each written as ``calendar.delete_event.func(event_id="00000256")``."""
    return tuple(_call(text.replace("\n", "\\n")) for text in ast.literal_eval(answer))


def _call(text: str) -> Call:
    parsed = ast.parse(text, mode="eval").body
    assert isinstance(parsed, ast.Call), text
    assert not parsed.args, text
    tool = ast.unparse(parsed.func).removesuffix(".func")
    args = {str(word.arg): str(ast.literal_eval(word.value)) for word in parsed.keywords}
    return Call(tool, args)
