"""Whether a plan covers its whole task: every source read, every file written, every condition said.

It follows what the framework does by itself with a step: what its agent may open, which tables it
sees, what reaches it from the steps it needs. It judges the plan, not how well a model carries it out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from benchmarks.plan_tasks.task import PlanTask, Want
from benchmarks.plan_tasks.workspace import paths_of
from swarm.nouns.card import AgentCard
from swarm.nouns.plan import Plan, Step
from swarm.planner.draft import draft_columns
from swarm.survey import Survey, TableGroup, TextGroup

MOST_WITHOUT_EACH = 4
"""An agent opens this many files; of more it forgets some: there must be one agent for each."""
_WORD = re.compile(r"\w+")


def lacks(plan: Plan, task: PlanTask, survey: Survey, cards: Mapping[str, AgentCard]) -> list[str]:
    """What of the task the plan leaves out, one sentence each; empty when it covers the whole task."""
    reading = Reading(plan, task, survey, cards)
    return [f"{want}: {lack}" for want in task.wants if (lack := _lack(want, reading))]


def _lack(want: Want, reading: Reading) -> str:
    """What keeps every step from giving the want; empty when one gives it."""
    steps = [step for step in reading.plan.steps if reading.may_give(step, want)]
    if not steps:
        return "no step writes it" if want.file else "no step gives it"
    lacking = [reading.lack_of(step, want) for step in steps]
    return "" if "" in lacking else lacking[-1]


@dataclass(frozen=True)
class Reading:
    """A plan read against its task."""

    plan: Plan
    task: PlanTask
    survey: Survey
    cards: Mapping[str, AgentCard]

    def may_give(self, step: Step, want: Want) -> bool:
        """Whether a step is where the want would come from."""
        if want.file:
            return step.writes == want.file
        if want.acts:
            return not self._reads_items(step) and self._has_tool(step, "files.move", "files.write")
        return step.writes is not None or step in self.plan.last_steps()

    def lack_of(self, step: Step, want: Want) -> str:
        """The first thing that the step lacks to give the want."""
        reached = self.reach(step, want.is_direct)
        for source in want.sources:
            if not self._source(source) <= reached:
                return f"step {step.id} does not build on all of {source}"
        if want.computed and not self._is_computed(step, want):
            return f"no query behind step {step.id} sees all of {', '.join(want.sources)}"
        if not self._has_form(step, want):
            return f"step {step.id} gives no {want.must_be}"
        said = self._said(step)
        shown = _columns(step) if step.expects else said
        lacking = [f"a column {one}" for one in want.columns if not re.search(one, shown, re.IGNORECASE)]
        lacking += [f"to say {one}" for one in want.says if not re.search(one, said, re.IGNORECASE)]
        return f"step {step.id} lacks {lacking[0]}" if lacking else ""

    def reach(self, step: Step, is_direct: bool = False) -> frozenset[str]:
        """Files and database tables that the step's result is made from."""
        found = self._reads(step, is_direct)
        for need in self._inputs(step):
            found |= self.reach(need, is_direct)
        return found

    def lineage(self, step: Step) -> list[Step]:
        """The step and all that it builds on."""
        found = {step.id: step}
        for need in self._inputs(step):
            found |= {other.id: other for other in self.lineage(need)}
        return list(found.values())

    def _inputs(self, step: Step) -> list[Step]:
        needs = [self.plan.step(need) for need in step.waits_for]
        # A query sees only what is a table.
        return [need for need in needs if need.expects or need.each or not self._is_queried(step)]

    def _reads(self, step: Step, is_direct: bool) -> frozenset[str]:
        if self._is_queried(step):
            return self._queried_tables(step)
        found: set[str] = set()
        for group in self.survey.texts:
            found |= self._read_texts(step, group, is_direct)
        if self._has_tool(step, "files.read"):
            found |= {path for path in self.survey.paths if path in step.brief and self._is_table_file(path)}
        if self._has_tool(step, "database.query"):
            found |= {_key(group) for group in self._stored(step)}
        return frozenset(found)

    def _read_texts(self, step: Step, group: TextGroup, is_direct: bool) -> set[str]:
        if not self._has_tool(step, "files.read"):
            return set()
        if step.each == group.pattern:
            return set(group.paths)
        named = {path for path in group.paths if path in step.brief}
        folder = f"{PurePosixPath(group.pattern).parent}/"
        is_whole = group.pattern in step.brief or (folder != "./" and folder in step.brief)
        if is_whole and self._has_tool(step, "files.glob", "files.list"):
            is_listed = any(other.each_step == step.id for other in self.plan.steps)
            if is_direct or is_listed or len(group.paths) <= MOST_WITHOUT_EACH:
                named |= set(group.paths)
        return named

    def _queried_tables(self, step: Step) -> frozenset[str]:
        """Tables that the framework lays open to a query: see ``swarm.agent.opening``."""
        has_inputs = bool(self._inputs(step))
        named = [*(group for group in self.survey.tables if _is_named(group, step)), *self._stored(step)]
        if named or has_inputs:
            return frozenset(path for group in named for path in self._of(group))
        files = self.survey.tables or self.survey.database_tables
        return frozenset(path for group in files for path in self._of(group))

    def _stored(self, step: Step) -> list[TableGroup]:
        """Tables of the database that the brief names; all where it names just the database."""
        tables = self.survey.database_tables
        named = [group for group in tables if _has_word(group.name, step.brief)]
        return named or [group for group in tables if group.pattern in step.brief]

    def _of(self, group: TableGroup) -> frozenset[str]:
        if group in self.survey.database_tables:
            return frozenset({_key(group)})
        return frozenset(path for path in self.survey.paths if _matches(path, group.pattern))

    def _source(self, name: str) -> frozenset[str]:
        if name in self.task.texts:
            return frozenset(paths_of(name, self.task.texts[name]))
        if name in self.task.tables:
            return frozenset(paths_of(name, self.task.tables[name][0]))
        return frozenset(_key(group) for group in self.survey.database_tables if group.name == name)

    def _is_computed(self, step: Step, want: Want) -> bool:
        is_stored = all(name not in self.task.texts and name not in self.task.tables for name in want.sources)
        tools = ("results.query", "database.query") if is_stored else ("results.query",)
        wanted = frozenset(path for name in want.sources for path in self._source(name))
        return any(self._has_tool(one, *tools) and wanted <= self.reach(one) for one in self.lineage(step))

    def _has_form(self, step: Step, want: Want) -> bool:
        if want.must_be == "prose":
            # The results of an each are put together as a table.
            return step.expects is None and step.each is None
        if want.must_be == "table" and step.expects is None:
            is_shown = want.file.endswith(".md") and any(need.expects for need in self._inputs(step))
            return is_shown or self._has_tool(step, "files.write")
        return True

    def _said(self, step: Step) -> str:
        """The briefs and columns of the step and what it builds on, without the files asked for."""
        parts = [f"{one.brief} {_columns(one)}" for one in self.lineage(step)]
        said = " ".join(parts)
        for want in self.task.wants:
            said = said.replace(want.file, " ") if want.file else said
        return said.casefold()

    def _is_queried(self, step: Step) -> bool:
        return self.cards[step.agent].tables == "queried" and step.expects is not None

    def _reads_items(self, step: Step) -> bool:
        """Whether each agent of the step has its file open: then it has no tools."""
        return any(step.each == group.pattern for group in self.survey.texts)

    def _has_tool(self, step: Step, *names: str) -> bool:
        return bool(set(names) & set(self.cards[step.agent].tools))

    def _is_table_file(self, path: str) -> bool:
        return any(_matches(path, group.pattern) for group in self.survey.tables)


def _is_named(group: TableGroup, step: Step) -> bool:
    return _has_word(group.name, step.brief) or group.pattern in step.brief


def _has_word(name: str, text: str) -> bool:
    return name.casefold() in {word.casefold() for word in _WORD.findall(text)}


def _columns(step: Step) -> str:
    return " ".join(column.split(":")[0] for column in draft_columns(step.expects))


def _key(group: TableGroup) -> str:
    return f"{group.pattern}:{group.name}"


def _matches(path: str, pattern: str) -> bool:
    at, wanted = PurePosixPath(path), PurePosixPath(pattern)
    return len(at.parts) == len(wanted.parts) and at.match(pattern)
