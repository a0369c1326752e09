"""Writes the reference pages that are made from the code: ``python docs/generate.py``.

What a field means stands as a string below it in the source, and is read from there.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from swarm.errors import ProjectError
from swarm.nouns.card import AgentCard, CardLimits
from swarm.nouns.events import EVENT, AgentEvent, Event
from swarm.nouns.limits import Limits
from swarm.project.settings import ModelSettings, ServerSettings, Settings, WorkspaceSettings

FOLDER = Path(__file__).parent
EXAMPLES = FOLDER / "event_examples.jsonl"
"""One event of each kind, as a run printed it."""
WRITTEN = "[Written from the code](generate.py) by `python docs/generate.py`.\n"
WORDS: dict[object, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Path: "path",
    NoneType: "null",
}

UNTOLD = {
    "AgentEvent.attempt": "Which attempt, from 1.",
    "AgentEvent.item": "Position of the item of an `each`, from 0; null for a step without one.",
    "AgentEvent.step": "The step that it works on.",
    "AgentStarted": "A sub-agent begins an attempt.",
    "AgentStarted.agent": "Its card.",
    "AgentWaiting.what": "What it waits for: a slot of the model server, a person's answer, or its next attempt.",
    "AgentDied.text": "What happened to it.",
    "AgentEnded": "A sub-agent has ended an attempt.",
    "AgentEnded.status": "How it ended.",
    "CardLimits.reply_tokens": "Tokens of one model reply.",
    "CardLimits.turns": "Turns of one sub-agent.",
    "Forecast.high_seconds": "The most it should take.",
    "Forecast.low_seconds": "The least it should take.",
    "Forecast.slots": "Slots of the model server.",
    "LimitReached.allowed": "What is allowed.",
    "LimitReached.text": "The same in a sentence.",
    "LimitReached.used": "What is used.",
    "LimitRaised.allowed": "What is allowed now.",
    "LimitRaised.limit": "Field of `Limits`.",
    "LoopBlocked.seconds": "How long nothing ran.",
    "ModelAsked.turn": "Number of its turn, from 1.",
    "ModelReplied.turn": "Number of its turn, from 1.",
    "ModelReplied.usage": "What the reply took.",
    "Notice.step": "The step that it is about, where it is about one.",
    "Notice.text": "What a person may want to know.",
    "Plan.steps": "Its steps; each one names what it needs, so their order means nothing.",
    "PlanMade.origin": "`given`: by a person. `direct`: made by code, for one agent. `template`: the planner failed.",
    "PlanMade.plan": "The whole plan.",
    "QuestionAnswered.decision": "What the person decided.",
    "QuestionAnswered.note": "What the person saw.",
    "QuestionAnswered.number": "Of the question.",
    "QuestionAsked.text": "The call, and what is known of it.",
    "Result.evidence": "The recorded tool calls that it builds on.",
    "Result.status": "Where the step stands.",
    "RunEnded": "A run has ended, for good or until it is resumed.",
    "RunEnded.answer": "The answer to the task; empty where there is none.",
    "RunEnded.files": "Files that it wrote, relative to the workspace.",
    "RunEnded.speedup": "What working side by side gained; null in runs of older versions.",
    "RunEnded.status": "How it ended; the last two can be resumed.",
    "RunEnded.usage": "What the whole run took.",
    "RunStarted": "A run begins, or goes on.",
    "RunStarted.is_resumed": "Whether it goes on.",
    "RunStarted.model": "Name of its main model.",
    "RunStarted.run": "Id of the run.",
    "RunStarted.task": "What it is to do.",
    "ServerChanged.server": "Name of the server.",
    "ServerChanged.text": "Why, as far as it is known.",
    "Speedup.lost": "Where time was lost.",
    "Step.id": "Its name in the plan.",
    "StepChanged.change": "What becomes of it.",
    "StepChanged.step": "The step that failed.",
    "StepEnded.result": "What it gave.",
    "StepEnded.step": "The step.",
    "StepExpanded.step": "The step with the `each`.",
    "ToolCalled": "A sub-agent calls a tool.",
    "ToolCalled.tool": "Full name, `server.tool`.",
    "ToolCalled.turn": "Number of its turn, from 1.",
    "ToolReturned": "A tool has answered, or failed.",
    "ToolReturned.is_error": "Whether the call failed.",
    "ToolReturned.seconds": "How long it took.",
    "ToolReturned.summary": "What it gave, in a few words.",
    "ToolReturned.tool": "Full name, `server.tool`.",
    "ToolReturned.turn": "Number of its turn, from 1.",
    "Usage.model_calls": "Replies of models.",
    "Usage.tool_calls": "Calls of tools.",
}
"""Texts of classes and fields that have none in the source."""

SETTINGS_HEAD = f"""# Settings

```toml
# swarm.toml
[model]
name = "qwen2.5-coder:7b"
url = "http://127.0.0.1:11434"

[limits]
seconds = 3_600

[servers.files]
write = false
```

