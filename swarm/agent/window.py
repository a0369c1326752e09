"""Keeping a conversation inside the model's window: large results become handles."""

from __future__ import annotations

from swarm.errors import ContextOverflow
from swarm.messages import Message
from swarm.work import Work

CHARS_PER_TOKEN = 3.0
"""Deliberately low: JSON, paths and digits take more tokens than prose (about 4)."""
SHARE_OF_ONE_RESULT = 0.3
"""Of the window, for one tool result."""
KEPT = 400
"""Characters that stay of an old result when room is short."""


class Window:
    """Counts and shortens messages for one model's window."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._tokens = work.model.endpoint.window

    async def shorten(self, text: str, reply_tokens: int) -> str:
        """The text, or its head and a handle under which the whole is kept."""
        most = int((self._tokens - reply_tokens) * SHARE_OF_ONE_RESULT * CHARS_PER_TOKEN)
        return text if len(text) <= most else await self._kept(text, most)

    async def fit(self, messages: list[Message], reply_tokens: int) -> list[Message]:
        """The messages, the oldest tool results cut to handles until all fit the window.

        The first two (instructions and step) and the last are never cut.

        Raises:
            ContextOverflow: they cannot be made to fit.
        """
        fitted = list(messages)
        room = (self._tokens - reply_tokens) * CHARS_PER_TOKEN
        for index in range(3, len(fitted) - 1):
            if _size(fitted) <= room:
                return fitted
            old = fitted[index]
            if old.role == "user" and len(old.content) > KEPT * 2:
                fitted[index] = Message(role="user", content=await self._kept(old.content, KEPT))
        if _size(fitted) > room:
            raise ContextOverflow(
                f"the prompt of about {int(_size(fitted) / CHARS_PER_TOKEN)} tokens and a reply of up to"
                f" {reply_tokens} do not fit the model's window of {self._tokens}; use a model server with a"
                " larger window or give the step less to read"
            )
        return fitted

    async def _kept(self, text: str, most: int) -> str:
        handle = await self._work.journal.put_text(text)
        self._work.texts[handle] = text
        return f"{text[:most]}\n… {len(text) - most} more characters; the whole text is kept as {handle}"


def _size(messages: list[Message]) -> int:
    return sum(len(message.content) + 24 for message in messages)
