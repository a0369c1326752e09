"""What the chosen program left, put in place and recorded: its files as one call of the ledger, then its calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from swarm.errors import ProjectError, ServerError, StoreError, ToolError
from swarm.nouns.events import ToolCalled, ToolReturned
from swarm.nouns.plan import Thread
from swarm.nouns.tool import ToolCall, ToolResult
from swarm.program.commit import Commit
from swarm.program.outcome import Left, Outcome
from swarm.program.vote import Ballot, Election
from swarm.store.rows.records import LedgerEntry
from swarm.work.context import At, Work, one_line
from swarm.work.effects import act

COMMIT = "program.commit"
COMMIT_TURN = 0
"""Turn of the commit and of the winner's calls in the thread of the sub-agent."""


def candidate_at(thread: Thread, number: int, part: int = 1) -> At:
    """The place of a candidate: it has a thread of its own, as candidates are written side by side, and so has each
    further part of it that is asked for apart."""
    name = f"c{number}" if part == 1 else f"c{number}p{part}"
    return At(thread.model_copy(update={"part": name}), 1)


async def recorded_choice(work: Work, thread: Thread) -> Election | None:
    """The choice whose commit was begun; None where none was."""
    ledger = work.journal.ledger
    call = await ledger.called(At(thread, COMMIT_TURN).call)
    if call is None:
        return None
    winner, agreeing, of = (int(str(call.args[name])) for name in ("winner", "agreeing", "of"))
    known = await ledger.result(candidate_at(thread, winner).call)
    if known is None:
        raise StoreError(f"the run's file lacks what program {winner} of {thread} left; start the task again")
    ballot = Ballot(winner, Outcome.model_validate(known.data))
    return Election(ballot, agreeing, of, str(call.args["doubt"]))


async def place(work: Work, thread: Thread, choice: Election) -> tuple[str, list[str]]:
    """Puts the winner's files in place and makes its calls; why that could not be, and what is doubtful of it."""
    assert choice.winner
    outcome = choice.winner.outcome
    doubts = [part for part in (choice.doubt, *outcome.doubts) if part]
    if outcome.files or outcome.wishes:
        committed = await _committed(work, At(thread, COMMIT_TURN), choice)
        if committed.is_error:
            return committed.text, doubts
    for number, call in enumerate(outcome.wishes, start=1):
        made = await _made(work, At(thread, COMMIT_TURN, number), call)
        if made.is_error:
            doubts.append(f"{call.tool} failed: {one_line(made.text, 200)}")
    return "", doubts


async def _committed(work: Work, at: At, choice: Election) -> ToolResult:
    """The recorded result of the commit, made once; it goes on where it was cut off."""
    assert choice.winner
    ledger, files = work.journal.ledger, choice.winner.outcome.files
    commit = Commit(work.workspace.absolute(), at.key, files, work.journal.check_owner)
    known = await ledger.result(at.call)
    if known is not None:
        await _to_its_end(commit.forget)
        return known
    shown = one_line(", ".join(files) or "no file", 80)
    work.note(ToolCalled(**at.thread.place, turn=at.turn, tool=COMMIT, summary=shown))
    try:
        if ledger.state(at.call) != "sent":
            entry = LedgerEntry(call=_call(choice, files), effect="verifiable")
            ledger.intend(at.call, entry)
            await _to_its_end(commit.prepare)
            await ledger.leave(at.call, entry)
        work.journal.check_owner()
        await _to_its_end(commit.put)
        result = ToolResult(text=f"wrote {shown}", files=tuple(files))
    except ToolError as error:
        result = ToolResult(text=str(error), is_error=True)
    await ledger.settle(at.call, result)
    await _to_its_end(commit.forget)
    line = one_line(result.text, 100)
    work.note(
        ToolReturned(
            **at.thread.place, turn=at.turn, tool=COMMIT, is_error=result.is_error, summary=line, seconds=0.0
        )
    )
    return result


async def _to_its_end(act: Callable[[], None]) -> None:
    """Runs it in a thread, which has ended when this returns, cancelled or not: nothing of it comes later."""
    thread = asyncio.ensure_future(asyncio.to_thread(act))
    try:
        await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.wait([thread])
        raise


def _call(choice: Election, files: Mapping[str, Left]) -> ToolCall:
    assert choice.winner
    states = {name: {"before": left.before, "after": left.after} for name, left in files.items()}
    chosen = {
        "winner": choice.winner.number,
        "agreeing": choice.agreeing,
        "of": choice.of,
        "doubt": choice.doubt,
    }
    return ToolCall.model_validate({"tool": COMMIT, "args": {"files": states, **chosen}})


async def _made(work: Work, at: At, call: ToolCall) -> ToolResult:
    try:
        (tool,) = await work.box.tools((call.tool,))
        return await act(work, at, tool, dict(call.args), {})
    except (ProjectError, ServerError) as error:
        return ToolResult(text=str(error), is_error=True)
