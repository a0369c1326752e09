"""What must hold after a kill and at the end: the run's file against what its servers and its model saw."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from benchmarks.killing import Sitting, World
from benchmarks.scripts import errands
from benchmarks.scripts.post import PEOPLE
from examples.example import read_table
from swarm.nouns.commands import Decide, Decision
from swarm.nouns.tool import REPEATABLE, SETTLED
from swarm.store.rows.records import Question
from swarm.store.shelf.reader import read_questions

Turn = tuple[str, int]
"""A place in the run, ``step/item/attempt``, and a turn of it."""


@dataclass(frozen=True)
class Asked:
    """A request that the model got."""

    turn: Turn
    digest: str


@dataclass(frozen=True)
class Called:
    """A row of the ledger."""

    effect: str
    state: str


@dataclass(frozen=True)
class Kept:
    """What a run's file holds."""

    replies: dict[Turn, tuple[str, str]] = field(default_factory=dict[Turn, tuple[str, str]])
    """Digest of the request and the reply as it is stored."""
    calls: dict[str, Called] = field(default_factory=dict[str, Called])
    """By their keys."""

    @property
    def in_doubt(self) -> set[str]:
        """Keys of the calls that may have had an effect which may not be made twice."""
        return {
            key
            for key, call in self.calls.items()
            if call.state in ("sent", "in-doubt") and call.effect not in REPEATABLE
        }

    @property
    def left(self) -> set[str]:
        """Keys of the calls that have left, as the ledger knows."""
        return {key for key, call in self.calls.items() if call.state != "intent"}


@dataclass
class Witness:
    """Follows one world from kill to kill."""

    world: World
    faults: list[str] = field(default_factory=list[str])
    in_doubt: set[str] = field(default_factory=set[str])
    """Keys of all calls that a kill left in doubt."""
    happened: set[str] = field(default_factory=set[str])
    """Those of them whose effect the server had made."""
    recorded: int = 0
    """Turns that were recorded at the last kill."""
    reconciled: int = 0
    """Calls in doubt that reading back settled as done."""
    said_done: int = 0
    said_repeat: int = 0
    late: int = 0
    """Servers that outlived a kill so far that the next sitting met them."""
    _kept: Kept = field(default_factory=Kept)
    _asked: int = 0

    def after_kill(self) -> None:
        """Holds the run's file against all that was seen outside of it until now."""
        asked, made = self._seen(), made_by(self.world)
        self._kept = kept = kept_in(self.world)
        self._asked = len(asked)
        for turn in {one.turn for one in asked}:
            before = (turn[0], turn[1] - 1)
            if turn[1] > 1 and before not in kept.replies:
                self.faults.append(f"turn {before[1]} of {before[0]} was gone on from and is not recorded")
        for effect in made:
            if effect["tool"] != "note" and effect["key"] not in kept.left:
                self.faults.append(f"{effect['tool']} for {effect['who']} was made and had not left")
        self.in_doubt |= kept.in_doubt
        self.happened |= kept.in_doubt & {effect["key"] for effect in made}
        self.recorded = len(kept.replies)
        self.late += bool(self.world.servers())

    def after_sitting(self) -> None:
        """Holds what a resume asked and kept against what was recorded at the kill before it."""
        recorded = {digest for digest, _ in self._kept.replies.values()}
        for one in self._seen()[self._asked :]:
            if one.digest in recorded:
                self.faults.append(f"turn {one.turn[1]} of {one.turn[0]} was recorded and asked for again")
        now = kept_in(self.world)
        for turn, reply in self._kept.replies.items():
            if now.replies.get(turn) != reply:
                self.faults.append(f"turn {turn[1]} of {turn[0]} was recorded and is another one now")

    def at_end(self, last: Sitting, whole: Sitting) -> None:
        """Holds the final state against what is right, and against the run that nobody killed."""
        if (last.status, last.answer, last.missing) != (whole.status, whole.answer, whole.missing):
            self.faults.append(
                f"the run ended {last.status or 'without an end'}: {last.said or last.missing or last.answer!r}"
            )
        self.faults += wrong_in(self.world)
        calls, asked = kept_in(self.world).calls, {question_key(one) for one in self.questions()}
        self.reconciled = sum(
            calls[key].state == "reconciled" for key in self.in_doubt if key in calls and key not in asked
        )
        for key in sorted(self.in_doubt):
            if key not in calls or calls[key].state not in SETTLED:
                self.faults.append(f"the call {key} is still in doubt")
            elif calls[key].effect == "irreversible" and key not in asked:
                self.faults.append(f"the call {key} was in doubt, cannot be undone, and nobody was asked")
        self.faults += [
            f"a question was asked about {key}, which was in no doubt" for key in asked - self.in_doubt
        ]

    def questions(self) -> list[Question]:
        """All that a person was asked."""
        path = self.world.run_file()
        return read_questions(path) if path is not None else []

    def answer_truly(self) -> bool:
        """Decides every open question as somebody does who looks; whether there was one."""
        made = {effect["key"] for effect in made_by(self.world)}
        path = self.world.run_file()
        open_ones = [one for one in self.questions() if one.is_open]
        if path is None or not open_ones:
            return False
        for one in open_ones:
            decision: Decision = "done" if question_key(one) in made or self._is_written(one) else "repeat"
            self.said_done += decision == "done"
            self.said_repeat += decision == "repeat"
            self.world.decide(path, Decide(question=one.number, decision=decision, note="it is confirmed"))
        return True

    def _is_written(self, question: Question) -> bool:
        path, content = question.call.args.get("path"), question.call.args.get("content")
        file = self.world.data / str(path)
        return path is not None and file.is_file() and file.read_text(encoding="utf-8") == content

    def _seen(self) -> list[Asked]:
        lines = [line.split() for line in self.world.asked.read_text(encoding="utf-8").splitlines()]
        return [Asked((place, int(turn)), digest) for place, turn, digest in lines]


