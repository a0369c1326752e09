"""One turn of an agent: the schema it must satisfy and what its text means."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from jsonschema.exceptions import ValidationError
from jsonschema.exceptions import best_match as _best  # pyright: ignore[reportUnknownVariableType]
from pydantic import JsonValue

from swarm.errors import MalformedReply
from swarm.models.grammars.schemas import LONG, Schema, closed
from swarm.nouns.tool import Tool, ToolCall
from swarm.replies.fitting import fitted
from swarm.replies.lenient import HALF
from swarm.replies.recovery import Turn, recovered
from swarm.schemas.branches import branches_of, is_open, known
from swarm.schemas.references import in_place
from swarm.schemas.validator import Malformed, problems
from swarm.work.context import one_line, summarize

TEXT: Schema = {"type": "string", "minLength": 1}


@dataclass(frozen=True)
class Give:
    """The agent gives its result."""

    data: JsonValue


@dataclass(frozen=True)
class Cannot:
    """The agent says that the step cannot be done, and why."""

    reason: str


Action = ToolCall | Give | Cannot


@dataclass(frozen=True)
class TurnRules:
    """What a turn may be: a call of one of these tools, a result of this schema, or giving up."""

    tools: tuple[Tool, ...]
    result: Schema | None
    """None while a result may not be given yet."""
    may_give_up: bool = True

    def schema(self) -> Schema:
        """JSON Schema of the turn: one alternative for each thing it may be."""
        shapes: list[JsonValue] = [_call_schema(tool) for tool in self.tools]
        if self.result is not None:
            shapes.append(closed({"result": in_place(self.result)}))
        if self.may_give_up:
            shapes.append(closed({"cannot": {"type": "string", "minLength": 1, "maxLength": 200}}))
        return _shared(json.dumps(shapes[0] if len(shapes) == 1 else {"anyOf": shapes}))


@lru_cache(maxsize=256)
def _shared(schema: str) -> Schema:
    # One for all agents that may say the same, each of which holds it as long as it waits for its reply.
    return cast("Schema", json.loads(schema))


def _call_schema(tool: Tool) -> JsonValue:
    args: Schema = {"type": "object", **tool.input_schema}
    if not branches_of(args):
        # Said in both cases: engines differ in what they make of an object that says nothing of it.
        args["additionalProperties"] = args.get("additionalProperties", True) if is_open(args) else False
    return closed({"tool": {"const": tool.full_name}, "args": args})


def parse(text: str, rules: TurnRules) -> Action:
    """What the reply asks for, in whichever dialect it is written.

    Raises:
        MalformedReply: it is none of the things the turn may be; the message tells the model why.
    """
    result = rules.result
    turn = recovered(text, rules.tools, lambda value: result is not None and _fits(value, result))
    if "tool" in turn:
        return _call(turn, rules, text)
    if "result" in turn:
        return _give(turn["result"], rules, text)
    if not rules.may_give_up:
        raise MalformedReply("the reply must be an object with tool and args, or with result", text)
    return Cannot(str(turn["cannot"]))


def spelled(text: str, action: Action) -> str:
    """The reply as the conversation keeps it: in its words where they are a turn, else as the turn it
    was read as, so that the model has no bad example of its own before it, and no call that was
    left out."""
    if _plain(text):
        return text
    match action:
        case ToolCall(tool=tool, args=args):
            turn: Turn = {"tool": tool, "args": args}
        case Give(data):
            turn = {"result": data}
        case Cannot(reason):
            turn = {"cannot": reason}
    return json.dumps(turn, ensure_ascii=False)


def _plain(text: str) -> Turn:
    """The turn that a reply is without any reading; empty when it is none."""
    try:
        said: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    is_turn = isinstance(said, dict) and not {"tool", "result", "cannot"}.isdisjoint(said)
    return said if isinstance(said, dict) and is_turn and not HALF.search(text) else {}


def _give(data: JsonValue, rules: TurnRules, text: str) -> Give:
    if rules.result is None:
        raise MalformedReply("no result can be given yet: use a tool first", text)
    cut = _cut_number(data, rules.result)
    data = fitted(data, in_place(rules.result))
    if problem := cut or _problem("result", data, rules.result):
        raise MalformedReply(problem, text)
    return Give(data)


def _call(turn: Turn, rules: TurnRules, text: str) -> ToolCall:
    tool = next(tool for tool in rules.tools if tool.full_name == turn["tool"])
    cut = _cut_number(turn["args"], tool.input_schema)
    args = fitted(turn["args"], tool.input_schema)
    if problem := cut or _unknown(args, tool) or _problem("args", args, tool.input_schema):
        raise MalformedReply(f"{tool.full_name}: {problem}", text)
    return ToolCall.model_validate({"tool": tool.full_name, "args": args})


def _fits(value: JsonValue, schema: Schema) -> bool:
    return not _problem("result", fitted(value, in_place(schema)), schema)


def _problem(name: str, value: JsonValue, schema: Schema) -> str:
    """Where a value breaks its schema and how; empty when it does not, or when that cannot be told."""
    try:
        error = cast("ValidationError | None", _best(problems(schema, value)))
    except Malformed:
        return ""
    if error is None:
        return ""
    return f"{'/'.join((name, *(str(part) for part in error.absolute_path)))}: {one_line(error.message, 160)}"


def _unknown(args: JsonValue, tool: Tool) -> str:
    names = known(tool.input_schema)
    if names is None or not isinstance(args, dict):
        return ""
    name = next((name for name in args if name not in names), None)
    there = f"there are {', '.join(names)}" if names else "it takes none"
    return f"args/{name}: there is no such argument; {there}" if name else ""


def _cut_number(value: JsonValue, schema: Schema) -> str:
    """A number that a server may have cut: llama.cpp's grammars end one after 16 digits."""
    long = next((one for one in _numbers(value) if LONG <= abs(one) < 10 * LONG), None)
    if long is None or str(long) in json.dumps(schema):
        return ""
    return f"{long} may be only the beginning of a longer number: write the whole number in quotes"


