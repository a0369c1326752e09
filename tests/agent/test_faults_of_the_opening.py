"""What breaks between the survey and the moment an agent's files are opened for it: no step that names it is done."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from swarm.nouns.limits import Limits
from swarm.nouns.messages import Request
from swarm.nouns.plan import Plan, Step
from swarm.nouns.result import Result
from swarm.planner.draft import table_schema
from swarm.run.run import Run
from swarm.run.swarm import Swarm
from swarm.store.shelf.reader import read_steps
from swarm.store.shelf.runs import run_path
from swarm.testing import ScriptedModel
from tests.conftest import NO_DATABASE, Quick
from tests.servers.spoiled import CONTENTS, PLACES

GOOD = {
    ".csv": "name,price\nKettle,5\n",
    ".json": '[{"name": "Kettle", "price": 5}]',
    ".jsonl": '{"name": "Kettle", "price": 5}\n',
    ".md": "The kettle costs 5 euros.\n",
}
LARGE = "name,price\n" + "Kettle,5\n" * 150_000
"""Of such a file an agent gets a description alone, and each query reads it."""


@dataclass(frozen=True)
class Fault:
    """A way for a file to break."""

    ending: str
    spoil: Callable[[Path], object]
    reason: str
    """A part of what is said of it."""
    text: str = ""
    """What the file holds before, where that is not the usual."""


def holds(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def more(data: bytes) -> Callable[[Path], object]:
    def add(path: Path) -> None:
        with path.open("ab") as file:
            file.write(data)

    return add


def instead(make: Callable[[Path], object]) -> Callable[[Path], object]:
    """Another thing in the place of the file."""

    def spoil(path: Path) -> None:
        path.unlink()
        make(path)

    return spoil


TABLES: dict[str, Fault] = {
    "gone": Fault(".csv", Path.unlink, "no table file matches"),
    "emptied": Fault(".csv", holds(b""), "empty"),
    "blank": Fault(".csv", holds(b"\n \n"), "empty"),
    "short line": Fault(".csv", more(b"Lamp\n"), "line 3 has 1 cell"),
    "long line": Fault(".csv", more(b"Lamp,5,6\n"), "line 3 has 3 cells"),
    "open quote": Fault(".csv", more(b'Lamp,"5\n'), "quote"),
    "text behind a quote": Fault(".csv", more(b'"La"mp,5\n'), "quote"),
    "NUL": Fault(".csv", more(b"La\0mp,5\n"), "NUL"),
    "cut letter": Fault(".csv", more("Lö".encode()[:-1]), "cut off"),
    "no encoding": Fault(".csv", more(b"\x81\x8d\xff,5\n"), "encoding"),
    "no names": Fault(".csv", holds(b"1,2\n3,4\n"), "looks like data"),
    "two separators": Fault(".csv", holds(b"a;b,c\n1;2,3\n"), "separated by"),
    "total": Fault(".csv", more(b"Lamp,6\nTotal,11\n"), "looks like a sum"),
    "fifo": Fault(".csv", instead(os.mkfifo), "no regular file"),
    "folder": Fault(".csv", instead(lambda path: path.mkdir()), "folder"),
    "link": Fault(".csv", instead(lambda path: path.symlink_to("/etc/hostname")), "link"),
    "broken JSON": Fault(".json", holds(b'[{"name": "Lamp"},\n{"name" 2}]'), "line 2"),
    "cut JSON": Fault(".json", holds(b'[{"name": "Lamp"'), "line 1"),
    "JSON of one thing": Fault(".json", holds(b'{"name": "Lamp"}'), "no table"),
    "a name twice": Fault(".json", holds(b'[{"name": "a", "name": "b"}]'), "two values"),
    "NaN": Fault(".json", holds(b'[{"name": NaN}]'), "NaN"),
    "broken line": Fault(".jsonl", more(b'{"name": \n'), "line 2"),
    "line of a list": Fault(".jsonl", more(b"[1]\n"), "line 2"),
    "large and short": Fault(".csv", more(b"Lamp\n"), "1 cell", LARGE),
    "large and long": Fault(".csv", more(b"Lamp,5,6\n"), "3 cells", LARGE),
    "large and NUL": Fault(".csv", more(b"La\0mp,5\n"), "NUL", LARGE),
    "large and cut": Fault(".csv", more(b"Lamp,\xc3"), "cut off", LARGE),
    "large and total": Fault(".csv", more(b"Total,750000\n"), "looks like a sum", LARGE),
    "large and gone": Fault(".csv", Path.unlink, "no table file matches", LARGE),
}
TEXTS: dict[str, Fault] = {
    **{name: Fault(".md", make, "") for name, make in CONTENTS.items()},
    **{name: Fault(".md", instead(make), "") for name, make in PLACES.items()},
    "a file that is gone": Fault(".md", Path.unlink, ""),
}
FAULTS = TABLES | TEXTS
PATHS = {
    name: f"in{number}/file{number}{fault.ending}" for number, (name, fault) in enumerate(FAULTS.items())
}
"""Each lies in a folder of its own."""


def step(name: str) -> Step:
    id = PATHS[name].partition("/")[0]
    if name in TABLES:
        brief, wanted = f"Count the rows of {PATHS[name]}.", table_schema(["total:number"])
        return Step(id=id, agent="analyst", needs=("first",), brief=brief, expects=wanted)
    return Step(id=id, agent="writer", needs=("first",), brief=f"Tell of {PATHS[name]}.")


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory, quick: Quick) -> Mapping[str, Result]:
    """The results of a run whose first step breaks the files that the others work on, by their faults."""
    folder = tmp_path_factory.mktemp("opening")
    (folder / "swarm.toml").write_text(NO_DATABASE, encoding="utf-8")
    for name, path in PATHS.items():
        (folder / path).parent.mkdir()
        (folder / path).write_text(FAULTS[name].text or GOOD[FAULTS[name].ending], encoding="utf-8")

    def script(request: Request) -> str:
        prompt = "\n".join(message.content for message in request.messages)
        if "Your step: Break them." in prompt:
            for name, path in PATHS.items():
                FAULTS[name].spoil(folder / path)
        if "Your step: Count" not in prompt:
            return json.dumps({"result": "It costs 5 euros."})
        table = prompt.split("Count the rows of ")[1].split("/")[1].partition(".")[0]
        sql = f"SELECT COUNT(*) AS total FROM {table}"
        return json.dumps({"tool": "results.query", "args": {"sql": sql}})

    first = Step(id="first", agent="writer", brief="Break them.")
    plan = Plan(steps=(first, *map(step, PATHS)))

    async def work() -> dict[str, Result]:
        limits = Limits(replans=0, attempts=1)
        opening = Swarm.open(quick(folder), model=ScriptedModel(script), limits=limits)
        async with asyncio.timeout(180), opening as swarm:
            run: Run[str] = await swarm.start("Tell of the files.", plan=plan)
            answer = await run.answer()
        return read_steps(run_path(folder, answer.run))

    results = asyncio.run(work())
    assert results.pop("first").status == "done"
    return {name: results[PATHS[name].partition("/")[0]] for name in PATHS}


@pytest.mark.parametrize("name", TABLES)
def test_a_query_fails_over_a_table_file_that_is(ended: Mapping[str, Result], name: str) -> None:
    assert ended[name].status == "failed"
    assert PATHS[name].partition("/")[2] in ended[name].reason
    assert TABLES[name].reason in ended[name].reason


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_is_told_as_done_of_a_text_that_is(ended: Mapping[str, Result], name: str) -> None:
    assert ended[name].status in ("failed", "degraded")
    assert PATHS[name].partition("/")[2] in ended[name].reason
