"""A run as its caller sees it: its events, its answer, and ways to pause and stop it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Generic, Literal, TypeVar, cast

from pydantic import JsonValue, ValidationError

from swarm.engine.local import LocalEngine
from swarm.engine.watch import first_of
from swarm.errors import CallInDoubt, LimitExceeded, ProjectError, RunInterrupted, RunPaused
from swarm.hub.servers.leftovers import FOLDER, end_leftovers
from swarm.models.model import Endpoint
from swarm.nouns.commands import Allow, Command, Decide, Decision, Heard, Pause, Stop
from swarm.nouns.events import (
    Event,
    LimitRaised,
    LimitReached,
    Notice,
    PlanMade,
    QuestionAnswered,
    RunEnded,
    RunStarted,
)
from swarm.nouns.limits import Limits, Usage
from swarm.nouns.timing import Speedup
from swarm.program.kept import programs_of
from swarm.run.answer import Answer, RunOutcome
from swarm.run.conductor import GIVEN, Approve, Conductor
from swarm.run.deadline import PauseAt, Pauses
from swarm.run.event_stream import PACK, EventStream
from swarm.run.graph import conduct
from swarm.run.setting import Setting
from swarm.run.speedup import speedup_of
from swarm.run.typed import form_of
from swarm.store.file.admission import admit_to, too_full, too_large
from swarm.store.file.mailbox import mailbox
from swarm.store.file.owner import BEAT_SECONDS, Ownership
from swarm.store.rows.journal import Journal
from swarm.store.rows.records import IMPORTED, RunRecord
from swarm.work.budget import COUNTED, Budget
from swarm.work.context import Work

Value = TypeVar("Value")
GIVEN_LIMITS = "limits"
"""Setting in a run's record: the limits that were given to it, beside those of its project."""
READ_PACKS = 16
"""Packs of events that a resume reads at once."""
GRACE_SECONDS = 2.0
"""How long a stop lets tool calls in flight end: with the 2 s a server may then take to end, less than the
5 s after which whoever sends SIGTERM may kill."""
AskMore = Callable[[LimitReached], Awaitable[float | None]]
"""Asks a person what to allow instead of the limit that was reached; None to pause the run."""


