"""The door: a project, a model and its tools, opened together; runs are started and resumed here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from swarm.agent.border import MARK, new_mark
from swarm.errors import PlanError, ProjectError
from swarm.hub.hub import Hub
from swarm.models.model import Model
from swarm.models.pool import Member, open_pool
from swarm.nouns.card import AgentCard
from swarm.nouns.events import Notice
from swarm.nouns.limits import Limits, Usage
from swarm.nouns.plan import Plan
from swarm.nouns.timing import Forecast
from swarm.planner.check import problems
from swarm.project.project import PYTHON, Project, open_project
from swarm.run.answer import Answer
from swarm.run.conductor import GIVEN, Approve
from swarm.run.forecast import forecast, sizes_of, speeds_of
from swarm.run.fork import Fork, fork
from swarm.run.passed import check_limits, check_opening, check_start, check_text
from swarm.run.run import AskMore, Run
from swarm.run.setting import Setting, name_of_model
from swarm.scheduler.slots import Slots
from swarm.store.file.owner import Ownership
from swarm.store.rows.records import RunRecord
from swarm.store.shelf.runs import LAST, find_run, new_run_id, note_last

Value = TypeVar("Value")


class Swarm:
    """A project ready to work: ``async with Swarm.open(folder) as swarm: …``."""

    def __init__(self, project: Project, setting: Setting, group: asyncio.TaskGroup) -> None:
        self.project = project
        self._setting = setting
        self._group = group
        self._runs: list[Run[str]] = []

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        project: Project | Path | str | None = None,
        *,
        model: str | Model | None = None,
        workspace: Path | str | None = None,
        tools: Sequence[Callable[..., object]] = (),
        limits: Limits | None = None,
    ) -> AsyncGenerator[Swarm]:
        """The swarm of a project folder (the current one when none is named).

        ``model`` is a name as for ``--model``, or any ``Model``; ``tools`` are functions that agents
        may call as ``python.NAME``. What is set in ``limits`` goes before the project's. An error of
        the block leaves it as what it is.

        Raises:
            ProjectError: something in the project is wrong, an argument is of another kind, a function
                can't be a tool, or no model was found.
        """
        check_opening(project=project, model=model, workspace=workspace, tools=tools, limits=limits)
        opened = project if isinstance(project, Project) else _opened(project, workspace)
        async with AsyncExitStack() as stack:
            box = await stack.enter_async_context(Hub.open(opened, functions=tools))
            if model is None or isinstance(model, str):
                settings = opened.settings
                opening = open_pool(
                    model, settings.model, settings.models, lambda text: box.tell(Notice(text=text))
                )
                pool = await stack.enter_async_context(opening)
            else:
                pool = [Member(model)]
            setting = Setting(
                model=pool[0].model,
                slots=Slots(pool),
                box=box,
                cards=_with_functions(opened.cards, bool(tools)),
                runs_folder=opened.runs_folder,
                workspace=opened.workspace,
                limits=opened.settings.limits,
                given=limits or Limits(),
                functions=tuple(f"{PYTHON}.{getattr(one, '__name__', '')}" for one in tools),
                model_name=name_of_model(model, pool),
                sandbox=opened.settings.sandbox,
                has_database="database" in opened.settings.servers or _is_own(opened, "database"),
            )
            failure: Exception | None = None
            async with asyncio.TaskGroup() as group:
                swarm = cls(opened, setting, group)
                try:
                    yield swarm
                except Exception as error:  # noqa: BLE001  # the caller's: a group would wrap it
                    failure = error
                finally:
                    for run in swarm._runs:
                        await run.stop("the program ended")
            if failure is not None:
                raise failure

    @property
    def model(self) -> Model:
        """The model that its agents ask."""
        return self._setting.model

    async def plan(self, task: str) -> Plan:
        """A plan for the task; nothing of it is run, and no run is left behind.

        Raises:
            ModelUnavailable: the model server is gone.
        """
        made: list[Plan] = []

        async def keep(plan: Plan) -> Plan | None:
            made.append(plan)
            return None

        run: Run[str] = await self.start(task, approve=keep)
        answer = await run.answer()
        for path in self._setting.runs_folder.glob(f"{run.id}.*"):
            path.unlink(missing_ok=True)
        if not made:
            raise PlanError([answer.text])
        return made[0]

    def forecast(self, plan: Plan) -> Forecast | None:
        """How long a plan should take, from the profile of the model or the replies so far.

        None where nothing is known of the server's speed.
        """
        endpoint = self.model.endpoint
        speeds = speeds_of(endpoint, sum((run.spent for run in self._runs), Usage()))
        sizes = sizes_of(plan, self.project.workspace)
        return None if speeds is None else forecast(plan, speeds, endpoint.slots, sizes)

    async def start(
        self,
        task: str,
        *,
        plan: Plan | None = None,
        answer_type: type[Value] | None = None,
        approve: Approve | None = None,
        ask_more: AskMore | None = None,
    ) -> Run[Value]:
        """A new run, at work. With a ``plan`` there is no planner; ``approve`` may change a made plan.

        ``ask_more`` is asked when a limit is reached; without it, or when it gives None, the run is paused.

        Raises:
            ProjectError: the task is empty, or an argument is of another kind.
            PlanError: the given plan can't run here.
            StoreError: the run's file can't be made.
        """
        check_start(task=task, plan=plan, approve=approve, ask_more=ask_more)
        if plan is not None:
            self.check(plan)
        record = RunRecord(
            id=new_run_id(),
            task=task.strip(),
            project=str(self.project.root),
            workspace=str(self.project.workspace),
            model=self.model.endpoint.model,
            created_at=time.time(),
            limits=self._setting.limits,
            plan=plan,
            settings={GIVEN: plan is not None, MARK: new_mark(), **self._setting.noted()},
        )
        run = Run(record.id, self._setting, answer_type=answer_type, approve=approve, ask_more=ask_more)
        opened = await self._open(run, record)
        note_last(self.project.root, run.id)
        return opened

    async def resume(
        self,
        run: str = LAST,
        *,
        answer_type: type[Value] | None = None,
        limits: Limits | None = None,
        ask_more: AskMore | None = None,
        held: Ownership | None = None,
    ) -> Run[Value]:
        """An earlier run, going on where it was: an id, its unambiguous beginning, or ``last``.

        It keeps the limits it was given; what is set in ``limits`` goes before them. ``held`` is its
        lease, for a caller that has taken it already.

        Raises:
            ProjectError: no run is called that, or it used functions as tools that are not passed in here.
            RunBusy: another process owns it.
            StoreError: its file can't be used.
        """
        check_text("run", run, "a run's id, its beginning, or 'last'")
        check_limits(limits)
        found = find_run(self.project.root, run).stem
        setting = replace(self._setting, given=limits) if limits else self._setting
        resumed = Run(found, setting, answer_type=answer_type, ask_more=ask_more, held=held)
        return await self._open(resumed, None)

    async def fork(self, run: str, at: str) -> Fork:
        """A new run that begins as an earlier one did; ``resume`` goes on with it. ``at`` is the turn to ask
        anew, as ``actions[3]:2``, or the number of the last event to keep.

        Raises:
            ProjectError: there is no such run, turn or event.
            StoreError: a file can't be used.
        """
        check_text("run", run, "a run's id, its beginning, or 'last'")
        check_text("at", at, "a turn such as 'actions[3]:2', or the number of an event such as '12'")
        return await fork(find_run(self.project.root, run), at)

    def check(self, plan: Plan) -> None:
        """Nothing, when the plan can run here.

        Raises:
            PlanError: it can't; all its problems are named.
        """
        if found := problems(plan, self._setting.cards):
            raise PlanError(found)

    async def _open(self, run: Run[Value], record: RunRecord | None) -> Run[Value]:
        await run.open(self._group, record)
        self._runs.append(run)  # type: ignore[arg-type]  # only ever stopped
        return run


def _opened(project: Path | str | None, workspace: Path | str | None) -> Project:
    root, inside = (None if one is None else Path(one) for one in (project, workspace))
    return open_project(root, workspace=inside)


def _is_own(project: Project, server: str) -> bool:
    """Whether the project brings a server of that name in place of the built-in one."""
    entry = project.servers.get(server)
    return entry is not None and Path(entry.origin).is_relative_to(project.root)


def _with_functions(cards: Mapping[str, AgentCard], has_functions: bool) -> Mapping[str, AgentCard]:
    """The cards, with the program's own functions among the tools of every one that acts."""
    if not has_functions:
        return cards
    return {
        name: card if name == "planner" or card.tables == "queried" else _and_functions(card)
        for name, card in cards.items()
    }


def _and_functions(card: AgentCard) -> AgentCard:
    return card.model_copy(update={"tools": (*card.tools, "python")})


def run_sync(
    task: str,
    project: Path | str | None = None,
    *,
    model: str | Model | None = None,
    plan: Plan | None = None,
    answer_type: type[Value] | None = None,
    tools: Sequence[Callable[..., object]] = (),
) -> Answer[Value]:
    """The answer to a task, for programs that are not async.

    Raises:
        SwarmError: as ``Swarm.open`` and ``Swarm.start``.
        ProjectError: an event loop runs in this thread already, as in a notebook.
    """
    if _is_in_a_loop():
        raise ProjectError(
            "run_sync can't be used where an event loop runs already, as in a notebook or an async function; "
            "write there: async with Swarm.open(…) as swarm: run = await swarm.start(task); await run.answer()"
        )

    async def run() -> Answer[Value]:
        async with Swarm.open(project, model=model, tools=tools) as swarm:
            started = await swarm.start(task, plan=plan, answer_type=answer_type)
            return await started.answer()

    work: Coroutine[None, None, Answer[Value]] = run()
    return asyncio.run(work)


def _is_in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
