"""A run that is killed: a world of its own, sittings forked from a parent that has imported all, and SIGKILL.

A sitting starts the run or resumes it, with a scripted model in its process and three MCP servers
over stdio; it ends with the run, or at its moment. Whoever forks has one thread and no event loop.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Literal, cast

from benchmarks.nursery import nursed
from benchmarks.scripts import errands
from benchmarks.scripts.post import __file__ as post_file
from examples.example import write_database
from swarm import Answer, Run, Swarm
from swarm.errors import SwarmError
from swarm.hub.servers.leftovers import FOLDER, end_leftovers
from swarm.nouns.commands import Decide
from swarm.nouns.messages import Request
from swarm.project.project import Project, open_project
from swarm.store.file.owner import Ownership
from swarm.store.rows.journal import Journal
from swarm.store.rows.writer import Writer
from swarm.store.shelf.runs import list_runs, run_path
from swarm.testing import Script, ScriptedModel

SITTING_SECONDS = 120.0
"""A sitting that is not over by then hangs, however busy the machine is."""
LATENCY_SECONDS = 0.008
"""Longest reply of the model: so short that kills fall everywhere."""
EARLY_COMMITS, EARLY_SHARE = 8, 0.25
"""Some of the kills at a commit fall into the first few, in which a run comes into being."""
LEFT_SECONDS = 5.0
"""A server has ended by then after its run has."""

Kind = Literal["time", "commit", "effect"]
Whom = Literal["leader", "all"]


@dataclass(frozen=True)
class Moment:
    """When a sitting is killed: after so many seconds, at a commit of the journal, or at an effect."""

    kind: Kind
    at: float
    """Seconds, or the number of the commit or effect in its sitting, from 1."""
    when: str = ""
    """``before`` or ``after`` a commit or effect, or when the effect is ``answered``."""
    whom: Whom = "leader"
    """The process alone, or its servers at the same time."""


@dataclass(frozen=True)
class Bounds:
    """How long a run takes that nobody kills, and how much there is of it."""

    seconds: float
    commits: int
    effects: int

    def moment(self, chance: Random, share: float = 1.0) -> Moment:
        """A random moment in the first share of the run."""
        whom: Whom = chance.choice(("leader", "all"))
        kind: Kind = chance.choice(("time", "time", "commit", "effect"))
        if kind == "time":
            return Moment(kind, chance.uniform(0.0, share * self.seconds), "", whom)
        most = max(1, round(share * (self.commits if kind == "commit" else self.effects)))
        if kind == "commit" and chance.random() < EARLY_SHARE:
            most = EARLY_COMMITS
        whens = ("before", "after") if kind == "commit" else ("before", "after", "answered")
        return Moment(kind, chance.randint(1, most), chance.choice(whens), whom)


@dataclass(frozen=True)
class Sitting:
    """How a sitting ended."""

    is_killed: bool
    seconds: float
    said: str
    """The last error it wrote, where it ended badly."""
    commits: int = 0
    status: str = ""
    answer: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class World:
    """A folder with a project, what its servers did, and what its model was asked."""

    folder: Path
    socket: Path
    """The nursery of the built-in servers."""

    @property
    def project(self) -> Path:
        """The project's folder."""
        return self.folder / "project"

    @property
    def data(self) -> Path:
        """The folder the run works in."""
        return self.project / "data"

    @property
    def asked(self) -> Path:
        """A line for each request: the place in the run, its turn and its digest."""
        return self.folder / "asked.txt"

    @property
    def effects(self) -> Path:
        """A line for each effect of the server ``post``."""
        return self.folder / "effects.jsonl"

    def make(self) -> World:
        """The same, new and with nothing done yet."""
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "pids").mkdir(parents=True)
        for folder in ("agents", "mcp_servers", "data/letters"):
            (self.project / folder).mkdir(parents=True)
        shutil.copy(post_file, self.project / "mcp_servers" / "post.py")
        (self.project / "agents" / "clerk.md").write_text(errands.CARD, encoding="utf-8")
        (self.project / "swarm.toml").write_text(errands.SETTINGS, encoding="utf-8")
        write_database(self.data / "shop.db", errands.TABLE, ())
        self.asked.touch()
        self.effects.touch()
        return self

    def run_file(self) -> Path | None:
        """The file of its run; None where nothing was recorded, as when its creation was cut short."""
        records = list_runs(self.project).records
        return run_path(self.project, records[0].id) if records else None

    def open(self) -> Project:
        """The project with its built-in servers started from the nursery."""
        opened = nursed(open_project(self.project), self.socket, self.folder / "pids")
        post = opened.servers["post"]
        quick = post.model_copy(update={"args": ("-I", "-S", post_file, str(self.folder))})
        return opened.model_copy(update={"servers": {**opened.servers, "post": quick}})

    def sit(self, moment: Moment | None = None) -> Sitting:
        """Starts the run, or resumes it, in a process of its own, which is killed at the moment."""
        aim = self.folder / "moment.json"
        aim.unlink(missing_ok=True)
        if moment is not None and moment.kind == "effect":
            aim.write_text(json.dumps(asdict(moment) | {"effect": moment.at}), encoding="utf-8")
        began = time.monotonic()
        at_commit = moment if moment is not None and moment.kind == "commit" else None
        pid = self.fork(lambda: self.work(at_commit))
        code = waited(pid, moment.at if moment is not None and moment.kind == "time" else SITTING_SECONDS)
        if code == -signal.SIGKILL and moment is not None and moment.whom == "all":
            self.kill_servers()
        return self.ended(code, time.monotonic() - began)

    def servers(self) -> list[int]:
        """The process ids of its servers, and of what starts them, that are alive."""
        pids = [int(path.name) for path in (self.folder / "pids").iterdir()]
        return [pid for pid in pids if is_alive(pid)]

    def kill_servers(self) -> None:
        """Kills what it has of servers."""
        for pid in self.servers():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def decide(self, path: Path, command: Decide) -> None:
        """Answers a question in the file of its run, in a process of its own.

        Raises:
            RuntimeError: it was not taken.
        """

        async def decided() -> None:
            async with Journal.open(path) as journal:
                await journal.ledger.decide(command.question, command.decision, command.note)

        if waited(self.fork(lambda: asyncio.run(decided())), SITTING_SECONDS):
            raise RuntimeError((self.folder / "said.txt").read_text(encoding="utf-8"))

    def work(self, moment: Moment | None = None, held: Ownership | None = None) -> None:
        """Works until the run ends, or this process at a commit; what a forked process does."""
        asyncio.run(self.run(count_commits(moment), held))

    def fork(self, work: Callable[[], object], said: str = "said.txt") -> int:
        """The process id of a child that does the work. It ends with 1 for an error raised on purpose."""
        (self.folder / "outcome.json").unlink(missing_ok=True)
        if pid := os.fork():
            return pid
        code = 0
        try:
            os.setpgid(0, 0)
            out = os.open(self.folder / said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            for number in (1, 2):
                os.dup2(out, number)
            work()
        except SwarmError as error:
            print(error, file=sys.stderr)
            code = 1
        except SystemExit as end:
            code = int(end.code or 0)
        except BaseException:  # noqa: BLE001  # the child ends here, whatever it was
            traceback.print_exc()
            code = 2
        finally:
            sys.stderr.flush()
            os._exit(code)

    def model(self) -> ScriptedModel:
        """A model that does the errands and writes down what it is asked."""
        log = os.open(self.asked, os.O_WRONLY | os.O_APPEND)

        def reply(request: Request) -> str:
            os.write(log, asked_line(request))
            return errands.reply(request)

        return ScriptedModel(Script(reply, latency_of))

    async def run(self, commits: Callable[[], int], held: Ownership | None = None) -> None:
        """Works in this process until the run ends, and leaves its outcome as a file."""
        async with Swarm.open(self.open(), model=self.model()) as swarm:
            await asyncio.to_thread(self._settle_nursery)
            run: Run[str] = await (
                swarm.resume(held=held) if self.run_file() else swarm.start(errands.TASK, plan=errands.PLAN)
            )
            answer = await run.answer()
        self.leave(answer, commits())

    def leave(self, answer: Answer[str], commits: int) -> None:
        """Leaves the outcome of a run as a file."""
        outcome = {
            "status": answer.status,
            "answer": answer.text,
            "missing": answer.missing,
            "commits": commits,
        }
        (self.folder / "outcome.json").write_text(json.dumps(outcome), encoding="utf-8")

    def _settle_nursery(self) -> None:
        """Waits for servers of the nursery whose command was killed: a real one would be that command."""
        if end_leftovers(self.project / ".swarm" / FOLDER):
            ends = time.monotonic() + LEFT_SECONDS
            while self.servers() and time.monotonic() < ends:
                time.sleep(0.001)

    def ended(self, code: int, seconds: float) -> Sitting:
        """How a sitting ended, by its exit code and what it left."""
        path = self.folder / "outcome.json"
        is_killed = code == -signal.SIGKILL
        if is_killed or not path.is_file():
            said = "" if is_killed else (self.folder / "said.txt").read_text(encoding="utf-8")
            lines = [line for line in said.splitlines() if "Error" in line] or said.splitlines()
            return Sitting(is_killed, seconds, lines[-1].strip()[-300:] if lines else "")
        outcome = cast(dict[str, object], json.loads(path.read_text(encoding="utf-8")))
        return Sitting(
            False,
            seconds,
            "",
            cast(int, outcome["commits"]),
            str(outcome["status"]),
            str(outcome["answer"]),
            tuple(cast(list[str], outcome["missing"])),
        )


def count_commits(moment: Moment | None) -> Callable[[], int]:
    """Counts the commits of the journal's writer from here on, and dies at the one of the moment."""
    name = "_commit"
    commit = cast(Callable[..., object], getattr(Writer, name))
    count = 0

    def counted(*args: object) -> object:
        nonlocal count
        count += 1
        is_due = moment is not None and moment.at == count
        if is_due and moment is not None and moment.when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        outcome = commit(*args)
        if is_due:
            os.kill(os.getpid(), signal.SIGKILL)
        return outcome

    setattr(Writer, name, counted)
    return lambda: count


def asked_line(request: Request) -> bytes:
    """The line that tells of a request: its place in the run, its turn and its digest."""
    turn = 1 + (len(request.messages) - 2) // 2 if len(request.messages) > 1 else 1
    return f"{errands.place_of(request)} {turn} {request.digest()}\n".encode()


def latency_of(request: Request) -> float:
    """Seconds a reply takes, told by the request."""
    return int(request.digest()[:4], 16) / 0xFFFF * LATENCY_SECONDS


def waited(pid: int, seconds: float) -> int:
    """The exit code of a child, which is killed when it has lived so long."""
    with os.fdopen(os.pidfd_open(pid)) as ended:
        if not select.select([ended], [], [], seconds)[0]:
            os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def is_alive(pid: int) -> bool:
    """Whether a process has not ended; one that has and is not waited for yet has."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
