"""Runs that really die at one named point, are resumed to the end, and what became of their one call."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from inspect import isawaitable
from pathlib import Path
from typing import NoReturn, cast

from benchmarks.killing import is_alive
from benchmarks.scripts import crash_server
from benchmarks.scripts.crash_server import STATE, lines_of
from benchmarks.turns import call_turn, result_turn, turn_number
from swarm.hub.hub import Hub
from swarm.hub.servers.connection import Connection
from swarm.nouns.commands import Decision
from swarm.nouns.messages import Request
from swarm.nouns.plan import Plan, Step
from swarm.nouns.tool import ToolCall
from swarm.project.project import Project, open_project
from swarm.run.run import Run
from swarm.run.swarm import Swarm
from swarm.store.rows.checkpoints import Saver
from swarm.store.rows.journal import Journal
from swarm.store.rows.ledger import Ledger
from swarm.store.rows.tables import ADD_TOOL_RESULT, MARK_SENT
from swarm.store.rows.writer import Writer
from swarm.store.shelf.reader import read_questions, read_threads
from swarm.store.shelf.runs import list_runs, run_path
from swarm.testing import ScriptedModel

PLAN = Plan(steps=(Step(id="do", agent="clerk", brief="Do it."),))
CARD = "---\ndescription: does it\ntools: [post.{tool}]\n---\nDo it.\n"
SETTINGS = "[servers.files]\nenabled = false\n[servers.database]\nenabled = false\n"
SITTINGS = 6
"""After so many a run has ended, or it never will."""
SITTING_SECONDS, LEFT_SECONDS = 60.0, 10.0

Function = Callable[..., object]


@dataclass(frozen=True)
class Point:
    """Where the first sitting dies."""

    name: str
    """As ARCHITECTURE.md has it."""
    arm: Callable[[str], None] | None = None
    """Sets the trap in the process of the run, for a call of that effect class."""
    moment: tuple[str, str] | None = None
    """When in the server whom to kill: the run, the server, or both."""


def die() -> NoReturn:
    """Ends this process as a kill does."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nothing outlives SIGKILL")


def _wrap(owner: type, name: str, wrapper: Callable[[Function], Function]) -> None:
    setattr(owner, name, wrapper(cast(Function, getattr(owner, name))))


def _dies_before(owner: type, name: str) -> Callable[[str], None]:
    def arm(effect: str) -> None:
        _wrap(owner, name, lambda _: lambda *args, **given: die())

    return arm


def _dies_after(owner: type, name: str) -> Callable[[str], None]:
    def arm(effect: str) -> None:
        def wrapper(function: Function) -> Function:
            def called(*args: object, **given: object) -> object:
                value = function(*args, **given)
                return _die_after(value) if isawaitable(value) else die()

            return called

        _wrap(owner, name, wrapper)

    return arm


async def _die_after(work: Awaitable[object]) -> NoReturn:
    await work
    die()


def _dies_at_commit(statement: str, *, is_after: bool = False) -> Callable[[str], None]:
    """At the transaction that holds the statement, in the writer's thread."""

    def arm(effect: str) -> None:
        def wrapper(function: Function) -> Function:
            def commit(writer: Writer, connection: object, jobs: list[object]) -> object:
                rows = [row for job in jobs for row in getattr(job, "rows", ())]
                is_due = any(row[0] == statement for row in rows)
                if is_due and not is_after:
                    die()
                outcome = function(writer, connection, jobs)
                return die() if is_due else outcome

            return commit

        _wrap(Writer, "_commit", wrapper)

    return arm


def _dies_when_durable(owner: type, name: str) -> Callable[[str], None]:
    """Before the function has the call, when all that was recorded until then is durable."""

    def arm(effect: str) -> None:
        begun: list[Journal] = []

        def keeping(function: Function) -> Function:
            def made(journal: Journal, *args: object, **given: object) -> None:
                function(journal, *args, **given)
                begun.append(journal)

            return made

        def wrapper(function: Function) -> Function:
            async def called(*args: object, **given: object) -> object:
                if any(isinstance(arg, ToolCall) and arg.tool == f"post.{effect}" for arg in args):
                    await begun[0].save_run()
                    die()
                return await cast(Awaitable[object], function(*args, **given))

            return called

        _wrap(Journal, "__init__", keeping)
        _wrap(owner, name, wrapper)

    return arm


