"""Keeping a step's promise of a file: it is written by code and read back before the step is done."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

from pydantic import JsonValue

from swarm.agent.assignment import is_table, label
from swarm.agent.opening import columns
from swarm.errors import ProjectError, ServerError
from swarm.nouns.plan import Step, Thread
from swarm.nouns.result import Evidence, Result
from swarm.program.saving import LINES, SEPARATED, text_of
from swarm.run.promise import broken
from swarm.survey.overview import has_word
from swarm.work.context import At, Work
from swarm.work.effects import act

TABLE_FILES = (".csv", ".json", ".md")


async def close(work: Work, step: Step, result: Result, round: int = 0) -> Result:
    """The result with the step's file written, or failed or degraded with how the file is not as promised.

    ``round``: how often the step failed and was given another try.
    """
    if step.writes is None:
        return result
    thread = Thread(run=work.journal.run.id, step=step.id, attempt=0)
    wrote = result
    if file := _in_named_folder(step.writes, result, work.journal.run.task):
        step = step.model_copy(update={"writes": file})
    assert step.writes is not None
    by_agent = PurePosixPath(step.writes) in [PurePosixPath(file) for file in result.files]
    if not by_agent:
        if other := _instead(step.writes, result):
            return Result.failed(f"{step.writes} was promised, and {other} was written instead")
        try:
            wrote = await _write(work, At(thread, 2 * round + 1), step, step.writes, result)
        except (ProjectError, ServerError) as error:
            return Result.failed(f"{step.writes} was not written: {error}")
    if not wrote.is_usable:
        return wrote
    problem = broken(work.workspace, step, result, by_agent=by_agent, task=work.journal.run.task)
    if problem is None:
        return wrote
    reason = "; ".join(part for part in (f"{step.writes} {problem.problem}", wrote.reason) if part)
    return wrote.model_copy(update={"status": problem.status, "reason": reason})


def _in_named_folder(path: str, result: Result, task: str) -> str:
    """Where an agent wrote a file that is promised by its name alone: in folders that the task names."""
    if "/" in path or path in result.files:
        return ""
    own = {place for file in result.files if (place := PurePosixPath(file)).name == path}
    named = [place for place in own if all(has_word(task, part) for part in place.parent.parts)]
    return str(named[0]) if len(own) == len(named) == 1 else ""


def _instead(path: str, result: Result) -> str:
    """The file that an agent wrote in the place of the promised one, where what it gave is but words about it."""
    if not isinstance(result.data, str):
        return ""
    ending = PurePosixPath(path).suffix.lower()
    return next((file for file in result.files if PurePosixPath(file).suffix.lower() == ending), "")


async def _write(work: Work, at: At, step: Step, path: str, result: Result) -> Result:
    rows, name = result.rows, step.id
    if rows and path.endswith(TABLE_FILES):
        tool_name, args = "results.write", {"sql": f'SELECT * FROM "{name}"', "path": path}
    else:
        tool_name, args = "files.write", {"path": path, "content": _content(step, path, result)}
    (tool,) = await work.box.tools((tool_name,))
    written = await act(work, at, tool, dict(args), {name: rows or []})
    if written.is_error:
        return result.model_copy(
            update={"status": "failed", "reason": f"{path} was not written: {written.text}"}
        )
    proof = Evidence(tool=tool_name, call=at.key, note=path)
    return result.model_copy(
        update={"files": (*result.files, path), "evidence": (*result.evidence, proof)},
    )


def _content(step: Step, path: str, result: Result) -> str:
    """A result as the text of a file, of rows where there is no tool that writes them so."""
    ending, rows = PurePosixPath(path).suffix.lower(), result.rows
    if ending == ".json":
        return json.dumps(_read(result), ensure_ascii=False, indent=2) + "\n"
    if rows is not None and ending in LINES:
        return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    if rows is not None and ending in SEPARATED:
        return text_of(path, rows, columns(step.expects) or None)
    if rows == [] and is_table(step.expects):
        names = columns(step.expects)
        return f"| {' | '.join(names)} |\n|{' --- |' * len(names)}\n" if ending == ".md" else "(no rows)\n"
    return label(result.data if result.data is not None else result.text).rstrip() + "\n"


def _read(result: Result) -> JsonValue:
    """The result's data; of a text that is JSON itself, what it says."""
    if isinstance(result.data, str) and result.data.lstrip().startswith(("{", "[")):
        try:
            said: JsonValue = json.loads(result.data)
        except ValueError:
            return result.data
        return said
    return result.data
