"""Keeping a step's promise of a file: it is written by code and read back before the step is done."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from swarm.agent.assignment import label
from swarm.agent.opening import columns
from swarm.effects import act
from swarm.errors import ProjectError, ServerError
from swarm.plan import Step, Thread
from swarm.result import Evidence, Result
from swarm.work import At, Work

TABLE_FILES = (".csv", ".json", ".md")


async def close(work: Work, step: Step, result: Result, round: int = 0) -> Result:
    """The result with the step's file written, or failed with what is wrong with the file.

    ``round``: how often the step failed and was given another try.
    """
    if step.writes is None:
        return result
    thread = Thread(run=work.journal.run.id, step=step.id, attempt=0)
    wrote = result
    if step.writes not in result.files:
        try:
            wrote = await _write(work, At(thread, 2 * round + 1), step, step.writes, result)
        except (ProjectError, ServerError) as error:
            return Result.failed(f"{step.writes} was not written: {error}")
    problem = problem_with(work.workspace / step.writes)
    if problem:
        return wrote.model_copy(update={"status": "failed", "reason": f"{step.writes} {problem}"})
    return wrote


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
    """A result that is no table with rows, as the text of a file."""
    if path.endswith(".json"):
        return json.dumps(result.data, ensure_ascii=False, indent=2) + "\n"
    if result.data == []:
        return ",".join(columns(step.expects)) + "\n"
    return label(result.data if result.data is not None else result.text).rstrip() + "\n"


def problem_with(path: Path) -> str:
    """What is wrong with a promised file, or nothing."""
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            json.loads(text)
        elif path.suffix == ".csv":
            list(csv.reader(text.splitlines(), strict=True))
    except FileNotFoundError:
        return "was promised and is not there"
    except (OSError, UnicodeDecodeError, ValueError, csv.Error) as error:
        return f"does not parse: {error}"
    return ""
