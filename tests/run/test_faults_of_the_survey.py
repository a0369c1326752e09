"""What the survey of a workspace cannot read: the planner reads of it, a person is told, and no step that needs it is done."""

from __future__ import annotations

import asyncio
import gzip
import json
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from swarm.nouns.events import Event, Notice
from swarm.nouns.limits import Limits
from swarm.nouns.messages import Request
from swarm.nouns.result import Result
from swarm.project.project import open_project
from swarm.run.run import Run
from swarm.run.swarm import Swarm
from swarm.store.shelf.reader import read_steps
from swarm.store.shelf.runs import run_path
from swarm.testing import ScriptedModel
from tests.conftest import NO_DATABASE, Quick
from tests.servers.spoiled import PLACES

pytestmark = pytest.mark.anyio

TELLTALE = Path(__file__).parents[1] / "project" / "servers" / "telltale.py"
BROKEN_TOOL = '''
from swarm import ToolContext, ToolResult, tool

@tool(effect="pure")
def find(context: ToolContext) -> ToolResult:
    """Finds."""
    {body}
'''


@dataclass(frozen=True)
class Fault:
    """A way for something to be unreadable before the first question."""

    name: str
    """Of the file that a step is to work on."""
    make: Callable[[Path], object]
    """Makes it in the folder of the project."""
    reason: str
    """A part of what is said of it."""


def holds(name: str, data: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(data)


def place(name: str, kind: str) -> Callable[[Path], object]:
    return lambda folder: PLACES[kind](folder / name)


def database(folder: Path) -> Path:
    path = folder / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE stock(item TEXT, price INT); INSERT INTO stock VALUES ('nut', 2)"
        )
    return path


def cut(folder: Path) -> None:
    path = database(folder)
    path.write_bytes(path.read_bytes()[:100])


def server(*command: str) -> Callable[[Path], object]:
    """A database whose server is another program."""

    def make(folder: Path) -> None:
        database(folder)
        entry = {"command": command[0], "args": command[1:]}
        (folder / ".mcp.json").write_text(json.dumps({"mcpServers": {"database": entry}}), encoding="utf-8")
        (folder / "swarm.toml").write_text("[servers.database]\nstart_seconds = 2\n", encoding="utf-8")

    return make


def telltale(ill: str) -> Callable[[Path], object]:
    return server(sys.executable, "-P", str(TELLTALE), ill)


def disabled(folder: Path) -> None:
    database(folder)
    (folder / "swarm.toml").write_text(NO_DATABASE, encoding="utf-8")


def tool(body: str) -> Callable[[Path], object]:
    """A table file, and a tool of the project in the place of the one that reads tables."""

    def make(folder: Path) -> None:
        (folder / "bad.csv").write_text("item,price\nnut,2\n", encoding="utf-8")
        (folder / "tools").mkdir()
        (folder / "tools" / "tables.py").write_text(BROKEN_TOOL.format(body=body), encoding="utf-8")

    return make


