"""``swarm questions`` and ``swarm answer``: calls in doubt, and what a person says becomes of them."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from swarm.cli.options import ProjectOption, RunArgument, folder_of, path_of
from swarm.cli.output import json_words, print_line, time_words
from swarm.cli.show import JsonOption, records
from swarm.errors import StoreError
from swarm.store.shelf.runs import run_path

if TYPE_CHECKING:
    from swarm.nouns.commands import Decide
    from swarm.store.rows.records import Question

ARGUMENTS_WIDTH = 400
"""Of the arguments of a call; `--json` gives them whole."""


def questions(
    run: Annotated[
        str, typer.Argument(help="The run: its id, the beginning of it, or last; all when left out.")
    ] = "",
    project: ProjectOption = None,
    all: Annotated[bool, typer.Option("--all", help="Those that are decided, too.")] = False,
    json: JsonOption = False,
) -> None:
    """List the tool calls that were cut off and may have taken effect, with the evidence. Such a call is not
    made again before `swarm answer` has said what becomes of it; a run that waits for nothing else is paused."""
    from swarm.store.shelf.reader import read_questions

    folder = folder_of(project)
    paths = [path_of(folder, run)] if run else [run_path(folder, one.id) for one in records(folder)]
    found = [
        (path.stem, question)
        for path in paths
        for question in read_questions(path)
        if all or question.is_open
    ]
    if json:
        for id, question in found:
            print_line(json_words({"run": id, **question.model_dump(mode="json")}))
    elif found:
        print_line("\n\n".join("\n".join(_rows(id, question)) for id, question in found))
    else:
        sys.stderr.write("no call is in doubt\n")


def answer(
    run: RunArgument,
    question: Annotated[
        int, typer.Argument(metavar="QUESTION", help="Its number, as `swarm questions` gives it.")
    ],
    decision: Annotated[
        Literal["done", "failed", "repeat", "abandon"],
        typer.Argument(
            metavar="DECISION",
            help="done: it took effect; failed: it had none; repeat: make the call again; abandon: go on "
            "without it. The agent is told, and what was seen of a call that failed or is abandoned.",
        ),
    ],
    note: Annotated[
        str, typer.Option("--note", metavar="TEXT", help="What you saw; the agent is told.")
    ] = "",
    project: ProjectOption = None,
) -> None:
    """Say what becomes of a tool call in doubt. A run at work goes on with it at once, any other one when it
    is resumed."""
    from swarm.nouns.commands import Decide
    from swarm.store.file.mailbox import tell

    path = path_of(project, run)
    command = Decide(question=question, decision=decision, note=note)
    heard = tell(path, command)
    if heard is None:
        asyncio.run(_decide(path, command))
        sys.stderr.write(
            f"question {question} is answered: {decision}; go on with: swarm resume {path.stem}\n"
        )
    elif heard.ok:
        sys.stderr.write(f"swarm: run {path.stem}: {heard.text}\n")
    else:
        raise StoreError(f"run {path.stem!r}: {heard.text}")


async def _decide(path: Path, command: Decide) -> None:
    """Decides in the file of a run that is not at work; one that is without listening is refused."""
    from swarm.nouns.events import QuestionAnswered
    from swarm.store.rows.journal import Journal

    number, decision, note = command.question, command.decision, command.note
    async with Journal.open(path) as journal:
        await journal.ledger.decide(number, decision, note)
        journal.note(QuestionAnswered(number=number, decision=decision, note=note))


def _rows(id: str, question: Question) -> list[str]:
    from swarm.store.rows.records import thread_of
    from swarm.view.words import one_line, printable

    thread = thread_of(question.thread)
    who = thread.step.lstrip("_") + ("" if thread.item is None else f"[{thread.item}]")
    args = one_line(json_words(question.call.args), ARGUMENTS_WIDTH)
    rows = [
        f"run {id}, question {question.number}: {question.call.tool} of {who} ({question.effect})",
        f"  arguments: {args}",
        f"  left: {_time(question.sent_at)} to {question.pin or 'a server of unknown version'}",
        f"  seen: {question.evidence}",
        f"  asked: {_time(question.asked_at)}",
    ]
    if question.decision:
        note = f" ({question.note})" if question.note else ""
        rows.append(f"  answered: {_time(question.answered_at)}: {question.decision}{note}")
    else:
        rows.append(
            f"  answer with: swarm answer {id} {question.number} done|failed|repeat|abandon [--note TEXT]"
        )
        if question.effect == "irreversible":
            server, _, name = question.call.tool.partition(".")
            rows.append(
                f'  if it only reads, say so and it is never asked about: [servers.{server}.effects] {name} = "pure" '
                'in swarm.toml, of a function @tool(effect="pure")'
            )
    return [printable(row) for row in rows]


def _time(seconds: float | None) -> str:
    return "at an unknown time" if seconds is None else time_words(seconds)