def _at_the_checkpoint(effect: str) -> None:
    """At the first checkpoint after the result was recorded."""
    settled: list[bool] = []

    def settling(function: Function) -> Function:
        async def settle(*args: object, **given: object) -> None:
            await cast(Awaitable[object], function(*args, **given))
            settled.append(True)

        return settle

    def putting(function: Function) -> Function:
        return lambda *args, **given: die() if settled else function(*args, **given)

    _wrap(Ledger, "settle", settling)
    _wrap(Saver, "aput", putting)


def _before_it_leaves(effect: str) -> None:
    """At the last moment before the call leaves, with its record handed over and not yet durable."""
    if effect in ("pure", "idempotent"):
        _dies_before(Connection, "call")(effect)
    else:
        _dies_at_commit(MARK_SENT)(effect)


def _in_reply(turn: int) -> Callable[[str], None]:
    def arm(effect: str) -> None:
        DYING_TURNS.add(turn)

    return arm


DYING_TURNS: set[int] = set()
"""Turns of the agent in whose model call this process dies."""

POINTS = (
    Point("the model writes its reply", _in_reply(1)),
    Point("the reply is there, not recorded", _dies_before(Journal, "note_reply")),
    Point("the reply is recorded, the call not begun", _dies_when_durable(Ledger, "entry")),
    Point("before the intent is handed over", _dies_before(Ledger, "intend")),
    Point("the intent is handed over, not durable", _dies_after(Ledger, "intend")),
    Point("the intent is durable, the call not sent", _dies_when_durable(Hub, "call")),
    Point("the call is about to leave, its record not durable", _before_it_leaves),
    Point("its record is durable, the server has nothing", _dies_when_durable(Connection, "call")),
    Point("the server has it, has not acted, and dies too", moment=("before", "both")),
    Point("the server has it and acts after the run died", moment=("before", "run")),
    Point("the server has acted, not replied, and dies too", moment=("after", "both")),
    Point("the server has acted and replies to nobody", moment=("after", "run")),
    Point("half of the reply is sent", moment=("half", "both")),
    Point("the reply is there, the result not handed over", _dies_before(Ledger, "settle")),
    Point("the result is handed over, not durable", _dies_at_commit(ADD_TOOL_RESULT)),
    Point("the result is durable, not acknowledged", _dies_at_commit(ADD_TOOL_RESULT, is_after=True)),
    Point("at the checkpoint after the call", _at_the_checkpoint),
    Point("in the next model call", _in_reply(2)),
    Point("the server alone dies before it acts", moment=("before", "server")),
    Point("the server alone dies after it acted", moment=("after", "server")),
)


Seen = tuple[str, list[str], list[str], int]
"""Status of the run, states of its calls, what a person decided, and how often the server acted."""

WORDS: dict[str, Seen] = {
    "asked: done": ("done", ["reconciled"], ["done"], 1),
    "asked: repeat": ("done", ["done"], ["repeat"], 1),
    "read back: done": ("done", ["reconciled"], [], 1),
    "told": ("done", ["failed", "done"], [], 1),
    "told, 2 effects": ("done", ["failed", "done"], [], 2),
    "repeated, 2 effects": ("done", ["done"], [], 2),
}


