"""Files that a task asks for and that no text is: a tool must make them, and somebody must have it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from swarm.nouns.plan import Plan
from swarm.nouns.tool import Tool
from swarm.planner.check import NOT_TEXT
from swarm.planner.draft import files_to_write, is_example
from swarm.planner.planner import template

CALLED: Mapping[str, tuple[str, ...]] = {
    ".pdf": ("pdf",),
    **dict.fromkeys((".doc", ".docx", ".odt", ".rtf"), ("doc", "docx", "word")),
    **dict.fromkeys((".xls", ".xlsx", ".xlsm", ".ods"), ("xls", "xlsx", "excel", "spreadsheet", "workbook")),
    **dict.fromkeys((".ppt", ".pptx"), ("ppt", "pptx", "powerpoint", "slides", "presentation")),
    **dict.fromkeys(
        (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff"), ("image", "picture")
    ),
}
"""Words that the tools for a kind of file are told by; no program and no step makes such a file of a text."""
_FILE = re.compile(
    rf"[\w./-]*\w(?:{'|'.join(re.escape(ending) for ending in sorted(NOT_TEXT, reverse=True))})\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+")


def unwritten(task: str, existing: Iterable[str]) -> list[str]:
    """Files of no text that a task names and of which there was none by that name."""
    there = {PurePosixPath(path).name.casefold() for path in existing}
    named = dict.fromkeys(
        found[0].removeprefix("./") for found in _FILE.finditer(task) if not is_example(task[: found.start()])
    )
    return [
        name
        for name in named
        if PurePosixPath(name).name.casefold() not in there and not name.startswith("/") and ".." not in name
    ]


def still_missing(task: str, existing: Iterable[str], workspace: Path) -> tuple[str, ...]:
    """One sentence for each of these files that is nowhere in the workspace now."""
    names = unwritten(task, existing)
    if not names:
        return ()
    there = {path.name.casefold() for path in workspace.rglob("*")}
    return tuple(
        f"{name} is asked for, and there is no such file"
        for name in names
        if PurePosixPath(name).name.casefold() not in there
    )


def by_tools(task: str, existing: Sequence[str], tools: Sequence[Tool]) -> Plan | None:
    """The plan of the one agent that has these tools, where they are told by the kind of a file that is asked for."""
    wanted = {word for name in unwritten(task, existing) for word in CALLED.get(_ending(name), ())}
    acting = [tool for tool in tools if tool.effect != "pure"]
    told = {word.casefold() for tool in acting for word in _WORD.findall(f"{tool.name} {tool.description}")}
    return template(task, files_to_write(task, existing)) if wanted & told else None


def _ending(name: str) -> str:
    return PurePosixPath(name).suffix.lower()
