"""Programs that did a step, kept as files that say what they were for, to be read and run again."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from swarm.agent.assignment import Assignment
from swarm.nouns.result import Votes
from swarm.program.outcome import Outcome
from swarm.store.rows.records import ThreadRecord
from swarm.work.context import one_line

FOLDER = "programs"
LENIENT = "# Lines of another form are passed over."
"""Stands in a program that may do so: one that was chosen and did, or whose author wants it."""


def programs_of(runs_folder: Path, run: str) -> Path:
    """The folder of the programs of a run, beside that of the runs."""
    return runs_folder.parent / FOLDER / run


def name_of(step: str, item: int | None) -> str:
    """The file of a step's program."""
    return f"{step}.py" if item is None else f"{step}-{item}.py"


def keep(folder: Path, assignment: Assignment, program: str, outcome: Outcome, votes: Votes) -> None:
    """Writes a program with a header that says what it was for. Where it can't be written nothing is lost: the
    run's file has it."""
    thread = assignment.thread
    lines = [
        f"Task: {assignment.task}",
        f"Step {thread.step}: {assignment.brief}",
        f"Read: {', '.join(outcome.read) or 'no file'}",
        f"Wrote: {', '.join(outcome.files) or 'no file'}",
        f"Chosen: {votes.agreeing} of {votes.of} programs agreed.",
        "Again: swarm program FILE [--workspace FOLDER]",
    ]
    header = "".join(f"# {one_line(line, 300)}\n" for line in lines)
    if outcome.passed:
        header += f"{LENIENT}\n"
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name_of(thread.step, thread.item)).write_text(f"{header}\n{program}", encoding="utf-8")


def read_kept(folder: Path, step: str, threads: Sequence[ThreadRecord]) -> str | None:
    """The program that did a step: the kept file, which a person may have changed since, else the one that the
    run's file has. None where none did it, or its items were done by different ones."""
    path = folder / name_of(step, None)
    if path.is_file():
        return path.read_text(encoding="utf-8")
    chosen = {
        _chosen(thread)
        for thread in threads
        if thread.thread.step == step and not thread.thread.part and thread.result and thread.result.is_usable
    }
    return chosen.pop() if len(chosen) == 1 else None


def _chosen(record: ThreadRecord) -> str | None:
    votes = record.result.votes if record.result else None
    for call in record.calls:
        if votes and call.call and (call.turn, call.index) == (votes.winner, 0):
            return str(call.call.args.get("program") or "") or None
    return None


def is_told_lenient(program: str) -> bool:
    """Whether a program says of itself that lines of another form are passed over."""
    return LENIENT in program.splitlines()
