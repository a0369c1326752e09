"""One turn of an agent: the schema it must satisfy and what its text means."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import jsonschema
from pydantic import JsonValue

from swarm.errors import MalformedReply
from swarm.tool import Tool, ToolCall
from swarm.work import one_line, summarize

Schema = dict[str, JsonValue]

_FENCE = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL)
_DECODER = json.JSONDecoder()
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
            shapes.append(_object({"result": self.result}))
        if self.may_give_up:
            shapes.append(_object({"cannot": {"type": "string", "minLength": 1, "maxLength": 200}}))
        if len(shapes) == 1 and isinstance(shapes[0], dict):
            return shapes[0]
        return {"anyOf": shapes}


def _object(properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _call_schema(tool: Tool) -> JsonValue:
    args: Schema = {"type": "object", **tool.input_schema, "additionalProperties": False}
    return _object({"tool": {"const": tool.full_name}, "args": args})


def parse(text: str, rules: TurnRules) -> Action:
    """What the reply asks for. Fences and prose around the one JSON object are forgiven.

    Raises:
        MalformedReply: it is none of the things the turn may be; the message tells the model why.
    """
    said = _only_object(text)
    if isinstance(said.get("cannot"), str) and rules.may_give_up:
        return Cannot(str(said["cannot"]))
    if "result" in said and "tool" not in said:
        return _give(said["result"], rules, text)
    name = said.get("tool", said.get("name"))
    args = said.get("args", said.get("arguments", {}))
    if not isinstance(name, str):
        raise MalformedReply("the reply must be an object with tool and args, or with result", text)
    return _call(name, args, rules, text)


def _give(data: JsonValue, rules: TurnRules, text: str) -> Give:
    if rules.result is None:
        raise MalformedReply("no result can be given yet: use a tool first", text)
    try:
        jsonschema.validate(data, rules.result, cls=jsonschema.Draft202012Validator)
    except jsonschema.ValidationError as error:
        place = "/".join(str(part) for part in error.absolute_path)
        where = f"result/{place}" if place else "result"
        raise MalformedReply(f"{where}: {one_line(error.message, 160)}", text) from error
    return Give(data)


def _call(name: str, args: JsonValue, rules: TurnRules, text: str) -> ToolCall:
    known = [tool.full_name for tool in rules.tools]
    full = [one for one in known if one == name or one.endswith(f".{name}")]
    if len(full) != 1:
        raise MalformedReply(f"there is no tool {name!r}; the tools are: {', '.join(known) or 'none'}", text)
    if isinstance(args, str):
        args = _only_object(args)
    if not isinstance(args, dict):
        raise MalformedReply("args must be an object", text)
    return ToolCall(tool=full[0], args=args)


def _only_object(text: str) -> dict[str, JsonValue]:
    """The one JSON object in a reply."""
    fenced = _FENCE.search(text)
    candidate = (fenced.group(1) if fenced else text).strip()
    start = candidate.find("{")
    if start < 0:
        raise MalformedReply("the reply has no JSON object", text)
    try:
        found, _ = _DECODER.raw_decode(candidate, start)
    except ValueError as error:
        raise MalformedReply(f"the reply is no valid JSON: {error}", text) from error
    return {str(key): value for key, value in found.items()}


def name_action(text: str) -> str:
    """What a reply asks for, in a few words, for people."""
    try:
        said = _only_object(text)
    except MalformedReply:
        return "unreadable reply"
    if "tool" in said:
        args = said.get("args")
        call = ToolCall(tool=str(said["tool"]), args=args if isinstance(args, dict) else {})
        return f"{call.tool} {summarize(call)}"
    return "gives up" if "cannot" in said else "result"


def signature(tool: Tool) -> str:
    """A tool as one line of a prompt: ``server.tool(path: string, lines?: integer) - what it does``."""
    properties = tool.input_schema.get("properties")
    required = tool.input_schema.get("required")
    needed = required if isinstance(required, list) else []
    names = properties if isinstance(properties, dict) else {}
    args = ", ".join(
        f"{name}{'' if name in needed else '?'}: {_type(value)}" for name, value in names.items()
    )
    return f"{tool.full_name}({args}) - {tool.description}"


def _type(schema: JsonValue) -> str:
    return str(schema.get("type", "any")) if isinstance(schema, dict) else "any"


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
    kind = schema.get("type")
    kinds: Sequence[JsonValue] = kind if isinstance(kind, list) else [kind]
    names = ["text" if one == "string" else str(one) for one in kinds if one]
    return " or ".join(names) or "any"
