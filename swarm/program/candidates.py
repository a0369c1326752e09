"""Doing a step by programs: asked for, run, checked, compared, and what the chosen one left put in place."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from pydantic import JsonValue

from swarm.agent.assignment import Assignment
from swarm.agent.session import summary
from swarm.errors import ModelError, ModelUnavailable
from swarm.nouns.events import AgentWaiting, Notice, ToolCalled, ToolReturned
from swarm.nouns.messages import Request
from swarm.nouns.result import Evidence, Result, Votes
from swarm.nouns.tool import ToolCall, ToolResult
from swarm.planner.draft import files_to_write
from swarm.planner.task_columns import task_columns
from swarm.program.asked import PROGRAM, Asked, Written
from swarm.program.asking import Writing
from swarm.program.calls import Delegate, ProgramCalls, Readers
from swarm.program.checks import Promise, faults, fitted, half_read, hollow, unread_beside
from swarm.program.contents import Rows, contents
from swarm.program.decimals import answer_rounded, roundings
from swarm.program.kept import is_told_lenient, keep
from swarm.program.outcome import Outcome
from swarm.program.placing import candidate_at, place, recorded_choice
from swarm.program.program_process import run_program
from swarm.program.program_wire import Formed, Order, TableFiles
from swarm.program.selecting import FIRST, SECOND, Selects
from swarm.program.table_schema import TableSchema, schema_of
from swarm.program.vote import Ballot, brief, choose, is_decided
from swarm.sandbox.confiner import choose as choose_way
from swarm.scheduler.slots import Want
from swarm.store.rows.records import LedgerEntry
from swarm.work.context import At, Work, ask, one_line

RUN = "program.run"
"""How the run of a candidate is called in the ledger."""
ENOUGH = 2
"""Candidates that must agree."""
MOST_SAMPLED = 1_024
"""Tokens of each of several replies to one request: as many as the embedded server has room for."""
TEMPERATURES = {PROGRAM: 0.7, FIRST: 0.3, SECOND: 0.3}
"""Of all candidates but the first, which is the model's likeliest, where it is asked for alone."""
PROGRAM_TOKENS = {PROGRAM: 450, FIRST: 300, SECOND: 300}
"""Of a reply: what runs longer has lost its way."""
_UNDERSCORE = re.compile(r"(?<!\w)_(?!\w)|\bunderscores?\b", re.IGNORECASE)
MOST_TOLD = 2
"""Faults of earlier programs that a later one is told."""