def made_by(world: World) -> list[dict[str, str]]:
    """The effects of the server ``post``."""
    lines = world.effects.read_text(encoding="utf-8").splitlines()
    return [cast(dict[str, str], json.loads(line)) for line in lines]


def kept_in(world: World) -> Kept:
    """What the run's file holds; nothing before there is one."""
    path = world.run_file()
    if path is None:
        return Kept()
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if not {"replies", "calls"} <= tables:
            return Kept()
        replies = connection.execute("SELECT thread, turn, digest, body FROM replies").fetchall()
        calls = connection.execute("SELECT thread, turn, position, effect, state FROM calls").fetchall()
    return Kept(
        {(_place(thread), turn): (digest, body) for thread, turn, digest, body in replies},
        {
            f"{thread}/{turn}/{position}": Called(effect, state)
            for thread, turn, position, effect, state in calls
        },
    )


def question_key(question: Question) -> str:
    """The key of the call that a question is about."""
    return f"{question.thread}/{question.turn}/{question.index}"


def _place(thread: str) -> str:
    return thread.split("/", 1)[1]


def wrong_in(world: World) -> list[str]:
    """What is not as it must be in the end: each thing done to everybody, and once where twice is wrong."""
    counts = Counter((effect["tool"], effect["who"]) for effect in made_by(world))
    found = [
        f"{tool} was made {counts[tool, who]} times for {who}"
        for tool in ("order", "send")
        for who in (*PEOPLE, *errands.PARTS)
        if counts[tool, who] != 1
    ]
    found += [f"nothing was noted for {who}" for who in PEOPLE if not counts["note", who]]
    with closing(sqlite3.connect(world.data / "shop.db")) as connection:
        rows = sorted(connection.execute("SELECT who, what FROM visits").fetchall())
    if rows != sorted((who, "errand") for who in PEOPLE):
        found.append(f"the table of visits holds {rows}")
    found += [f"the letter to {who} is not right" for who in PEOPLE if not _is_right(world.data, who)]
    table = world.data / "parts.csv"
    wanted = [{"part": part, "state": "confirmed"} for part in errands.PARTS]
    if not table.is_file() or read_table(table) != wanted:
        found.append("parts.csv is not right")
    path = world.run_file()
    if path is not None:
        with closing(sqlite3.connect(path)) as connection:
            (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
        found += [] if verdict == "ok" else [f"the run's file is damaged: {verdict}"]
    return found


def _is_right(data: Path, who: str) -> bool:
    path = data / "letters" / f"{who}.txt"
    return path.is_file() and path.read_text(encoding="utf-8") == errands.letter(who)
