"""The tools of the set and their tables, loaded as the set has them.

Its modules are run unchanged, so that no tool behaves otherwise than there. They are functions over pandas
under LangChain's ``@tool``; of that decorator they use the name it gives, so a stand-in of a few lines takes its
place. Because they read their tables from the current folder and keep them in globals, this belongs into a
process of its own, whose current folder is the set's.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

from pydantic import JsonValue

TOOLKITS = "src.tools.toolkits"
"""The module of the set that lists its tools, apart those that change something."""
CASED = ("status", "list_name", "board")
"""Columns whose case counts; the set's evaluation has them."""
_SECTION = re.compile(r"^(\w+)\n-{3,}$\n", re.MULTILINE)
_PARAMETER = re.compile(r"^(\w+) ?: ?(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Function:
    """A tool of the set: a function with the name that its decorator gives it."""

    name: str
    func: Callable[..., object]

    @property
    def domain(self) -> str:
        """What stands before the dot of its name."""
        return self.name.partition(".")[0]

    @property
    def described(self) -> str:
        """What its docstring says, without what it says of the parameters."""
        return "\n".join(
            text if name == "" else f"{name}: {text}"
            for name, text in _sections(self.func).items()
            if name != "Parameters"
        )

    @property
    def parameters(self) -> dict[str, tuple[object, str]]:
        """The default of each parameter and what the docstring says of it."""
        said = _sections(self.func).get("Parameters", "")
        parts = _PARAMETER.split(said)[1:]
        words = {parts[at]: " ".join(parts[at + 2].split()) for at in range(0, len(parts), 3)}
        given = inspect.signature(self.func).parameters
        return {name: (one.default, words.get(name, "")) for name, one in given.items()}


@dataclass(frozen=True)
class Table:
    """A table as two runs are compared by it: all that pandas compares, and the texts in lower case."""

    columns: tuple[str, ...]
    index: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]

    def folded(self) -> Table:
        """With the texts in lower case, but for the columns whose case counts."""
        keeps = [column in CASED for column in self.columns]
        rows = tuple(
            tuple(
                cell if keep or cell is None else cell.lower() for cell, keep in zip(row, keeps, strict=True)
            )
            for row in self.rows
        )
        return Table(self.columns, self.index, rows)


class Frame(Protocol):
    """What is used of a table of pandas."""

    def to_dict(self, orient: str) -> dict[str, list[object]]:
        """Its columns, index and data."""
        ...


class Office:
    """The tools of a folder of the set, with its tables as they lie there."""

    def __init__(self, data: Path) -> None:
        os.chdir(data)
        if str(data) not in sys.path:
            sys.path.insert(0, str(data))
        for name in [name for name in sys.modules if name.partition(".")[0] == "src"]:
            del sys.modules[name]
        _stand_in()
        toolkits = import_module(TOOLKITS)
        self.tools: dict[str, Function] = {tool.name: tool for tool in toolkits.all_tools}
        self.changing = frozenset(cast("str", tool.name) for tool in toolkits.tools_with_side_effects)
        """Names of the tools that change something."""

    def call(self, tool: str, args: Mapping[str, object]) -> str:
        """What a tool gives, as text; whatever it raises passes."""
        given = self.tools[tool].func(**args)
        return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False, default=_plain)

    def make(self, calls: Iterable[tuple[str, Mapping[str, object]]]) -> Office:
        """This office after calls, of which those that raise change nothing, as in the set's evaluation."""
        for tool, args in calls:
            try:
                self.call(tool, args)
            except Exception:  # noqa: BLE001  # foreign code: an agent's argument may break it anyhow
                continue
        return self

    def tables(self) -> dict[str, Table]:
        """The tables that some tool can change, by the names of their globals."""
        found: dict[str, Table] = {}
        for name in sorted(self.changing):
            function = self.tools[name].func
            for word in function.__code__.co_names:
                table = _table(function.__globals__.get(word))
                if table is not None:
                    found[f"{function.__module__}.{word}"] = table
        return found


def needs_pandas(data: Path) -> bool:
    """Whether the tools of a folder are functions over pandas."""
    return any("import pandas" in file.read_text("utf-8") for file in (data / "src" / "tools").glob("*.py"))


def _stand_in() -> None:
    def named(name: str, **_: object) -> Callable[[Callable[..., object]], Function]:
        return lambda func: Function(name, func)

    tools = ModuleType("langchain.tools")
    tools.__dict__["tool"] = named
    sys.modules["langchain"], sys.modules["langchain.tools"] = ModuleType("langchain"), tools


def _sections(func: Callable[..., object]) -> dict[str, str]:
    """The parts of a docstring by their headings; what stands before the first one has none."""
    # Its braces are doubled for a template of LangChain's.
    text = (inspect.getdoc(func) or "").replace("{{", "{").replace("}}", "}")
    parts = _SECTION.split(text)
    named = {parts[at]: parts[at + 1].strip() for at in range(1, len(parts), 2)}
    return {"": parts[0].strip(), **named}


def _table(value: object) -> Table | None:
    """A table of pandas, or a list of rows; None for any other value."""
    if isinstance(value, list):
        rows = [
            cast("dict[str, object]", row) for row in cast("list[object]", value) if isinstance(row, dict)
        ]
        if len(rows) < len(cast("list[object]", value)):
            return None
        columns = tuple(dict.fromkeys(name for row in rows for name in row))
        cells = tuple(tuple(_cell(row.get(name)) for name in columns) for row in rows)
        return Table(columns, tuple(str(at) for at in range(len(rows))), cells)
    if not hasattr(value, "to_dict"):
        return None
    split = cast("Frame", value).to_dict(orient="split")
    data = cast("list[list[object]]", split["data"])
    return Table(
        tuple(map(str, split["columns"])),
        tuple(map(str, split["index"])),
        tuple(tuple(map(_cell, row)) for row in data),
    )


def _cell(value: object) -> str | None:
    # What is missing is not even equal to itself.
    return None if value is None or value != value else str(value)


def _plain(value: object) -> JsonValue:
    """A value of numpy's as one of JSON."""
    plain = getattr(value, "tolist", None)
    return cast("JsonValue", plain()) if plain is not None else str(value)
