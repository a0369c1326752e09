"""What is in a run's file, held in memory so that asking for what is not there costs no query."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import takewhile

from sqlalchemy import Connection, func, select

from swarm.nouns.limits import Usage
from swarm.nouns.messages import Message, Request
from swarm.nouns.tool import SETTLED, CallState
from swarm.store.rows.records import RunRecord
from swarm.store.rows.tables import Calls, Checkpoints, Events, Questions, Replies, Results, Texts, table_of

TurnKey = tuple[str, int]
"""Thread and turn."""
CallKey = tuple[str, int, int]
"""Thread, turn and index of the call."""


@dataclass
class Index:
    """Keys of the rows of a run's file, and the sums over them."""

    record: RunRecord
    last_event: int = 0
    replies: dict[TurnKey, str] = field(default_factory=dict[TurnKey, str])
    """The digest of each recorded reply."""
    calls: dict[CallKey, CallState] = field(default_factory=dict[CallKey, CallState])
    """How far each call came."""
    last_question: int = 0
    results: set[str] = field(default_factory=set[str])
    """Threads that have a result."""
    handles: dict[str, str] = field(default_factory=dict[str, str])
    """The hash behind each handle of a text."""
    checkpointed: set[str] = field(default_factory=set[str])
    """Threads that have checkpoints."""
    usage: Usage = field(default_factory=Usage)
    """Of the recorded replies; tool calls are counted by their results."""
    _asked: dict[str, tuple[Message, ...]] = field(default_factory=dict[str, tuple[Message, ...]])

    @property
    def settled_calls(self) -> int:
        """How many tool calls have a result."""
        return sum(state in SETTLED for state in self.calls.values())

    def new_messages(self, thread: str, request: Request) -> tuple[int, tuple[Message, ...]]:
        """How many leading messages are those of the thread's last question, and those after them."""
        before = self._asked.get(thread, ())
        kept = len(before)
        if request.messages[:kept] != before:
            pairs = zip(before, request.messages, strict=False)
            kept = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        self._asked[thread] = request.messages
        return kept, request.messages[kept:]

    def forget_question(self, thread: str) -> None:
        """Lets go of the last question of a thread that has ended."""
        self._asked.pop(thread, None)


def read_index(connection: Connection, record: RunRecord) -> Index:
    """The index of what the file holds now."""
    index = Index(record)
    _read_turns(connection, index)
    calls = table_of(Calls).c
    for thread, turn, position, state in connection.execute(
        select(calls.thread, calls.turn, calls.position, calls.state)
    ):
        index.calls[thread, turn, position] = state
    index.results.update(connection.execute(select(table_of(Results).c.thread)).scalars())
    index.checkpointed.update(connection.execute(select(table_of(Checkpoints).c.thread).distinct()).scalars())
    texts = table_of(Texts).c
    index.handles.update(
        (row.handle, row.hash) for row in connection.execute(select(texts.handle, texts.hash))
    )
    index.last_event = connection.execute(select(func.max(table_of(Events).c.seq))).scalar() or 0
    asked = select(func.max(table_of(Questions).c.number))
    index.last_question = connection.execute(asked).scalar() or 0
    return index


def _read_turns(connection: Connection, index: Index) -> None:
    replies = table_of(Replies).c
    for thread, turn, digest in connection.execute(select(replies.thread, replies.turn, replies.digest)):
        index.replies[thread, turn] = digest
    names = ("prefilled_tokens", "cached_tokens", "written_tokens", "model_calls", "model_seconds")
    sums = connection.execute(select(*(func.sum(replies[name]) for name in names))).one()
    index.usage = Usage.model_validate({name: value or 0 for name, value in zip(names, sums, strict=True)})
