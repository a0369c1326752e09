"""What a model's reply asks for, in whichever dialect it is written.

A turn is ``{"tool": …, "args": {…}}``, ``{"result": …}`` or ``{"cannot": …}``. Models print their
own dialect instead, talk around it, or break the JSON. The rules here read what was meant and never
make a call of what was only mentioned, thought of, quoted or cut off: a call that is missed costs
one turn, a call that nobody made can cost a file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from pydantic import JsonValue

from swarm.errors import Declined, MalformedReply
from swarm.nouns.tool import Tool
from swarm.replies.lenient import HALF, Unreadable, ValueReader

Turn = dict[str, JsonValue]
"""``{"tool": full name, "args": object}``, ``{"result": …}`` or ``{"cannot": …}``."""

_NAMES = ("tool", "tool_name", "function_name", "name", "function", "action")
_ARGS = ("args", "arguments", "parameters", "params", "tool_input", "action_input", "input", "kwargs")
_NESTED = ("tool_calls", "tool_call", "function_call", "function", "tool")
_SURE_NAMES = ("tool", "tool_name", "function_name")
"""Keys that only a call has; the others need arguments beside them: ``{"name": "Ann"}`` is a person."""
_NOTHING = (None, "", "none", "null", "None")

_NAME = r"[A-Za-z_][\w-]*(?:[./:][A-Za-z_][\w-]*)*"
_TOKEN = r"<\|[\w\u2581/]+\|>|<\uff5c[^<>\uff5c]*\uff5c>|<\|tool_call>|\[(?:ARGS|TOOL_CALLS)\]|\[CALL_ID\]\w+"
"""Special tokens of the dialects: ChatML and its kin, DeepSeek, Gemma, Mistral."""
_AFTER_NAME = rf"(?::\d+)?(?:\s|{_TOKEN}|```|\b(?:json|code|commentary|analysis)\b)*"
_BEFORE_NAME = (
    rf"(?P<mark>(?:{_TOKEN}|<(?:tool_call|function_call|toolcall|start_function_call)>|\bto=|\[Calling tool:|>>>)\s*\[?(?:call:)?)"
    r"|^[ \t]*\[?(?:call:|(?:\w+\s*=\s*)?(?:print\()?)|(?<=\)),\s*"
)
_ELEMENT = r"<(?P<space>\uff5cDSML\uff5c)?(?P<element>function|invoke|tool|tool_call)"
_START = re.compile(
    r"(?P<thought><(?:think|thinking|thought|reasoning)>|\[THINK\]|<\|channel\|>analysis)"
    r"|(?P<echo><tool_(?:response|result)|<\|tool_response|<function_results?>|\[TOOL_RESULTS\]|^Observation:"
    r"|<\|(?:im_end|eot_id|endoftext)\|>|</s>|<\|im_start\|>\s*user)"
    r"|(?P<code>```[\w+-]*|~~~[\w+-]*|`[^`\n]+`)"
    r"|(?P<quote>^[ \t]*(?:>(?!>>)|\|)[^\n]*|<!--(?s:.*?)-->)"
    rf"|(?P<xml>{_ELEMENT}(?:=|\s+name=)[\"']?(?P<called>{_NAME})[\"']?\s*>)"
    rf"|(?P<react>^[ \t]*Action:[ \t]*(?P<action>{_NAME})[ \t]*\n\s*Action Input:)"
    rf"|(?:{_BEFORE_NAME})(?P<name>{_NAME}){_AFTER_NAME}(?=[({{]|<arg_key>)"
    rf"|<(?P<tag>{_NAME})>(?=\s*<)"
    r"|(?P<brace>\{|\[(?=\s*\{))",
    re.MULTILINE,
)
_THOUGHT_ENDS = re.compile(r"</(?:think|thinking|thought|reasoning)>|\[/THINK\]|<\|(?:end|start|channel)\|>")
_THOUGHT_BEFORE = re.compile(
    r"\s*(?:(?:(?!<think).)*</think>|analysis.*?assistant(?=final|commentary)"
    r"|Here is my thought process:.*?Here is my response:)",
    re.DOTALL,
)
"""A thought whose beginning is not marked: the template wrote it, or the tokens were stripped."""
_SCRIPT = re.compile(r"^\s*(?:import|from|def|class|for|if|while|with|try|return|async|@)\b", re.MULTILINE)
_LANGUAGES = ("", "json", "tool", "tool_call", "tool_code", "python", "py", "xml", "text")
_PARAMETER = re.compile(
    r"<(?:\uff5cDSML\uff5c)?(parameter|param|arg)(?:=|\s+name=)[\"']?([\w.-]+)[\"']?[^>]*>"
    r"(?:((?:(?!<(?:\uff5cDSML\uff5c)?\1[=\s]).)*?)</(?:\uff5cDSML\uff5c)?\1>|([^<]*)(?=<(?:\uff5cDSML\uff5c)?\1[=\s]|\Z))",
    re.DOTALL,
)
"""A parameter; one whose end is not marked holds no other tag."""
_CHILD = re.compile(r"<(([\w.-]+))>(.*?)()</\1>", re.DOTALL)
_PAIR = re.compile(r"<arg_key>()\s*([\w.-]+)\s*</arg_key>\s*<arg_value>(.*?)()</arg_value>", re.DOTALL)
_LOOKS_MEANT = re.compile(
    r"(?:\[\s*)?\{\s*[\"'\u201c]?(?:tool|name|function|result|cannot|action|type)\w*[\"'\u201d]?\s*[:=]"
)
_CALLS = re.compile(r"tool|function|call|python|action|plugin|to=|>>>", re.IGNORECASE)
"""A mark before a name that is there for calls alone."""

_MENTIONED = re.compile(
    r"\b(?:examples?|for instance|e\.g\.|such as|looks? like|suppose|imagine|maybe|perhaps|syntax|never|rather than|instead of|later"
    r"|would(?! like)|could|might|according|may(?: also| then)? (?:be|call|do|have|look|make|read|run|use|write)"
    r"|if (?:i|we|you)|unable to"
    r"|(?:(?:ca|wo|do|did|does|would|should|must)n?[\u2019']t|cannot|(?:can|will|do|did|does|would|should|must) not)"
    r"(?: \w+)? ?(?:call|run|use|make)"
    r"|(?:i|we|you)(?: have)?(?: already)? (?:called|ran|run|used|tried|sent)|(?:shall|should|may|can) (?:i|we)"
    r"|do you want|would you like|(?:file|page|text|log|document|output|user|result|tool|call)s?"
    r" (?:contains?|says?|shows?|has|asks?|reads|was|were|returned|gave))\b",
    re.IGNORECASE,
)
"""Before a call: words that make it an example, a condition, a memory, a question, a quotation or
what is not done."""
_SPOKEN_OF = re.compile(
    r"(?:[\s\"'`)]|</?\w+>|<\|\w+\|>)*(?:\?|(?:is|was|are|were|would|looks?|shows?|gave|returned"
    r"|wait|no|actually|never mind|on second thought|ignore|scratch)\b)",
    re.IGNORECASE,
)
"""Behind a call: a verb whose subject it is, a question mark, or words that take it back."""
_MARKUP = re.compile(
    rf"(?:\s|{_TOKEN}|<?/?(?:[\w:]*(?i:tool|function|call)\w*|s)>|<\uff5cDSML\uff5c\w+>|```\w*|~~~\w*|\[/?\w+\]|\b(?:json|assistant|commentary|final|function|functools)\b|[*_\[{{])+\Z"
)
"""Marks between a sentence and a call."""
_ANNOUNCES = re.compile(
    r"(?=.*\w)\W*(?:\d+[.)]\s*)?(?:(?:sure|okay|ok|now|first|next|then|so|yes)\b\W*)*(?:$|\w+ing\b|let(?: me| us|[\u2019']s)\b"
    r"|(?:to [^.:\n]{0,60} )?(?:i|we)(?:[\u2019']ll| will|(?: am|[\u2019']m| are) going to| need| have to| must| should| want|[\u2019']d like| would like"
    r"| (?:call|check|list|look|open|query|read|search|use|write))\b"
    r"|here(?: is|[\u2019']s)\b[^.\n]{0,40}\b(?:action|call|tool)\W*$|(?:(?:next|tool|function) )*(?:action|call|tool|step)\W*$)",
    re.IGNORECASE,
)
"""A sentence that ends in a call it announces."""
_CHOICE = re.compile(r"\b(?:or|either|alternatively)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n\s*\n")
_IN_WORDS = re.compile(r"[^{}<>`]*")
"""What has no sign of a call or of a value."""
_NO_OBJECT = "the reply has no JSON object"
_NO_TURN = "the reply must be an object with tool and args, or with result"


@dataclass(frozen=True)
class _Said:
    """Something the reply says: a call, when it has a name, or a result or a giving up as it stands."""

    name: str = ""
    args: JsonValue = None
    is_beside: bool = False
    """Whether the arguments stand beside the name and not in an object of their own."""
    turn: Turn | None = None
    place: tuple[int, int] = (0, 0)
    is_meant: bool = True


def recovered(text: str, tools: Sequence[Tool], fits: Callable[[JsonValue], bool]) -> Turn:
    """The one thing a reply asks for; ``fits`` tells whether a bare value is the result that is owed.

    Of several calls in a row the first is taken: the others may rest on what it gives. Neither the
    arguments nor a result are held against their schema.

    Raises:
        Declined: the reply is words and nothing else.
        MalformedReply: the reply asks for nothing that can be told for sure, or for a tool that
            is not there; the message tells the model what to do.
    """
    scan = _Scan(text, tools)
    said = scan.said()
    meant = [one for one in said if one.is_meant]
    if scan.troubles:
        raise MalformedReply(scan.troubles[0], text)
    if not meant:
        if (bare := _bare(scan.text)) is not None and fits(bare):
            return {"result": bare}
        mentioned = "the tool call is only mentioned: reply with the call alone, or with the result"
        if not said and _IN_WORDS.fullmatch(text) and text.strip():
            raise Declined(_NO_OBJECT, text)
        raise MalformedReply(mentioned if said else _NO_TURN if "{" in text else _NO_OBJECT, text)
    if _CHOICE.search(scan.text, said[0].place[1], said[-1].place[0]):
        raise MalformedReply("there are several calls to choose from: reply with one", text)
    turns = [_turn(one, tools, text) for one in meant]
    if any(turn != turns[0] for turn in turns) and not all("tool" in turn for turn in turns):
        raise MalformedReply("there are a tool call and a result: reply with the one to do now", text)
    return turns[0]


class _Scan:
    """Looks through one reply for all that it says."""

    def __init__(self, text: str, tools: Sequence[Tool]) -> None:
        self.text = text
        self.troubles: list[str] = []
        """Why something that was meant cannot be read."""
        self._tools = tools

    def said(self) -> list[_Said]:
        """Everything the reply says, in its order."""
        try:
            value: JsonValue = json.loads(self.text, object_pairs_hook=_once)
            if not isinstance(value, str) and not HALF.search(self.text):
                return list(_objects(value, self._tools))
        except Unreadable as error:
            self.troubles.append(str(error))
            return []
        except (ValueError, RecursionError):
            pass
        self.text = _unpacked(self.text)
        return list(self._scanned())

    def _scanned(self) -> Iterator[_Said]:
        at = edge = thought.end() if (thought := _THOUGHT_BEFORE.match(self.text)) else 0
        while match := _START.search(self.text, at):
            kind = match.lastgroup
            if kind == "echo":
                return
            if kind in ("thought", "code", "quote"):
                at = self._passed(match)
                edge = at if kind == "thought" else edge
                continue
            found, at = self._read(match)
            is_meant = self._is_meant(edge, match.start(), at)
            for one in found:
                yield replace(one, is_meant=is_meant or not one.name, place=(match.start(), at))
            edge = at if found and is_meant else edge

    def _passed(self, match: re.Match[str]) -> int:
        """Where to go on behind a thought, a line of a quotation, or code that is no call."""
        if match["thought"]:
            end = _THOUGHT_ENDS.search(self.text, match.end())
            return end.end() if end else len(self.text)
        code = match["code"]
        if not code or not code.startswith(("```", "~~~")):
            return match.end()
        close = self.text.find(code[:3], match.end())
        content = self.text[match.end() : close if close >= 0 else len(self.text)]
        if code[3:].casefold() in _LANGUAGES and not _SCRIPT.search(content):
            return match.end()
        return close + 3 if close >= 0 else len(self.text)

    def _read(self, match: re.Match[str]) -> tuple[list[_Said], int]:
        """What is said at a place, and where it ends."""
        name = match["called"] or match["action"] or match["name"] or match["tag"] or ""
        is_sure = bool(match["xml"] or match["react"] or _CALLS.search(match["mark"] or ""))
        if name and not is_sure and _tool(name, self._tools) is None:
            return [], match.end()
        try:
            if match["brace"]:
                return self._json(match.start())
            if match["xml"]:
                return self._element(match, name)
            if match["tag"]:
                return self._tag(match, name)
            return self._named(match, name)
        except (ValueError, RecursionError) as error:
            if is_sure or _LOOKS_MEANT.match(self.text, match.start()):
                self.troubles.append(f"the call can't be read: {error}")
            return [], match.end()

    def _json(self, start: int) -> tuple[list[_Said], int]:
        reader = ValueReader(self.text, start)
        found = list(_objects(reader.value(may_lack_brace=True), self._tools))
        if not reader.is_closed and any(one.name and (one.is_beside or one.args is None) for one in found):
            raise Unreadable("its end is missing")
        return found, reader.at

    def _named(self, match: re.Match[str], name: str) -> tuple[list[_Said], int]:
        """A name with arguments behind it: JSON, a Python call, or keys and values in tags."""
        reader = ValueReader(self.text, match.end())
        if match["react"]:
            return self._action(match, name)
        if self.text.startswith("<", match.end()):
            return self._pairs(match, name)
        if self.text.startswith("{", match.end()):
            return [_Said(name, reader.value())], reader.at
        by_place, by_name = reader.arguments()
        line_end = self.text[reader.at :].partition("\n")[0]
        if not match["mark"] and not re.match(r"[\s)\],;`]*(?:$|,\s*\w|<)", line_end):
            return [], reader.at
        if by_place and (by_name or len(by_place) > 1):
            raise Unreadable("arguments need their names")
        return [_Said(name, by_place[0] if by_place else cast("JsonValue", by_name))], reader.at

    def _action(self, match: re.Match[str], name: str) -> tuple[list[_Said], int]:
        reader = ValueReader(self.text, match.end())
        reader.skip()
        if self.text.startswith(("{", '"', "'"), reader.at):
            return [_Said(name, reader.value())], reader.at
        end = self.text.find("\nObservation:", match.end())
        if end < 0:
            raise Unreadable("nothing shows where its input ends: give it as JSON")
        return [_Said(name, self.text[match.end() : end].strip())], end

    def _element(self, match: re.Match[str], name: str) -> tuple[list[_Said], int]:
        close = f"</{match['space'] or ''}{match['element']}>"
        reader = ValueReader(self.text, match.end())
        reader.skip()
        if self.text.startswith("{", reader.at):
            return [_Said(name, reader.value())], reader.at
        end = self.text.find(close, match.end())
        if end < 0:
            raise Unreadable(f"{close} is missing")
        content = self.text[match.end() : end]
        args = _tagged(content, _PARAMETER if _PARAMETER.search(content) else _CHILD)
        end += len(close)
        if "</parameter>" in self.text[end:].partition(f"<{match['element']}")[0]:
            raise Unreadable(f"{close} stands in it twice: give it as JSON")
        return [_Said(name, args)], end

    def _tag(self, match: re.Match[str], name: str) -> tuple[list[_Said], int]:
        close = f"</{name}>"
        end = self.text.find(close, match.end())
        if end < 0:
            raise Unreadable(f"{close} is missing")
        return [_Said(name, _tagged(self.text[match.end() : end], _CHILD))], end + len(close)

    def _pairs(self, match: re.Match[str], name: str) -> tuple[list[_Said], int]:
        end = self.text.find("</tool_call>", match.end())
        if end < 0 and match["mark"]:
            raise Unreadable("</tool_call> is missing")
        end = end if end >= 0 else len(self.text)
        return [_Said(name, _tagged(self.text[match.end() : end], _PAIR))], end

    def _is_meant(self, edge: int, start: int, end: int) -> bool:
        """Whether a call is made and not only spoken of, by the sentences around it: it stands by
        itself, or at the end of a sentence that announces it."""
        before = _SENTENCE.split(_MARKUP.sub("", self.text[edge:start]))[-1]
        is_apart = not before.strip("-*\u2022") or before[-1] in ".!\u2026\u3002);,"
        if not is_apart and not _ANNOUNCES.match(before):
            return False
        return not _MENTIONED.search(before) and not _SPOKEN_OF.match(self.text, end)


def _once(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Unreadable("a name is given twice in one object")
    return found


def _objects(value: JsonValue, tools: Sequence[Tool]) -> Iterator[_Said]:
    """What a JSON value says: an object with the keys of a turn, or a list of such."""
    if isinstance(value, list):
        for item in value:
            yield from _objects(item, tools)
    if not isinstance(value, dict):
        return
    nested = [value[key] for key in _NESTED if isinstance(value.get(key), dict | list)]
    if nested:
        yield from _objects(nested[0], tools)
        return
    ending: Turn = {key: value[key] for key in ("result", "cannot") if value.get(key) not in (None, "")}
    if call := _call_in(value, tools):
        if ending:
            raise Unreadable("it holds a tool and a result: reply with the one to do now")
        yield call
    elif len(ending) == 1 or list(value) == ["result"]:
        yield _Said(turn=ending or value)


def _call_in(value: dict[str, JsonValue], tools: Sequence[Tool]) -> _Said | None:
    """The call that an object is, in whichever spelling."""
    key = next(
        (key for key in _NAMES if isinstance(value.get(key), str) and value[key] not in _NOTHING), None
    )
    if key is None:
        (only, *more) = value.items() or [("", None)]
        is_call = not more and isinstance(only[1], dict) and _tool(only[0], tools) is not None
        return _Said(*only) if is_call else None
    place = next((one for one in _ARGS if one in value and one != key), None)
    if place is None and key not in _SURE_NAMES:
        return None
    if (
        isinstance(args := value.get(place or ""), dict)
        and args.get("type") == "object"
        and "properties" in args
    ):
        return None  # The definition of a tool, said after the prompt.
    beside = {one: part for one, part in value.items() if one not in (key, place, "type", "id", "index")}
    known = _properties(_tool(str(value[key]), tools))
    if not args and beside and all(one in known for one in beside):
        return _Said(str(value[key]), beside, is_beside=True)
    return _Said(str(value[key]), args)


def _turn(said: _Said, tools: Sequence[Tool], text: str) -> Turn:
    """What was said, with the full name of the tool and its arguments as an object."""
    if said.turn is not None:
        return said.turn
    tool = _tool(said.name, tools)
    if tool is None:
        if said.name in ("result", "cannot"):
            inner = said.args.get(said.name, said.args) if isinstance(said.args, dict) else said.args
            return {said.name: inner}
        known = ", ".join(one.full_name for one in tools) or "none"
        raise MalformedReply(f"there is no tool {said.name!r}; the tools are: {known}", text)
    args = _arguments(said.args, tool)
    if args is None:
        raise MalformedReply(f"args must be an object with the arguments of {tool.full_name}", text)
    return {"tool": tool.full_name, "args": args}


def _arguments(args: JsonValue, tool: Tool) -> dict[str, JsonValue] | None:
    known = _properties(tool)
    if isinstance(args, str) and args.lstrip("`json \n").startswith("{"):
        try:
            args = ValueReader(args, args.index("{")).value()
        except Unreadable:
            return None
    if args in (None, [], ""):
        return {}
    if isinstance(args, dict):
        wrapped = [args[key] for key in _ARGS if len(args) == 1 and key in args and key not in known]
        return wrapped[0] if wrapped and isinstance(wrapped[0], dict) else args
    needed = tool.input_schema.get("required")
    return {str(needed[0]): args} if isinstance(needed, list) and len(needed) == 1 else None


def _tool(name: str, tools: Sequence[Tool]) -> Tool | None:
    """The one tool that a name can mean: other separators, without its server, with a dialect's prefix."""
    exact = [tool for tool in tools if tool.full_name == name]
    if exact:
        return exact[0]
    name = name.strip().partition("<")[0]
    for bare in (
        name,
        re.sub(r"^(?:functions?|tools?|default_api|mcp|multi_tool_use)(?:[./:]|__)", "", name),
    ):
        for spelled in (bare, bare.removesuffix(".call")):
            found = [tool for tool in tools if _plain(spelled) == _plain(tool.full_name)] or [
                tool for tool in tools if _plain(spelled) == _plain(tool.name)
            ]
            if found:
                return found[0] if len(found) == 1 else None
    return None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def _properties(tool: Tool | None) -> dict[str, JsonValue]:
    properties = tool.input_schema.get("properties") if tool else None
    return properties if isinstance(properties, dict) else {}


