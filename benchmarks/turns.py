"""What the scripted models of the proofs say: turns of an agent as the framework reads them."""

from __future__ import annotations

import json
import re

from pydantic import JsonValue

from swarm.nouns.messages import Request

_MARK = re.compile(r"^\[[a-z]{4}\] ", re.MULTILINE)


def unmarked(text: str) -> str:
    """What an agent was told, without the mark of its run before the framework's words."""
    return _MARK.sub("", text)


def result_turn(data: JsonValue) -> str:
    """The turn that gives a result."""
    return json.dumps({"result": data})


def call_turn(tool: str, **args: JsonValue) -> str:
    """The turn that calls a tool by its full name."""
    return json.dumps({"tool": tool, "args": args})


def turn_number(request: Request) -> int:
    """Which turn of its agent is asked for, from 1."""
    return 1 + sum(message.role == "assistant" for message in request.messages)


def said(request: Request) -> str:
    """All that the agent was told so far, as one text."""
    return unmarked("\n".join(message.content for message in request.messages if message.role != "assistant"))