class Run(Generic[Value]):
    """One run. Made by ``Swarm.start`` and ``Swarm.resume``; it works on while you do other things."""

    def __init__(
        self,
        id: str,
        setting: Setting,
        *,
        answer_type: type[Value] | None = None,
        approve: Approve | None = None,
        ask_more: AskMore | None = None,
        held: Ownership | None = None,
    ) -> None:
        self.id = id
        self._setting = setting
        self._held = held
        self._ask_more = ask_more
        self._form = form_of(answer_type)
        self._approve = approve
        self._events = EventStream()
        self._news = asyncio.Event()
        self._driver: asyncio.Task[None] | None = None
        self._ended: asyncio.Future[Answer[Value]] | None = None
        self._stop_reason = ""
        self._stopped = asyncio.Event()
        self._pauses = Pauses()
        self._question: asyncio.Timeout | None = None
        """While a person is asked to allow more: ends the question when somebody else does."""
        self._reached: LimitReached | None = None
        self._given: dict[str, JsonValue] = {}
        self._journal: Journal | None = None

    async def events(self) -> AsyncIterator[Event]:
        """Every event from the run's first on, those of earlier sittings included; ends with the run."""
        index = 0
        while True:
            news = self._news
            while index < len(self._events):
                yield self._events[index]
                index += 1
            if self._ended is None or self._ended.done():
                if index == len(self._events):
                    return
                continue
            await news.wait()

    async def answer(self) -> Answer[Value]:
        """The answer, once there is one; its ``status`` tells whether the run was done or stopped.

        Raises:
            StoreError: the run's file failed.
        """
        if self._ended is None:
            raise RunInterrupted(f"run {self.id} was never started")
        return await asyncio.shield(self._ended)

    @property
    def spent(self) -> Usage:
        """What the run has used, over all sittings."""
        return self._events.tally.spent

    def speedup(self) -> Speedup:
        """What working side by side gained so far, and where the time went."""
        return speedup_of(self._events)

    async def stop(self, reason: str = "stopped by the user") -> None:
        """End the run where it is; what was recorded is kept and ``Swarm.resume`` goes on from there.

        No further call starts. Tool calls in flight have a moment to end and be recorded.
        """
        if self._driver is None or self._driver.done():
            return
        self._cut_off(reason)
        await asyncio.wait([self._driver])

    async def decide(self, question: int, decision: Decision, note: str = "") -> None:
        """Say what becomes of a call in doubt: what waits for it goes on, now or when the run is resumed.

        Raises:
            ProjectError: there is no such question, or it is decided already.
            RunInterrupted: the run is not at work.
        """
        if self._journal is None or self._driver is None or self._driver.done():
            raise RunInterrupted(f"run {self.id} is not at work; decide with `swarm answer`")
        await self._decide(self._journal, Decide(question=question, decision=decision, note=note))

    async def _decide(self, journal: Journal, command: Decide) -> None:
        number, decision, note = command.question, command.decision, command.note
        await journal.ledger.decide(number, decision, note)
        self._note(journal, QuestionAnswered(number=number, decision=decision, note=note))

    async def pause(self, reason: str = "paused by the user") -> None:
        """Start no further call and end the run when those in flight are recorded; ``Swarm.resume`` goes on."""
        if self._driver is None or self._driver.done():
            return
        self._pauses.ask(reason)
        await asyncio.wait([self._driver])

    def pause_by(self, deadline: PauseAt) -> None:
        """Pause in time for calls in flight to end by the deadline, going by the longest one so far."""
        self._pauses.by(deadline)

    def _cut_off(self, reason: str) -> None:
        self._stop_reason = self._stop_reason or reason
        self._stopped.set()

    async def open(self, group: asyncio.TaskGroup, record: RunRecord | None) -> None:
        """Start working, in a task of the group; returns once the run's file is open and owned.

        Raises:
            RunBusy: another process owns the run.
            StoreError: its file can't be used, or its disk is nearly full.
        """
        setting = self._setting
        admit_to(setting.runs_folder, setting.limits.but(setting.given).free_disk_mb)
        loop = asyncio.get_running_loop()
        opened: asyncio.Future[None] = loop.create_future()
        self._ended = loop.create_future()
        self._driver = group.create_task(self._drive(record, opened), name=f"run {self.id}")
        try:
            await asyncio.wait((self._driver, opened), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            # What is recorded already must end as stopped, and not look as if it was killed.
            await self.stop()
            raise
        if not opened.done():
            await self.answer()

    async def _drive(self, record: RunRecord | None, opened: asyncio.Future[None]) -> None:
        """Work to the end and hand the outcome, an error too, to whoever asks for the answer."""
        assert self._ended is not None
        try:
            self._ended.set_result(await self._work(record, opened))
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # it is the caller's, not the group's
            self._ended.set_exception(error)
            self._ended.exception()
        finally:
            self._wake()

    async def _work(self, record: RunRecord | None, opened: asyncio.Future[None]) -> Answer[Value]:
        path = self._setting.runs_folder / f"{self.id}.db"
        async with Journal.open(path, record=record, held=self._held) as journal:
            self._journal = journal
            self._setting.check(journal.run)
            await self._recall(journal)
            conductor = await self._conductor(journal)
            endpoint = self._setting.model.endpoint
            other = _other_model(self._events.tally.started, endpoint)
            self._note(
                journal,
                RunStarted(
                    run=self.id,
                    task=journal.run.task,
                    model=endpoint.model,
                    digest=endpoint.digest,
                    slots=endpoint.slots,
                    is_resumed=record is None,
                ),
            )
            if other:
                self._note(journal, Notice(text=other))
            if record is None:
                await self._end_leftovers(journal)
            await journal.save_run(status="running")
            self._tell_plan(conductor, journal)
            hearing = self._setting.box.heard_by(lambda change: self._note(journal, change))
            async with self._listening(path, conductor, journal):
                # Kept from here on: limits with which nothing begins must not stand in the way of the next resume.
                await self._save(journal, conductor.work.limits)
                opened.set_result(None)
                with hearing:
                    outcome, reason = await self._conduct(conductor, journal)
            return await self._end(journal, conductor, outcome, reason)

    async def _end_leftovers(self, journal: Journal) -> None:
        """Ends what a killed owner left: a server of it might still act on a call that is in doubt."""
        ended = await asyncio.to_thread(end_leftovers, self._setting.runs_folder.parent / FOLDER)
        if ended:
            self._note(journal, Notice(text=f"ended {ended} servers that a killed process had left"))

    async def _conduct(self, conductor: Conductor, journal: Journal) -> tuple[RunOutcome | None, str]:
        """How the run was cut short and why, or None when it came to its end."""
        try:
            async with asyncio.TaskGroup() as group:
                watches = (self._watch, self._rest, self._halt, self._keep)
                watching = [group.create_task(watch(conductor, journal)) for watch in watches]
                watching.append(group.create_task(conductor.engine.watch()))
                await conduct(conductor, journal.saver)
                for watch in watching:
                    watch.cancel()
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
            return "stopped", str(error) or "cancelled"
        except ExceptionGroup as errors:
            first = first_of(errors)
            if isinstance(first, CallInDoubt):
                words = f"only a person can say what becomes of {first}; see `swarm questions {self.id}`"
                return "paused", words
            if isinstance(first, LimitExceeded | RunInterrupted):
                rests = isinstance(first, LimitExceeded | RunPaused)
                return "paused" if rests else "stopped", str(first)
            raise first from errors
        return None, ""

    async def _watch(self, conductor: Conductor, journal: Journal) -> None:
        """Puts each limit that is reached to a person.

        Raises:
            LimitExceeded: nobody allowed more; nothing is in flight.
        """
        budget = conductor.work.budget
        while True:
            reached = await budget.breached()
            self._reached = reached.model_copy(update={"text": f"{reached.text}; {conductor.progress}"})
            self._note(journal, self._reached)
            try:
                with budget.at_rest():
                    async with asyncio.timeout(None) as self._question:
                        allowed = await self._ask_more(self._reached) if self._ask_more else None
            except TimeoutError:
                continue  # another terminal allowed more
            finally:
                self._question = None
            if allowed is None:
                words = f"{self._reached.text}; raise limits.{reached.limit} and resume it"
                raise LimitExceeded(words, reached.limit)
            await self._allow(budget, journal, reached.limit, allowed)

    async def _allow(self, budget: Budget, journal: Journal, limit: str, allowed: float) -> None:
        try:
            limits = Limits.model_validate({**budget.limits.model_dump(), limit: allowed})
        except ValidationError as error:
            raise ProjectError(f"limits.{limit} = {allowed!r}: {error.errors()[0]['msg']}") from error
        self._given = {**self._given, limit: allowed}
        self._reached = None
        await self._save(journal, limits)
        self._note(journal, LimitRaised(limit=limit, allowed=allowed))
        budget.allow(limits)
        if self._question is not None:
            self._question.reschedule(asyncio.get_running_loop().time())

    async def _rest(self, conductor: Conductor, journal: Journal) -> None:
        """Ends the run once it is time to.

        Raises:
            RunPaused: nothing is in flight.
        """
        budget = conductor.work.budget
        reason = await self._pauses.due(lambda: budget.longest_seconds)
        budget.hold()
        if budget.in_flight:
            self._note(journal, Notice(text=f"{reason}: it pauses when {_calls(budget.in_flight)} ended"))
        await budget.idle()
        raise RunPaused(f"{reason}; {conductor.progress}")

    async def _halt(self, conductor: Conductor, journal: Journal) -> None:
        """Ends the run once it is told to stop.

        Raises:
            RunInterrupted: tool calls that were in flight have ended, or took too long.
        """
        await self._stopped.wait()
        budget = conductor.work.budget
        budget.hold()
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                await budget.tools_idle()
        raise RunInterrupted(self._stop_reason)

    async def _keep(self, conductor: Conductor, journal: Journal) -> None:
        """Sees to it that the run is this process's still, and pauses it before its disk or file is too full.

        Raises:
            RunBusy: the process was frozen, and another one took the run over meanwhile.
        """
        with journal.beating_with() as beat:
            while True:
                await asyncio.sleep(BEAT_SECONDS)
                beat()
                journal.check_owner()
                folder, limits = self._setting.runs_folder, conductor.work.limits
                problem = too_full(folder, limits.free_disk_mb)
                if problem := problem or too_large(folder / f"{self.id}.db", limits.run_file_mb):
                    self._pauses.ask(problem)

    @asynccontextmanager
    async def _listening(self, path: Path, conductor: Conductor, journal: Journal) -> AsyncGenerator[None]:
        """Takes commands from other terminals, where the file system lets it."""
        async with AsyncExitStack() as stack:
            try:
                obey = partial(self._obey, conductor, journal)
                await stack.enter_async_context(mailbox(path, obey))
            except OSError as error:
                self._note(journal, Notice(text=f"it takes no commands from other terminals: {error}"))
            yield

    async def _obey(self, conductor: Conductor, journal: Journal, command: Command) -> Heard:
        """Do what another terminal asks for.

        Raises:
            ProjectError: it cannot be done.
        """
        budget = conductor.work.budget
        match command:
            case Pause():
                self._pauses.ask(command.reason)
                waits = f"; it ends when {_calls(budget.in_flight)} ended" if budget.in_flight else ""
                return Heard(ok=True, text=f"pausing{waits}")
            case Stop():
                # Once this is answered: the end of the run closes the mailbox.
                asyncio.get_running_loop().call_soon(self._cut_off, command.reason)
                return Heard(ok=True, text="stopping")
            case Allow():
                if command.limit not in COUNTED:
                    raise ProjectError(
                        f"limits.{command.limit} cannot be changed while a run works; pause it and resume it "
                        f"with --limit. These can: {', '.join(COUNTED)}"
                    )
                await self._allow(budget, journal, command.limit, command.value)
                return Heard(ok=True, text=f"limits.{command.limit} is {command.value:,.0f} now")
            case Decide():
                await self._decide(journal, command)
                return Heard(ok=True, text=f"question {command.question} is answered: {command.decision}")

    async def _save(self, journal: Journal, limits: Limits) -> None:
        kept = {name: value for name, value in journal.run.settings.items() if name != IMPORTED}
        settings: dict[str, JsonValue] = {**kept, GIVEN_LIMITS: self._given}
        # From here on it belongs to this project, wherever it was made.
        places = str(self._setting.runs_folder.parent.parent), str(self._setting.workspace)
        await journal.save_run(status="running", limits=limits, settings=settings, places=places)

    def _tell_plan(self, conductor: Conductor, journal: Journal) -> None:
        """Notes the recorded plan where no event tells of it: it is given, or a kill came before the event."""
        plan = journal.run.plan
        if plan is not None and not self._events.tally.has_plan:
            origin: Literal["given", "planner"] = "given" if journal.run.settings.get(GIVEN) else "planner"
            self._note(journal, PlanMade(plan=plan, origin=origin, forecast=conductor.forecast(plan)))

    async def _end(
        self, journal: Journal, conductor: Conductor, outcome: RunOutcome | None, reason: str
    ) -> Answer[Value]:
        composed = conductor.composed
        budget = conductor.work.budget
        answer: Answer[Value] = Answer(
            run=self.id,
            status=outcome or (composed.status if composed else "failed"),
            text=composed.text if composed else reason,
            value=cast("Value | None", composed.value) if composed else None,
            files=composed.files if composed else (),
            missing=composed.missing if composed else (reason,),
            judged=composed.judged if composed else (),
            usage=budget.spent,
            reached=self._reached if outcome == "paused" else None,
        )
        ended = RunEnded(
            status=answer.status,
            answer=answer.text,
            files=answer.files,
            missing=answer.missing,
            usage=answer.usage,
            seconds=round(budget.seconds, 3),
            steps=conductor.stand(),
            at=journal.clock(),
        )
        self._note(journal, ended.model_copy(update={"speedup": speedup_of(chain(self._events, [ended]))}))
        await journal.save_run(status=answer.status)
        return answer

    async def _conductor(self, journal: Journal) -> Conductor:
        setting = self._setting
        earlier = journal.run.settings.get(GIVEN_LIMITS)
        self._given = {
            **(earlier if isinstance(earlier, dict) else {}),
            **setting.given.model_dump(exclude_unset=True),
        }
        limits = Limits.model_validate({**setting.limits.model_dump(), **self._given})
        budget = Budget(
            limits,
            clock=time.monotonic,
            spent=await journal.usage(),
            spent_seconds=self._events.tally.worked_seconds,
            agents=self._events.tally.agents,
        )
        work = Work(
            journal=journal,
            model=setting.model,
            slots=setting.slots,
            box=setting.box,
            budget=budget,
            limits=limits,
            workspace=setting.workspace,
            note=lambda event: self._note(journal, event),
            has_database=setting.has_database,
            sandbox=setting.sandbox,
            programs=programs_of(setting.runs_folder, self.id),
        )
        return Conductor(work, LocalEngine(work), setting.cards, form=self._form, approve=self._approve)

    async def _recall(self, journal: Journal) -> None:
        """Reads the events of earlier sittings, some at a time."""
        last = 0
        while earlier := await journal.events(last, READ_PACKS * PACK):
            for start in range(0, len(earlier), PACK):
                last = self._events.recall(earlier[start : start + PACK])

    def _note(self, journal: Journal, event: Event) -> None:
        self._events.append(journal.note(event))
        self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


def _calls(number: int) -> str:
    return "the call in flight has" if number == 1 else f"the {number} calls in flight have"


def _other_model(started: RunStarted | None, now: Endpoint) -> str:
    """What a person must be told where a run goes on with another model than it had; else empty."""
    if started is None:
        return ""
    is_same = started.model == now.model
    if is_same and (not started.digest or not now.digest or started.digest == now.digest):
        return ""
    weights = " with other weights or another template" if is_same else ""
    return (
        f"so far the run asked {started.model}; it goes on with {now.model}{weights}. What is recorded stays"
    )
