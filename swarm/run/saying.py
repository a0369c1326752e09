"""What the model says of the results: a few sentences, or a typed value, held to what was found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from swarm.agent.grounding import Leaf, ReadTexts, leaves
from swarm.agent.turn import TEXT, Give, TurnRules, parse
from swarm.errors import MalformedReply, ModelError
from swarm.nouns.messages import Message, Reply, Request
from swarm.nouns.plan import Step, Thread
from swarm.nouns.prompt import fill
from swarm.nouns.result import Result
from swarm.replies.evasion import evasion
from swarm.run.derived import Derived
from swarm.run.typed import Form, outline, with_nulls
from swarm.scheduler.slots import Want
from swarm.work.context import At, Work, ask

MOST_ROWS = 20
"""Rows of a result that prose is made of; the answer has them as a table."""
LEAST_ROOM = 1_000
"""Characters of results that are shown in any case."""
CHARS_PER_TOKEN = 2.2
"""Low, as rows are dense with digits."""
ANSWER_TOKENS = 300
PROSE_WORDS = 8
"""A text of more words is told in the model's own; one of fewer is a name, a place or a phrase that is read."""
MOST_JUDGED = 12


@dataclass(frozen=True)
class AnswerDraft:
    """What the model said, or code in its place."""

    text: str
    data: JsonValue = None
    value: object = None
    """The typed value; None without."""
    missing: tuple[str, ...] = ()
    judged: tuple[str, ...] = ()
    """Places of the value that were judged and not read."""


@dataclass
class _Findings:
    """The results as the prompt has them."""

    parts: list[str] = field(default_factory=list[str])
    cut: list[str] = field(default_factory=list[str])
    """What of them the model does not see, one sentence each."""

    @property
    def text(self) -> str:
        return "\n\n".join(self.parts)


async def say(
    work: Work, task: str, steps: Sequence[Step], results: Mapping[str, Result], form: Form | None
) -> AnswerDraft:
    """The model's words for the results of these steps, or the typed value that it makes of them."""
    return await (_typed(work, task, steps, results, form) if form else _prose(work, task, steps, results))


async def _prose(work: Work, task: str, steps: Sequence[Step], results: Mapping[str, Result]) -> AnswerDraft:
    shown = _show(steps, results, _room(work, task, ANSWER_TOKENS), MOST_ROWS)
    talk = _Talk(work, fill("answer", task=task, results=shown.text), TurnRules((), TEXT, may_give_up=False))
    source = ReadTexts([talk.messages[0].content])
    for _ in range(2):
        try:
            data = await talk.ask(ANSWER_TOKENS)
        except MalformedReply as error:
            talk.correct(str(error))
            continue
        except ModelError as error:
            return AnswerDraft(_fallback(steps, results), missing=(f"no answer in words: {error}",))
        invented = source.missing(data)
        if evades := evasion(str(data), task):
            talk.correct(evades)
        elif invented:
            talk.correct(fill("ungrounded", values=", ".join(invented[:6])))
        else:
            return AnswerDraft(str(data), data, missing=tuple(shown.cut))
    return AnswerDraft(_fallback(steps, results))


async def _typed(
    work: Work, task: str, steps: Sequence[Step], results: Mapping[str, Result], form: Form
) -> AnswerDraft:
    """The value that has the form; what of it was not read is named, and it is kept."""
    shown = _show(steps, results, _room(work, task, work.limits.reply_tokens))
    prompt = fill("answer_typed", task=task, form=outline(form.schema), results=shown.text)
    talk = _Talk(work, prompt, TurnRules((), form.sent, may_give_up=False))
    check = _Check(task, shown, [results[step.id] for step in steps], form)
    best: AnswerDraft | None = None
    problem = ""
    for _ in range(2):
        try:
            data = with_nulls(form, await talk.ask(work.limits.reply_tokens), shown.text)
            said = check.said(data)
        except ModelError as error:
            problem = str(error)
            if not isinstance(error, MalformedReply):
                break
            talk.correct(problem)
            continue
        except ValueError as error:
            problem = str(error)
            talk.correct(f"that can't be used: {problem}. Reply again with one JSON object")
            continue
        if best is None or len(said.missing) < len(best.missing):
            best = said
        if not (texts := check.unread_texts(data)):
            break
        talk.correct(fill("ungrounded_answer", values=", ".join(texts[:6])))
    if best is not None:
        return best
    return AnswerDraft(_fallback(steps, results), missing=(f"no typed answer: {problem}", *shown.cut))


