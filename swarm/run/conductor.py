"""The acts of a run in their order: plan, execute, replan, answer. Each looks in the journal first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from swarm.card import AgentCard
from swarm.engine.engine import Engine
from swarm.errors import RunInterrupted
from swarm.events import PlanMade
from swarm.plan import Plan
from swarm.planner.planner import Planning, make_plan, replan
from swarm.result import Result
from swarm.run.answer import Composed, compose
from swarm.run.execution import Execution
from swarm.scheduler.slots import Want
from swarm.survey import Survey, survey
from swarm.work import Work

GIVEN, REPLANS = "given", "replans"
"""Settings in a run's record: whether a person gave the plan; how often it was changed."""
PLANS = Want(kind="_plan", tier="large")
Approve = Callable[[Plan], Awaitable[Plan | None]]


@dataclass
class Conductor:
    """One run at work; the run graph calls its acts."""

    work: Work
    engine: Engine
    cards: Mapping[str, AgentCard]
    schema: Mapping[str, JsonValue] | None = None
    """JSON Schema of the typed answer, if one is asked for."""
    approve: Approve | None = None
    composed: Composed | None = None
    results: dict[str, Result] = field(default_factory=dict[str, Result])
    unfinished: bool = False
    """Whether steps failed just because the model server was gone."""
    _survey: Survey | None = None

    @property
    def task(self) -> str:
        """What the person asked."""
        return self.work.journal.run.task

    async def plan(self) -> None:
        """Make the plan, unless one is recorded.

        Raises:
            RunInterrupted: the person did not approve of it.
        """
        if self.work.journal.run.plan is not None:
            return
        made = await self.draft()
        if self.approve is not None:
            approved = await self.approve(made.plan)
            if approved is None:
                raise RunInterrupted("the plan was not approved; nothing was run")
            if approved != made.plan:
                made = PlanMade(plan=approved.check(), origin="given")
        await self._adopt(made)

    async def draft(self) -> PlanMade:
        """A plan for the task; nothing is adopted."""
        self._survey = await survey(self.work)
        async with self.work.leased(PLANS) as work:
            return await make_plan(Planning(work, self.task, self._survey, self.cards))

    async def execute(self) -> None:
        """Run every step of the plan that has no recorded result."""
        found = await self._look()
        plan = self.current
        recorded = await self.work.journal.steps()
        self.results = {
            id: result for id, result in recorded.items() if id in {step.id for step in plan.steps}
        }
        execution = Execution(self.work, self.engine, self.task, plan, self.cards, found, self.results)
        self.results = await execution.run()
        self.unfinished = bool(execution.unfinished)

    @property
    def replans(self) -> int:
        """How often the plan was changed, in all sittings."""
        recorded = self.work.journal.run.settings.get(REPLANS)
        return recorded if isinstance(recorded, int) else 0

    @property
    def wants_replan(self) -> bool:
        """Whether steps failed that another plan might reach."""
        failed = any(not self.results[step.id].is_usable for step in self.current.steps)
        return (
            failed and not self.unfinished and self.replans < self.work.limits.replans and len(self.cards) > 1
        )

    async def replan(self) -> None:
        """Replace what failed, if the planner has something better."""
        round = self.replans + 1
        found = await self._look()
        async with self.work.leased(PLANS) as work:
            planning = Planning(work, self.task, found, self.cards)
            made = await replan(planning, self.current, self.results, round)
        settings = {**self.work.journal.run.settings, REPLANS: round}
        if made is None or made.plan == self.current:
            await self.work.journal.save_run(settings=settings)
            return
        lost = [step.id for step in self.current.steps if not self.results[step.id].is_usable]
        await self._adopt(made.model_copy(update={"note": f"replaces {', '.join(lost)}"}), settings)

    async def answer(self) -> None:
        """Make the answer of the results."""
        self.composed = await compose(self.work, self.task, self.current, self.results, self.schema)

    @property
    def current(self) -> Plan:
        """The plan as it is now.

        Raises:
            RunInterrupted: there is none yet.
        """
        plan = self.work.journal.run.plan
        if plan is None:
            raise RunInterrupted("the run has no plan yet")
        return plan

    async def _adopt(self, made: PlanMade, settings: dict[str, JsonValue] | None = None) -> None:
        await self.work.journal.save_run(plan=made.plan, settings=settings)
        origin = "direct" if made.origin == "planner" and len(made.plan.steps) == 1 else made.origin
        self.work.note(made.model_copy(update={"origin": origin}))

    async def _look(self) -> Survey:
        if self._survey is None:
            self._survey = await survey(self.work)
        return self._survey