Put `swarm.toml` into the project's folder. Every key may be left out, and so may the file. An unknown key is an error that names the place. {WRITTEN}
"""

ENVIRONMENT = """## Environment variables

| variable | what it does |
| --- | --- |
| `SWARM_MODEL` | the model to use, as `--model` has it; `--model` goes before it, and it goes before `swarm.toml` |
| `SWARM_API_BASE` | address of the model server; goes before `url` of `[model]` |
| `SWARM_API_KEY` | key for that address, or for the one in `--model NAME@URL`; sent nowhere else |
| `SWARM_MODELS` | folder that embedded models are kept in; else `swarm/models` below `XDG_DATA_HOME` or `~/.local/share` |
| `SWARM_THREADS` | threads that the embedded model computes with; else one for each physical core |
| `XDG_STATE_HOME` | where `swarm doctor --probe` keeps what it measured, below `swarm/profiles`; else `~/.local/state` |
| `VISUAL`, `EDITOR` | the editor for a plan, when you answer `e`; else `vi` |
| `NO_COLOR` | any value: no colours on the terminal |
| `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY` | the proxy to MCP servers at a URL, and for `swarm models pull`; model servers and this machine are always reached directly |
| any other | a value of `.mcp.json` and `api_key` may name one as `${NAME}` |