def _numbers(value: JsonValue) -> Iterator[int | float]:
    if isinstance(value, int | float):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _numbers(part)


def name_action(text: str, tools: Sequence[Tool] = ()) -> str:
    """What a reply asks for, in a few words, for people."""
    try:
        turn = _plain(text) or recovered(text, tools, lambda _: False)
    except MalformedReply:
        return "unreadable reply"
    if "tool" in turn:
        args = turn.get("args")
        call = ToolCall(tool=str(turn["tool"]), args=args if isinstance(args, dict) else {})
        return f"{call.tool} {summarize(call)}"
    return "gives up" if "cannot" in turn else "result"


def shape(schema: Schema | None) -> str:
    """A result schema in words a small model reads: ``a list of {region: text, total: number}``."""
    if schema is None or schema.get("type") == "string":
        return "text"
    if schema.get("type") == "array":
        items = schema.get("items")
        return f"a list of {shape(items if isinstance(items, dict) else {})}"
    properties = schema.get("properties")
    if isinstance(properties, dict):
        return "{" + ", ".join(f"{name}: {_word(value)}" for name, value in properties.items()) + "}"
    return _word(schema)


def _word(schema: JsonValue) -> str:
    if not isinstance(schema, dict):
        return "any"
    if schema.get("format") == "date":
        return "date as YYYY-MM-DD or null"
    if isinstance(values := schema.get("enum"), list):
        return " or ".join(json.dumps(value, ensure_ascii=False) for value in values)
    if isinstance(branches := schema.get("anyOf"), list):
        return " or ".join(dict.fromkeys(_word(branch) for branch in branches))
    kind = schema.get("type")
    kinds: Sequence[JsonValue] = kind if isinstance(kind, list) else [kind]
    names = ["text" if one == "string" else str(one) for one in kinds if one]
    return " or ".join(names) or "any"
