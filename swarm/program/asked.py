"""A conversation that asks a model for code, and the code in its reply."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from swarm.models.model import ServerKind
from swarm.nouns.messages import Message
from swarm.nouns.prompt import fill
from swarm.work.context import one_line

PROGRAM = "program"
"""The way to ask for any program."""
MOST_FAULT = 400
CONTINUES = frozenset({"llamacpp", "ollama"})
"""Kinds of servers that go on with a last message of the model's own."""
_OPENED = re.compile(r"\s*(?:[^\n`]{0,80}\n\s*)?```\w")
_FENCE = re.compile(r"```[\w+-]*[ \t]*\n(.*?)(?:\n[ \t]*```|\Z)", re.DOTALL)


@dataclass(frozen=True)
class Written:
    """A program, and what speaks against it before it has run."""

    program: str
    doubt: str = ""


@dataclass(frozen=True)
class Asked:
    """A conversation, the way that it asks in, and how its last message begins the code."""

    messages: tuple[Message, ...]
    way: str
    begun: str = ""
    grammar: str = ""
    """What the reply is held to from there on, where the server can."""

    def told(self, faults: Sequence[str]) -> Asked:
        """The conversation that tells why earlier programs were ruled out. They are not shown: a small model writes
        down again what it sees."""
        if not faults:
            return self
        listed = "\n".join(f"- {one_line(fault, MOST_FAULT)}" for fault in dict.fromkeys(faults))
        return replace(self, messages=_with(self.messages, fill("program_again", faults=listed)))

    @property
    def parts(self) -> tuple[Asked, ...]:
        """All that is asked: this alone."""
        return (self,)

    def programs(self, replies: Sequence[Sequence[str]]) -> list[Written]:
        """The programs in replies to the one part."""
        (texts,) = replies
        return [Written(self.code(text)) for text in texts]

    def code(self, reply: str) -> str:
        """The code that a reply gives; one that begins anew is taken as it is."""
        return program_in(reply if not self.begun or _OPENED.match(reply) else self.begun + reply)

    def of_kind(self, kind: ServerKind) -> Asked:
        """The conversation as a server of that kind takes it: with the beginning as a message of the model's own,
        on which it goes on, else asked for in words."""
        if not self.begun:
            return self
        if kind in CONTINUES:
            return replace(self, messages=(*self.messages, Message(role="assistant", content=self.begun)))
        return replace(self, messages=_with(self.messages, f"Begin with:\n{self.begun}"), begun="")


def _with(messages: tuple[Message, ...], text: str) -> tuple[Message, ...]:
    last = messages[-1]
    return (*messages[:-1], Message(last.role, f"{last.content}\n{text}"))


def program_in(reply: str) -> str:
    """The code in a reply: its longest code block, else all of it."""
    blocks: list[str] = _FENCE.findall(reply)
    return (max(blocks, key=len) if blocks else reply).strip("\n") + "\n"
