"""``swarm runs`` and ``swarm show``: what was run and what came of it, read from the runs' files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swarm.cli.options import ProjectOption, RunArgument, folder_of, path_of
from swarm.cli.output import json_words, print_columns, print_line, size_words, time_words
from swarm.store.file.owner import owner_of
from swarm.store.shelf.runs import list_runs, run_path

if TYPE_CHECKING:
    from swarm.nouns.events import Event
    from swarm.store.rows.records import RunRecord
    from swarm.view.state import RunState

JsonOption = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


def runs(project: ProjectOption = None, json: JsonOption = False) -> None:
    """List the project's runs, the last one first."""
    folder = folder_of(project)
    found = records(folder)
    if json:
        for record in found:
            print_line(json_words({**record.model_dump(mode="json"), "size_bytes": _size(folder, record)}))
    elif found:
        rows = [_row(record, folder) for record in found]
        print_columns(("RUN", "STATUS", "BEGUN", "SIZE", "MODEL", "TASK"), rows)
    else:
        sys.stderr.write("no runs yet; start one with `swarm run TASK`\n")


def records(project: Path) -> tuple[RunRecord, ...]:
    """The project's runs, the last one first; of files that cannot be read a line on stderr says why."""
    found = list_runs(project)
    for problem in found.problems:
        sys.stderr.write(f"swarm: {problem}\n")
    return found.records


def show(
    run: RunArgument = "last",
    step: Annotated[
        str | None,
        typer.Argument(
            metavar="STEP[ITEM]",
            help="Print what that sub-agent was told, said and did: totals, 'totals[7]', 'totals[r07.txt]', "
            "'totals[7]/2' for its 2nd attempt; plan and answer for the run's own work.",
        ),
    ] = None,
    project: ProjectOption = None,
    events: Annotated[bool, typer.Option("--events", help="Print every event, one line each.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Cut no text of a transcript.")] = False,
    json: JsonOption = False,
) -> None:
    """Show a run: steps, outcomes, answer and use; or look into one of its sub-agents. A failed step is
    shown with its reason."""
    from swarm.store.shelf.reader import read_events, read_run

    path = path_of(project, run)
    record, stream = read_run(path), read_events(path)
    if step is not None:
        from swarm.cli.transcript import json_of, show_place

        if json:
            print_line(json_of(path, record, stream, step))
        else:
            show_place(path, record, stream, step, full=full)
    elif events:
        _print_events(stream, as_json=json)
    elif json:
        print_line(_json(path, record, stream))
    else:
        _print_run(record, stream, path)


def _row(record: RunRecord, project: Path) -> tuple[str, ...]:
    from swarm.view.words import one_line

    status = _status(record, run_path(project, record.id))
    begun, size = time_words(record.created_at)[:-3], size_words(_size(project, record))
    return record.id, status, begun, size, record.model, one_line(record.task, 60)


def _size(project: Path, record: RunRecord) -> int:
    from swarm.store.file.runfile import size_of

    return size_of(run_path(project, record.id))


def _status(record: RunRecord, path: Path) -> str:
    """The run's status; a run that is recorded as running but has no owner was killed."""
    is_killed = record.status == "running" and owner_of(path) is None
    return "killed" if is_killed else record.status


def _print_events(events: list[Event], *, as_json: bool) -> None:
    from swarm.view.plain import whole_line_of
    from swarm.view.words import printable

    for event in events:
        if as_json:
            print_line(event.model_dump_json())
        else:
            print_line(f"{event.seq:>6}  {printable(whole_line_of(event))}")


def _json(path: Path, record: RunRecord, events: list[Event]) -> str:
    from swarm.run.speedup import speedup_of
    from swarm.store.shelf.reader import read_questions, read_steps, read_threads

    whole = {
        "run": record.model_dump(mode="json"),
        "steps": {id: result.model_dump(mode="json") for id, result in read_steps(path).items()},
        "threads": [thread.model_dump(mode="json") for thread in read_threads(path)],
        "questions": [question.model_dump(mode="json") for question in read_questions(path)],
        "speedup": speedup_of(events).model_dump(mode="json"),
    }
    return json_words(whole)


def _print_run(record: RunRecord, events: list[Event], path: Path) -> None:
    from rich.console import Console
    from rich.text import Text

    from swarm.run.speedup import speedup_of
    from swarm.view.rows import step_rows, usage_words
    from swarm.view.state import RunState
    from swarm.view.timing_words import speedup_rows
    from swarm.view.words import printable

    state = RunState()
    for event in events:
        state.apply(event)
    console = Console(highlight=False)
    width = console.size.width if console.is_terminal else 200
    title = f"run {record.id} on {printable(record.model)}: {_status(record, path)}"
    console.print(Text(title, style="bold"), soft_wrap=True)
    console.print(Text(printable(f"task: {record.task}")), soft_wrap=True)
    for row in step_rows(state, width=width):
        console.print(row, soft_wrap=True)
    for words in (usage_words(state.usage), *speedup_rows(speedup_of(events))):
        console.print(Text(words), soft_wrap=True)
    for words in (*_doubts(path), *_ending(state)):
        console.print(Text(words), soft_wrap=True)


def _doubts(path: Path) -> list[str]:
    """How the tool calls came out, where any was in doubt."""
    from swarm.store.shelf.reader import count_calls, read_questions
    from swarm.view.words import printable

    states = count_calls(path)
    if not states.keys() - {"done", "failed"}:
        return []
    calls = ", ".join(f"{count} {state}" for state, count in states.items())
    return [
        f"tool calls: {calls}",
        *(
            printable(f"question {one.number} ({one.decision or 'open'}): {one.call.tool}: {one.evidence}")
            for one in read_questions(path)
        ),
    ]


def _ending(state: RunState) -> list[str]:
    from swarm.view.words import printable

    if state.ended is None:
        return ["no answer yet"]
    files = [f"wrote: {file}" for file in state.ended.files]
    missing = [f"missing: {words}" for words in state.ended.missing]
    return [printable(words) for words in (*files, *missing, "", state.ended.answer)]
