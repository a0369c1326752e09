"""What an agent knows before its first turn: what its brief names is opened for it.

A file that is named is read, a table that is named is loaded, a database that is named shows its
schema. Each costs a tool call and no turn; a small model that must first look around often stops
there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pydantic import JsonValue

from swarm.agent.assignment import Assignment, is_table, label
from swarm.agent.border import Border
from swarm.agent.choice import fitting, nearest, room
from swarm.agent.manual import manual
from swarm.agent.turn import shape
from swarm.agent.unread import unlisted_texts, unread_sources
from swarm.errors import ToolError
from swarm.nouns.events import Notice
from swarm.nouns.prompt import fill
from swarm.nouns.result import Result
from swarm.nouns.tool import Row, Tool, ToolResult
from swarm.survey import TableGroup, describe
from swarm.survey.kinds import is_shown
from swarm.tabular.file_table import FileTable
from swarm.work.context import At, Work, one_line
from swarm.work.effects import deeds, look

QUERY = "results.query"
DATABASE_QUERY = "database.query"
MOST_FILES = 4
MOST_LISTED = 40
"""Files that are listed one by one; of more, groups are told."""
MOST_ROWS_SHOWN = 40
MOST_CHARS_SHOWN = 6_000
MOST_REASON = 200
_WORD = re.compile(r"\w+")


@dataclass
class Opening:
    """Where an agent starts from."""

    tools: tuple[Tool, ...]
    system: str
    user: str
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict[str, Sequence[Row]])
    """Tables that its queries see."""
    sources: list[str] = field(default_factory=list[str])
    """Texts it has read."""
    is_quoting: bool = False
    """Whether each row it gives must begin with the words it stands on."""
    refused: Mapping[str, str] = field(default_factory=dict[str, str])
    """Files that it was to read and that could not be read, each with the reason."""
    deeds: str = ""
    """What earlier attempts did."""


class Opener:
    """Opens what a brief names; the calls are recorded as turn 0 of the agent's thread."""

    def __init__(self, work: Work, assignment: Assignment) -> None:
        self.work = work
        self.assignment = assignment
        self._calls = 0
        self._deeds = ""
        self._border = Border.of(work.journal.run, is_queried=assignment.is_queried)

    async def open(self) -> Opening:
        """The first prompt, the tools and the tables.

        Raises:
            ProjectError: the card names a tool that is not there.
            ServerError: a tool's server did not start.
            ToolError: there is nothing to query.
        """
        tools = self._fitting(await self.work.box.tools(self.assignment.card.tools))
        self._deeds = await deeds(self.work, self.assignment.thread)
        open_what = self._open_tables if self.assignment.is_queried else self._open_texts
        return replace(await open_what(tools), deeds=self._deeds)

    def _fitting(self, tools: tuple[Tool, ...]) -> tuple[Tool, ...]:
        """The tools that the window has room for; those that are left out are told by their names."""
        characters = room(self.work.model.endpoint.window)
        kept, left = fitting(tools, self.assignment.card.tools, self._wanted, characters)
        if left:
            names = ", ".join(tool.full_name for tool in left)
            text = f"{len(left)} tools have no room in the model's window and are left out: {names}"
            self.work.note(Notice(text=text, step=self.assignment.step.id))
        return kept

    @property
    def _wanted(self) -> str:
        """What the tools are chosen by."""
        return f"{self.assignment.task}\n{self.assignment.brief}"

    async def _open_texts(self, tools: tuple[Tool, ...]) -> Opening:
        if self.assignment.text is not None:
            return self._open_given(self.assignment.text)
        opened, refused = await self._read_files(tools)
        refused |= unread_sources(self.assignment.brief, self.assignment.survey)
        refused.pop(self.assignment.step.writes or "", None)
        are_readers = all(tool.effect == "pure" for tool in tools)
        if are_readers and (why := refused.get(self._item())):
            raise ToolError(f"{self._item()} could not be read: {why}")
        parts = self._listed_files(tools)
        parts += [f"Text of {path}:\n{text}" for path, text in opened.items()]
        parts += [f"Reading {path} failed: {why}" for path, why in refused.items()]
        inputs = [_as_text(name, result) for name, result in self.assignment.inputs.items()]
        # An agent that may act keeps its tools: it was not given them for looking around.
        if self._item() in opened and are_readers:
            tools = ()
        sources = [*opened.values(), *inputs]
        is_quoting = bool(opened) and not tools and is_table(self.assignment.step.expects)
        system = self._system(tools, is_quoting)
        rows, user = self.assignment.input_rows, self._user([*parts, *inputs])
        return Opening(tools, system, user, rows, sources, is_quoting, refused)

    def _listed_files(self, tools: tuple[Tool, ...]) -> list[str]:
        """Which files lie there, for an agent whose tools of the project take them by their names."""
        added, paths = self.assignment.card.added, self.assignment.survey.paths
        if not paths or self._item() or not any(tool.server in added for tool in tools):
            return []
        if len(paths) > MOST_LISTED:
            return [f"What lies there:\n{self.assignment.survey.lines(self.work.model.endpoint.window)}"]
        return ["Files that lie there:\n" + "\n".join(one_line(path, MOST_REASON) for path in paths)]

    def _open_given(self, text: str) -> Opening:
        """A text that is given, and nothing else."""
        is_quoting = is_table(self.assignment.step.expects)
        system = self._system((), is_quoting)
        return Opening((), system, self._user([f"Text:\n{text}"]), {}, [text], is_quoting)

    def _item(self) -> str:
        """The one thing to look at; nothing where the step is for one agent."""
        return "" if self.assignment.step.each is None else label(self.assignment.item)

    async def _read_files(self, tools: tuple[Tool, ...]) -> tuple[dict[str, str], dict[str, str]]:
        """The texts of the files that are named, and why others could not be read."""
        reader = _named(tools, "files.read")
        opened: dict[str, str] = {}
        refused: dict[str, str] = {}
        if reader is None:
            return opened, refused
        for path in self._paths_named()[:MOST_FILES]:
            result = await self._call(reader, {"path": path})
            if result.is_error:
                refused[path] = result.text
            elif len(result.text) <= MOST_CHARS_SHOWN:
                opened[path] = result.text
        return opened, refused

    def _paths_named(self) -> list[str]:
        brief, survey = self.assignment.brief, self.assignment.survey
        named = [path for path in survey.paths if path in brief]
        texts = survey.text_paths if named else frozenset[str]()
        listed = [path for path in named if path == self._item() or is_shown(path) or path in texts]
        return [*listed, *unlisted_texts(brief, survey)]

    async def _open_tables(self, tools: tuple[Tool, ...]) -> Opening:
        if unread := unread_sources(self.assignment.brief, self.assignment.survey):
            raise ToolError("; ".join(f"{path} could not be read: {why}" for path, why in unread.items()))
        rows: dict[str, Sequence[Row]] = dict(self.assignment.input_rows)
        loader = _named(await self.work.box.tools(("tables.load",)), "tables.load")
        for group in self._groups_wanted(self.assignment.survey.tables, bool(rows)):
            if loader is not None and group.name not in rows:
                loaded = await self._call(loader, {"pattern": group.pattern})
                rows[group.name] = self._rows(group, loaded)
        wants_database = self._wants_database(rows)
        kept = tuple(tool for tool in tools if self._is_wanted(tool, bool(rows), wants_database))
        if not kept:
            lacks = "; ".join(self.assignment.survey.unread[:MOST_FILES])
            raise ToolError(
                f"step {self.assignment.step.id} has no table to query: it needs a step that gives one"
                + f" (not read: {lacks})" * bool(lacks)
            )
        parts = [f"Tables for {QUERY}:\n" + "\n".join(describe(*one) for one in rows.items())] if rows else []
        if wants_database:
            parts.append(
                f"Tables for {DATABASE_QUERY}:\n{self.assignment.survey.database[:MOST_CHARS_SHOWN]}"
            )
        return Opening(kept, self._system(kept), self._user(parts), rows)

    def _rows(self, group: TableGroup, loaded: ToolResult) -> Sequence[Row]:
        """The rows that were loaded.

        Raises:
            ToolError: they were not; an empty table must never stand for one that could not be read.
        """
        if loaded.is_error:
            raise ToolError(f"{group.pattern} could not be loaded: {loaded.text}")
        table = FileTable.of(self.work.workspace, loaded.data)
        if table is not None:
            return table
        rows = (
            [row for row in loaded.data if isinstance(row, dict)] if isinstance(loaded.data, list) else None
        )
        if rows is None or len(rows) != len(loaded.data if isinstance(loaded.data, list) else ()):
            raise ToolError(f"{group.pattern} could not be loaded: tables.load gave no rows")
        return rows

    def _groups_wanted(self, groups: tuple[TableGroup, ...], has_inputs: bool) -> list[TableGroup]:
        named = [group for group in groups if self._is_named(group)]
        return named if named or has_inputs else list(groups)

    def _wants_database(self, rows: Mapping[str, Sequence[Row]]) -> bool:
        survey = self.assignment.survey
        named = [
            group for group in survey.database_tables if group.name not in rows and self._is_named(group)
        ]
        return bool(survey.database) and (bool(named) or not rows)

    def _is_named(self, group: TableGroup) -> bool:
        words = {word.casefold() for word in _WORD.findall(self.assignment.brief)}
        return group.name.casefold() in words or group.pattern in self.assignment.brief

    @staticmethod
    def _is_wanted(tool: Tool, has_rows: bool, wants_database: bool) -> bool:
        return (tool.full_name == QUERY and has_rows) or (tool.full_name == DATABASE_QUERY and wants_database)

    async def _call(self, tool: Tool, args: dict[str, object]) -> ToolResult:
        at = At(self.assignment.thread, 0, self._calls)
        result, at = await look(self.work, at, tool, args, self.assignment.input_rows)
        self._calls = at.index + 1
        return result

    def _system(self, tools: tuple[Tool, ...], is_quoting: bool = False) -> str:
        listed = manual(tools, self.work.model.endpoint.window, nearest(tools, self._wanted))
        return fill(
            "agent",
            instructions=self.assignment.card.instructions,
            tools=f"Tools:\n{self._border.theirs(listed)}" if tools else "",
            border=self._border.rule,
            turn=self._turn(tools, is_quoting),
            task=self.assignment.task,
        )

    def _turn(self, tools: tuple[Tool, ...], is_quoting: bool) -> str:
        if self.assignment.is_queried:
            return fill("turn_query")
        wanted = shape(self.assignment.step.expects)
        if is_quoting:
            return fill("turn_rows", columns=wanted.removeprefix("a list of {").removesuffix("}"))
        return fill("turn_tools", result=wanted) if tools else fill("turn_result", result=wanted)

    def _user(self, parts: list[str]) -> str:
        failure = self.assignment.failure
        last = [f"An earlier attempt failed: {failure}"] if failure else []
        last += [self._deeds] if self._deeds else []
        if missing := ", ".join(self.assignment.missing):
            last.append(f"There is no result of {missing}: do what can be done without it.")
        brief, form, item = self.assignment.brief, self.assignment.step.brief, self._item()
        if self._border.mark and "{item}" in form and "\n" in item:
            # A text of its own must not read like more of the brief.
            parts = [*parts, f"The item:\n{item}"]
            brief = form.replace("{item}", "the item above")
        step = f"Your step: {brief}"
        if self.assignment.is_queried:
            step += f"\nThe columns of the result: {', '.join(columns(self.assignment.step.expects))}"
        return "\n\n".join(self._border.ours(part) for part in [*parts, *last, step])


def _named(tools: tuple[Tool, ...], name: str) -> Tool | None:
    return next((tool for tool in tools if tool.full_name == name), None)


def columns(schema: Mapping[str, JsonValue] | None) -> list[str]:
    """Names of the columns a table schema asks for."""
    items = schema.get("items") if schema else None
    properties = items.get("properties") if isinstance(items, dict) else None
    return list(properties) if isinstance(properties, dict) else []


def _as_text(name: str, result: Result) -> str:
    rows = result.rows
    if result.status == "degraded":
        name = f"{name} (incomplete: {one_line(result.reason, MOST_REASON)})"
    if rows is None:
        return f"Result of {name}:\n{label(result.data) if result.data is not None else result.text}"
    lines = ["; ".join(f"{key}: {value}" for key, value in row.items()) for row in rows[:MOST_ROWS_SHOWN]]
    more = f"\n… and {len(rows) - MOST_ROWS_SHOWN} more rows" if len(rows) > MOST_ROWS_SHOWN else ""
    return f"Result of {name}, {len(rows)} rows:\n" + "\n".join(lines) + more