def _tagged(content: str, pair: re.Pattern[str]) -> dict[str, JsonValue]:
    """Arguments written as elements; the values stay text.

    Raises:
        Unreadable: something stands beside the elements, so that their ends are not sure.
    """
    if rest := pair.sub("", content).strip():
        raise Unreadable(f"{rest[:30]!r} stands between the arguments")
    found = [(name, value or unended) for _, name, value, unended in pair.findall(content)]
    return _once([(name, re.sub(r"\A\n|\n[ \t]*\Z", "", value)) for name, value in found])


def _unpacked(text: str) -> str:
    """The reply within a reply that was written as a JSON text, quotes escaped."""
    packed = text.strip()
    if packed.startswith('{\\"'):
        packed = f'"{packed}"'
    try:
        inner: JsonValue = json.loads(packed) if packed.startswith('"') else None
    except ValueError:
        return text
    return inner if isinstance(inner, str) and inner.lstrip().startswith("{") else text


def _bare(text: str) -> JsonValue:
    """The value that is the whole reply, fence aside; None when it is none."""
    inner = re.fullmatch(r"\s*(?:```|~~~)?(?:json)?\s*(.*?)(?:```|~~~)?\s*", text, re.DOTALL | re.IGNORECASE)
    reader = ValueReader(inner[1] if inner else text)
    try:
        value = reader.value()
    except (ValueError, RecursionError):
        return None
    return None if reader.text[reader.at :].strip() else value