FAULTS: dict[str, Fault] = {
    "an empty table": Fault("bad.csv", holds("bad.csv", b""), "empty"),
    "a short line": Fault("bad.csv", holds("bad.csv", b"a,b,c\n1,2,3\n4,5\n"), "line 3 has 2 cells"),
    "an open quote": Fault("bad.csv", holds("bad.csv", b'a,b\n1,"2\n3,4\n'), "quote"),
    "NUL bytes": Fault("bad.csv", holds("bad.csv", b"a,b\n1,\x002\n"), "NUL"),
    "no line of names": Fault("bad.csv", holds("bad.csv", b"1,2\n3,4\n"), "looks like data"),
    "two separators": Fault("bad.csv", holds("bad.csv", b"a;b,c\n1;2,3\n"), "separated by"),
    "a cut letter": Fault("bad.csv", holds("bad.csv", "a,b\n1,ö".encode()[:-1]), "cut off"),
    "cut UTF-16": Fault("bad.csv", holds("bad.csv", "a,b\n1,2\n".encode("utf-16")[:-1]), "UTF-16"),
    "broken JSON": Fault("bad.json", holds("bad.json", b'[{"a": 1},\n{"a" 2}]'), "line 2"),
    "a broken line of JSON": Fault("bad.jsonl", holds("bad.jsonl", b'{"a": 1}\n{"a": \n'), "line 2"),
    "deep JSON": Fault("bad.json", holds("bad.json", b"[" * 100_000), "nested too deeply"),
    "no workbook": Fault("bad.xlsx", holds("bad.xlsx", b"PK\x03\x04 and so on"), "no workbook"),
    "an old workbook": Fault("bad.xls", holds("bad.xls", b"\xd0\xcf\x11\xe0"), "save it as"),
    "a kind that is not read": Fault("bad.parquet", holds("bad.parquet", b"PAR1"), "save it as"),
    "a packed table": Fault("bad.csv.gz", holds("bad.csv.gz", gzip.compress(b"a,b\n1,2\n")), "save it as"),
    "a table that is a link": Fault("bad.csv", place("bad.csv", "a link to a file"), "link"),
    "a table that is a link out": Fault("bad.csv", place("bad.csv", "a link out"), "link"),
    "a table that is a FIFO": Fault("bad.csv", place("bad.csv", "a FIFO"), "no regular file"),
    "a table that is a folder": Fault("bad.csv", place("bad.csv", "a folder"), "folder"),
    "a table that is a socket": Fault("bad.csv", place("bad.csv", "a socket"), "no regular file"),
    "a text that is a link": Fault("bad.md", place("bad.md", "a link to a file"), "link"),
    "a text that is a FIFO": Fault("bad.md", place("bad.md", "a FIFO"), "special file"),
    "a text that is a link to itself": Fault("bad.md", place("bad.md", "a link to itself"), "link"),
    "a text behind no link": Fault("bad.md", place("bad.md", "a dangling link"), "link"),
    "a text for a database": Fault("shop.db", holds("shop.db", b"id,item\n1,bolt\n"), "is no database"),
    "a cut database": Fault("shop.db", cut, "malformed"),
    "noise for a database": Fault("shop.db", holds("shop.db", b"\x07\xfe" * 4096), "is no database"),
    "a link for a database": Fault("shop.db", lambda f: (f / "shop.db").symlink_to("/etc/hostname"), "link"),
    "a server that is not there": Fault("shop.db", server("no-such-program", "-P", "x"), "no-such-program"),
    "a server that ends": Fault("shop.db", telltale("exits"), "did not start"),
    "a server that refuses": Fault("shop.db", telltale("refuses"), "did not start"),
    "a server that is silent": Fault("shop.db", telltale("silent"), "did not start"),
    "a server without the tool": Fault("shop.db", telltale("fails"), "no tool of this project reads it"),
    "no server": Fault("shop.db", disabled, "no tool of this project reads it"),
    "a tool that fails": Fault("bad.csv", tool('raise ValueError("broken")'), "broken"),
    "a tool that gives no list": Fault("bad.csv", tool('return ToolResult(text="what?")'), "what?"),
}


class Team:
    """A planner that plans one step with what the task names, and an agent that answers at once, as weak ones do."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.read = ""
        """What the planner was asked."""

    def __call__(self, request: Request) -> str:
        prompt = "\n".join(message.content for message in request.messages)
        if "Your step: " in prompt:
            sql = "SELECT SUM(price) AS total FROM good"
            is_query = "results.query" in prompt
            return json.dumps(
                {"tool": "results.query", "args": {"sql": sql}} if is_query else {"result": "It is 5."}
            )
        if "steps" not in json.dumps(request.output_schema):
            return json.dumps({"result": "It is 5."})
        self.read = prompt
        is_text = self.name.endswith(".md")
        agent: dict[str, object] = (
            {"agent": "researcher"} if is_text else {"agent": "analyst", "columns": ["total:number"]}
        )
        step: dict[str, object] = {
            "id": "sum",
            "each": "",
            "needs": [],
            "brief": f"Sum the prices in {self.name}.",
            "writes": "",
        }
        return json.dumps({"steps": [{"columns": [], **step, **agent}]})


async def ended(folder: Path, quick: Quick, team: Team) -> tuple[dict[str, Result], list[Event]]:
    limits = Limits(replans=0, attempts=1, candidates=0)
    project, told = quick(folder), open_project(folder)
    if (folder / ".mcp.json").exists():
        project = project.model_copy(
            update={"servers": {**project.servers, "database": told.servers["database"]}}
        )
    async with asyncio.timeout(60), Swarm.open(project, model=ScriptedModel(team), limits=limits) as swarm:
        run: Run[str] = await swarm.start(f"What do the things in {team.name} cost together?")
        events = [event async for event in run.events()]
        answer = await run.answer()
    return dict(read_steps(run_path(folder, answer.run))), events


@pytest.mark.parametrize("name", FAULTS)
async def test_no_step_is_done_with_what_the_survey_could_not_read(
    tmp_path: Path, quick: Quick, name: str
) -> None:
    fault = FAULTS[name]
    (tmp_path / "swarm.toml").write_text("" if "shop" in fault.name else NO_DATABASE, encoding="utf-8")
    (tmp_path / "good.csv").write_text("item,price\nKettle,5\n", encoding="utf-8")
    team = Team(fault.name)
    fault.make(tmp_path)

    results, events = await ended(tmp_path, quick, team)

    told = [event.text for event in events if isinstance(event, Notice)]
    assert any(fault.reason in text for text in told)
    assert fault.reason in team.read, team.read[-600:]
    assert {result.status for result in results.values()} <= {"failed", "degraded"}
    assert results
    assert any(
        fault.name in result.reason or "database.query" in result.reason for result in results.values()
    )
