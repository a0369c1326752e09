"""The acts of a run in their order: plan, execute, replan, answer. Each looks in the journal first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from swarm.engine.engine import Engine
from swarm.errors import CallInDoubt, ProjectError, RunInterrupted, RunPaused, ServerError
from swarm.nouns.card import AgentCard
from swarm.nouns.events import AgentWaiting, Notice, PlanMade, StepChanged, StepEnded
from swarm.nouns.plan import Plan
from swarm.nouns.result import Result, Status
from swarm.nouns.timing import Forecast
from swarm.planner.change import replan, wants_change
from swarm.planner.manner import by_program, is_by_program
from swarm.planner.planner import Planning, make_plan
from swarm.planner.reach import GENERALIST
from swarm.planner.unwritten import by_tools, still_missing, unwritten
from swarm.run.answer import Composed, compose
from swarm.run.direct import Ground, direct
from swarm.run.execution import Execution
from swarm.run.forecast import forecast, sizes_of, speeds_of
from swarm.run.typed import Form
from swarm.scheduler.slots import Want
from swarm.survey import Survey, survey
from swarm.work.context import Work

GIVEN, REPLANS, ROUNDS = "given", "replans", "rounds"
"""Settings in a run's record: whether a person gave the plan; how often what failed was changed; how
often each step was given another try."""
BY_PROGRAM = "programs can take apart all that the task names"
BY_TOOLS = "only the tools that the project adds make a file that the task asks for"
INSTEAD = "programs did not come to one result"
PLANS = Want(kind="_plan", tier="large")
Approve = Callable[[Plan], Awaitable[Plan | None]]


@dataclass
class Conductor:
    """One run at work; the run graph calls its acts."""

    work: Work
    engine: Engine
    cards: Mapping[str, AgentCard]
    form: Form | None = None
    """Of the typed answer, if one is asked for."""
    approve: Approve | None = None
    composed: Composed | None = None
    results: dict[str, Result] = field(default_factory=dict[str, Result])
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
        done = sum(result.is_usable for result in self.results.values())
        return f"{done} of {len(plan.steps)} steps are done" if plan else "there is no plan yet"

    async def draft(self) -> PlanMade:
        """A plan for the task; nothing is adopted."""
        found = await self._look()
        if (plan := await self._by_tools(found)) is not None:
            return PlanMade(plan=plan, origin="direct", note=BY_TOOLS)
        expects = self.form.of_values if self.form else None
        plan = by_program(self.task, found, self.cards, expects) if self.work.limits.candidates else None
        if plan is not None:
            return PlanMade(plan=plan, origin="direct", note=BY_PROGRAM)
        async with self.work.leased(PLANS) as work:
            made = await make_plan(Planning(work, self.task, found, self.cards))
        known = direct(made.plan, self._ground) if made.origin == "planner" else None
        return made if known is None else PlanMade(plan=known[0], origin="direct", note=known[1])

    async def _by_tools(self, found: Survey) -> Plan | None:
        """The plan of the agent that alone has what the project adds, where the task asks for a file that no text is.

        Where the tools can't be had there is none: its step fails with the reason if a plan gives it one.
        """
        card = self.cards.get(GENERALIST)
        if card is None or not card.added or not unwritten(self.task, found.paths):
            return None
        try:
            tools = await self.work.box.tools(card.added)
        except (ProjectError, ServerError):
            return None
        return by_tools(self.task, found.paths, tools)

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
        """Run every step of the plan that has nothing usable recorded.

        Raises:
            CallInDoubt: what is left waits for a person.
            RunPaused: the model did not answer, so that steps are unfinished.
        """
        found = await self._look()
        plan = self.current
        ids = {step.id for step in plan.steps}
        self.results = {
            id: result
            for id, result in (await self.work.journal.steps()).items()
            if id in ids and (result.is_usable or result.status == "dropped")
        }
        execution = Execution(
            self.work, self.engine, self.task, plan, self.cards, found, self.results, self.rounds
        )
        await execution.run()
        if execution.doubts:
            raise CallInDoubt("; ".join(execution.doubts.values()), min(execution.doubts))
        waits = [id for id, status in self.stand().items() if status == "unfinished"]
        if waits:
            why = self.results[waits[0]].reason
            words = f"{self.progress}, and the model did not answer for {', '.join(waits)}: {why}"
            raise RunPaused(f"{words}; resume the run when it does")

    def stand(self) -> dict[str, Status]:
        """Where each step of the plan stands now."""
        plan = self.work.journal.run.plan
        steps = plan.steps if plan else ()
        return {
            step.id: self.results[step.id].status if step.id in self.results else "unfinished"
            for step in steps
        }

    @property
    def replans(self) -> int:
        """How often what failed was changed, in all sittings."""
        recorded = self.work.journal.run.settings.get(REPLANS)
        return recorded if isinstance(recorded, int) else 0

    @property
    def rounds(self) -> dict[str, int]:
        """How often each step that failed was given another try."""
        recorded = self.work.journal.run.settings.get(ROUNDS)
        found = recorded if isinstance(recorded, dict) else {}
        return {step: round for step, round in found.items() if isinstance(round, int)}

    @property
    def wants_replan(self) -> bool:
        """Whether steps failed that a change may help."""
        if self.replans >= self.work.limits.replans or len(self.cards) < 2:
            return False
        if is_by_program(self.current) and not self.work.journal.run.settings.get(GIVEN):
            return any(result.status == "failed" for result in self.results.values())
        # Programs that do not agree have been written again already, told what was wrong with others.
        steps = [step for step in self.current.steps if not step.joins]
        is_program = all(self.cards[step.agent].works == "program" for step in steps)
        return not is_program and wants_change(self.current, self.results)

    async def replan(self) -> bool:
        """Change what failed, as the planner chooses; whether there is something to do again."""
        found = await self._look()
        if is_by_program(self.current):
            return await self._plan_instead(found)
        async with self.work.leased(PLANS) as work:
            planning = Planning(work, self.task, found, self.cards)
            made = await replan(planning, self.current, self.results, self.replans + 1)
        rounds = self.rounds
        for change in made.changes:
            self.work.note(change)
            if change.change in ("retry", "reword", "reassign"):
                rounds[change.step] = rounds.get(change.step, 0) + 1
        if made.changes:
            self._reopen(made.changes)
        settings: dict[str, JsonValue] = {
            **self.work.journal.run.settings,
            REPLANS: self.replans + 1,
            ROUNDS: dict[str, JsonValue](rounds),
        }
        plan = made.plan if made.plan != self.current else None
        await self.work.journal.save_run(plan=plan, settings=settings)
        if plan is not None:
            changed = "; ".join(f"{change.change} {change.step}" for change in made.changes)
            self.work.note(PlanMade(plan=plan, note=changed))
        return bool(made.changes)

    async def _plan_instead(self, found: Survey) -> bool:
        """Plan a task whose programs came to nothing that can be relied on."""
        async with self.work.leased(PLANS) as work:
            made = await make_plan(Planning(work, self.task, found, self.cards))
        settings = {**self.work.journal.run.settings, REPLANS: self.replans + 1}
        await self.work.journal.save_run(plan=made.plan, settings=settings)
        self.work.note(made.model_copy(update={"note": "; ".join(filter(None, [made.note, INSTEAD]))}))
        return True

    def _reopen(self, changes: Sequence[StepChanged]) -> None:
        """Record that what failed, and what was skipped for it, has no end yet; what is dropped has."""
        dropped = {change.step: change.why for change in changes if change.change == "drop"}
        for id, result in self.results.items():
            if id in dropped:
                given = Result(status="dropped", reason=dropped[id])
                self.work.journal.note_step(id, given)
                self.work.note(StepEnded(step=id, result=given))
            elif result.status in ("failed", "skipped"):
                self.work.journal.note_step(id, Result(status="unfinished", reason=result.reason))

    async def answer(self) -> None:
        """Make the answer of the results."""
        paths = (await self._look()).paths
        unmade = await asyncio.to_thread(still_missing, self.task, paths, self.work.workspace)
        self.composed = await compose(self.work, self.current, self.results, self.form, unmade)

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

    async def _adopt(self, made: PlanMade) -> None:
        await self.work.journal.save_run(plan=made.plan)
        origin = "direct" if made.origin == "planner" and len(made.plan.steps) == 1 else made.origin
        self.work.note(made.model_copy(update={"origin": origin}))

    async def _look(self) -> Survey:
        if self._survey is None:
            self._survey = await survey(self.work)
            for lack in self._survey.lacks:
                self.work.note(Notice(text=f"the run goes on without {lack}"))
        return self._survey
