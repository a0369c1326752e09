"""A run's journal that is written from many tasks, and a note of each turn that was acknowledged.

``python -m benchmarks.scripts.acknowledged FOLDER TURNS NUMBER``; an odd number ends without closing.
"""

from __future__ import annotations

import asyncio
import os
import sys
from itertools import count
from pathlib import Path

from swarm.nouns.events import Notice
from swarm.nouns.messages import Message, Reply, Request
from swarm.nouns.plan import Thread
from swarm.nouns.tool import ToolCall, ToolResult
from swarm.store.rows.journal import Journal
from swarm.store.rows.records import LedgerEntry, RunRecord

RUN, ACKS = "run.db", "acks"
AGENTS = 8
SITTINGS = 3


def thread_of_item(item: int) -> Thread:
    """The thread of one of the agents."""
    return Thread(run="run", step="notes", item=item)


def said(item: int, turn: int) -> str:
    """What a reply says: short and long ones, those in a blob too."""
    return f"{item} {turn} " * (1 + (item * 7 + turn * 13) % 700)


async def _agent(journal: Journal, item: int, turns: range, acks: int) -> None:
    thread = thread_of_item(item)
    for turn in turns:
        question = Request(messages=(Message(role="user", content=f"{item}/{turn} " * 300),))
        journal.note(Notice(text=f"asked {item}/{turn}"))
        await journal.note_reply(thread, turn, f"{item}/{turn}", Reply(text=said(item, turn)), question)
        call = ToolCall(tool="mail.send", args={"turn": turn})
        key = (str(thread), turn, 0)
        await journal.ledger.leave(key, LedgerEntry(call=call, effect="irreversible"))
        await journal.ledger.settle(key, ToolResult(text="sent"))
        os.write(acks, f"{item} {turn}\n".encode())


async def work(folder: Path, turns: int, *, is_cut_short: bool = False) -> None:
    """Writes so many turns in some sittings; the last one may end without closing."""
    record = RunRecord(id="run", task="t", project="/p", workspace="/w", model="m", created_at=1.0)
    acks = os.open(folder / ACKS, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    share = turns // (AGENTS * SITTINGS)
    for sitting in count():
        async with Journal.open(folder / RUN, record=None if sitting else record) as journal:
            async with asyncio.TaskGroup() as group:
                for item in range(AGENTS):
                    mine = range(sitting * share, (sitting + 1) * share)
                    group.create_task(_agent(journal, item, mine, acks))
            if sitting + 1 == SITTINGS and is_cut_short:
                os._exit(0)
        if sitting + 1 == SITTINGS:
            return


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), int(sys.argv[2]), is_cut_short=int(sys.argv[3]) % 2 == 1))
