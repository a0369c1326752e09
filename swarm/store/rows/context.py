"""What a question repeats: its agent's reply before and what the tools gave since.

A question is compressed with these as its context, so each is stored once.
"""

from __future__ import annotations

import sqlite3

from swarm.store.rows.bodies import text_of

MOST_CHARS = 100_000
"""Most of a context that is used; more would cost more time than it saves room."""


def context_of(connection: sqlite3.Connection, thread: str, turn: int) -> str:
    """The reply and the tool results of the turn before, as they are recorded; none for the notes of a
    turn, which stand under its negative."""
    if turn < 0:
        return ""
    before = (thread, turn - 1)
    rows = [
        *connection.execute("SELECT body FROM replies WHERE thread = ? AND turn = ?", before),
        *connection.execute(
            "SELECT result FROM calls WHERE thread = ? AND turn = ? ORDER BY position", before
        ),
    ]
    return "\n".join(text_of(connection, row[0]) for row in rows)[:MOST_CHARS]
