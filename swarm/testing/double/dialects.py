"""How weak models print a tool call, and how else they fail in words: the faults of a model.

The dialects are those of public chat templates: Hermes and Qwen (``<tool_call>``), Llama 3
(``<|python_tag|>``, ``[f(x=1)]``), Mistral (``[TOOL_CALLS]``), Qwen3-Coder (``<function=…>``).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import cast

from pydantic import JsonValue

from swarm.nouns.messages import Request
from swarm.testing.double.faults import WordFault

Call = tuple[str, dict[str, JsonValue]]
"""A tool's name and its arguments."""

REFUSALS = (
    "I'm sorry, but I can't help with that.",
    "I cannot fulfil this request. As an AI model I am not able to access files or tools.",
    "Unfortunately, I'm unable to assist with this task.",
)
DEFLECTIONS = (
    "That's a great question! Could you tell me a bit more about what you would like me to do?",
    "To do this, you would first open the file, then look for the values, and finally write them down.",
    "Sure! I'd be happy to help you with that. Let me know when you are ready to start.",
)


def calls_in(text: str) -> list[Call]:
    """The tool calls of a turn as agents write it, one JSON object a line; none when it is no call."""
    calls: list[Call] = []
    for line in text.splitlines():
        try:
            said = cast("object", json.loads(line))
        except ValueError:
            return []
        if not isinstance(said, dict) or "tool" not in said:
            return []
        turn = cast("dict[str, JsonValue]", said)
        args = turn.get("args")
        calls.append((str(turn["tool"]), args if isinstance(args, dict) else {}))
    return calls


def spoken(kind: WordFault, text: str, request: Request, number: int) -> str:
    """The text as a model with that fault says it; a turn that is no call stays as it is."""
    if kind == "refusal":
        return REFUSALS[number % len(REFUSALS)]
    if kind == "deflection":
        return DEFLECTIONS[number % len(DEFLECTIONS)]
    if kind == "thinking":
        return f"<think>\nI must decide what to do next. {THOUGHT}\n</think>\n\n{text}"
    if kind == "loop":
        said = (message.content for message in request.messages if message.role == "assistant")
        return next((one for one in said if calls_in(one)), text)
    calls = calls_in(text)
    if not calls or kind not in _PRINTED:
        return text
    return _PRINTED[kind](*calls[0])


THOUGHT = 'Perhaps {"tool": "none", "args": {}} would do, but no.'
"""What a model thinks aloud; the call in it is not meant."""


def turn(tool: str, args: dict[str, JsonValue]) -> str:
    """A tool call as agents write it."""
    return json.dumps({"tool": tool, "args": args})


def _named(tool: str, args: dict[str, JsonValue], key: str = "arguments") -> str:
    return json.dumps({"name": tool, key: args})


def _python(tool: str, args: dict[str, JsonValue]) -> str:
    return f"{tool}({', '.join(f'{name}={value!r}' for name, value in args.items())})"


def _xml(tool: str, args: dict[str, JsonValue]) -> str:
    def shown(value: JsonValue) -> str:
        return value if isinstance(value, str) else json.dumps(value)

    parameters = "".join(
        f"<parameter={name}>\n{shown(value)}\n</parameter>\n" for name, value in args.items()
    )
    return f"<tool_call>\n<function={tool}>\n{parameters}</function>\n</tool_call>"


def _wrong(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return [value]
    return json.dumps(value)


_PRINTED: dict[WordFault, Callable[[str, dict[str, JsonValue]], str]] = {
    "hermes": lambda tool, args: f"<tool_call>\n{_named(tool, args)}\n</tool_call>",
    "fenced": lambda tool, args: f"I will call the tool.\n\n```json\n{_named(tool, args)}\n```\n",
    "bare-json": _named,
    "python": lambda tool, args: f"[{_python(tool, args)}]",
    "pipes": lambda tool, args: f"<|python_tag|>{_named(tool, args, 'parameters')}<|eom_id|>",
    "mistral": lambda tool, args: f"[TOOL_CALLS][{_named(tool, args)}]",
    "xml": _xml,
    "two-calls": lambda tool, args: f"{turn(tool, args)}\n{turn(tool, args)}",
    "wrong-types": lambda tool, args: turn(tool, {name: _wrong(value) for name, value in args.items()}),
    "unknown-tool": lambda tool, args: turn(f"{tool}_now", args),
}
