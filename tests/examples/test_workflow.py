"""The scripted workflow from end to end: real servers, a scripted model, a known truth."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable
from pathlib import Path
from typing import Protocol, cast

import pytest

from examples.example import FOLDER, load
from swarm import Answer
from swarm.testing.double.scripted import ScriptedModel

pytestmark = pytest.mark.anyio
NAME = "scripted-workflow"


class Workflow(Protocol):
    """What ``workflow.py`` gives."""

    def work(self, workspace: Path, model: ScriptedModel, project: Path) -> Awaitable[Answer[str]]: ...


async def test_a_plan_written_in_python_gives_the_right_file_and_answer(tmp_path: Path) -> None:
    workflow = cast(Workflow, importlib.import_module(f"examples.{NAME}.workflow"))
    load(NAME).write(tmp_path / "data", 4)
    model = ScriptedModel(FOLDER / NAME / "script.py", latency_seconds=0.05)

    answer = await workflow.work(tmp_path / "data", model, tmp_path)

    score = load(NAME).check(tmp_path / "data", answer.text, 4)
    assert answer.status == "done", answer.text
    assert answer.files == ("cases.csv",)
    assert score.is_right, f"{answer.text}\n{score}"
    assert model.peak > 1