class _Talk:
    """The conversation about an answer. It is recorded under the first thread that had the same question, or none:
    a run that is resumed may have other results, or want another type."""

    def __init__(self, work: Work, prompt: str, rules: TurnRules) -> None:
        self.messages = [Message(role="user", content=prompt)]
        self._work = work
        self._rules = rules
        self._turn = 0
        self._thread: Thread | None = None

    async def ask(self, tokens: int) -> JsonValue:
        """What the model gives.

        Raises:
            MalformedReply: it gives no result, or one that was cut off.
            ModelError: the model gave no answer.
        """
        self._turn += 1
        request = Request(
            messages=tuple(self.messages), output_schema=self._rules.schema(), max_tokens=tokens
        )
        self._thread = self._thread or self._free(request)
        async with self._work.leased(Want(kind="_answer", tier="large")) as leased:
            reply = await ask(leased, At(self._thread, self._turn), request.within(self._work.limits))
        self.messages.append(Message(role="assistant", content=reply.text))
        return self._read(reply)

    def _read(self, reply: Reply) -> JsonValue:
        if reply.finish == "length":
            raise MalformedReply("the reply was cut off: answer in fewer words", reply.text)
        given = parse(reply.text, self._rules)
        return given.data if isinstance(given, Give) else None

    def correct(self, why: str) -> None:
        self.messages.append(Message(role="user", content=why))

    def _free(self, request: Request) -> Thread:
        journal, digest, attempt = self._work.journal, request.digest(), 1
        while True:
            thread = Thread(run=journal.run.id, step="_answer", attempt=attempt)
            if journal.question(thread, 1) in (None, digest):
                return thread
            attempt += 1


class _Check:
    """Holds a typed answer to its type and to what was found."""

    def __init__(self, task: str, shown: _Findings, results: Sequence[Result], form: Form) -> None:
        self._task = task
        self._source = ReadTexts([task, shown.text])
        self._derived = Derived(
            [rows for result in results if (rows := result.rows) is not None], [task, *shown.parts]
        )
        self._form = form
        self._cut = tuple(shown.cut)

    def said(self, data: JsonValue) -> AnswerDraft:
        """The value, with what is doubtful of it.

        Raises:
            ValueError: it is none of the type.
        """
        value = self._form.value(data)
        if isinstance(data, str) and (evades := evasion(data, self._task)):
            raise ValueError(evades)
        unread = self._unread(data)
        missing = [f"{_at(leaf)}{leaf.value!r} does not stand in what was found" for leaf in unread]
        doubtful = {leaf.place for leaf in unread}
        judged = [
            leaf.place or "the answer"
            for leaf in leaves(data, self._form.schema)
            if leaf.place not in doubtful and self._is_judged(leaf)
        ]
        text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
        if data is None:
            text = "There is no answer in what was found."
        return AnswerDraft(text, data, value, (*missing, *self._cut), tuple(dict.fromkeys(judged)))

    def unread_texts(self, data: JsonValue) -> list[str]:
        """Names and phrases that do not stand there: a model may have them wrong, and can look again. Numbers are
        not sent back: a small model takes another one that stands there for what it has counted rightly."""
        found = (str(leaf.value) for leaf in self._unread(data) if isinstance(leaf.value, str))
        return list(dict.fromkeys(found))

    def _unread(self, data: JsonValue) -> list[Leaf]:
        return [
            leaf
            for leaf in leaves(data, self._form.schema)
            if not leaf.is_judged and not self._source.has(leaf.value) and not self._follows(leaf, data)
        ]

    def _follows(self, leaf: Leaf, data: JsonValue) -> bool:
        """Whether a value that does not stand there comes of what does: a count or a sum, or prose in the model's
        own words whose numbers stand there."""
        asked = f"{self._task} {leaf.place} {leaf.about}"
        if not isinstance(leaf.value, str):
            return self._derived.has(leaf.value, data, asked)
        return is_prose(leaf.value) and not self._wrong_figures(leaf.value, data)

    def _wrong_figures(self, text: str, data: JsonValue) -> list[float]:
        return [
            figure
            for figure in _figures(text)
            if not self._source.has(figure) and not self._derived.has(figure, data, text)
        ]

    def _is_judged(self, leaf: Leaf) -> bool:
        if leaf.value is None:
            return False
        if isinstance(leaf.value, bool) or self._source.is_beyond_checking(leaf.value):
            return True
        return (leaf.is_judged or isinstance(leaf.value, str)) and not self._source.has(leaf.value)