@dataclass
class Programming:
    """One assignment that is done by programs."""

    work: Work
    assignment: Assignment
    delegate: Delegate

    def __post_init__(self) -> None:
        self._readers = Readers(self.assignment, self.delegate)

    async def result(self) -> Result:
        """What the step gives.

        Raises:
            ModelUnavailable: the model server is gone.
        """
        # A commit that was begun is ended: the workspace is no longer what the candidates saw.
        choice = await recorded_choice(self.work, self.assignment.thread)
        if choice is None:
            tools = await self.work.box.tools(self.assignment.card.tools)
            question = Writing(self.assignment, self.work.journal.run.plan, tools)
            choice = choose(await self._ballots(question), self._enough)
        votes = Votes(
            agreeing=choice.agreeing, of=choice.of, winner=choice.winner.number if choice.winner else 0
        )
        if choice.winner is None:
            return Result(status="failed", reason=choice.doubt, votes=votes)
        failure, doubts = await place(self.work, self.assignment.thread, choice)
        if failure:
            return Result(status="failed", reason=failure, votes=votes)
        if passed := choice.winner.outcome.passed:
            self.work.note(Notice(text=passed, step=self.assignment.step.id))
        await self._keep(choice.winner, votes)
        return self._given(choice.winner, doubts, votes)

    async def _keep(self, winner: Ballot, votes: Votes) -> None:
        called = await self.work.journal.ledger.called(self._at(winner.number).call)
        if self.work.programs is not None and called is not None and self.assignment.step.program is None:
            program = str(called.args["program"])
            await asyncio.to_thread(keep, self.work.programs, self.assignment, program, winner.outcome, votes)

    @property
    def _enough(self) -> int:
        return 1 if self.assignment.step.program or self.work.limits.candidates <= 1 else ENOUGH

    async def _ballots(self, question: Writing) -> list[Ballot]:
        """The candidates, as many as are needed; as many at once as the model answers at once."""
        promise = question.promise
        if self.assignment.step.program is not None:
            return [await self._run(1, Written(self.assignment.step.program), promise)]
        # A step that a person gave to programs has one at least.
        async with self._schema(question) as schema:
            return await self._asked_ballots(question.ways(self.work.model.endpoint.window, schema), promise)

    @asynccontextmanager
    async def _schema(self, question: Writing) -> AsyncGenerator[TableSchema]:
        """The tables that the step is about. They are read in a thread of their own."""
        context = schema_of(self._order(""), question.tables, question.about)
        schema = await asyncio.to_thread(context.__enter__)
        try:
            yield schema
        finally:
            await asyncio.to_thread(context.__exit__, None, None, None)

    async def _asked_ballots(self, ways: Sequence[Asked | Selects], promise: Promise) -> list[Ballot]:
        endpoint, most = self.work.model.endpoint, max(self.work.limits.candidates, 1)
        # However many are answered at once, each way has its turn.
        width = min(max(endpoint.slots, endpoint.samples, 1), -(-most // len(ways)))
        ballots: list[Ballot] = []
        waves = 0
        while len(ballots) < most and not is_decided(ballots, self._enough):
            faults = [ballot.faults[0] for ballot in ballots if ballot.faults][-MOST_TOLD:]
            way = _next_way(ways, waves, ballots)
            # What the ways of SELECTs leave is the share of any program, which is right less often.
            left = most - width * (len(ways) - 1)
            share = min(width, max(left, ENOUGH)) if way.way == PROGRAM else width
            wave = range(len(ballots) + 1, min(len(ballots) + share, most) + 1)
            # The first wave of a way is not told of faults: one may be none.
            is_new = way.way not in {ballot.way for ballot in ballots}
            ballots += await self._wave(wave, way if is_new else way.told(faults), promise)
            waves += 1
        return ballots

    async def _wave(self, numbers: range, asked: Asked | Selects, promise: Promise) -> list[Ballot]:
        """Some candidates side by side: drawn from one request where the server gives several replies to one."""
        known = [await self._recorded(number, promise) for number in numbers]
        if all(known):
            return [ballot for ballot in known if ballot is not None]
        if 1 < len(numbers) <= self.work.model.endpoint.samples:
            replies = await self._replies(numbers[0], asked, samples=len(numbers))
            if isinstance(replies, Ballot):
                return [replies]
            runs = [
                self._run(number, written, promise, asked.way)
                for number, written in zip(numbers, replies, strict=False)
            ]
        else:
            runs = [self._candidate(number, asked, promise) for number in numbers]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(run) for run in runs]
        return [task.result() for task in tasks]

    async def _candidate(self, number: int, asked: Asked | Selects, promise: Promise) -> Ballot:
        """One program, asked for and run."""
        if known := await self._recorded(number, promise):
            return known
        replies = await self._replies(number, asked)
        if isinstance(replies, Ballot):
            return replies
        return await self._run(number, replies[0], promise, asked.way)

    async def _replies(self, number: int, way: Asked | Selects, samples: int = 1) -> list[Written] | Ballot:
        """The programs that the model writes; a candidate that is ruled out where nothing comes of it."""
        card = self.assignment.card
        want = Want(kind=card.name, tier=card.tier, model=card.model, unlike=self.assignment.unlike)
        drawn: list[list[str]] = []
        try:
            waits = partial(self.work.note, AgentWaiting(**self._at(number).thread.place))
            async with self.work.leased(want, waits) as work:
                samples = min(samples, work.model.endpoint.samples)
                for part, asked in enumerate(way.parts, start=1):
                    request = self._request(asked.of_kind(work.model.endpoint.kind), number, samples)
                    at = candidate_at(self.assignment.thread, number, part)
                    reply = await ask(work, at, request.within(self.work.limits))
                    texts = [*([reply.text] if reply.finish != "length" else []), *reply.others]
                    if not texts:
                        cut = (
                            f"the program was cut off after {request.max_tokens} tokens; write a shorter one"
                        )
                        return Ballot(number, Outcome(error=cut), (cut,), way.way)
                    drawn.append(texts)
        except ModelUnavailable:
            raise
        except ModelError as error:
            return Ballot(number, Outcome(error=str(error)), (str(error),), way.way)
        return await asyncio.to_thread(way.programs, drawn)

    def _request(self, asked: Asked, number: int, samples: int) -> Request:
        limits = self.work.limits
        tokens = min(
            self.assignment.card.limits.reply_tokens or PROGRAM_TOKENS[asked.way], limits.reply_tokens
        )
        return Request(
            messages=asked.messages,
            grammar=asked.grammar if asked.begun else "",
            max_tokens=tokens if samples == 1 else min(tokens, MOST_SAMPLED),
            temperature=0.0 if number == samples == 1 else TEMPERATURES[asked.way],
            seed=number,
            samples=samples,
        )

    async def _recorded(self, number: int, promise: Promise) -> Ballot | None:
        """A candidate that has been run; None where it has not."""
        at, ledger = self._at(number), self.work.journal.ledger
        known, called = await ledger.result(at.call), await ledger.called(at.call)
        if known is None or called is None:
            return None
        outcome = Outcome.model_validate(known.data)
        return Ballot(number, outcome, tuple(faults(outcome, promise)), str(called.args.get("way") or ""))

    async def _run(self, number: int, written: Written, promise: Promise, way: str = "") -> Ballot:
        """What comes of a program, which is run once."""
        if known := await self._recorded(number, promise):
            return known
        outcome = await self._outcome(self._at(number), number, written, way)
        return Ballot(number, outcome, tuple(faults(outcome, promise)), way)

    def _at(self, number: int) -> At:
        return candidate_at(self.assignment.thread, number)

    async def _outcome(self, at: At, number: int, written: Written, way: str) -> Outcome:
        program = written.program
        where, ledger = self.assignment.thread.place, self.work.journal.ledger
        args: dict[str, JsonValue] = {"program": program, **({"way": way} if way else {})}
        ledger.intend(at.call, LedgerEntry(call=ToolCall(tool=RUN, args=args), effect="pure"))
        self.work.note(ToolCalled(**where, turn=number, tool=RUN, summary=one_line(program, 80)))
        began = time.perf_counter()
        acts = self.assignment.step.program is not None
        calls = ProgramCalls(self.work, at, self.assignment.card, self._readers, acts=acts)
        outcome = await run_program(
            self._order(program), calls.serve, choose_way(self.work.sandbox), wishes=calls.wishes
        )
        # Whoever wrote a program by hand knows which files it is to read.
        cut = [] if acts or outcome.error else [half_read(outcome, self.assignment.survey)]
        lacks = unread_beside(outcome, self.assignment.survey)
        doubts = dict.fromkeys(filter(None, [written.doubt, *calls.doubts, *cut, *lacks]))
        wanted = self.assignment.step.expects
        # Candidates are compared by what the step gives, not by what else one of them says.
        answer = self._fitted(outcome.answer) if wanted and outcome.has_answer else outcome.answer
        outcome = outcome.model_copy(update={"doubts": tuple(doubts), "answer": answer})
        is_error, said = bool(outcome.error), outcome.error or brief(Ballot(number, outcome))
        result = ToolResult(text=said, data=outcome.model_dump(mode="json"), is_error=is_error)
        await ledger.settle(at.call, result, "done")
        # What it waited for is the time of its readers and tools.
        took = round(max(time.perf_counter() - began - calls.waited_seconds, 0.0), 3)
        line = one_line(said, 100)
        self.work.note(
            ToolReturned(**where, turn=number, tool=RUN, is_error=is_error, summary=line, seconds=took)
        )
        return outcome

    def _fitted(self, answer: JsonValue) -> JsonValue:
        """An answer as the step is to give it; what a person's program gives is not rounded."""
        given = fitted(answer, self.assignment.step.expects or {})
        if self.assignment.step.program is not None:
            return given
        task, paths = self.assignment.task, self.assignment.survey.paths
        return answer_rounded(given, task, files_to_write(task, paths))

    def _order(self, program: str) -> Order:
        survey, run, step = self.assignment.survey, self.work.journal.run, self.assignment.step
        files = files_to_write(self.assignment.task, survey.paths)
        bases = dict.fromkeys(group.pattern for group in survey.database_tables)
        results: dict[str, JsonValue] = {
            name: result.text if result.data is None else result.data
            for name, result in self.assignment.inputs.items()
        }
        return Order(
            program=program,
            workspace=str(self.work.workspace.absolute()),
            written="",
            scratch="",
            tables=[TableFiles(name=group.name, pattern=group.pattern) for group in survey.tables],
            formed=[Formed(name=one.name, form=one.form, patterns=[*one.patterns]) for one in survey.formed],
            databases=[base for base in bases if base in survey.paths],
            results=results,
            columns={}
            if step.program
            else {name: task_columns(name, self.assignment.task) for name in files},
            roundings=[] if step.program else roundings(self.assignment.task, files),
            item=self.assignment.item,
            is_lenient=self.assignment.step.program is None or is_told_lenient(program),
            has_underscore=_UNDERSCORE.search(self.assignment.task) is not None,
            now=run.created_at,
            seed=int(run.created_at),
        )

    def _given(self, winner: Ballot, doubts: list[str], votes: Votes) -> Result:
        outcome = winner.outcome
        data = _data(outcome, self.assignment)
        read = one_line(", ".join(outcome.read), 120)
        return Result(
            status="degraded" if doubts else "done",
            text=summary(data),
            data=data,
            files=tuple(name for name, left in outcome.files.items() if left.content is not None),
            evidence=(Evidence(tool=RUN, call=self._at(winner.number).key, note=read),),
            reason="; ".join(dict.fromkeys(doubts)),
            votes=votes,
        )


def _next_way(ways: Sequence[Asked | Selects], waves: int, ballots: Sequence[Ballot]) -> Asked | Selects:
    """The way in which the next candidates are asked for: each after the other, but any program where none that
    SELECTs made is of use."""
    if waves and not any(ballot.is_valid and not hollow(ballot.outcome) for ballot in ballots):
        return next(way for way in ways if way.way == PROGRAM)
    return ways[waves % len(ways)]


def _data(outcome: Outcome, assignment: Assignment) -> JsonValue:
    """What later steps get: the answer; where a table is due and no answer was given, the one that was saved."""
    wanted = assignment.step.expects
    if wanted is None or outcome.has_answer:
        return outcome.said if wanted is None else fitted(outcome.answer, wanted)
    saved = (contents(name, left.text) for name, left in outcome.files.items() if left.text is not None)
    table = next((found for found in saved if isinstance(found, Rows)), None)
    if table is None:
        return None
    return fitted([dict(zip(table.columns, row, strict=True)) for row in table.cells], wanted)