@dataclass(frozen=True)
class Trial:
    """One run with one call, in a folder of its own."""

    folder: Path
    point: Point
    effect: str

    def outcome(self) -> str:
        """What became of the call, in the words of ARCHITECTURE.md; what else it came to, where that is wrong."""
        self._make()
        if self.point.moment is not None:
            when, whom = self.point.moment
            moment = json.dumps({"when": when, "whom": whom})
            (self.folder / "moment.json").write_text(moment, encoding="utf-8")
        code = self._sit(is_first=True)
        is_run_dead = self.point.moment is None or self.point.moment[1] != "server"
        if is_run_dead != (code == -signal.SIGKILL):
            return f"the first sitting ended with {code}: {self._said()}"
        for _ in range(SITTINGS):
            if self._status() not in ("running", "paused"):
                break
            if (code := self._sit(is_first=False)) != 0:
                return f"a later sitting ended with {code}: {self._said()}"
        return self._word()

    def _make(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "pids").mkdir(parents=True)
        (self.folder / "agents").mkdir()
        (self.folder / "mcp_servers").mkdir()
        (self.folder / "agents" / "clerk.md").write_text(CARD.format(tool=self.effect), encoding="utf-8")
        (self.folder / "swarm.toml").write_text(SETTINGS, encoding="utf-8")
        shutil.copy(crash_server.__file__, self.folder / "mcp_servers" / "post.py")

    def warm_up(self) -> None:
        """Imports all that a sitting needs, by one in this process."""
        self._make()
        asyncio.run(self._run())

    def _sit(self, *, is_first: bool) -> int:
        """Starts or resumes the run in a process of its own; gives its exit code once its servers have ended."""
        sys.stdout.flush()
        if (pid := os.fork()) == 0:
            self._be_sitting(is_first=is_first)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        ends = time.monotonic() + LEFT_SECONDS
        while any(is_alive(int(path.name)) for path in (self.folder / "pids").iterdir()):
            if time.monotonic() > ends:
                raise TimeoutError(f"a server of {self.folder} outlives its run")
            time.sleep(0.002)
        return code

    def _be_sitting(self, *, is_first: bool) -> NoReturn:
        code = 0
        try:
            out = os.open(self.folder / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            os.dup2(out, 2)
            if is_first and self.point.arm is not None:
                self.point.arm(self.effect)
            asyncio.run(asyncio.wait_for(self._run(), SITTING_SECONDS))
        except BaseException:  # noqa: BLE001  # the child ends here, whatever it was
            traceback.print_exc()
            code = 2
        finally:
            sys.stderr.flush()
            os._exit(code)

    async def _run(self) -> None:
        path = self._path()
        if path is not None and any(question.is_open for question in read_questions(path)):
            await self._decide(path)
        with (self.folder / "sittings.jsonl").open("a", encoding="utf-8") as file:
            print(json.dumps(len(lines_of(self.folder / "requests.jsonl"))), file=file)
        async with Swarm.open(self._project(), model=ScriptedModel(self._reply)) as swarm:
            run: Run[str] = await (swarm.resume() if path else swarm.start("Do it.", plan=PLAN))
            await run.answer()

    def _project(self) -> Project:
        opened = open_project(self.folder)
        post = opened.servers["post"]
        args = ("-I", "-S", str(post.origin), str(self.folder))
        return opened.model_copy(update={"servers": {"post": post.model_copy(update={"args": args})}})

    async def _decide(self, path: Path) -> None:
        """Says what becomes of the call as somebody does who looks whether it took effect."""
        decision: Decision = "done" if self._effects() else "repeat"
        async with Journal.open(path) as journal:
            await journal.ledger.decide(1, decision)

    def _reply(self, request: Request) -> str:
        if len(request.messages) < 2:
            return result_turn("It is done.")
        if turn_number(request) in DYING_TURNS:
            die()
        is_done = " gave:" in request.messages[-1].content
        return result_turn("It is done.") if is_done else call_turn(f"post.{self.effect}")

    def _path(self) -> Path | None:
        records = list_runs(self.folder).records
        return run_path(self.folder, records[0].id) if records else None

    def _status(self) -> str:
        records = list_runs(self.folder).records
        return records[0].status if records else "running"

    def _said(self) -> str:
        return (self.folder / "said.txt").read_text(encoding="utf-8").strip()[-600:]

    def _effects(self) -> int:
        return len(lines_of(self.folder / "effects.jsonl"))

    def _word(self) -> str:
        """What became of the call, held against the ledger, the questions and what the server saw."""
        path = self._path()
        if path is None:
            return "no run is there"
        states = [str(call.state) for thread in read_threads(path) for call in thread.calls]
        decisions = [str(question.decision) for question in read_questions(path)]
        requests = [str(line["tool"]) for line in lines_of(self.folder / "requests.jsonl")]
        last = requests[int(str(lines_of(self.folder / "sittings.jsonl")[-1])) :]
        seen: Seen = (self._status(), states, decisions, self._effects())
        for word, wanted in WORDS.items():
            if seen == wanted:
                return word
        if seen != ("done", ["done"], [], 1):
            return f"wrong: {seen} after {requests}"
        if last.count(STATE) > 1:
            return "read back: not done"
        return "repeated" if requests.count(self.effect) > 1 else "made" if self.effect in last else "kept"
