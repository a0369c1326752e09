"""Reading the questions of a run about calls in doubt: for its owner and for other processes alike."""

from __future__ import annotations

import sqlite3

from swarm.nouns.tool import ToolCall
from swarm.store.rows.bodies import text_of
from swarm.store.rows.records import Question

_FIELDS = (
    "number", "thread", "turn", "effect", "pin", "sent_at", "evidence", "asked_at", "note", "answered_at",
)  # fmt: skip
_QUERY = (
    f"SELECT {', '.join(_FIELDS)}, position, call, decision FROM questions"
    " JOIN calls NOT INDEXED USING (thread, turn, position) ORDER BY number"
)


def questions(connection: sqlite3.Connection) -> list[Question]:
    """All questions in their order."""
    return [
        Question(
            **dict(zip(_FIELDS, fields, strict=True)),
            index=position,
            call=ToolCall.model_validate_json(text_of(connection, call)),
            decision=decision or None,
        )
        for *fields, position, call, decision in connection.execute(_QUERY)
    ]
