"""Keeping a conversation inside the model's window."""

from __future__ import annotations

from dataclasses import replace

from swarm.agent.compaction import (
    NOTES_SCHEMA,
    asking_for_notes,
    notes_in,
    size,
    tail_of,
    with_handles,
    with_notes,
)
from swarm.errors import ContextOverflow, ModelError
from swarm.models.servers.counting import Counted, Counter, estimate
from swarm.nouns.messages import Message, Reply, Request
from swarm.work.context import At, Work, ask

CHARS_PER_TOKEN = 3.0
"""Deliberately low: JSON, paths and digits take more tokens than prose (about 4)."""
SHARE_OF_ONE_RESULT = 0.3
"""Of the window, for one tool result."""
MOST_OF_ONE_RESULT = 0.5
"""Of the window, for a result that is dense with tokens: digits, Chinese."""
GOALS = (0.6, 0.35)
"""What is left of a conversation that has become too long. Shortening it breaks the prefix that the
server has cached, so it is done seldom and by much."""
SLOW_WRITING, SLOW_READING = 10.0, 30.0
"""Tokens a second of a slow model, on a CPU; it gets twice the time that notes take at this speed."""


class Window:
    """Counts and shortens the messages of one agent."""

    def __init__(self, work: Work) -> None:
        self._work = work
        model = work.model
        self._tokens = 0
        """The window in which the agent had its first reply: its texts are cut by that for good, also where
        it goes on with another model, as else it would not ask what it has asked. The counter has the live one."""
        self._counter = model.counter if isinstance(model, Counted) else Counter(model.endpoint)
        self._step = ""
        self._noteless = 0
        """The turn that the model gave no notes for."""

    async def shorten(self, text: str, reply_tokens: int) -> str:
        """The text, or its head and a handle under which the whole is kept."""
        room = self._tokens - reply_tokens
        most = int(room * SHARE_OF_ONE_RESULT * CHARS_PER_TOKEN)
        if (tokens := estimate(text[:most])) > room * MOST_OF_ONE_RESULT:
            most = int(most * room * MOST_OF_ONE_RESULT / tokens)
        return text if len(text) <= most else await self._kept(text, most)

    async def fit(self, request: Request, at: At, refused: Request | None = None) -> Request:
        """The request, its conversation shortened in one go when it would not fit the window.

        Instructions, task and step, and the last call with its result are never dropped. With
        ``refused``, that form of the request was too long for the server. A turn whose reply is
        recorded gets the form that it was asked in.

        Raises:
            ContextOverflow: it cannot be made to fit.
        """
        self._step = self._step or request.messages[1].content
        digest = self._work.journal.question(at.thread, at.turn)
        if digest is None:
            return await self._fitted(request, at, refused)
        if request.digest() == digest:
            return request
        for goal, newest in _ways(request):
            shorter = await self._shortened(request, at, goal, newest=newest)
            if shorter.digest() == digest:
                return shorter
        return request

    def learn(self, request: Request, reply: Reply) -> None:
        """Takes the server's count of a prompt for true where it can be, and keeps the window it began in."""
        self._tokens = self._tokens or reply.window or self._work.model.endpoint.window
        is_counted = not self._counter.is_guessing
        if is_counted and reply.usage.prompt_tokens >= self._counter.count(request).low:
            self._counter.learn(request.messages, reply.usage.prompt_tokens)

    async def _fitted(self, request: Request, at: At, refused: Request | None) -> Request:
        if refused is not None:
            self._counter.refused(refused)
        elif await self._fits(request):
            return request
        for goal, newest in _ways(request):
            shorter = await self._shortened(request, at, goal, newest=newest)
            is_new = refused is None or size(shorter.messages) < size(refused.messages)
            if is_new and await self._fits(shorter):
                return shorter
        raise ContextOverflow(
            f"the prompt of about {self._counter.count(request).likely:.0f} tokens and a reply of up to"
            f" {request.max_tokens} do not fit the model's window of {self._counter.window}; use a model"
            " server with a larger window or give the step less to read"
        )

    async def _fits(self, request: Request) -> bool:
        room = self._counter.window - request.max_tokens
        count = self._counter.count(request)
        if count.high <= room or count.low > room:
            return count.high <= room
        exact = await self._counter.exact(request.messages)
        if exact is not None:
            self._counter.learn(request.messages, exact)
            return self._counter.count(request).likely <= room
        # What can't be made shorter is tried; the client sees whether it was read whole.
        return len(request.messages) < 4 and count.likely <= room

    async def _shortened(self, request: Request, at: At, goal: float, *, newest: bool) -> Request:
        messages = request.messages
        goal *= size(messages)
        shorter = await with_handles(messages, goal, self._kept, newest=newest)
        if size(shorter) > goal:
            notes, left = await self._notes(request, at)
            start = min(tail_of(shorter, goal), len(shorter) - 2 - 2 * left)
            shorter = with_notes(shorter, start, self._step, notes or self._earlier_notes(messages[1]))
        return replace(request, messages=tuple(shorter))

    def _earlier_notes(self, opening: Message) -> str:
        return opening.content.removeprefix(self._step)[: 3 * self._notes_tokens].strip()

    @property
    def _notes_tokens(self) -> int:
        """Size of notes: 256 tokens in a window of 4k, 1,024 from 16k on."""
        return min(1_024, max(128, self._tokens // 16))

    async def _notes(self, request: Request, at: At) -> tuple[str, int]:
        """What the model notes of the conversation, empty without, and how many of the last turns the
        notes leave out; they are recorded under the turn's negative."""
        noted, journal = At(at.thread, -at.turn), self._work.journal
        turns = range(len(request.messages) // 2 - 1)
        if (digest := journal.question(noted.thread, noted.turn)) is not None:
            left = next((left for left in turns if self._asking(request, left).digest() == digest), 0)
            reply = await journal.reply(noted.thread, noted.turn)
            return notes_in(reply.text) if reply else "", left
        if self._noteless == at.turn or journal.question(at.thread, at.turn) is not None:
            return "", 0
        for left in turns:
            asked = self._asking(request, left)
            if left < turns[-1] and self._counter.count(asked).high + asked.max_tokens > self._counter.window:
                continue
            try:
                reply = await ask(self._work, noted, asked, name_action=lambda _: "notes what it knows")
            except ContextOverflow:
                self._counter.refused(asked)
            except ModelError:
                break
            else:
                return notes_in(reply.text), left
        self._noteless = at.turn
        return "", 0

    def _asking(self, request: Request, left: int) -> Request:
        tokens = self._notes_tokens
        messages = asking_for_notes(request.messages[: len(request.messages) - 2 * left], tokens)
        asked = replace(request, messages=messages, output_schema=NOTES_SCHEMA, max_tokens=tokens)
        seconds = 2 * (tokens / SLOW_WRITING + self._counter.count(asked).likely / SLOW_READING)
        return replace(asked, deadline_seconds=min(seconds, request.deadline_seconds))

    async def _kept(self, text: str, most: int) -> str:
        handle = await self._work.journal.put_text(text)
        self._work.texts[handle] = text
        return f"{text[:most]}\n… {len(text) - most} more characters; the whole text is kept as {handle}"


def _ways(request: Request) -> list[tuple[float, bool]]:
    """How far to shorten, one after the other: the last way cuts the newest result too."""
    return [(goal, False) for goal in GOALS] + [(GOALS[-1], True)] if len(request.messages) >= 4 else []
