"""The acts of a run in their order: plan, execute, replan, answer. Each looks in the journal first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from swarm.card import AgentCard
from swarm.engine.engine import Engine
from swarm.errors import RunInterrupted
from swarm.events import AgentWaiting, PlanMade
from swarm.plan import Plan
from swarm.planner.planner import Planning, make_plan, replan
from swarm.result import Result
from swarm.run.answer import Composed, compose
from swarm.run.direct import Ground, direct
from swarm.run.execution import Execution
from swarm.run.forecast import forecast, sizes_of, speeds_of
from swarm.scheduler.slots import Want
from swarm.survey import Survey, survey
from swarm.timing import Forecast
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
            self.work.note(AgentWaiting(step="_plan", what="question"))
            with self.work.budget.at_rest():
                approved = await self.approve(made.plan)
            if approved is None:
                raise RunInterrupted("the plan was not approved; nothing was run")
            if approved != made.plan:
                made = PlanMade(plan=approved.check(), origin="given")
        await self._adopt(made.model_copy(update={"forecast": self.forecast(made.plan)}))

    @property
    def progress(self) -> str:
        """How far the run is, in words."""
        plan = self.work.journal.run.plan
        return f"{len(self.results)} of {len(plan.steps)} steps are done" if plan else "there is no plan yet"

    async def draft(self) -> PlanMade:
        """A plan for the task; nothing is adopted."""
        self._survey = await survey(self.work)
        async with self.work.leased(PLANS) as work:
            made = await make_plan(Planning(work, self.task, self._survey, self.cards))
        known = direct(made.plan, self._ground) if made.origin == "planner" else None
        return made if known is None else PlanMade(plan=known[0], origin="direct", note=known[1])

    def forecast(self, plan: Plan) -> Forecast | None:
        """How long a plan should take; None where nothing is known of the server's speed."""
        ground = self._ground
        if ground.speeds is None:
            return None
        return forecast(plan, ground.speeds, ground.slots, sizes_of(plan, ground.workspace))

    @property
    def _ground(self) -> Ground:
        work = self.work
        endpoint = work.model.endpoint
        speeds = speeds_of(endpoint, work.budget.spent)
        return Ground(self.task, self.cards, work.workspace, endpoint.window, endpoint.slots, speeds)

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