What an MCP server sees of them: [security](security.md#what-a-server-gets). What may be large or deep: [limits](limits.md).
"""

CARDS = """## Front matter of a card

The keys of a file in `agents/`. How one is written: [write an agent](write-an-agent.md).

"""

EVENTS_HEAD = f"""# Events

```
swarm run --json "…"            # while it works
swarm show RUN --events --json  # afterwards
```

Each line is one event: a JSON object with every field. `EVENT.validate_json(line)` of `swarm.nouns.events` reads one in Python. Skip kinds and fields that you do not know: later versions may add some. {WRITTEN}
Every event has `kind`, and:

"""


def settings_page() -> str:
    """Every key of ``swarm.toml``, every variable, every key of a card."""
    sections: tuple[tuple[str, str, type[BaseModel]], ...] = (
        ("`[model]`, and `[models.NAME]` for each further model", "", ModelSettings),
        ("`[workspace]`", "", WorkspaceSettings),
        ("`[limits]`", "`--limit NAME=N` sets one for a run.\n\n", Limits),
        ("`[servers.NAME]`", "", ServerSettings),
    )
    parts = [SETTINGS_HEAD, "## At the top of the file\n\n", _settings(Settings, only=("sandbox",))]
    for title, about, section in sections:
        parts += [f"\n## {title}\n\n{_sentence(section)}\n\n{about}", _settings(section)]
    parts += ["\n", ENVIRONMENT, "\n", CARDS]
    parts += [
        _settings(AgentCard, only=("description", "tier", "model", "tools", "tables", "works")),
        "\n`limits` is a table of these:\n\n",
        _settings(CardLimits),
    ]
    return "".join(parts)


def events_page() -> str:
    """Every kind of event with its fields and a line of it, and what lies in these fields."""
    kinds: tuple[type[BaseModel], ...] = get_args(get_args(Event)[0])
    lines = {
        EVENT.validate_json(line).kind: line for line in EXAMPLES.read_text(encoding="utf-8").splitlines()
    }
    common = {name: None for name in AgentEvent.model_fields if name in ("seq", "at")}
    agent = tuple(name for name in AgentEvent.model_fields if name not in common)
    parts = [EVENTS_HEAD, _json(AgentEvent, only=tuple(common))]
    parts += ["\nThose of a sub-agent (marked so below) also have:\n\n", _json(AgentEvent, only=agent)]
    for kind in kinds:
        name: str = kind.model_fields["kind"].default
        if name not in lines:
            raise ProjectError(f"{EXAMPLES}: there is no event of kind {name!r}; add a line")
        of_agent = issubclass(kind, AgentEvent)
        own = [one for one in kind.model_fields if one not in (*common, *(agent if of_agent else ()), "kind")]
        about = f"{_sentence(kind)}{' Of a sub-agent.' if of_agent else ''}"
        line = EVENT.validate_json(lines[name]).model_dump_json()
        parts += [f"\n## {name}\n\n{about}\n\n", _json(kind, only=tuple(own)) + "\n" if own else ""]
        parts.append(f"```json\n{line}\n```\n")
    parts.append("\n## Objects in events\n")
    for noun in _nouns(kinds):
        parts += [f"\n### {noun.__name__}\n\n{_sentence(noun)}\n\n", _json(noun)]
    return "".join(parts)


PAGES: dict[str, Callable[[], str]] = {"settings.md": settings_page, "events.md": events_page}


def main() -> None:
    """Writes the pages."""
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
        sys.stdout.write(f"wrote {FOLDER / name}\n")


def _settings(noun: type[BaseModel], only: tuple[str, ...] = ()) -> str:
    """The keys of a section in a table, with their defaults; TOML and YAML leave out what is none."""
    rows = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    rows += [
        _row(name, _type(field).replace(" or null", ""), _default(field), about)
        for name, field, about in _fields(noun, only)
    ]
    return "\n".join(rows) + "\n"


def _json(noun: type[BaseModel], only: tuple[str, ...] = ()) -> str:
    """The fields of an object in a table."""
    rows = ["| field | type | meaning |", "| --- | --- | --- |"]
    rows += [
        _row(name, _type(field), re.sub(r"\bNone (?=for|where)", "`null` ", about))
        for name, field, about in _fields(noun, only)
    ]
    return "\n".join(rows) + "\n"


def _row(name: str, *cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in (f'`{name}`', *cells))} |"


def _fields(noun: type[BaseModel], only: tuple[str, ...]) -> Iterator[tuple[str, FieldInfo, str]]:
    """The fields, or those alone, each with what it means."""
    texts = _texts(noun)
    for name, field in noun.model_fields.items():
        if only and name not in only:
            continue
        if not (about := texts.get(name, "")):
            raise ProjectError(
                f"{noun.__module__}: {noun.__name__}.{name}: no text stands below it; write one"
            )
        yield name, field, about


def _texts(noun: type[BaseModel]) -> dict[str, str]:
    """What stands below each field in the source, those of the classes it is made from too."""
    found: dict[str, str] = {}
    for one in reversed(noun.__mro__):
        if issubclass(one, BaseModel) and one is not BaseModel:
            name = f"{one.__name__}."
            found |= {key.removeprefix(name): text for key, text in UNTOLD.items() if key.startswith(name)}
            found |= dict(_texts_in(ast.parse(inspect.getsource(one))))
    return found


def _texts_in(module: ast.Module) -> Iterator[tuple[str, str]]:
    body = module.body[0].body if isinstance(module.body[0], ast.ClassDef) else []
    for field, below in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            told = below.value if isinstance(below, ast.Expr) else None
            if isinstance(told, ast.Constant) and isinstance(told.value, str):
                yield field.target.id, _shown(told.value)


def _sentence(noun: type[BaseModel]) -> str:
    # What the package shows of the fields in ``help`` is put below the text of a class when it is first used.
    text = (noun.__doc__ or "").partition("\n\nFields:\n")[0] or UNTOLD.get(noun.__name__, "")
    if not text:
        raise ProjectError(f"{noun.__module__}: {noun.__name__}: it has no docstring; write one")
    plain = re.sub(r"^``\[\S+``: ", "", text)
    return _shown(plain[0].upper() + plain[1:])


def _shown(text: str) -> str:
    """A text of the source as Markdown, in one line."""
    return re.sub(r"``(.+?)``", r"`\1`", " ".join(text.split()))


def _type(field: FieldInfo) -> str:
    bounds = [_bound(one) for one in field.metadata if isinstance(one, Ge | Gt | Le)]
    return ", ".join([_words(field.annotation), *bounds])


def _bound(one: Ge | Gt | Le) -> str:
    if isinstance(one, Le):
        return f"at most {_number(one.le)}"
    return f"at least {_number(one.ge)}" if isinstance(one, Ge) else f"over {_number(one.gt)}"


def _number(value: object) -> str:
    return f"{value:,}".replace(",", "_").removesuffix(".0") if isinstance(value, int | float) else str(value)


def _words(kind: Any) -> str:
    """A type in words."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _words(inner[0])
    if origin is Literal:
        return ", ".join(f"`{one}`" for one in inner)
    if origin in (Union, UnionType):
        return _union(inner)
    if origin is tuple:
        return f"list of {_words(inner[0])}"
    if origin is dict:
        return f"table of {_words(inner[1])} by name"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return f"[{kind.__name__}](#{kind.__name__.lower()})"
    return WORDS.get(kind, "any JSON")


def _union(inner: tuple[Any, ...]) -> str:
    if len(inner) > 2:
        return "any JSON"
    return " or ".join(_words(one) for one in inner)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    value: object = field.default
    if isinstance(value, BaseModel):
        return "all its defaults"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int | float):
        return f"`{_number(value)}`"
    if isinstance(value, tuple | dict):
        return "empty"
    return f'`"{value}"`' if value else "empty"


def _nouns(kinds: tuple[type[BaseModel], ...]) -> list[type[BaseModel]]:
    """The classes that fields of events hold, each once, in the order in which they are met."""
    found: dict[type[BaseModel], None] = {}
    left = [field.annotation for kind in kinds for field in kind.model_fields.values()]
    while left:
        kind: Any = left.pop(0)
        left += get_args(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in found:
            found[kind] = None
            left += [field.annotation for field in kind.model_fields.values()]
    return list(found)


if __name__ == "__main__":
    main()