def is_prose(text: str) -> bool:
    """Whether a text is told, and no name or phrase."""
    return len(text.split()) > PROSE_WORDS


def _figures(text: str) -> list[float]:
    found: list[float] = []
    for word in text.split():
        bare = word.strip("$€£%.,;:()!?'\"")
        try:
            found.append(float(bare.replace(",", "")))
        except ValueError:
            continue
    return found


def _at(leaf: Leaf) -> str:
    return f"{leaf.place}: " if leaf.place else ""


def judged_words(judged: Sequence[str]) -> str:
    """For people: which values of a typed answer were judged and not read; empty for none."""
    if not judged:
        return ""
    more = f" and {len(judged) - MOST_JUDGED} more" if len(judged) > MOST_JUDGED else ""
    return f"Judged, not read: {', '.join(judged[:MOST_JUDGED])}{more}"


def _fallback(steps: Sequence[Step], results: Mapping[str, Result]) -> str:
    """What code can say when the model can't: each result in its own words."""
    return "\n".join(f"{step.id}: {results[step.id].text}" for step in steps)


def _room(work: Work, task: str, tokens: int) -> int:
    """Characters of results that the window has room for beside a reply."""
    return max(LEAST_ROOM, int((work.model.endpoint.window - tokens) * CHARS_PER_TOKEN) - len(task))


def _show(
    steps: Sequence[Step], results: Mapping[str, Result], room: int, most_rows: int | None = None
) -> _Findings:
    """The results as texts that have so many characters together, and so many rows each."""
    shown = _Findings()
    for number, step in enumerate(steps):
        part = _shown(step, results[step.id], room // (len(steps) - number), most_rows, shown.cut)
        room -= len(part)
        shown.parts.append(part)
    return shown


def _shown(step: Step, result: Result, room: int, most_rows: int | None, cut: list[str]) -> str:
    rows, head = result.rows, f"{step.id} ({step.brief})"
    if rows is None:
        text = result.text if result.data is None else _as_text(result.data)
        if len(text) <= room:
            return f"{head}:\n{text}"
        cut.append(f"the answer was made of {room:,} of {len(text):,} characters of {step.id}")
        return f"{head}:\n{text[:room]}\n… {len(text) - room} more characters"
    lines: list[str] = []
    for row in rows[:most_rows]:
        line = "; ".join(f"{key} {value}" for key, value in row.items())
        room -= len(line) + 1
        if room < 0 and lines:
            break
        lines.append(line)
    if len(lines) == len(rows):
        return f"{head}, {len(rows)} rows:\n" + "\n".join(lines)
    if len(lines) != most_rows:  # the answer has the table itself, and says how many rows it has
        cut.append(f"the answer was made of {len(lines)} of the {len(rows)} rows of {step.id}")
    return f"{head}, {len(rows)} rows:\n" + "\n".join([*lines, f"… {len(rows)} rows in all"])


def _as_text(data: JsonValue) -> str:
    return data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
